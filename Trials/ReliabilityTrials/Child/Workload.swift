// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import Synchronization

/// Callers that use a store all at once, each its own way through inserts, replaces, deletes, moves, claims and reads.
///
/// Keys are few, so callers meet: with stale fences, over held records, in claims of the same order key. Records of
/// ``Ledger/twins`` are written together; records of `inbox` and `outbox` go back and forth between the two.
struct Workload: Sendable {
    static let collections = [Ledger.twins.left, Ledger.twins.right, "inbox", "outbox"]
    private static let pageSize = 20

    let store: FileRecordStore
    let report: Reporter
    let board = Board()

    /// The versions that were answered last: what callers name in their changes.
    final class Board: Sendable {
        private let versions = Locked<[RecordID: Version]>([:])

        subscript(id: RecordID) -> Version? {
            get { versions.withLock { $0[id] } }
            set { versions.withLock { $0[id] = newValue } }
        }

        /// The records that stand, in an order that is always the same.
        var ids: [RecordID] { versions.withLock { $0.keys.sorted { $0.description < $1.description } } }
    }

    /// Reports everything that stands, while nobody else uses the store.
    func list(lastEnd: String) async throws(StoreError) {
        report(.opened(lastEnd: lastEnd))
        for collection in Self.collections {
            var position: UInt64?
            repeat {
                let page = try await store.scan(collection, state: nil, after: position, limit: Self.pageSize)
                for record in page.records {
                    let version = sighting(record).version ?? Version(fence: record.fence, number: 0)
                    board[record.id] = version
                    report(.stands(Standing(id: record.id, version: version, changedUnder: record.changedUnder)))
                }
                position = page.next
            } while position != nil
        }
        report(.whole)
    }

    /// Runs the callers, each for so many operations, or until the store has failed.
    func run(callers: Int, operations: Int, seed: UInt64) async {
        await withTaskGroup(of: Void.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    let random = RandomSource.seeded(seed &+ UInt64(caller))
                    var left = operations
                    while left > 0 {
                        left -= 1
                        do throws(Stopped) {
                            try await step(random)
                        } catch {
                            // What has failed has to stay so: two more, which must not be answered.
                            left = min(left, 2)
                        }
                    }
                }
            }
        }
    }

    /// Deletes everything that stands, so that of the fences that were given no record tells.
    func clear() async {
        let batches = [[Ledger.twins.left, Ledger.twins.right], ["inbox"], ["outbox"]]
        for id in board.ids {
            guard let collections = batches.first(where: { $0.first == id.collection }) else { continue }
            let deletes = collections.compactMap { collection in
                let id = RecordID(collection, id.key)
                return board[id].map { Change.delete(id, expecting: $0.fence) }
            }
            // An error is reported, and there is nobody else whom a delete could conflict with.
            _ = try? await commit(deletes, report.newNumber())
        }
    }

    /// Inserts large records until the store takes no more, then tries every other change on those that stand.
    func fill() async {
        var filled: [RecordID] = []
        do throws(Stopped) {
            // Far beyond any disk that is small, so that one without an end is told from one that is full.
            while filled.count < 2_000 {
                let number = report.newNumber()
                let id = RecordID("inbox", "fill\(number)")
                let content = RecordContent(state: "full", body: Payload.body(of: number, atLeast: 16_000))
                guard try await commit([.insert(id, content, lease: Lease(.seconds(30)))], number) else { return }
                filled.append(id)
            }
        } catch {
            // As it should: there is no more room.
        }
        for (index, id) in filled.prefix(9).enumerated() {
            guard let fence = board[id]?.fence else { continue }
            do throws(Stopped) {
                let number = report.newNumber()
                switch index % 3 {
                case 0: _ = try await commit([.delete(id, expecting: fence)], number)
                case 1:
                    let content = RecordContent(state: "less", body: Payload.body(of: number))
                    _ = try await commit([.replace(id, expecting: fence, with: content, lease: .end)], number)
                default: try await extend(id, fence)
                }
            } catch {
                continue
            }
        }
    }

    /// An operation ended with an error, which is reported.
    struct Stopped: Error {}

    /// Hands over a batch; `false` if one of its changes did not find what it expected.
    @discardableResult
    func commit(_ changes: [Change], _ number: UInt64) async throws(Stopped) -> Bool {
        report(.attempt(number, changes.flatMap(\.steps)))
        let answer: CommitAnswer
        do {
            answer = try await store.commit(changes)
        } catch {
            throw failed(number, error)
        }
        switch answer {
        case .committed(let committed):
            report(.committed(number, committed.fences))
            var fences = committed.fences[...]
            for step in changes.flatMap(\.steps) {
                board[step.id] = step.writes ? fences.popFirst().map { Version(fence: $0, number: number) } : nil
            }
            return true
        case .conflict(let conflict):
            let absent = Sighting(id: changes[conflict.index].id, version: nil)
            let standing = conflict.standing.map(sighting) ?? absent
            report(.conflict(number, standing))
            board[standing.id] = standing.version
            return false
        }
    }

    func failed(_ number: UInt64, _ error: StoreError) -> Stopped {
        report(.failed(number, ReportedError(error)))
        return Stopped()
    }

    /// What a record shows; number 0, which is never given, for a body that no operation has written.
    func sighting(_ record: Record) -> Sighting {
        Sighting(id: record.id, version: Version(fence: record.fence, number: Payload.number(of: record.body) ?? 0))
    }
}

extension Change {
    /// The change as the ledger sees it; nothing for what changes nothing.
    fileprivate var steps: [Step] {
        switch self {
        case .insert(let id, _, _): [.insert(id)]
        case .replace(let id, let expected, _, _): [.replace(id, expecting: expected)]
        case .move(let id, let destination, let expected, _, _):
            [.delete(id, expecting: expected), .insert(destination)]
        case .delete(let id, let expected): [.delete(id, expecting: expected)]
        case .assert: []
        }
    }
}
