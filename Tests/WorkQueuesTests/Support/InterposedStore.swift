// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

/// A store in whose calls something else happens: before or after one of them, once.
final class InterposedStore: RecordStoreWrapper {
    enum Moment: Hashable {
        /// A commit that changes something in that collection.
        case beforeCommit(String)
        case afterCommit(String)
        /// A claim of something in that collection.
        case beforeClaim(String)
        /// A read of something in that collection.
        case beforeRead(String)
        case afterScan(String)
    }

    private struct State {
        var actions: [Moment: @Sendable () async throws -> Void] = [:]
        var failsReads = 0
    }

    let base: any RecordStore
    private let state = Locked(State())

    init(_ base: any RecordStore) { self.base = base }

    /// Has something happen the next time, and no other time.
    func once(_ moment: Moment, _ action: @escaping @Sendable () async throws -> Void) {
        state.withLock { $0.actions[moment] = action }
    }

    /// Whether everything has happened that was to.
    var isOver: Bool { state.withLock { $0.actions.isEmpty && $0.failsReads == 0 } }

    /// Lets so many reads fail.
    func failReads(_ count: Int) { state.withLock { $0.failsReads = count } }

    private func happen(_ moments: [Moment]) async {
        for moment in moments {
            guard let action = state.withLock({ $0.actions.removeValue(forKey: moment) }) else { continue }
            do { try await action() } catch { Issue.record(error) }
        }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let collections = Set(changes.map(\.id.collection))
        await happen(collections.map { .beforeCommit($0) })
        do throws(StoreError) {
            let answer = try await base.commit(changes)
            await happen(collections.map { .afterCommit($0) })
            return answer
        } catch {
            await happen(collections.map { .afterCommit($0) })
            throw error
        }
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        await happen(Set(ids.map(\.collection)).map { .beforeRead($0) })
        let fails = state.withLock { state in
            defer { state.failsReads = max(0, state.failsReads - 1) }
            return state.failsReads > 0
        }
        if fails { throw .unavailable(FailingStore.failure) }
        return try await base.read(ids)
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        switch request.selection {
        case .ids(let ids): await happen(Set(ids.map(\.collection)).map { .beforeClaim($0) })
        case .due(let collection, _): await happen([.beforeClaim(collection)])
        }
        return try await base.claim(request)
    }

    func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        let answer = try await base.scan(collection, state: state, after: position, limit: limit)
        await happen([.afterScan(collection)])
        return answer
    }
}
