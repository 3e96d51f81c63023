// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting

@testable import RecordStores

/// The core of the local stores as the model of what they answer when many tasks ask: every answer is exact, fences and
/// positions included.
struct RecordTableModel: SequentialModel, CustomStringConvertible {
    /// With few records nothing that has expired outlives the next operation, so what stands is all there is.
    struct Fingerprint: Hashable {
        let records: [Record]
        let nextFence: Fence
        let nextPosition: UInt64
    }

    private(set) var table: RecordTable

    init(now: Timestamp) { table = RecordTable(now: now) }

    var fingerprint: Fingerprint {
        Fingerprint(
            records: records, nextFence: table.nextFence, nextPosition: table.nextPosition)
    }

    /// What stands, by position.
    private var records: [Record] {
        table.slots.filter { $0.stamp > 0 && !$0.record.isExpired(at: table.now) }.map(\.record)
            .sorted { $0.position < $1.position }
    }

    mutating func apply(_ call: StoreCall, answered answer: StoreAnswer?) -> Bool {
        do throws(StoreError) {
            let expected = try self.answer(to: call)
            return answer.map { $0 == expected } ?? true
        } catch {
            return false
        }
    }

    private mutating func answer(to call: StoreCall) throws(StoreError) -> StoreAnswer {
        switch call.operation {
        case .read(let ids): .read(try table.read(ids, at: call.now))
        case .commit(let changes): .commit(try table.commit(changes, at: call.now))
        case .claim(let request): .claim(try table.claim(request.selection, lease: request.lease, at: call.now))
        case .extend(let id, let fence, let lease):
            .extend(try table.extend(id, fence: fence, lease: lease, at: call.now))
        case .scan(let collection, let state, let position, let limit):
            .scan(try table.scan(collection, state: state, after: position, limit: limit, at: call.now))
        case .statistics(let collection): .statistics(table.statistics(of: collection, at: call.now))
        }
    }

    var description: String {
        let records = records.map { $0.brief(at: table.now) }
        return "next fence \(table.nextFence), next position \(table.nextPosition), \(records)"
    }
}
