// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores

/// A store as a process of a random story sees it: every call may be lost on the way there or back.
package protocol WitnessedStore: RecordStore {
    /// The store that answers.
    var base: any RecordStore { get }
    /// The clock of the story.
    var clock: ManualClock { get }
    /// Makes a call that may be lost.
    ///
    /// - Parameter isChange: Whether nobody knows what became of it if it is.
    func call<Answer: Sendable>(
        isChange: Bool, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer
}

extension WitnessedStore {
    package var durability: Durability { base.durability }

    package func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try await call(isChange: false) { () throws(StoreError) in try await base.read(ids) }
    }

    /// Who waits looks again every second.
    package func claim(
        _ request: ClaimRequest, by look: (ClaimRequest) async throws(StoreError) -> ClaimAnswer
    ) async throws(StoreError) -> ClaimAnswer {
        let end = clock.now.advanced(by: request.waitUpTo)
        var request = request
        request.waitUpTo = .zero
        while true {
            let answer = try await look(request)
            guard answer.claimed.isEmpty, case let left = clock.now.duration(to: end), left > .zero else {
                return answer
            }
            do { try await clock.sleep(for: min(left, .seconds(1))) } catch { return answer }
        }
    }

    package func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try await call(isChange: false) { () throws(StoreError) in
            try await base.scan(collection, state: state, after: position, limit: limit)
        }
    }

    package func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await call(isChange: false) { () throws(StoreError) in try await base.statistics(of: collection) }
    }

    package func purgeExpired(limit: Int) async throws(StoreError) -> Int {
        try await call(isChange: true) { () throws(StoreError) in try await base.purgeExpired(limit: limit) }
    }

    package func close() async throws(StoreError) {}
}
