// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Synchronization

@testable import RecordStores

/// A store of two tables, the one that it shows and the one on its medium, to which what was done gets after a while.
/// A crash leaves the second.
///
/// It is the smallest store that keeps every promise over a crash, and a place for bugs that only a crash shows.
final class TwoTableStore: RecordStore {
    /// What is otherwise than it should be, or than in other stores.
    enum Kind: Sendable {
        case right
        /// Processes share it: opening ends no leases.
        case isShared
        /// Its time follows a clock that is set back.
        case timeGoesBack
        case commitsDoNotWait
        case looksDoNotWait
        case syncsPerInterval
        case countsFencesFromRecords
        case countsPositionsFromRecords
        case writesPieceByPiece
        case losesChangedUnder
        case losesOrderKeys
        case losesExpiry
        case losesTime
        case endsAllLeases
        case endsLeasesInMemory
        case endsLeasesUnderNewFences
        case writesAfterTheCrash
    }

    private struct State {
        var table: RecordTable
        var medium: RecordTable
        /// What is in the table and not on the medium.
        var pending: [RecordEffect] = []
        var syncedAt: Timestamp
        var isClosed = false
        var successor: TwoTableStore?
    }

    let durability = Durability.everyCommit
    private let kind: Kind
    private let state: Locked<State>
    private let clock: StoreClock
    private let bell = CommitBell()
    private static let wallTime = Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000)

    /// An empty store.
    convenience init(_ kind: Kind, _ clock: ManualClock) {
        self.init(kind, clock, RecordTable(now: Self.wallTime, recordingEffects: true))
    }

    private init(_ kind: Kind, _ clock: ManualClock, _ table: RecordTable) {
        self.kind = kind
        let mayStartAgain = kind == .losesTime || kind == .losesExpiry
        self.clock = StoreClock(clock, at: Self.wallTime, notBefore: mayStartAgain ? nil : table.now)
        state = Locked(State(table: table, medium: table, syncedAt: table.now))
    }

    // MARK: Crashes

    /// The store that the process finds which opens this one after a crash.
    func crashed(_ clock: ManualClock, _ process: ProcessIdentity) -> TwoTableStore {
        var medium = state.withLock { $0.medium }
        let records = medium.allRecords
        if kind == .countsFencesFromRecords {
            medium.nextFence = records.map(\.fence.next).max() ?? .first
        }
        if kind == .countsPositionsFromRecords { medium.nextPosition = (records.map(\.position).max() ?? 0) + 1 }
        if kind == .losesTime { medium.now = Self.wallTime }
        if kind == .losesExpiry { medium.now = Self.wallTime }
        let next = TwoTableStore(kind, clock, medium)
        if kind != .isShared { next.endLeases(exceptOf: process) }
        if kind == .writesAfterTheCrash { state.withLock { $0.successor = next } }
        return next
    }

    private func endLeases(exceptOf process: ProcessIdentity) {
        let now = clock.now
        state.withLock { state in
            let nobody = ProcessIdentity(host: "nobody", pid: 0, instance: 0)
            state.table.endLeases(exceptOf: kind == .endsAllLeases ? nobody : process, at: now)
            if kind == .endsLeasesUnderNewFences {
                for var record in state.table.allRecords where record.holder != nil && record.holder?.process != process
                {
                    record.fence = state.table.takeFence()
                    _ = state.table.restore(.put(record))
                }
            }
            let effects = state.table.takeEffects()
            if kind != .endsLeasesInMemory { state.pending += effects }
        }
    }

    // MARK: Operations

    private func carryOut<Answer: Sendable>(
        isLook: Bool = false, _ body: (inout RecordTable, Timestamp) throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        let now = clock.now
        let answer = try state.withLock { state throws(StoreError) in
            guard !state.isClosed else { throw .closed }
            if kind == .timeGoesBack { state.table.now = now }
            let answer = try body(&state.table, now)
            let expired = state.table.takeExpired().map { RecordEffect.remove($0) }
            state.pending += (kind == .losesExpiry && isLook ? [] : expired) + state.table.takeEffects()
            return answer
        }
        if !(isLook ? kind == .looksDoNotWait : kind == .commitsDoNotWait) { await sync(at: now) }
        return answer
    }

    /// Brings the medium up to what is shown now.
    private func sync(at now: Timestamp) async {
        for _ in 0..<3 { await Task.yield() }
        while writeOut(at: now) { await Task.yield() }
    }

    /// Writes what is pending, or a piece of it; says whether there is more.
    private func writeOut(at now: Timestamp) -> Bool {
        let (late, successor, isMore) = state.withLock { state -> ([RecordEffect], TwoTableStore?, Bool) in
            if kind == .syncsPerInterval, state.syncedAt.duration(to: now) < .seconds(1) { return ([], nil, false) }
            state.syncedAt = now
            let count = kind == .writesPieceByPiece ? min(1, state.pending.count) : state.pending.count
            let effects = Array(state.pending.prefix(count))
            state.pending.removeFirst(count)
            for effect in effects { _ = state.medium.restore(asKept(effect)) }
            state.medium.advance(to: state.table.now)
            state.medium.nextFence = max(state.medium.nextFence, state.table.nextFence)
            state.medium.nextPosition = max(state.medium.nextPosition, state.table.nextPosition)
            return (effects, state.successor, !state.pending.isEmpty)
        }
        successor?.state.withLock { state in for effect in late { _ = state.table.restore(effect) } }
        return isMore
    }

    private func asKept(_ effect: RecordEffect) -> RecordEffect {
        guard case .put(var record) = effect else { return effect }
        if kind == .losesChangedUnder { record.changedUnder = nil }
        if kind == .losesOrderKeys { record.orderKey = nil }
        return .put(record)
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try await carryOut(isLook: true) { table, now throws(StoreError) in try table.read(ids, at: now) }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let answer = try await carryOut { table, now throws(StoreError) in try table.commit(changes, at: now) }
        bell.ring(for: changes)
        return answer
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        try await waitingClaim(request, time: clock.time, bell: bell) { () throws(StoreError) in
            try await carryOut { table, now throws(StoreError) in
                try table.claim(request.selection, lease: request.lease, at: now)
            }
        }
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        let answer = try await carryOut { table, now throws(StoreError) in
            try table.extend(id, fence: fence, lease: lease, at: now)
        }
        bell.ring(for: id)
        return answer
    }

    func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try await carryOut(isLook: true) { table, now throws(StoreError) in
            try table.scan(collection, state: state, after: position, limit: limit, at: now)
        }
    }

    func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await carryOut(isLook: true) { table, now throws(StoreError) in table.statistics(of: collection, at: now) }
    }

    func purgeExpired(limit: Int) async throws(StoreError) -> Int {
        try await carryOut(isLook: true) { table, now throws(StoreError) in table.purgeExpired(limit: limit, at: now) }
    }

    func close() async throws(StoreError) {
        state.withLock { $0.isClosed = true }
        _ = writeOut(at: clock.now)
        bell.ringAll()
    }
}
