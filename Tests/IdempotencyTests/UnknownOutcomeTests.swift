// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Retrying
import Testing

/// The rule after uncertainty: what is not known is never guessed, and the late owner knows.
@Suite struct UnknownOutcomeTests {
    /// A first request that stops in its handler until the gate opens.
    private func slow(_ shop: Shop, _ charge: IdempotentOperation<String>, _ gate: Gate) -> Task<String, any Error> {
        Task {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
                shop.charges.append(context)
                await gate.pass()
                return "of the first"
            }.value
        }
    }

    @Test(arguments: StoreKind.all)
    func `a provider's time-out never leads to a second charge when unknown outcomes are parked`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.park)
        await #expect(throws: ProviderTimeout.self) { try await shop.charge(charge, throwing: ProviderTimeout()) }
        for _ in 0..<3 {
            shop.clock.advance(by: .seconds(86_400))
            let error = await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(charge) }
            #expect(error?.key == (try shop.key()))
            #expect((error as (any Error)?) is any NotApplied == false)
        }
        #expect(shop.charges.all.count == 1)
        #expect(shop.outcomes == [.new, .leftUnknown, .unknown, .unknown, .unknown])
    }

    @Test(arguments: StoreKind.all)
    func `a re-execution has a larger fence, the next attempt and the same downstream key`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.reexecute)
        for _ in 0..<2 {
            await #expect(throws: ProviderTimeout.self) { try await shop.charge(charge, throwing: ProviderTimeout()) }
        }
        #expect(try await shop.charge(charge).value == "receipt 3")
        let contexts = shop.charges.all
        #expect(contexts.map(\.attempt) == [1, 2, 3])
        #expect(Set(contexts.map { $0.downstreamKey("charge") }).count == 1)
        #expect(contexts.map(\.fence).sorted() == contexts.map(\.fence))
        #expect(Set(contexts.map(\.fence)).count == 3)
    }

    @Test(arguments: StoreKind.all)
    func `a retry around the operation comes back when the lease of a crashed execution has passed`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        try await shop.crashed()
        let retry = Retry(maxAttempts: 2, clock: shop.clock)
        let charge = shop.operation(.reexecute)
        let retried = Task { try await retry.run { try await shop.charge(charge).value } }
        await shop.clock.waitForSleepers()
        #expect(try #require(shop.clock.nextWake) >= shop.lease)
        shop.clock.advance(by: shop.lease * 2)
        #expect(try await retried.value == "receipt 1")
        #expect(shop.outcomes == [.inFlight, .reclaimed, .completed])
    }

    @Test(arguments: StoreKind.all)
    func `a re-execution that did nothing says nothing of the earlier execution`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.reexecute)
        await #expect(throws: ProviderTimeout.self) { try await shop.charge(charge, throwing: ProviderTimeout()) }
        await #expect(throws: CardRefused()) { try await shop.charge(charge, throwing: CardRefused()) }
        #expect(try await shop.record()?.state == KeyState.unknown)
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(shop.operation(.park)) }
    }

    @Test(arguments: StoreKind.all)
    func `a late owner completes after others were told that the outcome is unknown`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let asking = shop.operation(.probe { _ in .unknown })
        let failing = shop.operation(.probe { _ in throw CardRefused() })
        let gate = Gate()
        let first = slow(shop, shop.operation(.park), gate)
        await gate.waitForArrival()
        shop.clock.advance(by: shop.lease + .seconds(1))
        for other in [shop.operation(.park), asking, failing, shop.operation(.park)] {
            let error = await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(other) }
            #expect(error?.fence == shop.charges.all[0].fence)
        }
        gate.open()
        #expect(try await first.value == "of the first")
        #expect(try await shop.charge(shop.operation(.park)).value == "of the first")
        #expect(shop.charges.all.count == 1)
        #expect(shop.outcomes == [.new, .unknown, .unknown, .unknown, .unknown, .completedLate, .replayed])
    }

    @Test(arguments: StoreKind.all, [false, true])
    func `a late owner whose key another execution has claimed changes nothing and keeps its value`(
        kind: StoreKind, purged: Bool
    ) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.reexecute)
        let gate = Gate()
        let first = slow(shop, charge, gate)
        await gate.waitForArrival()
        shop.clock.advance(by: shop.lease)
        if purged {
            // The second frees the key, and a third one takes it anew.
            try await charge.resolve(try shop.key(), as: .released, of: shop.fence())
        }
        #expect(try await shop.charge(charge, receipt: "of another").value == "of another 2")
        let stored = try await shop.record()
        gate.open()
        let error = await #expect(throws: IdempotencyLeaseLost<String>.self) { try await first.value }
        #expect(try error?.result.get() == "of the first")
        #expect(try await shop.record() == stored)
        #expect(shop.outcomes.last == .leaseLost)
        #expect(shop.charges.all[0].fence < shop.charges.all[1].fence)
    }

    @Test(arguments: StoreKind.all)
    func `an owner that completes just before it is taken over is replayed`(kind: StoreKind) async throws {
        for policy in [UnknownPolicy<String>.reexecute, .probe { _ in .notApplied }, .probe { _ in .applied("x") }] {
            let shop = try Shop(kind)
            let charge = shop.operation(policy)
            let gate = Gate()
            let first = slow(shop, charge, gate)
            await gate.waitForArrival()
            shop.clock.advance(by: shop.lease)
            shop.store.next(
                .claim,
                .after { _ in
                    gate.open()
                    _ = try await first.value
                })
            #expect(try await shop.charge(charge).value == "of the first")
            #expect(shop.charges.all.count == 1)
            #expect(try await shop.charge(charge).value == "of the first")
        }
    }

    @Test(arguments: StoreKind.all)
    func `a probe's outcome is stored and replayed`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let fence = try await shop.crashed()
        let probes = Log<UnknownExecution>()
        let charge = shop.operation(
            .probe {
                probes.append($0)
                return .applied("found")
            })
        shop.clock.advance(by: shop.lease)
        let found = try await shop.charge(charge)
        #expect(found.value == "found")
        #expect(found.isReplayed)
        #expect(try await shop.charge(charge).value == "found")
        #expect(probes.all.map(\.fence) == [fence])
        #expect(shop.charges.all.isEmpty)
        #expect(shop.outcomes == [.recovered, .replayed])
    }

    @Test(arguments: StoreKind.all)
    func `a probe that finds nothing lets the handler run, and its refusal frees the key`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.probe { _ in .notApplied })
        try await shop.crashed()
        shop.clock.advance(by: shop.lease)
        await #expect(throws: CardRefused()) { try await shop.charge(charge, throwing: CardRefused()) }
        #expect(try await shop.record() == nil)
        #expect(shop.outcomes == [.reclaimed, .released])
    }

    /// Two probes are asked; meanwhile another call claims the key, and its handler ends without anybody knowing how.
    @Test(arguments: StoreKind.all)
    func `a probe's answer is not used for an execution that started after it was asked`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        try await shop.crashed()
        shop.clock.advance(by: shop.lease)
        let probes = Log<UnknownExecution>()
        let charge = shop.operation(
            .probe { context in
                probes.append(context)
                return context.attempt == 1 ? .notApplied : .unknown
            })
        let overtaking = shop.operation(.reexecute)
        shop.store.next(.claim, .after { _ in _ = try? await shop.charge(overtaking, throwing: ProviderTimeout()) })
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(charge) }
        #expect(shop.charges.all.count == 1)
        #expect(probes.all.map(\.attempt) == [1, 3])
        #expect(try await shop.record()?.state == KeyState.unknown)
    }

    @Test(arguments: StoreKind.all)
    func `a key that is in progress without a lease follows the policy`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        try await shop.crashed(lease: nil)
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(shop.operation(.park)) }
        let charge = shop.operation(.reexecute)
        await #expect(throws: CardRefused()) { try await shop.charge(charge, throwing: CardRefused()) }
        #expect(try await shop.record()?.state == KeyState.unknown)
        try await shop.charge(charge)
        #expect(shop.charges.all.count == 2)
    }

    @Test(arguments: StoreKind.all)
    func `an operator's answer settles an unknown outcome`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.park)
        await #expect(throws: ProviderTimeout.self) { try await shop.charge(charge, throwing: ProviderTimeout()) }
        try await charge.resolve(try shop.key(), as: .completed("by hand"), of: shop.fence())
        #expect(try await shop.charge(charge).value == "by hand")

        try await shop.crashed("l")
        shop.clock.advance(by: shop.lease)
        try await charge.resolve(try shop.key("l"), as: .released, of: shop.fence("l"))
        #expect(try await shop.charge(charge, "l").origin == .fresh)
        #expect(shop.outcomes.filter { $0 == .resolved }.count == 2)
    }

    @Test(arguments: StoreKind.all)
    func `an operator's answer is refused while the key is held, completed or free`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.park)
        let (held, done, free) = try (shop.key("held"), shop.key("done"), shop.key("free"))
        try await shop.crashed("held")
        try await shop.charge(charge, "done")
        let completed = try #require(try await shop.record("done"))
        for resolution in [IdempotencyResolution<String>.completed("x"), .released] {
            await #expect(throws: IdempotencyInFlight(key: held, retryAfter: shop.lease)) {
                try await charge.resolve(held, as: resolution, of: shop.fence("held"))
            }
            let completedAt = completed.expiresAt?.advanced(by: .zero - shop.retention)
            await #expect(throws: IdempotencyNothingToResolve(key: done, completedAt: completedAt)) {
                try await charge.resolve(done, as: resolution, of: shop.fence("done"))
            }
            await #expect(throws: IdempotencyNothingToResolve(key: free, completedAt: nil)) {
                try await charge.resolve(free, as: resolution, of: shop.fence("free"))
            }
        }
        #expect(try await shop.record("done") == completed)
    }

    /// The late owner completes between the operator's look and the claim.
    @Test(arguments: StoreKind.all)
    func `a late owner wins over an operator's answer`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.park)
        let gate = Gate()
        let first = slow(shop, charge, gate)
        await gate.waitForArrival()
        shop.clock.advance(by: shop.lease)
        shop.store.next(
            .claim,
            .after { _ in
                gate.open()
                _ = try await first.value
            })
        await #expect(throws: IdempotencyNothingToResolve.self) {
            try await charge.resolve(try shop.key(), as: .released, of: shop.fence())
        }
        #expect(try await shop.charge(charge).value == "of the first")
    }
}
