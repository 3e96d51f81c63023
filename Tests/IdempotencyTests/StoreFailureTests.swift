// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

@Suite struct StoreFailureTests {
    private static let unavailable = StoreError.unavailable(ScriptedStore.failure)
    private static let unknown = StoreError.outcomeUnknown(ScriptedStore.failure)

    @Test(arguments: StoreKind.all)
    func `a store that is down when the key is claimed lets nothing run`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        shop.store.next(.commit, .unavailable)
        await #expect(throws: Self.unavailable) { try await shop.charge(shop.operation()) }
        try await shop.crashed()
        shop.clock.advance(by: shop.lease)
        shop.store.next(.claim, .unavailable)
        await #expect(throws: Self.unavailable) { try await shop.charge(shop.operation(.reexecute)) }
        #expect(shop.charges.all.isEmpty)
        #expect(shop.outcomes == [.storeFailed, .storeFailed])
    }

    @Test(arguments: StoreKind.all)
    func `a claim of unknown outcome is looked up once and recognised`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        for (key, applied) in [("in", true), ("not in", false)] {
            shop.store.next(.commit, .unknown(applied: applied))
            #expect(try await shop.charge(shop.operation(), key).origin == .fresh)
        }
        #expect(shop.store.count(.read) == 2)
        #expect(shop.charges.all.map(\.attempt) == [1, 1])
        #expect(shop.outcomes == [.new, .completed, .new, .completed])

        for (key, applied) in [("again in", true), ("again not in", false)] {
            try await shop.crashed(key)
            shop.clock.advance(by: shop.lease)
            shop.store.next(.claim, .unknown(applied: applied))
            #expect(try await shop.charge(shop.operation(.reexecute), key).origin == .fresh)
        }
        #expect(shop.charges.all.map(\.attempt) == [1, 1, 2, 2])
    }

    @Test(arguments: StoreKind.all)
    func `an insert of unknown outcome that another call's overtook is not taken for one's own`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        shop.store.next(.commit, .unknown(applied: false))
        shop.store.next(.read, .after { _ in try await shop.crashed() })
        await #expect(throws: IdempotencyInFlight.self) { try await shop.charge(shop.operation()) }
        #expect(shop.charges.all.isEmpty)
    }

    /// The answer takes longer than the lease. What the call then found would be anybody's while its handler runs.
    @Test(arguments: StoreKind.all)
    func `a claim that is found after its lease has passed is renewed before the handler starts`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let policies: [(String, UnknownPolicy<String>)] = [
            ("new", .park), ("again", .reexecute), ("asked", .probe { _ in .notApplied }),
        ]
        for (key, policy) in policies {
            if key != "new" {
                try await shop.crashed(key)
                shop.clock.advance(by: shop.lease)
            }
            shop.store.next(key == "new" ? .commit : .claim, .unknown(applied: true))
            shop.store.next(.read, .after { _ in shop.clock.advance(by: shop.lease) })
            let result = try await shop.operation(policy).run(key, tenant: "acme", fingerprint: shop.fingerprint) { _ in
                let inFlight = IdempotencyInFlight(key: try shop.key(key), retryAfter: shop.lease)
                await #expect(throws: inFlight) { try await shop.charge(shop.operation(.reexecute), key) }
                return "once"
            }
            #expect(result.value == "once")
            #expect(shop.charges.all.isEmpty)
        }
    }

    @Test(arguments: StoreKind.all)
    func `a claim that was lost before it was found is not used`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        shop.store.next(.commit, .unknown(applied: true))
        shop.store.next(.read, .after { _ in shop.clock.advance(by: shop.lease) })
        shop.store.next(.extend, .after { _ in try await shop.charge(shop.operation(.reexecute)) })
        #expect(try await shop.charge(shop.operation()).value == "receipt 1")
        #expect(shop.charges.all.count == 1)
    }

    @Test(arguments: StoreKind.all)
    func `a claim of unknown outcome that cannot be looked up ends the call, and the key waits for its lease`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        shop.store.next(.commit, .unknown(applied: true))
        shop.store.next(.read, .unavailable)
        await #expect(throws: Self.unknown) { try await shop.charge(shop.operation()) }
        #expect(shop.charges.all.isEmpty)
        await #expect(throws: IdempotencyInFlight.self) { try await shop.charge(shop.operation()) }
    }

    @Test(arguments: StoreKind.all)
    func `an outcome that is in although the store did not say so counts as stored`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        shop.store.next(.commit, .pass, .unknown(applied: true))
        #expect(try await shop.charge(shop.operation()).origin == .fresh)
        #expect(try await shop.charge(shop.operation()).isReplayed)
        #expect(shop.outcomes == [.new, .completed, .replayed])

        shop.store.next(.commit, .pass, .unknown(applied: true))
        await #expect(throws: CardRefused()) { try await shop.charge(shop.operation(), "l", throwing: CardRefused()) }
        #expect(shop.outcomes.suffix(2) == [.new, .released])
    }

    /// The turns of the commit that settles and of the look after it.
    @Test(arguments: StoreKind.all, [0, 1, 2])
    func `an outcome that may not be stored comes out in the error, and later counts as unknown`(
        kind: StoreKind, failure: Int
    ) async throws {
        let shop = try Shop(kind)
        switch failure {
        case 0: shop.store.next(.commit, .pass, .unavailable)
        case 1: shop.store.next(.commit, .pass, .unknown(applied: false))
        default:
            shop.store.next(.commit, .pass, .unknown(applied: false))
            shop.store.next(.read, .unavailable)
        }
        let error = await #expect(throws: IdempotencyUnsettled<String>.self) {
            try await shop.charge(shop.operation())
        }
        #expect(error?.value == "receipt 1")
        #expect(error?.cause as? StoreError == (failure == 0 ? Self.unavailable : Self.unknown))
        #expect((error as (any Error)?) is any NotApplied == false)
        #expect(shop.outcomes == [.new, .storeFailed])
        #expect(shop.store.count(.read) == (failure == 0 ? 0 : 1))
        await #expect(throws: IdempotencyInFlight.self) { try await shop.charge(shop.operation()) }
        shop.clock.advance(by: shop.lease)
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(shop.operation()) }
        #expect(shop.charges.all.count == 1)
    }

    @Test(arguments: StoreKind.all)
    func `a handler's error stays what it is when its key cannot be settled`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        shop.store.next(.commit, .pass, .unavailable)
        await #expect(throws: CardRefused()) { try await shop.charge(shop.operation(), throwing: CardRefused()) }
        #expect(shop.outcomes == [.new, .storeFailed])
        shop.clock.advance(by: shop.lease)
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(shop.operation()) }
    }

    @Test(arguments: StoreKind.all)
    func `a handler's error stays what it is when its lease is lost`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.reexecute)
        await #expect(throws: CardRefused()) {
            _ = try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in
                shop.clock.advance(by: shop.lease)
                try await shop.charge(charge)
                throw CardRefused()
            }
        }
        #expect(shop.outcomes == [.new, .reclaimed, .completed, .leaseLost])
        #expect(try await shop.charge(charge).value == "receipt 1")
    }

    @Test(arguments: StoreKind.all)
    func `an outcome that cannot be encoded comes out in the error and is unknown`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let failing = OutputCodec<String>(encode: { _ in throw Unexpected() }, decode: { _ in "" })
        let error = await #expect(throws: IdempotencyUnsettled<String>.self) {
            try await shop.charge(shop.operation(codec: failing))
        }
        #expect(error?.value == "receipt 1")
        #expect(error?.cause is Unexpected)
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(shop.operation()) }
    }

    /// Also after the process has ended: the fact is kept where the value is not.
    @Test(arguments: StoreKind.all, [10, 11])
    func `of an outcome that is too large the fact is kept`(kind: StoreKind, size: Int) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(maximumOutputSize: 10)
        let value = String(repeating: "x", count: size)
        let first = try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in value }
        #expect(first.value == value)
        #expect(first.origin == .fresh)
        if size == 10 {
            #expect(try await shop.charge(charge).value == value)
        } else {
            let error = await #expect(throws: IdempotencyOutputOmitted.self) { try await shop.charge(charge) }
            #expect(error?.size == size)
            #expect(shop.outcomes == [.new, .outputOmitted, .completed, .replayed])
        }
        #expect(shop.charges.all.isEmpty)
    }

    @Test(arguments: StoreKind.all)
    func `an outcome that cannot be read is told, and nothing runs again`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        try await shop.charge(shop.operation())
        let changed = OutputCodec<String>(encode: { Array($0.utf8) }, decode: { _ in throw Unexpected() })
        let error = await #expect(throws: IdempotencyRecordUnreadable.self) {
            try await shop.charge(shop.operation(.reexecute, codec: changed))
        }
        #expect(error?.cause is Unexpected)

        // A body of a later format.
        let key = try shop.key("l")
        _ = try await shop.store.base.commit([.insert(key.recordID, RecordContent(state: "later", body: [2]))])
        await #expect(throws: IdempotencyRecordUnreadable.self) {
            try await shop.charge(shop.operation(.reexecute), "l")
        }
        await #expect(throws: IdempotencyRecordUnreadable.self) {
            try await shop.operation().resolve(key, as: .released, of: shop.fence("l"))
        }
        #expect(shop.charges.all.count == 1)
        #expect(shop.outcomes == [.new, .completed, .unreadable, .unreadable, .unreadable])
    }
}
