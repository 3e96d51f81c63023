// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores

/// A call of a record store, as a value.
package struct StoreCall: Hashable, Sendable {
    package enum Operation: Hashable, Sendable {
        case read([RecordID])
        case commit([Change])
        case claim(ClaimRequest)
        case extend(RecordID, fence: Fence, lease: Duration)
        case scan(String, state: String?, after: UInt64?, limit: Int)
        case statistics(String)
    }

    package let operation: Operation
    /// The store's time, which stands still while calls run side by side.
    package let now: Timestamp

    package init(_ operation: Operation, at now: Timestamp) {
        self.operation = operation
        self.now = now
    }

    /// Makes the call.
    package func ask(_ store: any RecordStore) async throws(StoreError) -> StoreAnswer {
        switch operation {
        case .read(let ids): .read(try await store.read(ids))
        case .commit(let changes): .commit(try await store.commit(changes))
        case .claim(let request): .claim(try await store.claim(request))
        case .extend(let id, let fence, let lease): .extend(try await store.extend(id, fence: fence, lease: lease))
        case .scan(let collection, let state, let position, let limit):
            .scan(try await store.scan(collection, state: state, after: position, limit: limit))
        case .statistics(let collection): .statistics(try await store.statistics(of: collection))
        }
    }
}

/// What a record store answered to a ``StoreCall``.
package enum StoreAnswer: Hashable, Sendable {
    case read(ReadAnswer)
    case commit(CommitAnswer)
    case claim(ClaimAnswer)
    case extend(ExtendAnswer)
    case scan(ScanAnswer)
    case statistics(CollectionStatistics)

    /// Every record that the answer shows.
    package var records: [Record] {
        switch self {
        case .read(let answer): answer.records.compactMap(\.self)
        case .commit(.conflict(let conflict)): conflict.standing.map { [$0] } ?? []
        case .claim(let answer): answer.claimed + answer.standing
        case .extend(.lost(_, let standing)): standing.map { [$0] } ?? []
        case .scan(let answer): answer.records
        case .commit(.committed), .extend(.extended), .statistics: []
        }
    }
}
