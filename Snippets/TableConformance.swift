// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

// snippet.hide
struct Database: Sendable {
    func query(_ statement: String) async throws {}
}

/// Stands for a store in a table.
struct OrderKeys: IdempotencyStore {
    let keys = InMemoryIdempotencyStore()
    let given: @Sendable () -> Int64

    init(_ database: Database, given: @escaping @Sendable () -> Int64) { self.given = given }

    var durability: Durability { .everyCommit }

    func claim(_ claim: IdempotencyClaim) async throws(StoreError) -> IdempotencyClaimAnswer {
        try await keys.claim(claim)
    }

    func complete(
        _ execution: IdempotencyExecution, as outcome: IdempotencyOutcome, retention: Duration,
        alongside changes: [Change]
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        try await keys.complete(execution, as: outcome, retention: retention, alongside: changes)
    }

    func release(_ execution: IdempotencyExecution) async throws(StoreError) -> IdempotencySettleAnswer {
        try await keys.release(execution)
    }

    func markUnknown(
        _ execution: IdempotencyExecution, because reason: IdempotencyUnknownReason
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        try await keys.markUnknown(execution, because: reason)
    }

    func extend(
        _ execution: IdempotencyExecution, by lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        try await keys.extend(execution, by: lease)
    }

    func checkpoint(
        _ execution: IdempotencyExecution, _ checkpoint: IdempotencyCheckpoint, extendingBy lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        try await keys.checkpoint(execution, checkpoint, extendingBy: lease)
    }

    func read(_ key: IdempotencyKey) async throws(StoreError) -> IdempotencyEntry? { try await keys.read(key) }

    func unresolved(
        _ operation: String, after cursor: IdempotencyCursor?, limit: Int
    ) async throws(StoreError) -> IdempotencyPage {
        try await keys.unresolved(operation, after: cursor, limit: limit)
    }

    func purge(limit: Int) async throws(StoreError) -> Int { try await keys.purge(limit: limit) }
}

let database = Database()
// snippet.show
import Idempotency
import ReliabilityTesting
import Testing

@Suite(.serialized) struct OrderKeysTests {
    private let conformance = IdempotencyStoreConformance { clock in
        try await database.query("TRUNCATE idempotency_keys")
        let start = Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000)
        return OrderKeys(database, given: { start.advanced(by: clock.now.offset).nanosecondsSince1970 })
    }

    @Test(arguments: IdempotencyStoreConformance.checks)
    func `the table keeps the promise`(check: IdempotencyStoreConformance.Check) async throws {
        try await conformance.run(check)
    }
}
