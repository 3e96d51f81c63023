// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityCore
import ReliabilityTesting
import Synchronization

/// What outlives processes: a store in memory, or the disk under a store in files. Each process that uses it dies as it
/// is told, and the next one finds what is left.
final class MortalWorld {
    enum Kind: CaseIterable { case memory, files }

    let clock = ManualClock()
    private let random: RandomSource
    private let memory: InMemoryRecordStore?
    private var disk = SimulatedDisk()
    private var processes: UInt64 = 0

    init(_ kind: Kind, seed: UInt64) {
        random = .seeded(seed)
        memory = kind == .memory ? InMemoryRecordStore(clock: clock) : nil
    }

    /// The store of the next process.
    ///
    /// - Parameters:
    ///   - steps: After how many commits, or operations of the disk, the process dies; `nil`: not at all. Of a commit of
    ///     a store in memory the last one is in or is not; a disk keeps what was synced, and anything of the rest.
    func open(dyingAfter steps: Int? = nil) throws -> MortalProcess {
        if let memory { return MortalProcess(memory, dyingAfter: steps, applies: random.draw(upTo: 1) == 0) }
        processes += 1
        disk = disk.powerCut(disk.randomCut(random))
        let store = try FileRecordStore(
            directory: "/store", committer: .caller, clock: clock, fileSystem: disk,
            process: ProcessIdentity(host: "host", pid: 1, instance: processes),
            wallTime: Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000))
        if let steps { disk.stop(after: steps) }
        return MortalProcess(store, dyingAfter: nil, applies: false)
    }

    /// Lets whatever a dead process held pass to others; files do that when they are opened again.
    func bury() { if memory != nil { clock.advance(by: .seconds(30)) } }
}

/// A store as one process sees it: at its first failure the process is dead, and nothing gets out or in any more.
final class MortalProcess: RecordStoreWrapper {
    private struct State {
        var isDead = false
        var left: Int?
        var onDeath: @Sendable () -> Void = {}
    }

    let base: any RecordStore
    private let applies: Bool
    private let state: Locked<State>

    init(_ base: any RecordStore, dyingAfter commits: Int?, applies: Bool) {
        self.base = base
        self.applies = applies
        state = Locked(State(left: commits))
    }

    var isDead: Bool { state.withLock { $0.isDead } }

    func atDeath(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.onDeath = body } }

    private func die() -> StoreError {
        let onDeath = state.withLock { state in
            defer { state.isDead = true }
            return state.isDead ? {} : state.onDeath
        }
        onDeath()
        return .closed
    }

    private func living<Value: Sendable>(
        _ call: () async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        if isDead { throw .closed }
        do throws(StoreError) {
            let value = try await call()
            if isDead { throw .closed }
            return value
        } catch {
            throw die()
        }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let isLast = state.withLock { state in
            guard let left = state.left else { return false }
            state.left = left - 1
            return left == 1
        }
        return try await living { () async throws(StoreError) in
            guard isLast else { return try await base.commit(changes) }
            if applies { _ = try await base.commit(changes) }
            throw .closed
        }
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try await living { () async throws(StoreError) in try await base.read(ids) }
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        try await living { () async throws(StoreError) in try await base.claim(request) }
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try await living { () async throws(StoreError) in try await base.extend(id, fence: fence, lease: lease) }
    }

    func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try await living { () async throws(StoreError) in
            try await base.scan(collection, state: state, after: position, limit: limit)
        }
    }

    func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await living { () async throws(StoreError) in try await base.statistics(of: collection) }
    }
}

/// Moves the clock on whenever everybody sleeps, until the operation has ended.
func onVirtualTime<Value: Sendable>(
    _ clock: ManualClock, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            while !Task.isCancelled {
                await clock.waitForSleepers()
                clock.advance(by: clock.nextWake ?? .zero)
            }
            return nil
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() ?? nil else { throw CancellationError() }
        return value
    }
}
