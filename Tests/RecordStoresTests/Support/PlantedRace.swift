// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

/// A store that is right as long as one task calls it, and has a gap between two looks that another can come into.
struct PlantedRace: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let makeStore: @Sendable (ManualClock) -> any RecordStore

    init(_ description: String, alter: @escaping @Sendable (inout AlteredStore) -> Void) {
        testDescription = description
        makeStore = { clock in
            var store = AlteredStore(InMemoryRecordStore(clock: clock))
            alter(&store)
            return store
        }
    }

    static let all = [
        PlantedRace("a batch overwrites what came in after it had looked") { store in
            store.commits = { base, changes async throws(StoreError) in
                let look = try await base.commit(behind: [], lookingAt: changes[...])
                guard case .committed = look else { return look }
                await Task.yield()
                let standing = try await base.read(changes.map(\.id)).records
                return try await base.commit(zip(changes, standing).map { $0.forced(upon: $1) })
            }
        },
        PlantedRace("a batch goes in in two halves") { store in
            store.commits = { base, changes async throws(StoreError) in
                let half = changes.count / 2
                guard half > 0 else { return try await base.commit(changes) }
                let first = try await base.commit(behind: changes[..<half], lookingAt: changes[half...])
                guard case .committed(let first) = first else { return first }
                await Task.yield()
                switch try await base.commit(Array(changes[half...])) {
                case .committed(let second):
                    return .committed(.init(now: second.now, fences: first.fences + second.fences))
                case .conflict(let conflict):
                    return .conflict(
                        .init(now: conflict.now, index: conflict.index + half, standing: conflict.standing))
                }
            }
        },
        PlantedRace("a conflict looks again before it tells what stands") { store in
            store.commits = { base, changes async throws(StoreError) in
                let answer = try await base.commit(changes)
                guard case .conflict(let conflict) = answer else { return answer }
                await Task.yield()
                let again = try await base.read([conflict.standing?.id ?? changes[conflict.index].id])
                return .conflict(.init(now: again.now, index: conflict.index, standing: again.records[0]))
            }
        },
        PlantedRace("a reader puts what it saw into a cache, however long ago that was") { store in
            ReadCache().cache(&store)
        },
        PlantedRace("several records are read one after the other") { store in
            store.reads = { base, ids async throws(StoreError) in
                var answer = try await base.read([ids[0]])
                for id in ids.dropFirst() {
                    await Task.yield()
                    let next = try await base.read([id])
                    answer = ReadAnswer(now: next.now, records: answer.records + next.records)
                }
                return answer
            }
        },
        PlantedRace("a page is put together record by record") { store in
            store.scans = { base, name, state, position, limit async throws(StoreError) in
                var answer = try await base.scan(name, state: state, after: position, limit: 1)
                while let next = answer.next, answer.records.count < limit {
                    await Task.yield()
                    let page = try await base.scan(name, state: state, after: next, limit: 1)
                    answer = ScanAnswer(now: page.now, records: answer.records + page.records, next: page.next)
                }
                return answer
            }
        },
        PlantedRace("several records are claimed one after the other") { store in
            store.claims = { base, request async throws(StoreError) in
                guard case .ids(let ids) = request.selection else { return try await base.claim(request) }
                var answer = try await base.claim(ClaimRequest(.ids([ids[0]]), lease: request.lease))
                for id in ids.dropFirst() {
                    await Task.yield()
                    let next = try await base.claim(ClaimRequest(.ids([id]), lease: request.lease))
                    answer = ClaimAnswer(
                        now: next.now, claimed: answer.claimed + next.claimed, standing: answer.standing + next.standing
                    )
                }
                return answer
            }
        },
        PlantedRace("an extend looks at the fence, and then extends whoever holds") { store in
            store.extends = { base, id, fence, lease async throws(StoreError) in
                let look = try await base.read([id])
                guard let record = look.records[0], record.fence == fence else {
                    return .lost(now: look.now, standing: look.records[0])
                }
                await Task.yield()
                let present = try await base.read([id]).records[0]?.fence ?? fence
                return try await base.extend(id, fence: present, lease: lease)
            }
        },
    ]
}

/// Keeps records that were read until a call of the same cache changes them.
private final class ReadCache: Sendable {
    private let records = Locked<[RecordID: Record]>([:])

    func cache(_ store: inout AlteredStore) {
        store.reads = { base, ids async throws(StoreError) in
            let answer = try await base.read(ids)
            let cached = self.records.withLock { $0 }
            await Task.yield()
            self.records.withLock { records in
                for record in answer.records.compactMap(\.self) { records[record.id] = record }
            }
            let records = zip(ids, answer.records).map { id, record in
                cached[id].flatMap { $0.isExpired(at: answer.now) ? nil : $0 } ?? record
            }
            return ReadAnswer(now: answer.now, records: records)
        }
        store.commits = { base, changes async throws(StoreError) in
            let answer = try await base.commit(changes)
            self.drop(changes.map(\.id) + changes.compactMap(\.destination))
            return answer
        }
        store.claims = { base, request async throws(StoreError) in
            let answer = try await base.claim(request)
            self.drop(answer.claimed.map(\.id))
            return answer
        }
        store.extends = { base, id, fence, lease async throws(StoreError) in
            let answer = try await base.extend(id, fence: fence, lease: lease)
            self.drop([id])
            return answer
        }
    }

    private func drop(_ ids: [RecordID]) {
        records.withLock { records in
            for id in ids { records[id] = nil }
        }
    }
}

extension InMemoryRecordStore {
    /// Commits changes if those that follow them would go through, too, which are not carried out.
    fileprivate func commit(
        behind changes: ArraySlice<Change>, lookingAt rest: ArraySlice<Change>
    ) async throws(StoreError) -> CommitAnswer {
        var batch = Array(changes)
        var places = Array(changes.indices)
        for (place, change) in zip(rest.indices, rest) {
            let looks: [Change] =
                [.assert(change.id, change.expected)] + [change.destination].compactMap(\.self).map { .assert($0, nil) }
            batch += looks
            places += looks.map { _ in place }
        }
        let answer = try await commit(batch)
        guard case .conflict(let conflict) = answer else { return answer }
        return .conflict(
            .init(now: conflict.now, index: places[conflict.index], standing: conflict.standing))
    }
}

extension Change {
    /// The fence that has to stand there for the change to go through; `nil` if nothing may stand there.
    fileprivate var expected: Fence? {
        switch self {
        case .insert: nil
        case .replace(_, let fence, _, _), .move(_, _, let fence, _, _), .delete(_, let fence): fence
        case .assert(_, let fence): fence
        }
    }

    /// A change with the same effect that goes through whatever stands there.
    fileprivate func forced(upon standing: Record?) -> Change {
        switch (self, standing) {
        case (.insert(let id, let content, _), let standing?):
            .replace(id, expecting: standing.fence, with: content, lease: .end)
        case (.replace(let id, _, let content, let lease), let standing?):
            .replace(id, expecting: standing.fence, with: content, lease: lease)
        case (.replace(let id, _, let content, _), nil): .insert(id, content)
        case (.move(let id, let destination, _, let content, let lease), let standing?):
            .move(id, to: destination, expecting: standing.fence, with: content, lease: lease)
        case (.move(_, let destination, _, let content, _), nil): .insert(destination, content)
        case (.delete(let id, _), let standing?): .delete(id, expecting: standing.fence)
        case (.assert(let id, _), let standing): .assert(id, standing?.fence)
        case (.delete(let id, _), nil): .assert(id, nil)
        case (.insert, nil): self
        }
    }
}
