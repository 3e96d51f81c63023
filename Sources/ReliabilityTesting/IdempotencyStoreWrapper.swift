// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import Idempotency
package import RecordStores

/// A store of keys around another one, for tests that bend some of its answers: what a wrapper does not write itself
/// goes through.
package protocol IdempotencyStoreWrapper: IdempotencyStore {
    /// The store that answers.
    var base: any IdempotencyStore { get }
}

extension IdempotencyStoreWrapper {
    package var durability: Durability { base.durability }
    package var takesChanges: Bool { base.takesChanges }

    package func claim(_ claim: IdempotencyClaim) async throws(StoreError) -> IdempotencyClaimAnswer {
        try await base.claim(claim)
    }

    package func complete(
        _ execution: IdempotencyExecution, as outcome: IdempotencyOutcome, retention: Duration,
        alongside changes: [Change]
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        try await base.complete(execution, as: outcome, retention: retention, alongside: changes)
    }

    package func release(_ execution: IdempotencyExecution) async throws(StoreError) -> IdempotencySettleAnswer {
        try await base.release(execution)
    }

    package func markUnknown(
        _ execution: IdempotencyExecution, because reason: IdempotencyUnknownReason
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        try await base.markUnknown(execution, because: reason)
    }

    package func extend(
        _ execution: IdempotencyExecution, by lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        try await base.extend(execution, by: lease)
    }

    package func checkpoint(
        _ execution: IdempotencyExecution, _ checkpoint: IdempotencyCheckpoint, extendingBy lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        try await base.checkpoint(execution, checkpoint, extendingBy: lease)
    }

    package func read(_ key: IdempotencyKey) async throws(StoreError) -> IdempotencyEntry? { try await base.read(key) }

    package func unresolved(
        _ operation: String, after cursor: IdempotencyCursor?, limit: Int
    ) async throws(StoreError) -> IdempotencyPage {
        try await base.unresolved(operation, after: cursor, limit: limit)
    }

    package func purge(limit: Int) async throws(StoreError) -> Int { try await base.purge(limit: limit) }
}
