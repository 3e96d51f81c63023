// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

/// Changes of records that are to be in with a value.
@Suite struct ChangesAlongsideTests {
    @Test(arguments: StoreKind.all)
    func `changes that no store takes leave the outcome unknown at once`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let own = try shop.key("own").recordID
        let one = Change.insert(RecordID("x", "1"), RecordContent(state: "s"))
        let rows: [(String, [Change])] = [
            ("own", [.insert(own, RecordContent(state: "s"))]), ("twice", [one, one]),
            ("many", (0..<1_000).map { .insert(RecordID("x", "\($0)"), RecordContent(state: "s")) }),
        ]
        for (key, changes) in rows {
            await #expect(throws: IdempotencyUnsettled<String>.self) {
                try await shop.operation().run(key, tenant: "acme", fingerprint: shop.fingerprint) { context in
                    try context.alsoCommit(changes)
                    return "receipt"
                }
            }
            await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(shop.operation(), key) }
        }
        #expect(shop.charges.all.isEmpty)
    }

    @Test(arguments: StoreKind.all)
    func `changes are in if and only if the value is`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation()
        let order = RecordID("orders", "1")
        func attempt(_ key: String, throwing error: (any Error)? = nil) async throws -> String {
            try await charge.run(key, tenant: "acme", fingerprint: shop.fingerprint) { context in
                try context.alsoCommit([.insert(order, RecordContent(state: "paid"))])
                try context.alsoCommit([.insert(RecordID("events", key), RecordContent(state: "new"))])
                if let error { throw error }
                return "receipt"
            }.value
        }
        await #expect(throws: CardRefused()) { try await attempt("k", throwing: CardRefused()) }
        #expect(try await shop.store.read([order]).records == [nil])
        #expect(try await attempt("k") == "receipt")
        #expect(try await shop.store.read([order, RecordID("events", "k")]).records.allSatisfy { $0 != nil })

        // Another key, and the order is there already: nothing of it is in, and nobody knows about the rest.
        let error = await #expect(throws: IdempotencyUnsettled<String>.self) { try await attempt("l") }
        let conflict = try #require(error?.cause as? IdempotencyChangeConflict).conflict
        #expect(conflict.index == 0 && conflict.standing?.id == order)
        #expect(error?.value == "receipt")
        #expect(try await shop.store.read([RecordID("events", "l")]).records == [nil])
        #expect(try await shop.unresolved(charge).map(\.reason) == [.unsettled])
    }

    @Test(arguments: StoreKind.all)
    func `changes are refused before they are lost on a store that keeps no records`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let store = KeyStore(base: RecordIdempotencyStore(shop.store))
        let charge = IdempotentOperation("charge", store: store, codec: .string, ifUnknown: .park)
        let order = RecordID("orders", "1")
        let result = try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
            #expect(context.isProtected)
            #expect(throws: IdempotencyUnprotected(key: context.key)) {
                try context.alsoCommit([.insert(order, RecordContent(state: "paid"))])
            }
            return "receipt"
        }
        #expect(result.origin == .fresh)
        #expect(try await shop.store.read([order]).records == [nil])
    }
}

/// A store that keeps no records beside the keys.
private struct KeyStore: IdempotencyStoreWrapper {
    let base: any IdempotencyStore
    var takesChanges: Bool { false }
}
