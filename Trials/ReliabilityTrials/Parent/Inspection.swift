// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// A look at a store by a process that is not the one whose leases may stand in it.
struct Inspection {
    private static let pageSize = 500

    /// Every record, by collection and position.
    private(set) var records: [Record] = []
    private let directory: String

    /// Opens the store twice in a row, judges what stands, and closes it.
    static func judge(_ story: inout Story) async throws {
        story.note("(inspection)")
        let first = try await Inspection(&story)
        for record in first.records {
            let number = Payload.number(of: record.body) ?? 0
            try story.take(
                .stands(
                    Standing(
                        id: record.id, version: Version(fence: record.fence, number: number),
                        changedUnder: record.changedUnder)))
        }
        try story.take(.whole)
        let second = try await Inspection(&story)
        guard first.records == second.records else {
            let difference = zip(first.records, second.records).first { $0 != $1 }
            throw story.failure(
                "opened twice in a row, the store has \(first.records.count) and \(second.records.count) records; "
                    + "the first that differ: \(difference.map { "\($0)" } ?? "those that are missing")")
        }
        story.forgetErrors()
    }

    private init(_ story: inout Story) async throws {
        directory = story.directory
        // Another identity than this process has: for the store, this opening is by another process each time.
        let identity = ProcessIdentity(host: "inspection", pid: 1, instance: RandomSource.system.next())
        let store: FileRecordStore
        do {
            store = try openStore(directory, process: identity)
        } catch {
            throw story.failure("the store cannot be opened: \(error)")
        }
        try story.take(.opened(lastEnd: "\(store.report.lastEnd)"))
        do {
            for collection in Workload.collections {
                let listed = try await Self.list(collection, in: store)
                let statistics = try await store.statistics(of: collection)
                if let problem = Self.problem(with: statistics, of: collection, holding: listed) {
                    throw story.failure(problem)
                }
                records += listed
            }
            let now = try await store.read([RecordID("left", "none")]).now
            if let held = records.first(where: { $0.isHeld(at: now) }) {
                throw story.failure("\(held.id) is held by a process that is gone: \(held)")
            }
            try await store.close()
        } catch let error as StoreError {
            throw story.failure("the store cannot be inspected: \(error)")
        }
        if Set(records.map(\.position)).count < records.count {
            throw story.failure("two records have the same position")
        }
    }

    private static func list(_ collection: String, in store: FileRecordStore) async throws -> [Record] {
        var records: [Record] = []
        var position: UInt64?
        repeat {
            let page = try await store.scan(collection, state: nil, after: position, limit: pageSize)
            records += page.records
            position = page.next
        } while position != nil
        return records
    }

    /// Where statistics differ from what the records themselves add up to, nobody holding any of them.
    private static func problem(
        with statistics: CollectionStatistics, of collection: String, holding records: [Record]
    ) -> String? {
        let counts = Dictionary(records.map { ($0.state, 1) }, uniquingKeysWith: +)
        let created = records.map(\.createdAt).min()
        var heads: [Record] = []
        var orders: Set<String> = []
        for record in records {
            guard let order = record.orderKey else {
                heads.append(record)
                continue
            }
            if orders.insert(order).inserted { heads.append(record) }
        }
        // A record waits since it is due, or since the last hold on it has ended.
        let due = heads.compactMap { head in head.dueAt.map { max($0, head.leaseUntil ?? $0) } }.min()
        guard statistics.counts == counts, statistics.oldestCreated == created, statistics.oldestDue == due else {
            return "the statistics of \(collection) are \(statistics), and its records add up to \(counts), "
                + "oldest created \(created.map { "\($0)" } ?? "none"), oldest due \(due.map { "\($0)" } ?? "none")"
        }
        return nil
    }
}
