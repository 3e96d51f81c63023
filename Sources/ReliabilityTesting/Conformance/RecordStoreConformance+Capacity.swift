// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// A store that has no room for another record. Every check passes where no store of a capacity can be had.
extension RecordStoreConformance {
    static let capacityChecks = [
        Check("an insert beyond the capacity ends with an error and changes nothing") { bench in
            try await ConformanceBench.with(bench.suite, capacity: 3) { bench in
                let before = try await fill(bench, 3)
                for _ in 0..<3 {
                    try await requireFull(bench, [.insert(bench.id("more"), .due())])
                    try await requireFull(
                        bench, [.insert(bench.id("more", in: "other"), .due(), lease: Lease(.seconds(1)))])
                    try require(try await bench.scanAll(), are: before, "what stands in a full store")
                    try require(try await bench.scanAll("other"), are: [], "what stands beside it")
                }
                let conflict = try await bench.conflict(.insert(before[0].id, .plain))
                try require(conflict.standing, is: before[0], "what an insert over a record is told")
            }
        },
        Check("what stands in a full store can be replaced, moved, held and deleted") { bench in
            try await ConformanceBench.with(bench.suite, capacity: 3) { bench in
                var before = try await fill(bench, 3)
                for record in before { try await bench.replace(record.id, record.fence, with: .due(order: "k")) }
                let held = try await bench.hold(before[0].id)
                guard case .extended = try await bench.store.extend(held.id, fence: held.fence, lease: .seconds(90))
                else {
                    throw Violation("a hold in a full store was not extended")
                }
                try await bench.move(held.id, to: bench.id("moved", in: "other"), held.fence)
                try await bench.requireDue([before[1].id.key], "from a full store")
                try await requireFull(bench, [.insert(bench.id("more"), .plain)])
                before = try await bench.scanAll()
                try await bench.delete(before[1].id, before[1].fence)
                try await bench.insert(bench.id("more"))
                try await requireFull(bench, [.insert(bench.id("yet more"), .plain)])
            }
        },
        Check("a batch goes into a full store if it leaves no more records than there are, and else as a whole not") {
            bench in
            try await ConformanceBench.with(bench.suite, capacity: 3) { bench in
                let before = try await fill(bench, 3)
                let (a, b, c) = (before[0], before[1], before[2])
                let new = (0..<3).map { bench.id("new \($0)", in: "other") }
                try await requireFull(
                    bench,
                    [
                        .replace(b.id, expecting: b.fence, with: .due(), lease: .end), .insert(new[0], .plain),
                        .delete(a.id, expecting: a.fence), .insert(new[1], .plain),
                    ])
                try require(try await bench.scanAll(), are: before, "what stands after a batch that had no room")
                // In any order: it counts what the batch leaves.
                try await bench.commit(
                    .insert(new[0], .plain), .insert(new[1], .plain), .delete(a.id, expecting: a.fence),
                    .move(c.id, to: new[2], expecting: c.fence, with: .plain, lease: .keep),
                    .delete(b.id, expecting: b.fence))
                try require(try await bench.scanAll("other").map(\.id), is: [new[2], new[0], new[1]], "what stands")
                try await requireFull(bench, [.insert(a.id, .plain)])
            }
        },
        Check("expired records make room, others do not") { bench in
            try await ConformanceBench.with(bench.suite, capacity: 3) { bench in
                try await bench.insert(bench.id("a"), .due(expires: .after(.seconds(5))))
                try await bench.insert(bench.id("b"), .due(expires: .after(.seconds(5))), lease: Lease(.seconds(10)))
                try await bench.insert(bench.id("c"), .due(expires: .after(.seconds(50))))
                try await requireFull(bench, [.insert(bench.id("d"), .plain)])
                bench.advance(by: .seconds(5))
                try await requireFull(bench, [.insert(bench.id("d"), .plain), .insert(bench.id("e"), .plain)])
                try await bench.insert(bench.id("d"))
                try await requireFull(bench, [.insert(bench.id("e"), .plain)])
                bench.advance(by: .seconds(5))
                try await bench.insert(bench.id("e"))
                try require(try await bench.scanAll().map(\.id.key), is: ["c", "d", "e"], "what stands")
            }
        },
        Check("of many inserts at once as many succeed as there is room for") { bench in
            try await ConformanceBench.with(bench.suite, capacity: 5) { bench in
                let answers = try await race(bench) { task in
                    await bench.error { store throws(StoreError) in
                        _ = try await store.commit([.insert(bench.id("\(task)"), .plain)])
                    }
                }
                try require(answers.count { $0 == nil }, is: 5, "the number of inserts that succeeded")
                for (task, error) in answers.enumerated() {
                    let isThere = try await bench.find(bench.id("\(task)")) != nil
                    try require(
                        isThere, is: error == nil,
                        "whether a record stands whose insert ended with \(error, default: "success")")
                }
            }
        },
    ]

    /// Fills a store with that many records; returns them.
    private static func fill(_ bench: ConformanceBench, _ count: Int) async throws -> [Record] {
        for index in 0..<count { try await bench.insert(bench.id("\(index)"), .due()) }
        return try await bench.scanAll()
    }

    private static func requireFull(_ bench: ConformanceBench, _ changes: [Change]) async throws {
        let error = await bench.error { store throws(StoreError) in _ = try await store.commit(changes) }
        guard case .full = error else {
            throw Violation("a batch without room ends with \(error.map { "\($0)" } ?? "success")")
        }
    }
}
