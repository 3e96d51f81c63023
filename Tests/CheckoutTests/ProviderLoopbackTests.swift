// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

import ReliabilityCore
import Testing

@testable import checkout

/// A provider on a thread of this process, over a real socket in a directory of its own.
@Suite struct ProviderLoopbackTests {
    static let charge = ProviderRequest.ChargeRequest(
        key: "k", order: "o", amountMinor: 100, currency: "EUR", card: "tok")
    static let enough = Duration.seconds(60)

    @Test(arguments: [true, false])
    func `a reply lost after the charge, then the same key again`(honoursKeys: Bool) async throws {
        let plan = try Self.plan(.loseReply, atFirstCharge: Self.charge.order, FaultRates(lost: 0.5))
        let entries = try await Self.withProvider(plan, honoursKeys: honoursKeys) { client in
            await #expect(throws: ProviderOutcomeUnknown(cause: .connectionLost)) {
                try await client.charge(Self.charge, timeout: Self.enough)
            }
            let known = try await client.lookup(.order("o"), timeout: Self.enough)
            #expect(known == .charged(receipts: ["ch_1"]))
            let receipt = try await client.charge(Self.charge, timeout: Self.enough)
            #expect(receipt == Receipt(id: honoursKeys ? "ch_1" : "ch_2", replayed: honoursKeys))
        }
        let charge = { LedgerEntry.charge(receipt: $0, request: Self.charge) }
        #expect(entries == (honoursKeys ? [charge("ch_1")] : [charge("ch_1"), charge("ch_2")]))
    }

    @Test func `refused, declined and silent requests charge nothing, and each has an error of its own`() async throws {
        let refused = try await Self.withProvider(Self.always(FaultRates(refused: 1))) { client in
            let error = try await #require(throws: ProviderRefused.self) {
                try await client.charge(Self.charge, timeout: Self.enough)
            }
            #expect(error.retryAfter.map { $0 >= .milliseconds(5) && $0 <= .milliseconds(50) } == true)
        }
        let silent = try await Self.withProvider(Self.always(FaultRates(silent: 1))) { client in
            await #expect(throws: ProviderOutcomeUnknown(cause: .timedOut)) {
                try await Self.chargeBriefly(client)
            }
        }
        let declined = try await Self.withProvider { client in
            let bad = ProviderRequest.ChargeRequest(
                key: "k", order: "o", amountMinor: 1, currency: "EUR", card: "tok_declined_1")
            await #expect(throws: ProviderDeclined(reason: .card)) {
                try await client.charge(bad, timeout: Self.enough)
            }
            let known = try await client.lookup(.key("k"), timeout: Self.enough)
            let refunded = try await client.refund(.init(key: "r", order: "o"), timeout: Self.enough)
            #expect(known == .nothing && refunded == [])
        }
        #expect(refused == [] && silent == [] && declined == [])
        #expect(ProviderRefused(retryAfter: nil) as any Error is any NotApplied)
        #expect(ProviderDeclined(reason: .card) as any Error is any NotApplied)
        #expect(ProviderUnreachable(cause: .noThreadFree) as any Error is any NotApplied)
        #expect(!(ProviderOutcomeUnknown(cause: .timedOut) as any Error is any NotApplied))
    }

    @Test func `a charge may take place although its answer never comes`() async throws {
        let rates = FaultRates(silentAfterwards: 0.5)
        let plan = try Self.plan(.silentAfterwards, atFirstCharge: Self.charge.order, rates)
        let entries = try await Self.withProvider(plan) { client in
            await #expect(throws: ProviderOutcomeUnknown(cause: .timedOut)) {
                try await Self.chargeBriefly(client)
            }
            // However long the charge takes, what is asked later is answered later.
            let known = try await client.lookup(.order("o"), timeout: Self.enough)
            #expect(known == .charged(receipts: ["ch_1"]))
        }
        #expect(entries == [.charge(receipt: "ch_1", request: Self.charge)])
    }

    @Test func `many calls at once, late answers among them, each take effect once`() async throws {
        let entries = try await Self.withProvider(Self.always(FaultRates(late: 0.2))) { client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let request = ProviderRequest.ChargeRequest(
                            key: "k\(number % 100)", order: "o\(number % 100)", amountMinor: 1 + number % 100,
                            currency: "EUR", card: "tok")
                        return try await client.charge(request, timeout: Self.enough).replayed
                    }
                }
                let replayed = try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                #expect(replayed == 100)
            }
        }
        #expect(entries.count == 100)
    }

    @Test func `a provider that is not there was sent nothing, and neither was one by a cancelled task`() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let client = ProviderClient(socket: directory.path + "/none", threads: try BlockingThreads(count: 1))
        await #expect(
            throws: ProviderUnreachable(cause: .system(SystemError(call: "connect", code: ENOENT)))
        ) { try await client.charge(Self.charge, timeout: Self.enough) }
        await #expect(throws: ProviderUnreachable(cause: .noThreadFree)) {
            try await client.charge(Self.charge, timeout: .zero)
        }
        try await withThrowingTaskGroup { group in
            group.addTask {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                await #expect(throws: CancellationError.self) {
                    try await client.charge(Self.charge, timeout: Self.enough)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a request without its end, or too long, or senseless, does nothing`() async throws {
        let charge = try JSON.line(ProviderRequest.charge(Self.charge))
        let entries = try await Self.withProvider { client, socket in
            for (bytes, answer) in [
                (Array(charge.dropLast()), ""), ([UInt8](repeating: 120, count: 100_000), ""), ([10], "declined"),
            ] {
                let connection = try UnixSocket.connect(to: socket, timeout: Self.enough)
                // The provider may hang up before it has read too long a request.
                try? UnixSocket.send(bytes, to: connection, timeout: Self.enough)
                _ = shutdown(connection.raw, Int32(SHUT_WR))
                let read = (try? connection.read(upTo: 1_000)) ?? []
                #expect(String(decoding: read, as: UTF8.self).contains(answer) && read.isEmpty == answer.isEmpty)
            }
            let known = try await client.lookup(.key("k"), timeout: Self.enough)
            #expect(known == .nothing)
        }
        #expect(entries == [])
    }

    @Test func `a connection that never ends its line is given up, not held`() throws {
        let (ours, theirs) = try UnixSocket.pair()
        let client = Descriptor(owning: ours)
        let connection = ProviderConnection(Descriptor(owning: theirs))
        for _ in 0..<70 where !connection.isDone {
            try client.write([UInt8](repeating: 120, count: 1_000))
            #expect(connection.receive() == nil)
        }
        #expect(connection.isDone)
    }

    @Test func `sending to a peer that has gone is an error, not the end of the process`() throws {
        let (ours, theirs) = try UnixSocket.pair()
        let socket = Descriptor(owning: ours)
        _ = close(theirs)
        #expect(throws: SystemError(call: "send", code: EPIPE)) {
            try UnixSocket.send([1], to: socket, timeout: Self.enough)
        }
    }

    @Test func `a socket is taken over from a killed process, not from a living one, nor from another file`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path + "/socket"
        do { _ = try UnixSocket.listen(at: path) }
        // Its file is still there, but nobody listens.
        let listener = try UnixSocket.listen(at: path)
        #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) { _ = try UnixSocket.listen(at: path) }
        guard UnixSocket.accept(from: listener) != nil else {
            Issue.record("the attempt to connect, which finds out whether somebody listens, is missing")
            return
        }
        try writeFile(directory.path + "/file", [1])
        #expect(throws: SystemError(call: "bind", code: EEXIST)) {
            _ = try UnixSocket.listen(at: directory.path + "/file")
        }
        #expect(throws: SystemError(call: "bind", code: ENAMETOOLONG)) {
            _ = try UnixSocket.connect(to: String(repeating: "s", count: 200), timeout: Self.enough)
        }
    }

    /// Runs a provider around the body, and returns its ledger afterwards.
    private static func withProvider(
        _ faults: FaultPlan = always(.none), honoursKeys: Bool = true,
        _ body: (ProviderClient) async throws -> Void
    ) async throws -> [LedgerEntry] {
        try await withProvider(faults, honoursKeys: honoursKeys) { client, _ in try await body(client) }
    }

    private static func withProvider(
        _ faults: FaultPlan = always(.none), honoursKeys: Bool = true,
        _ body: (ProviderClient, String) async throws -> Void
    ) async throws -> [LedgerEntry] {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let settings = ProviderServer.Settings(
            socket: directory.path + "/socket", ledger: directory.path + "/ledger.jsonl", honoursKeys: honoursKeys,
            faults: faults)
        let (ours, theirs) = try UnixSocket.pair()
        let listening = AsyncStream<Void>.makeStream()
        let thread = try BlockingThreads(count: 1)
        async let ended: Void = thread.run {
            defer { listening.continuation.finish() }
            var server = try ProviderServer(settings)
            listening.continuation.finish()
            try server.run(untilEndOf: [theirs])
        }
        for await _ in listening.stream {}
        let client = ProviderClient(socket: settings.socket, threads: try BlockingThreads(count: 16))
        let result: Result<Void, any Error>
        do { result = .success(try await body(client, settings.socket)) } catch { result = .failure(error) }
        _ = close(ours)
        try await ended
        _ = close(theirs)
        try result.get()
        let left = unsafe access(settings.socket, F_OK)
        #expect(left != 0)
        return try LedgerFile.read(settings.ledger)
    }

    /// Charges with little time for the answer; again if even the request found no time.
    private static func chargeBriefly(_ client: ProviderClient) async throws -> Receipt {
        while true {
            do {
                return try await client.charge(charge, timeout: .milliseconds(20))
            } catch is ProviderUnreachable {
                continue
            }
        }
    }

    private static func always(_ rates: FaultRates) -> FaultPlan { FaultPlan(seed: 1, rates: rates) }

    /// A plan with the fault at the first charge of the order, and with none at the second one or the first lookup.
    private static func plan(
        _ fault: Fault, atFirstCharge order: String, _ rates: FaultRates
    ) throws -> FaultPlan {
        let charge = "charge " + order
        let seed = (1...10_000).first { (seed: UInt64) in
            let plan = FaultPlan(seed: seed, rates: rates)
            return plan.fault(for: charge, attempt: 1) == fault && plan.fault(for: charge, attempt: 2) == .none
                && plan.fault(for: "lookup " + order, attempt: 1) == .none
        }
        return FaultPlan(seed: try #require(seed), rates: rates)
    }
}
