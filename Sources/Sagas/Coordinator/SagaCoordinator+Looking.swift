// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaCoordinator {
    /// A saga that was started before, by this process or another.
    public func saga(_ sagaID: String) -> SagaHandle { SagaHandle(coordinator: self, id: sagaID) }

    /// Where a saga stands; `nil` if there is none of that identifier.
    ///
    /// - Throws: `StoreError`, ``UnreadableSaga``.
    public func status(_ sagaID: String) async throws -> SagaStatus? {
        let answer = try await store.read([headerID(sagaID)])
        return try answer.records[0].map { record throws(UnreadableSaga) in
            try SagaStatus(record, now: answer.now)
        }
    }

    /// What happened to a saga so far, in order; empty if there is no such saga. It is kept as long as the saga is.
    ///
    /// - Throws: `StoreError`, ``UnreadableSaga``.
    public func history(_ sagaID: String) async throws -> [SagaEntry] {
        do {
            return try await entries(of: sagaID)
        } catch is SagaNotFound {
            return []
        }
    }

    /// What happened to a saga that stands there.
    func entries(of sagaID: String) async throws -> [SagaEntry] {
        guard let record = try await store.read([headerID(sagaID)]).records[0] else {
            throw SagaNotFound(sagaID: sagaID)
        }
        let count = try SagaHeader(record).entries
        guard count > 0 else { return [] }
        guard count <= RecordLimits.page.upperBound else { throw UnreadableSaga(sagaID: sagaID) }
        let records = try await store.read((0..<count).map { entryID(sagaID, $0) }).records
        return try records.compactMap { $0 }.map { record in
            guard var entry = try? SagaEntry(decoding: record.body) else { throw UnreadableSaga(sagaID: sagaID) }
            entry.at = record.createdAt
            return entry
        }
    }

    /// How many sagas there are in each ``SagaStatus/State``, and the oldest of them; works also when no coordinator
    /// runs.
    ///
    /// The lag is how long ago the oldest that could go on became due: `oldestDue`, if it lies in the past.
    public func statistics() async throws(StoreError) -> CollectionStatistics {
        try await store.statistics(of: headers)
    }

    /// What became of a saga; `nil` while it has further to go, or may have: one that is stuck and was sent something
    /// is taken up again.
    func result(_ sagaID: String) async throws -> SagaResult? {
        guard let status = try await status(sagaID) else { throw SagaNotFound(sagaID: sagaID) }
        if case .stuck = status.result, status.dueIn != nil { return nil }
        return status.result
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
