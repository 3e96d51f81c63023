// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Fenced records in memory: for tests, and for services that may forget everything when they end.
///
/// It keeps every promise of ``RecordStore`` except that nothing survives the process. Operations are carried out at
/// once under one lock and, a waiting claim aside, never suspend.
///
/// ```swift
/// let store = InMemoryRecordStore()
/// ```
public final class InMemoryRecordStore: RecordStore {
    private struct State {
        var table: RecordTable
        var isClosed = false
    }

    private let state: Locked<State>
    private let clock: StoreClock
    private let bell = CommitBell()

    /// Makes an empty store.
    ///
    /// - Parameters:
    ///   - capacity: how many records it takes at most, at least one; by default without limit. What would go beyond it
    ///     throws ``StoreError/full(_:)``: the store forgets nothing to make room, except what has expired.
    ///   - clock: what the store's time goes on with.
    public init(capacity: Int? = nil, clock: any Clock<Duration> = ContinuousClock()) {
        precondition(
            capacity.map { $0 > 0 } ?? true, "The capacity of a store is \(capacity ?? 0), it has to be positive")
        let storeClock = StoreClock(clock)
        self.clock = storeClock
        state = Locked(State(table: RecordTable(now: storeClock.now, capacity: capacity)))
    }

    /// The end of the process takes everything.
    public var durability: Durability { .process }

    private func withTable<Answer: Sendable>(
        _ body: (inout RecordTable, Timestamp) throws(StoreError) -> Answer
    ) throws(StoreError) -> Answer {
        let now = clock.now
        return try state.withLock { state throws(StoreError) in
            guard !state.isClosed else { throw .closed }
            return try body(&state.table, now)
        }
    }

    /// The records of those names, at most 1,000; see ``RecordStore``.
    public func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try withTable { table, now throws(StoreError) in try table.read(ids, at: now) }
    }

    /// Carries out the changes as one batch, or none of them; see ``RecordStore``.
    public func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let answer = try withTable { table, now throws(StoreError) in try table.commit(changes, at: now) }
        bell.ring(for: changes)
        return answer
    }

    /// Holds records that nobody holds, waiting for one to be due if the request says so; see ``RecordStore``.
    public func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        try await waitingClaim(request, time: clock.time, bell: bell) { () throws(StoreError) in
            try withTable { table, now throws(StoreError) in
                try table.claim(request.selection, lease: request.lease, at: now)
            }
        }
    }

    /// Moves the end of a hold to `lease` from now; see ``RecordStore``.
    public func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        let answer = try withTable { table, now throws(StoreError) in
            try table.extend(id, fence: fence, lease: lease, at: now)
        }
        // The hold may now end earlier than a waiting claim counted on.
        bell.ring(for: id)
        return answer
    }

    /// A page of a collection by position; see ``RecordStore``.
    public func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try withTable { table, now throws(StoreError) in
            try table.scan(collection, state: state, after: position, limit: limit, at: now)
        }
    }

    /// Counts by state and the oldest records of a collection; see ``RecordStore``.
    public func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try withTable { table, now throws(StoreError) in table.statistics(of: collection, at: now) }
    }

    /// Frees at most `limit` expired records and says how many; see ``RecordStore``.
    public func purgeExpired(limit: Int) async throws(StoreError) -> Int {
        try withTable { table, now throws(StoreError) in table.purgeExpired(limit: limit, at: now) }
    }

    /// Ends the store; its records are gone. See ``RecordStore``.
    public func close() async throws(StoreError) {
        state.withLock { $0.isClosed = true }
        bell.ringAll()
    }
}
