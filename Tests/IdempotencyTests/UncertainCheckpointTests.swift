// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import Idempotency

/// A checkpoint that is in although nobody could say so gives the execution another fence.
@Suite(.timeLimit(.minutes(10))) struct UncertainCheckpointTests {
    /// Lets the next checkpoint be kept, and the caller hear of nothing.
    private func loseNextCheckpoint(_ shop: Shop) {
        shop.store.next(.commit, .pass, .unknown(applied: true))
        shop.store.next(.read, .unavailable)
    }

    /// The first execution's handler keeps a checkpoint that is lost on the way back, and then does `rest`.
    private func run(
        _ shop: Shop, _ operation: IdempotentOperation<String>,
        _ rest: @escaping (IdempotencyContext) async throws -> Void
    ) async throws -> IdempotentResult<String> {
        loseNextCheckpoint(shop)
        return try await operation.run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
            await #expect(throws: StoreError.self) { try await context.checkpoint("one") }
            try await rest(context)
            return "receipt"
        }
    }

    @Test(arguments: StoreKind.all)
    func `a value is kept behind it, and a later checkpoint is too`(kind: StoreKind) async throws {
        for keepsAnother in [false, true] {
            let shop = try Shop(kind)
            let result = try await run(shop, shop.operation()) { context in
                if keepsAnother { try await context.checkpoint("two") }
            }
            #expect(result.origin == .fresh)
            #expect(try await shop.charge(shop.operation()).value == "receipt")
            #expect(shop.outcomes == [.new, .completed, .replayed])
        }
    }

    /// What the look after the second one shows is the first, under a fence that the hold has not heard of.
    @Test(arguments: StoreKind.all)
    func `a later checkpoint whose answer is lost too finds it, and the hold goes on from there`(
        kind: StoreKind
    ) async throws {
        for isSent in [false, true] {
            let shop = try Shop(kind)
            let result = try await run(shop, shop.operation()) { context in
                shop.store.next(.commit, .unknown(applied: isSent))
                try await context.checkpoint("two")
                #expect(try await kept(shop) == "two")
                try await context.checkpoint("three")
                #expect(try await kept(shop) == "three")
            }
            #expect(result.origin == .fresh)
            #expect(shop.outcomes == [.new, .completed])
        }
    }

    @Test(arguments: StoreKind.all)
    func `a later checkpoint whose answer is lost too is not kept for another execution`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let (charge, gate) = (shop.operation(.reexecute), Gate())
        let first = Task {
            try await run(shop, charge) { context in
                await gate.pass()
                shop.store.next(.commit, .unknown(applied: false))
                await #expect(throws: IdempotencyHoldLost.self) { try await context.checkpoint("two") }
            }
        }
        await gate.waitForArrival()
        shop.clock.advance(by: shop.lease)
        let second = try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in
            gate.open()
            _ = await first.result
            let checkpoint = try await kept(shop)
            #expect(checkpoint == "one")
            return "second"
        }
        #expect(second.origin == .fresh)
        await #expect(throws: IdempotencyLeaseLost<String>.self) { try await first.value }
        #expect(try await shop.charge(charge).value == "second")
    }

    @Test(arguments: StoreKind.all)
    func `a checkpoint that is in does not give the hold the fence of who has claimed the key since`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let key = try shop.key()
        let first = Task {
            try await shop.operation().run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
                shop.store.next(.commit, .unknown(applied: true))
                shop.store.next(
                    .read,
                    .after { store in
                        shop.clock.advance(by: shop.lease)
                        _ = try await store.claim(ClaimRequest(.ids([key.recordID]), lease: Lease(shop.lease)))
                    })
                await #expect(throws: IdempotencyHoldLost.self) { try await context.checkpoint("one") }
                return "receipt"
            }
        }
        await #expect(throws: IdempotencyLeaseLost<String>.self) { try await first.value }
        #expect(try await kept(shop) == "one")
        await #expect(throws: IdempotencyInFlight.self) { try await shop.charge(shop.operation()) }
    }

    /// The name of the checkpoint that stands under the key.
    private func kept(_ shop: Shop) async throws -> String? {
        try KeyBody(try #require(try await shop.record()).body).checkpoint?.name
    }

    @Test(arguments: StoreKind.all)
    func `an unknown outcome and a release are kept behind it`(kind: StoreKind) async throws {
        for (error, outcome) in [
            (ProviderTimeout() as any Error, IdempotencyEvent.Outcome.leftUnknown), (CardRefused(), .released),
        ] {
            let shop = try Shop(kind)
            await #expect(throws: (any Error).self) { try await run(shop, shop.operation()) { _ in throw error } }
            #expect(shop.outcomes == [.new, outcome])
            #expect(try await shop.record()?.state == (outcome == .released ? nil : KeyState.unknown))
        }
    }

    @Test(arguments: StoreKind.all)
    func `the lease is renewed behind it`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let gate = Gate()
        async let result = run(shop, shop.operation(clock: shop.clock)) { _ in
            await gate.pass()
            try Task.checkCancellation()
        }
        await gate.waitForArrival()
        for _ in 0..<4 {
            await shop.clock.waitForSleepers(1)
            shop.clock.advance(by: shop.lease / 3)
        }
        await shop.clock.waitForSleepers(1)
        gate.open()
        #expect(try await result.origin == .fresh)
        #expect(shop.outcomes == [.new, .completed])
    }

    @Test(arguments: StoreKind.all)
    func `a value that comes after another execution's claim is not taken for kept`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        await #expect(throws: IdempotencyLeaseLost<String>.self) {
            try await run(shop, shop.operation()) { _ in
                shop.clock.advance(by: shop.lease)
                try await shop.charge(shop.operation(.reexecute), receipt: "second")
            }
        }
        #expect(try await shop.charge(shop.operation()).value == "second 1")
    }

    /// What it says of the lease is older than what the checkpoint said.
    @Test(arguments: StoreKind.all)
    func `a renewal that is answered after a checkpoint does not shorten the lease`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let (start, end, answered) = (Gate(), Gate(), Gate())
        let charge = IdempotentOperation(
            "charge", store: shop.store, codec: .string, lease: shop.lease, longestHold: shop.lease / 2,
            ifUnknown: .park, clock: shop.clock, onEvent: { shop.events.append($0) })
        shop.store.next(.extend, .before { _ in await answered.pass() })
        let first = Task {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
                await start.pass()
                try await context.checkpoint("begun")
                await end.pass()
                return "receipt"
            }
        }
        await start.waitForArrival()
        await shop.clock.waitForSleepers()
        shop.clock.advance(by: shop.lease / 3)
        await answered.waitForArrival()
        shop.clock.advance(by: shop.lease / 2)
        start.open()
        await end.waitForArrival()
        answered.open()
        await shop.clock.waitForSleepers()
        shop.clock.advance(by: shop.lease * 3 / 4)
        end.open()
        #expect(try await first.value.origin == .fresh)
        #expect(shop.outcomes.filter { $0 != .renewalEnded } == [.new, .completed])
    }

    /// What the checkpoint shows is the fence that the value was to be kept under.
    @Test(arguments: StoreKind.all)
    func `a value that comes while another execution runs is not taken for kept`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let gate = Gate()
        let first = Task {
            try await run(shop, shop.operation()) { _ in
                await gate.pass()
            }
        }
        await gate.waitForArrival()
        shop.clock.advance(by: shop.lease)
        let charge = shop.operation(.reexecute)
        let second = try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in
            gate.open()
            await #expect(throws: IdempotencyLeaseLost<String>.self) { try await first.value }
            return "second"
        }
        #expect(second.value == "second")
        #expect(shop.outcomes == [.new, .reclaimed, .leaseLost, .completed])
        #expect(try await shop.charge(charge).value == "second")
    }

    @Test(arguments: StoreKind.all)
    func `a takeover that is cancelled before its handler starts leaves the checkpoint`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        _ = try? await shop.operation().run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
            try await context.checkpoint("one")
            throw ProviderTimeout()
        }
        let asked = shop.operation(
            .probe { _ in
                cancelCurrentTask()
                return .notApplied
            })
        await Task {
            _ = await #expect(throws: CancellationError.self) { try await shop.charge(asked) }
        }.value
        #expect(shop.charges.all.isEmpty)
        try await shop.charge(shop.operation(.probe { _ in .notApplied }))
        #expect(shop.charges.all.map(\.checkpoint?.name) == ["one"])
    }
}
