// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Synchronization

/// A store whose next commits leave their outcome open, with the change in or not.
final class UncertainStore: RecordStore {
    private let base: any RecordStore
    private let next = Locked([Bool]())

    init(_ base: any RecordStore) { self.base = base }

    /// Lets the next commit fail with an unknown outcome, after or instead of carrying it out.
    func failNextCommit(applied: Bool) { next.withLock { $0.append(applied) } }

    var durability: Durability { base.durability }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let failing = next.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        guard let applied = failing else { return try await base.commit(changes) }
        if applied { _ = try await base.commit(changes) }
        throw .outcomeUnknown(StoreFailure(operation: "sync", subject: "test", code: 0))
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer { try await base.read(ids) }
    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer { try await base.claim(request) }
    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try await base.extend(id, fence: fence, lease: lease)
    }
    func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try await base.scan(collection, state: state, after: position, limit: limit)
    }
    func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await base.statistics(of: collection)
    }
    func purgeExpired(limit: Int) async throws(StoreError) -> Int { try await base.purgeExpired(limit: limit) }
    func close() async throws(StoreError) { try await base.close() }
}
