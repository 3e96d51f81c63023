// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting

/// A store with one bug, and the checks that have to find it.
struct PlantedBug: Sendable, CustomStringConvertible {
    let description: String
    let checks: [String]
    /// Whether random histories have to find it, too.
    let showsInHistories: Bool
    let makeStore: @Sendable (ManualClock) -> any RecordStore
    /// A store of a capacity; the bug comes on top of it.
    let makeLimitedStore: @Sendable (Int, ManualClock) -> any RecordStore

    init(
        _ description: String, foundBy checks: String..., showsInHistories: Bool = true,
        alter: @escaping @Sendable (inout AlteredStore, ManualClock) -> Void
    ) {
        self.description = description
        self.checks = checks
        self.showsInHistories = showsInHistories
        makeStore = { clock in
            var store = AlteredStore(InMemoryRecordStore(clock: clock))
            alter(&store, clock)
            return store
        }
        makeLimitedStore = { capacity, clock in
            var store = AlteredStore(InMemoryRecordStore(capacity: capacity, clock: clock))
            alter(&store, clock)
            return store
        }
    }

    /// A bug of stores of a capacity.
    static func limited(
        _ description: String, foundBy checks: String...,
        alter: @escaping @Sendable (inout AlteredStore, _ capacity: Int) -> Void
    ) -> PlantedBug {
        PlantedBug(description, checks) { capacity, clock in
            var store = AlteredStore(InMemoryRecordStore(clock: clock))
            alter(&store, capacity)
            return store
        }
    }

    private init(
        _ description: String, _ checks: [String],
        makeLimitedStore: @escaping @Sendable (Int, ManualClock) -> any RecordStore
    ) {
        self.description = description
        self.checks = checks
        showsInHistories = false
        makeStore = { InMemoryRecordStore(clock: $0) }
        self.makeLimitedStore = makeLimitedStore
    }

    /// The suite for a store with the bug.
    func conformance(seed: UInt64 = 1, patience: Duration = .seconds(30)) -> RecordStoreConformance {
        RecordStoreConformance(
            seed: seed, patience: patience, makeStore: { makeStore($0) },
            makeLimitedStore: { makeLimitedStore($0, $1) })
    }

    static let all = fences + batches + claims + contents + moves + capacities

    private static let fences = [
        PlantedBug(
            "fences count per record and start again after a delete",
            foundBy: "the fences of a name go on growing over deletes", "no two records are ever given the same fence"
        ) { store, _ in VersionFences().number(&store) },
        PlantedBug(
            "a stale change wins",
            foundBy: "a change under a stale fence changes nothing and is told what stands there",
            "a holder whose record was claimed by another can change nothing"
        ) { store, _ in
            store.commits = { base, changes async throws(StoreError) in
                let answer = try await base.commit(changes)
                guard case .conflict(let conflict) = answer, let fence = conflict.standing?.fence else { return answer }
                var changes = changes
                changes[conflict.index] = changes[conflict.index].with(id: changes[conflict.index].id) { _ in fence }
                return try await base.commit(changes)
            }
        },
        PlantedBug(
            "an extend gives a new fence",
            foundBy: "an extend moves the end of the hold, to earlier too, and keeps the fence"
        ) { store, _ in
            store.extends = { base, id, fence, lease async throws(StoreError) in
                let answer = try await base.extend(id, fence: fence, lease: lease)
                if case .extended = answer, let record = try await base.read([id]).records[0] {
                    let content = RecordContent(
                        state: record.state, body: record.body, headers: record.headers, orderKey: record.orderKey,
                        due: .unchanged, expires: .unchanged)
                    _ = try await base.commit([.replace(id, expecting: fence, with: content, lease: .keep)])
                }
                return answer
            }
        },
        PlantedBug(
            "a claim forgets under which fence the record was replaced",
            foundBy: "a record tells under which fence it was last replaced",
            "a claim sets holder, lease, fence and count, and nothing else"
        ) { store, _ in
            store.altersRecord = { record, _ in
                var record = record
                if record.holder != nil { record.changedUnder = nil }
                return record
            }
        },
    ]

    private static let batches = [
        PlantedBug(
            "a batch is carried out change by change",
            foundBy: "a conflict at any place of a batch leaves everything untouched and names the place"
        ) { store, _ in
            store.commits = { base, changes async throws(StoreError) in
                // One look at the whole, for what is refused.
                let ids = Set(changes.map(\.id))
                guard changes.count > 1, changes.count <= 1_000, ids.count == changes.count else {
                    return try await base.commit(changes)
                }
                var fences: [Fence] = []
                var now = Timestamp(nanosecondsSince1970: 0)
                for (index, change) in changes.enumerated() {
                    switch try await base.commit([change]) {
                    case .committed(let committed):
                        fences += committed.fences
                        now = committed.now
                    case .conflict(let conflict):
                        return .conflict(.init(now: conflict.now, index: index, standing: conflict.standing))
                    }
                }
                return .committed(.init(now: now, fences: fences))
            }
        },
        PlantedBug(
            "a cancelled task's commit is dropped",
            foundBy: "a cancelled task's operations are carried out and answered",
            "a cancelled task's batch is in as a whole or meets its conflict", showsInHistories: false
        ) { store, _ in
            store.commits = { base, changes async throws(StoreError) in
                guard !Task.isCancelled else {
                    throw .unavailable(StoreFailure(operation: "commit", subject: "cancelled", code: 0))
                }
                return try await base.commit(changes)
            }
        },
        PlantedBug(
            "a replace moves the record to the end", foundBy: "a record keeps its place through replaces and claims",
            "changes between two pages lose and repeat nothing else"
        ) { store, _ in
            store.commits = { base, changes async throws(StoreError) in
                guard case .replace(let id, let fence, let content, .keep) = changes[0], changes.count == 1,
                    case .committed = try await base.commit([.delete(id, expecting: fence)])
                else { return try await base.commit(changes) }
                return try await base.commit([.insert(id, content)])
            }
        },
        PlantedBug(
            "a deleted head goes on blocking its key",
            foundBy: "deleting the head promotes the next in the same commit"
        ) { store, _ in
            store.altersRecord = { record, _ in record.state == "deleted" ? nil : record }
            store.commits = { base, changes async throws(StoreError) in
                var changes = changes
                for (index, change) in changes.enumerated() {
                    guard case .delete(let id, let fence) = change,
                        let record = try await base.read([id]).records[0], record.orderKey != nil
                    else { continue }
                    let content = RecordContent(state: "deleted", orderKey: record.orderKey)
                    changes[index] = .replace(id, expecting: fence, with: content, lease: .end)
                }
                return try await base.commit(changes)
            }
        },
    ]
}
