// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The table of a file store, which the store's callers change and its snapshots copy from.
final class SharedTable: Sendable {
    private struct State {
        var table: RecordTable
        var isClosed = false
    }

    private let state: Locked<State>

    init(_ table: RecordTable) { state = Locked(State(table: table)) }

    /// Runs `body` with the table, unless the store is closed.
    func withLock<Value: Sendable>(
        _ body: (inout RecordTable) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try state.withLock { state throws(StoreError) in
            guard !state.isClosed else { throw .closed }
            return try body(&state.table)
        }
    }

    /// Takes no more operations; the time of the last one.
    func close() -> Timestamp {
        state.withLock { state in
            state.isClosed = true
            return state.table.now
        }
    }

    /// The table as it is now.
    var copy: RecordTable { state.withLock { $0.table } }

    var now: Timestamp { state.withLock { $0.table.now } }

    /// Roughly how many bytes the records take that stand.
    var bytes: Int { state.withLock { $0.table.bytes } }

    /// The records that come next in a snapshot: those of one collection, until they take about so many bytes.
    func page(_ cursor: SnapshotCursor, bytes: Int, lastSequence: () -> UInt64) -> SnapshotPage {
        state.withLock { state in
            var next = Optional(cursor)
            var records: [Record] = []
            if let page = state.table.stored(inCollection: cursor.collection, after: cursor.position, bytes: bytes) {
                records = page
                next?.position = page.last?.position
                if page.isEmpty { next = SnapshotCursor(collection: cursor.collection + 1) }
            } else {
                next = nil
            }
            return SnapshotPage(
                records: records, next: next, counters: state.table.counters, shows: lastSequence())
        }
    }
}
