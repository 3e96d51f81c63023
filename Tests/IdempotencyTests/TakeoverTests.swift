// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

/// Claims on unknown executions, and what they meet in between.
@Suite(.timeLimit(.minutes(10))) struct TakeoverTests {
    @Test(arguments: StoreKind.all)
    func `a claim that finds the key free starts it anew`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        try await shop.crashed()
        shop.clock.advance(by: shop.lease)
        let key = try shop.key()
        shop.store.next(
            .claim,
            .after { base in
                guard let record = try await base.read([key.recordID]).records[0] else { throw Unexpected() }
                _ = try await base.commit([.delete(key.recordID, expecting: record.fence)])
            })
        try await shop.charge(shop.operation(.reexecute))
        #expect(shop.charges.all.map(\.attempt) == [1])
    }

    /// Every claim finds the key free, and every insert after it finds it taken again; at last it is free or is not.
    @Test(arguments: StoreKind.all, [false, true])
    func `a call does not look for ever, and what it got at the last look it uses`(
        kind: StoreKind, isFree: Bool
    ) async throws {
        let shop = try Shop(kind)
        try await shop.crashed(lease: nil)
        let key = try shop.key()
        shop.store.next(.claim, .empty, .empty)
        if isFree {
            shop.store.next(
                .claim,
                .after { base in
                    guard let record = try await base.read([key.recordID]).records[0] else { throw Unexpected() }
                    _ = try await base.commit([.delete(key.recordID, expecting: record.fence)])
                })
            #expect(try await shop.charge(shop.operation(.reexecute)).origin == .fresh)
        } else {
            shop.store.next(.claim, .empty)
            await #expect(throws: IdempotencyInFlight(key: key, retryAfter: .zero)) {
                try await shop.charge(shop.operation(.reexecute))
            }
        }
        #expect(shop.charges.all.count == (isFree ? 1 : 0))
        #expect(shop.store.count(.claim) == 3)
    }

    /// No claim after a probe's answer can be told from one that was carried out late, time and again.
    @Test(arguments: StoreKind.all)
    func `a call does not ask for ever, and leaves the key as unknown as it is`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        try await shop.crashed()
        shop.clock.advance(by: shop.lease)
        let overtaking = shop.operation(.reexecute)
        shop.store.next(
            .claim, .after { _ in _ = try? await shop.charge(overtaking, throwing: ProviderTimeout()) },
            // The claim of the one that overtakes.
            .pass, .unknown(applied: true), .unknown(applied: true), .unknown(applied: true))
        await #expect(throws: IdempotencyInFlight(key: try shop.key(), retryAfter: .zero)) {
            try await shop.charge(shop.operation(.probe { _ in .notApplied }))
        }
        #expect(shop.charges.all.count == 1)
        #expect(shop.store.count(.claim) == 5)
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(shop.operation(.park)) }
    }

    /// Another execution comes and goes once, so that the last look finds the key free and not taken.
    @Test(arguments: StoreKind.all)
    func `a call whose last look finds the key free does not take it`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        try await shop.crashed()
        shop.clock.advance(by: shop.lease)
        let overtaking = shop.operation(.reexecute)
        shop.store.next(
            .claim, .after { _ in _ = try? await shop.charge(overtaking, throwing: ProviderTimeout()) },
            // The claim of the one that overtakes.
            .pass, .empty, .empty, .empty)
        await #expect(throws: IdempotencyInFlight(key: try shop.key(), retryAfter: .zero)) {
            try await shop.charge(shop.operation(.reexecute))
        }
        #expect(shop.charges.all.count == 1)
        #expect(shop.store.count(.claim) == 5)
    }

    /// The claim that came too late holds the record until it is given back.
    @Test(arguments: StoreKind.all)
    func `an outcome that a claim has met is kept no longer than its retention`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = IdempotentOperation(
            "charge", store: shop.store, codec: .string, lease: shop.lease, retention: .seconds(10),
            ifUnknown: .reexecute, clock: StillClock.shared)
        let gate = Gate()
        let first = Task {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in
                await gate.pass()
                return "of the first"
            }
        }
        await gate.waitForArrival()
        shop.clock.advance(by: shop.lease)
        shop.store.next(
            .claim,
            .after { _ in
                gate.open()
                _ = try await first.value
            })
        #expect(try await shop.charge(charge).isReplayed)
        shop.clock.advance(by: .seconds(10))
        #expect(try await shop.charge(charge).origin == .fresh)
    }

    /// A later version of the service has written there between the look and the claim.
    @Test(arguments: StoreKind.all)
    func `a claim that meets what cannot be read runs nothing`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let fence = try await shop.crashed()
        shop.clock.advance(by: shop.lease)
        let key = try shop.key()
        let later = RecordContent(state: "later", body: [2])
        shop.store.next(
            .claim,
            .after { base in
                _ = try await base.commit([.replace(key.recordID, expecting: fence, with: later, lease: .end)])
            })
        await #expect(throws: IdempotencyRecordUnreadable.self) { try await shop.charge(shop.operation(.reexecute)) }
        #expect(shop.charges.all.isEmpty)
        #expect(try await shop.record()?.body == [2])
    }

    // MARK: Claims that are carried out late

    /// A claim is carried out long after its answer was lost: on a record that another call has inserted meanwhile, and
    /// whose execution nobody knows the end of. It must not pass for this call's own insert.
    @Test(arguments: StoreKind.all)
    func `a claim that is carried out late frees no other call's key and leaves out no probe`(
        kind: StoreKind
    ) async throws {
        for asks in [false, true] {
            let shop = try Shop(kind)
            let fence = try await shop.crashed()
            shop.clock.advance(by: shop.lease)
            let key = try shop.key()
            shop.store.next(.claim, .unknown(applied: false))
            // The look before the claim, and the one after it.
            shop.store.next(.read, .pass, .after { _ = try await $0.commit([.delete(key.recordID, expecting: fence)]) })
            // The insert that finds the crashed execution, and the one that would find the key free.
            shop.store.next(
                .commit, .pass,
                .after { store in
                    try await shop.crashed()
                    shop.clock.advance(by: shop.lease)
                    for request in shop.store.claims.all { _ = try await store.claim(request) }
                })
            try await requireCaution(shop, asks: asks)
        }
    }

    /// The claim comes just after another execution has come and gone, and nobody hears that it has found another one
    /// than it named.
    @Test(arguments: StoreKind.all)
    func `a claim of unknown outcome that has met another execution frees no key and leaves out no probe`(
        kind: StoreKind
    ) async throws {
        for asks in [false, true] {
            let shop = try Shop(kind)
            try await shop.crashed()
            shop.clock.advance(by: shop.lease)
            let other = IdempotentOperation(
                "charge", store: shop.store.base, codec: .string, ifUnknown: .reexecute, clock: StillClock.shared)
            shop.store.next(
                .claim,
                .lostAfter { _ in
                    _ = try? await other.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in
                        throw ProviderTimeout()
                    }
                })
            try await requireCaution(shop, asks: asks)
        }
    }

    /// A request whose claim meets another execution than the one that was asked about: that one is asked about too, or
    /// else nothing frees its key.
    private func requireCaution(_ shop: Shop, asks: Bool) async throws {
        let probes = Log<UnknownExecution>()
        let probe = UnknownPolicy<String>.probe { context in
            probes.append(context)
            return probes.all.count == 1 ? .notApplied : .applied("of the other")
        }
        if asks {
            #expect(try await shop.charge(shop.operation(probe)).value == "of the other")
            #expect(probes.all.map(\.reason) == [.leasePassed, .claimedInError])
            #expect(shop.charges.all.isEmpty)
        } else {
            await #expect(throws: CardRefused()) {
                try await shop.charge(shop.operation(.reexecute), throwing: CardRefused())
            }
            #expect(shop.outcomes == [.reclaimed, .leftUnknown])
            #expect(try await shop.record()?.state == KeyState.unknown)
        }
    }
}
