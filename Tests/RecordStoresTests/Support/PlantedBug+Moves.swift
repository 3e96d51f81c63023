// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization

extension PlantedBug {
    static let moves = [
        PlantedBug(
            "a move puts the record at the end",
            foundBy:
                "a moved record joins a line by its old position, also before its head",
            "a record that is moved within its line keeps its place"
        ) { store, _ in
            store.commits = { base, changes async throws(StoreError) in
                guard case .move(_, let destination, _, let content, let lease) = changes[0], changes.count == 1,
                    case .committed(let committed) = try await base.commit(changes)
                else { return try await base.commit(changes) }
                let standing = try await base.read([destination]).records[0]
                guard lease == .keep, let standing, standing.holder == nil else { return .committed(committed) }
                return try await base.commit([.delete(destination, expecting: committed.fences[0])]).isCommitted
                    ? try await base.commit([.insert(destination, content)]) : .committed(committed)
            }
        },
        PlantedBug(
            "a move forgets under which fence it was",
            foundBy: "a record tells by its new name under which fence it was moved",
            "a move keeps position, time of insert and claims, and changes the rest as it says"
        ) { store, _ in
            store.altersChange = { change in
                change.destination == nil ? change : change.with { $0.headers["moved"] = "" }
            }
            store.altersRecord = { record, _ in
                var record = record
                if record.headers.removeValue(forKey: "moved") != nil { record.changedUnder = nil }
                return record
            }
        },
        PlantedBug(
            "a move takes the record away before it looks where it goes",
            foundBy:
                "a move meets a conflict at its source or its destination, which says what stands, and changes nothing",
            "a move is in or out with its batch, over any collections"
        ) { store, _ in
            store.commits = { base, changes async throws(StoreError) in
                let answer = try await base.commit(changes)
                guard case .conflict = answer else { return answer }
                for case .move(let id, _, let fence, _, _) in changes {
                    _ = try await base.commit([.delete(id, expecting: fence)])
                }
                return answer
            }
        },
        PlantedBug(
            "a move overwrites what stands at its destination",
            foundBy:
                "a move meets a conflict at its source or its destination, which says what stands, and changes nothing"
        ) { store, _ in
            store.commits = { base, changes async throws(StoreError) in
                let answer = try await base.commit(changes)
                guard case .conflict(let conflict) = answer, let standing = conflict.standing,
                    changes[conflict.index].destination == standing.id
                else { return answer }
                _ = try await base.commit([.delete(standing.id, expecting: standing.fence)])
                return try await base.commit(changes)
            }
        },
        PlantedBug(
            "only the first name of a move counts as named", foundBy: "both names of a move count as named in a batch",
            showsInHistories: false
        ) { store, _ in
            store.commits = { base, changes async throws(StoreError) in
                do throws(StoreError) {
                    return try await base.commit(changes)
                } catch {
                    guard case .refused = error, Set(changes.map(\.id)).count == changes.count else { throw error }
                    var answer = try await base.commit([changes[0]])
                    for change in changes.dropFirst() { answer = try await base.commit([change]) }
                    return answer
                }
            }
        },
        PlantedBug("a moved record is let go", foundBy: "a move keeps, extends or ends the hold as it says") {
            store, _ in
            store.altersChange = { change in
                guard case .move(let id, let destination, let fence, let content, _) = change else { return change }
                return .move(id, to: destination, expecting: fence, with: content, lease: .end)
            }
        },
        PlantedBug("a move keeps the due time", foundBy: "a move sets, keeps or takes away due time and expiry") {
            store, _ in
            store.altersChange = { change in
                change.destination == nil ? change : change.with { $0.due = .unchanged }
            }
        },
    ]

    static let capacities: [PlantedBug] = [
        .limited(
            "a full store forgets its oldest record",
            foundBy: "an insert beyond the capacity ends with an error and changes nothing",
            "of many inserts at once as many succeed as there is room for"
        ) { store, capacity in
            let ids = InsertedIDs()
            store.commits = { base, changes async throws(StoreError) in
                let answer = try await base.commit(changes)
                ids.note(changes)
                while let oldest = ids.oldest(beyond: capacity), let record = try await base.read([oldest]).records[0] {
                    _ = try await base.commit([.delete(oldest, expecting: record.fence)])
                }
                return answer
            }
        },
        .limited(
            "a full store takes no change at all",
            foundBy: "what stands in a full store can be replaced, moved, held and deleted",
            "a batch goes into a full store if it leaves no more records than there are, and else as a whole not"
        ) { store, capacity in
            let ids = InsertedIDs()
            store.commits = { base, changes async throws(StoreError) in
                guard ids.count < capacity else {
                    throw .full(StoreFailure(operation: "commit", subject: "a full store", code: 0))
                }
                let answer = try await base.commit(changes)
                ids.note(changes)
                return answer
            }
        },
        .limited("what has expired takes room for ever", foundBy: "expired records make room, others do not") {
            store, capacity in
            let ids = InsertedIDs()
            store.commits = { base, changes async throws(StoreError) in
                ids.note(changes)
                guard ids.count <= capacity else {
                    ids.forget(changes)
                    throw .full(StoreFailure(operation: "insert", subject: "a full store", code: 0))
                }
                return try await base.commit(changes)
            }
        },
    ]
}

/// The names that were inserted and not deleted since, as a careless store counts them.
private final class InsertedIDs: Sendable {
    private let ids = Locked<[RecordID]>([])

    var count: Int { ids.withLock { $0.count } }

    func note(_ changes: [Change]) {
        ids.withLock { ids in
            for change in changes {
                switch change {
                case .insert(let id, _, _): ids.append(id)
                case .delete(let id, _): ids.removeAll { $0 == id }
                case .replace, .move, .assert: break
                }
            }
        }
    }

    func forget(_ changes: [Change]) {
        ids.withLock { ids in for case .insert(let id, _, _) in changes { ids.removeAll { $0 == id } } }
    }

    /// Takes out the first if there are more than that.
    func oldest(beyond capacity: Int) -> RecordID? {
        ids.withLock { $0.count > capacity ? $0.removeFirst() : nil }
    }
}
