// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

/// Leases that are renewed, and what a handler keeps while it runs.
@Suite(.timeLimit(.minutes(10))) struct HoldTests {
    /// A request whose handler stops at the gate, with renewals by the shop's clock.
    private func held(
        _ shop: Shop, _ gate: Gate, _ policy: UnknownPolicy<String> = .reexecute, longestHold: Duration = .seconds(600)
    ) -> Task<IdempotentResult<String>, any Error> {
        let charge = IdempotentOperation(
            "charge", store: shop.store, codec: .string, lease: shop.lease, longestHold: longestHold,
            ifUnknown: policy, clock: shop.clock, onEvent: { shop.events.append($0) })
        return Task {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
                shop.charges.append(context)
                await gate.pass()
                try Task.checkCancellation()
                return "of the first"
            }
        }
    }

    /// Lets so many thirds of the lease pass, one by one, until the renewal sleeps again.
    private func thirds(_ count: Int, _ shop: Shop) async {
        for _ in 0..<count {
            await shop.clock.waitForSleepers()
            shop.clock.advance(by: shop.lease / 3)
        }
        await shop.clock.waitForSleepers()
    }

    @Test(arguments: StoreKind.all)
    func `a handler that takes longer than the lease keeps its key`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let gate = Gate()
        let first = held(shop, gate)
        await gate.waitForArrival()
        await thirds(9, shop)
        let error = await #expect(throws: IdempotencyInFlight.self) {
            try await shop.charge(shop.operation(.reexecute))
        }
        #expect(try #require(error?.retryAfter) > .zero)
        gate.open()
        #expect(try await first.value.value == "of the first")
        #expect(shop.outcomes == [.new, .inFlight, .completed])
        #expect(shop.clock.nextWake == nil)
    }

    @Test(arguments: StoreKind.all)
    func `a renewal that fails is told and tried again`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let gate = Gate()
        let first = held(shop, gate)
        await gate.waitForArrival()
        shop.store.next(.extend, .unavailable, .unknown(applied: true))
        await thirds(5, shop)
        gate.open()
        #expect(try await first.value.origin == .fresh)
        #expect(shop.outcomes == [.new, .renewalFailed, .renewalFailed, .completed])
    }

    @Test(arguments: StoreKind.all)
    func `a lease that is lost cancels the handler, and what it did is in the error`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let gate = Gate()
        let first = held(shop, gate)
        await gate.waitForArrival()
        // The process is held up for longer than the lease, and another one takes over.
        shop.store.next(
            .extend,
            .after { _ in
                shop.clock.advance(by: shop.lease)
                try await shop.charge(shop.operation(.reexecute), receipt: "of another")
            })
        await shop.clock.waitForSleepers()
        shop.clock.advance(by: shop.lease / 3)
        let error = await #expect(throws: IdempotencyLeaseLost<String>.self) { try await first.value }
        #expect(error?.result.failure is CancellationError)
        #expect(shop.outcomes == [.new, .reclaimed, .completed, .leaseLost])
        #expect(try await shop.charge(shop.operation()).value == "of another 2")
    }

    @Test(arguments: StoreKind.all)
    func `a handler that hangs is not renewed for ever, and still settles as long as nobody took over`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let gate = Gate()
        let first = held(shop, gate, .park, longestHold: shop.lease)
        await gate.waitForArrival()
        await thirds(2, shop)
        shop.clock.advance(by: shop.lease / 3)
        while !shop.outcomes.contains(.renewalEnded) { await Task.yield() }
        #expect(shop.store.count(.extend) == 2)
        shop.clock.advance(by: shop.lease)
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(shop.operation(.park)) }
        gate.open()
        #expect(try await first.value.value == "of the first")
        #expect(shop.outcomes == [.new, .renewalEnded, .unknown, .completedLate])
    }

    /// A client that hangs up sends its request again: the first execution must still have its key then.
    @Test(arguments: StoreKind.all)
    func `the cancellation of a caller does not end the renewal of a handler that goes on`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let (arrived, gate) = (Gate(), Gate())
        let charge = shop.operation(.reexecute, clock: shop.clock)
        let first = Task {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in
                // What takes no notice of the cancellation.
                let detached = Task {
                    await gate.pass()
                    return "of the first"
                }
                arrived.open()
                return await detached.value
            }
        }
        await arrived.pass()
        await gate.waitForArrival()
        first.cancel()
        await thirds(6, shop)
        await #expect(throws: IdempotencyInFlight.self) { try await shop.charge(charge) }
        gate.open()
        #expect(try await first.value.value == "of the first")
        #expect(shop.outcomes == [.new, .inFlight, .completed])
        #expect(shop.clock.nextWake == nil)
    }

    /// The answer to the claim takes longer than a third of the lease, or than all of it.
    @Test(arguments: StoreKind.all, [20, 60])
    func `a claim whose answer comes late is renewed before the handler starts`(
        kind: StoreKind, seconds: Int
    ) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.reexecute, clock: shop.clock)
        let late = LateStore(RecordIdempotencyStore(shop.store), shop.clock, .seconds(seconds))
        let slow = IdempotentOperation(
            "charge", store: late, codec: .string, lease: shop.lease, ifUnknown: .reexecute, clock: shop.clock)
        let result = try await shop.charge(slow)
        #expect(result.value == "receipt 1")
        #expect(shop.store.count(.extend) == 1)
        #expect(try await shop.charge(charge).isReplayed)
    }

    // MARK: Checkpoints

    @Test(arguments: StoreKind.all)
    func `an execution goes on behind the last checkpoint of the one before`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.reexecute)
        let phases = Log<String>()
        func attempt(failingAfter last: String) async throws -> String {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
                for phase in ["reserved", "charged", "sent"] {
                    if phases.all.contains(phase) { continue }
                    phases.append(phase)
                    try await context.checkpoint(phase, Array(phase.utf8))
                    if phase == last { throw ProviderTimeout() }
                }
                return context.checkpoint?.name ?? "none"
            }.value
        }
        await #expect(throws: ProviderTimeout.self) { try await attempt(failingAfter: "reserved") }
        await #expect(throws: ProviderTimeout.self) { try await attempt(failingAfter: "charged") }
        let unknown = try #require(try await shop.unresolved(charge).first)
        #expect(unknown.checkpoint == (try IdempotencyCheckpoint("charged", Array("charged".utf8))))
        #expect(unknown.reason == .failed)
        #expect(try await attempt(failingAfter: "") == "charged")
        #expect(phases.all == ["reserved", "charged", "sent"])
        #expect(shop.outcomes == [.new, .leftUnknown, .reclaimed, .leftUnknown, .reclaimed, .completed])
    }

    /// With the answer lost, in or not; with the store down; and with the key lost.
    @Test(arguments: StoreKind.all)
    func `a checkpoint is kept, or its caller is told`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.reexecute)
        shop.store.next(.commit, .pass, .unknown(applied: true), .unknown(applied: false), .unavailable)
        let first = Task {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
                try await context.checkpoint("in")
                await #expect(throws: StoreError.self) { try await context.checkpoint("not in") }
                await #expect(throws: StoreError.self) { try await context.checkpoint("down") }
                #expect(try await shop.store.base.read([shop.key().recordID]).records[0]?.state == KeyState.inProgress)
                await #expect(throws: StoreError.self) {
                    try await context.checkpoint(String(repeating: "x", count: 256))
                }
                shop.clock.advance(by: shop.lease)
                let checkpoint = try await shop.unresolved(charge).first?.checkpoint
                #expect(checkpoint?.name == "in")
                try await context.checkpoint("late")
                await #expect(throws: IdempotencyInFlight.self) { try await shop.charge(charge) }
                shop.clock.advance(by: shop.lease)
                try await shop.charge(charge, receipt: "of another")
                await #expect(throws: IdempotencyHoldLost.self) { try await context.checkpoint("lost") }
                return "of the first"
            }
        }
        let lost = await #expect(throws: IdempotencyLeaseLost<String>.self) { try await first.value }
        #expect(try lost?.result.get() == "of the first")
    }

    @Test(arguments: StoreKind.all)
    func `checkpoints and renewals do not take each other for a loss`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let gate = Gate()
        let charge = shop.operation(.park, clock: shop.clock)
        // The renewal arrives after a checkpoint that it knows nothing of.
        let passed = Gate()
        shop.store.next(.extend, .after { _ in await passed.pass() })
        let first = Task {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
                await gate.pass()
                try await context.checkpoint("a")
                passed.open()
                try await context.checkpoint("b")
                return "receipt"
            }
        }
        await gate.waitForArrival()
        await shop.clock.waitForSleepers()
        shop.clock.advance(by: shop.lease / 3)
        await passed.waitForArrival()
        gate.open()
        #expect(try await first.value.value == "receipt")
        #expect(shop.outcomes == [.new, .completed])
    }

    @Test(arguments: StoreKind.all)
    func `two checkpoints at once are refused`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let gate = Gate()
        shop.store.next(.commit, .pass, .after { _ in await gate.pass() })
        let result = try await shop.operation().run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
            async let first: Void = context.checkpoint("a")
            await gate.waitForArrival()
            await #expect(throws: IdempotencyCheckpointOverlap.self) { try await context.checkpoint("b") }
            gate.open()
            try await first
            return "receipt"
        }
        #expect(result.origin == .fresh)
    }
}

/// A store whose answers to claims take that long.
private struct LateStore: IdempotencyStoreWrapper {
    let base: any IdempotencyStore
    private let clock: ManualClock
    private let delay: Duration

    init(_ base: any IdempotencyStore, _ clock: ManualClock, _ delay: Duration) {
        self.base = base
        self.clock = clock
        self.delay = delay
    }

    func claim(_ claim: IdempotencyClaim) async throws(StoreError) -> IdempotencyClaimAnswer {
        defer { clock.advance(by: delay) }
        return try await base.claim(claim)
    }
}
