// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaCoordinator {
    /// Where a saga stands; `nil` if there is none of that identifier.
    ///
    /// - Throws: ``/RecordStores/StoreError``, ``UnreadableSaga``.
    public func status(_ sagaID: String) async throws -> SagaStatus? {
        let answer = try await store.read([RecordID(headers, sagaID)])
        return try answer.records[0].map { record throws(UnreadableSaga) in
            try SagaStatus(record, now: answer.now)
        }
    }

    /// How the steps of a saga ended so far, in the order in which they did; empty if there is no such saga.
    ///
    /// It is kept as long as the saga is.
    ///
    /// - Throws: ``/RecordStores/StoreError``, ``UnreadableSaga``.
    public func history(_ sagaID: String) async throws -> [SagaStepOutcome] {
        guard let status = try await status(sagaID) else { return [] }
        return try await outcomes(sagaID, status.definition).map(\.outcome)
    }

    /// A page of sagas by start, of one state if given.
    ///
    /// - Parameters:
    ///   - state: The state wanted, such as `.stuck`; by default all.
    ///   - after: The `next` of the page before; by default the listing starts with the oldest.
    ///   - limit: 1 to 1,000 sagas, by default 100.
    public func list(
        _ state: SagaStatus.State? = nil, after: UInt64? = nil, limit: Int = 100
    ) async throws(StoreError) -> SagaPage {
        let page = try await store.scan(headers, state: state?.rawValue, after: after, limit: limit)
        var (sagas, unreadable): ([SagaStatus], [UnreadableSaga]) = ([], [])
        for record in page.records {
            do throws(UnreadableSaga) {
                sagas.append(try SagaStatus(record, now: page.now))
            } catch {
                unreadable.append(error)
            }
        }
        return SagaPage(sagas: sagas, unreadable: unreadable, next: page.next)
    }
}
