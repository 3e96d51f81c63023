// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Synchronization

/// A store that dies with its coordinator, or whose commits leave their outcome open.
final class FailingStore: RecordStore {
    enum Fate {
        case answers
        /// The commit is in or not, and the outcome is reported as unknown; later calls work.
        case uncertain(applied: Bool)
        /// The commit is in or not, and nothing answers any more.
        case dies(applied: Bool)
    }

    struct State {
        var commits = 0
        var isDead = false
    }

    private let base: any RecordStore
    private let fate: @Sendable (Int) -> Fate
    private let meanwhile: (@Sendable () async -> Void)?
    private let state = Locked(State())

    /// - Parameters:
    ///   - meanwhile: What goes on between a commit whose outcome is unknown and the answer that says so.
    ///   - fate: What happens to the commit of that number, counted from 1.
    init(
        _ base: any RecordStore, meanwhile: (@Sendable () async -> Void)? = nil,
        fate: @escaping @Sendable (Int) -> Fate
    ) {
        self.base = base
        self.meanwhile = meanwhile
        self.fate = fate
    }

    var commits: Int { state.withLock { $0.commits } }
    var durability: Durability { base.durability }

    private func check() throws(StoreError) {
        let isDead = state.withLock { $0.isDead }
        if isDead { throw .unavailable(StoreFailure(operation: "call", subject: "dead", code: 0)) }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        try check()
        let number = state.withLock { state -> Int in
            state.commits += 1
            return state.commits
        }
        let unknown = StoreError.outcomeUnknown(StoreFailure(operation: "sync", subject: "test", code: 0))
        switch fate(number) {
        case .answers:
            return try await base.commit(changes)
        case .uncertain(let applied):
            if applied { _ = try await base.commit(changes) }
            await meanwhile?()
            throw unknown
        case .dies(let applied):
            state.withLock { $0.isDead = true }
            if applied { _ = try await base.commit(changes) }
            throw unknown
        }
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try check()
        return try await base.read(ids)
    }
    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        try check()
        return try await base.claim(request)
    }
    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try check()
        return try await base.extend(id, fence: fence, lease: lease)
    }
    func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try check()
        return try await base.scan(collection, state: state, after: position, limit: limit)
    }
    func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try check()
        return try await base.statistics(of: collection)
    }
    func purgeExpired(limit: Int) async throws(StoreError) -> Int {
        try check()
        return try await base.purgeExpired(limit: limit)
    }
    func close() async throws(StoreError) {
        try check()
        try await base.close()
    }
}
