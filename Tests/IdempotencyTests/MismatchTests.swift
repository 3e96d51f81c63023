// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

/// Two requests under one key.
@Suite struct MismatchTests {
    @Test(arguments: StoreKind.all)
    func `another fingerprint is refused, also while the first request runs and when its outcome is unknown`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.reexecute)
        let mismatch = IdempotencyMismatch(key: try shop.key(), isIncomparable: false)
        func other() async throws {
            _ = try await charge.run("k", tenant: "acme", fingerprint: Fingerprint { $0.field("amount", 200) }) { _ in
                Issue.record("a mismatch ran")
                return ""
            }
        }
        let gate = Gate()
        let first = Task {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in
                await gate.pass()
                return "receipt"
            }
        }
        await gate.waitForArrival()
        await #expect(throws: mismatch) { try await other() }
        // One that would wait for an outcome does not wait for another request's.
        let waiting = shop.operation(ifInFlight: .wait(upTo: .seconds(5)))
        await #expect(throws: mismatch) {
            try await waiting.run("k", tenant: "acme", fingerprint: Fingerprint { $0.field("amount", 200) }) { _ in "" }
        }
        shop.clock.advance(by: shop.lease)
        await #expect(throws: mismatch) { try await other() }
        gate.open()
        _ = try await first.value
        await #expect(throws: mismatch) { try await other() }
        #expect(shop.outcomes == [.new, .mismatch, .mismatch, .mismatch, .completedLate, .mismatch])
    }

    @Test(arguments: StoreKind.all)
    func `a fingerprint that cannot be compared is a mismatch unless that is accepted`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        try await shop.charge(shop.operation())
        func ask(_ accepts: Bool, _ fingerprint: Fingerprint) async throws -> IdempotentResult<String> {
            let charge = IdempotentOperation(
                "charge", store: shop.store, codec: .string, ifUnknown: .park, acceptsIncomparable: accepts,
                clock: StillClock.shared)
            return try await charge.run("k", tenant: "acme", fingerprint: fingerprint) { _ in
                Issue.record("a duplicate ran")
                return ""
            }
        }
        let keyed = Fingerprint(keys: [try testKey("k")]) { $0.field("amount", 100) }
        for incomparable in [keyed, .none] {
            await #expect(throws: IdempotencyMismatch(key: try shop.key(), isIncomparable: true)) {
                try await ask(false, incomparable)
            }
            #expect(try await ask(true, incomparable).isReplayed)
        }
        await #expect(throws: IdempotencyMismatch(key: try shop.key(), isIncomparable: false)) {
            try await ask(true, Fingerprint { $0.field("amount", 200) })
        }
    }
}
