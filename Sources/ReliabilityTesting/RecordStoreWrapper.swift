// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores

/// A store around another one, for tests that bend some of its answers: what a wrapper does not write itself goes
/// through.
package protocol RecordStoreWrapper: RecordStore {
    /// The store that answers.
    var base: any RecordStore { get }
}

extension RecordStoreWrapper {
    package var durability: Durability { base.durability }

    package func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer { try await base.read(ids) }

    package func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer { try await base.commit(changes) }

    package func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        try await base.claim(request)
    }

    package func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try await base.extend(id, fence: fence, lease: lease)
    }

    package func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try await base.scan(collection, state: state, after: position, limit: limit)
    }

    package func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await base.statistics(of: collection)
    }

    package func purgeExpired(limit: Int) async throws(StoreError) -> Int { try await base.purgeExpired(limit: limit) }

    package func close() async throws(StoreError) { try await base.close() }
}
