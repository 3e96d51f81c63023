// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A check of the provider as a separate process: it loses a reply, is killed, and still knows what it did.
enum ProviderCheck {
    /// Runs the check and reports each step.
    ///
    /// - Throws: a ``Failure`` that names the step that went wrong.
    static func run(report: (String) throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        var settings = ProviderServer.Settings(
            socket: directory.path + "/provider.sock", ledger: directory.path + "/ledger.jsonl")
        let client = ProviderClient(socket: settings.socket, threads: try BlockingThreads(count: 2))
        let charge = ProviderRequest.ChargeRequest(
            key: "key-1", order: "order-1", amountMinor: 1_250, currency: "EUR", card: "tok_card_1")
        let refund = ProviderRequest.RefundRequest(key: "key-2", order: charge.order)
        let timeout = Duration.seconds(10)

        settings.faults = FaultPlan(seed: 1, rates: FaultRates(lost: 1))
        var provider = try ProviderProcess(settings)
        do {
            _ = try await client.charge(charge, timeout: timeout)
            throw Failure("provider check: a lost reply arrived", exitCode: .failed)
        } catch let unknown as ProviderOutcomeUnknown {
            try require(unknown.cause == .connectionLost, "a lost reply looks like \(unknown.cause)")
        }
        try require(provider.kill() == .signal(SIGKILL), "the provider survived SIGKILL")
        try report("charged, reply lost, provider killed")

        settings.faults = FaultPlan(seed: 1, rates: .none)
        provider = try ProviderProcess(settings)
        let state = try await client.lookup(.key(charge.key), timeout: timeout)
        try require(state == .charged(receipts: ["ch_1"]), "after a restart the charge is \(state)")
        let receipt = try await client.charge(charge, timeout: timeout)
        try require(receipt == Receipt(id: "ch_1", replayed: true), "the same key gave \(receipt)")
        let first = try await client.refund(refund, timeout: timeout)
        let second = try await client.refund(refund, timeout: timeout)
        try require(first == ["ch_1"] && second.isEmpty, "refunds gave \(first) and \(second)")
        try report("started again: charge found, replayed and refunded once")

        try require(provider.stop() == .status(0), "the provider did not end when asked")
        try require(unsafe access(settings.socket, F_OK) != 0, "the provider left its socket behind")
        let entries = try LedgerFile.read(settings.ledger)
        try require(
            entries == [.charge(receipt: "ch_1", request: charge), .refund(receipts: ["ch_1"], request: refund)],
            "the ledger holds \(entries)")
        try report("ended: one charge and one refund in the ledger")
    }

    private static func require(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws(Failure) {
        guard holds else { throw Failure("provider check: " + otherwise(), exitCode: .failed) }
    }
}
