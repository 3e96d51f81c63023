// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Scans, statistics and reads of several.
extension RecordStoreConformance {
    static let pageChecks = [
        Check("a scan goes through a collection by position, page by page") { bench in
            var expected: [String] = []
            for index in 0..<10 {
                let key = "\(index * 7 % 10)"
                try await bench.insert(bench.id(key), index % 3 == 0 ? .due(order: "k") : .plain)
                try await bench.insert(bench.id(key, in: "other"))
                expected.append(key)
            }
            _ = try await bench.hold(bench.id(expected[0]))
            let fence = try await bench.record(bench.id(expected[3])).fence
            try await bench.replace(bench.id(expected[3]), fence)
            for limit in [1, 3, 9, 10, 11, 1_000] {
                let records = try await bench.scanAll(limit: limit)
                try require(records.map(\.id.key), is: expected, "the keys in pages of \(limit)")
                let read = try await bench.store.read(records.map(\.id)).records.compactMap(\.self)
                try require(records, are: read, "what a scan shows")
            }
            try require(try await bench.scanAll("nowhere"), are: [], "a collection without records")
        },
        Check("a scan can ask for one state and for what comes after a position") { bench in
            for index in 0..<9 {
                try await bench.insert(bench.id("\(index)"), RecordContent(state: index % 3 == 0 ? "fizz" : "plain"))
            }
            for limit in [1, 2, 3, 100] {
                let fizz = try await bench.scanAll(state: "fizz", limit: limit).map(\.id.key)
                try require(fizz, is: ["0", "3", "6"], "the records of one state in pages of \(limit)")
            }
            try require(try await bench.scanAll(state: "none"), are: [], "the records of a state without any")
            let all = try await bench.scanAll()
            for (index, record) in all.enumerated() {
                let rest = try await bench.scanAll(after: record.position)
                try require(rest, are: Array(all[(index + 1)...]), "what comes after record \(index)")
            }
            let fence = all[3].fence
            try await bench.replace(all[3].id, fence, with: RecordContent(state: "plain"))
            let fizz = try await bench.scanAll(state: "fizz").map(\.id.key)
            try require(fizz, is: ["0", "6"], "the records of a state that one has left")
        },
        Check("changes between two pages lose and repeat nothing else") { bench in
            for index in 0..<8 { try await bench.insert(bench.id("\(index)")) }
            let collection = ConformanceBench.collection
            let page = try await bench.store.scan(collection, state: nil, after: nil, limit: 4)
            let shown = page.records.map(\.id.key)
            guard let next = page.next else { throw Violation("the first of two pages is the last") }
            // It may be shorter than its limit.
            let isFull = bench.suite.isExact ? shown.count == 4 : shown.count <= 4
            try require(isFull && shown == (0..<shown.count).map { "\($0)" }, "the first page is \(shown)")
            for index in [3, 5, 7] {
                let id = bench.id("\(index)")
                try await bench.delete(id, try await bench.record(id).fence)
            }
            try await bench.replace(bench.id("1"), try await bench.record(bench.id("1")).fence)
            try await bench.insert(bench.id("3"))
            let rest = try await bench.scanAll(after: next, limit: 4).map(\.id.key)
            let expected = ["0", "1", "2", "4", "6", "3"].filter { $0 == "3" || !shown.contains($0) }
            try require(rest, is: expected, "the pages after \(shown)")
        },
        Check("statistics count the records of each state") { bench in
            let start = try await bench.now()
            func requireCounts(_ counts: [String: Int], _ when: String) async throws {
                let statistics = try await bench.store.statistics(of: ConformanceBench.collection)
                try require(statistics.counts.filter { $0.value != 0 }, is: counts, "the counts \(when)")
            }
            try await requireCounts([:], "of nothing")
            var fences: [Fence] = []
            for index in 0..<5 {
                fences.append(try await bench.insert(bench.id("\(index)"), RecordContent(state: index < 2 ? "x" : "y")))
                bench.advance(by: .seconds(1))
            }
            try await bench.insert(bench.id("0", in: "other"), RecordContent(state: "x"))
            try await requireCounts(["x": 2, "y": 3], "after inserts")
            fences[0] = try await bench.replace(bench.id("0"), fences[0], with: RecordContent(state: "z"))
            _ = try await bench.hold(bench.id("4"))
            try await requireCounts(["x": 1, "y": 3, "z": 1], "after a replace and a claim")
            let statistics = try await bench.store.statistics(of: ConformanceBench.collection)
            try require(statistics.oldestCreated, is: start, "oldestCreated")
            try await bench.delete(bench.id("0"), fences[0])
            try await requireCounts(["x": 1, "y": 3], "after a delete")
            try require(
                try await bench.store.statistics(of: ConformanceBench.collection).oldestCreated,
                is: start.advanced(by: .seconds(1)), "oldestCreated after a delete")
        },
        Check("statistics tell since when the record that could be claimed longest waits") { bench in
            let start = try await bench.now()
            func requireOldest(_ seconds: Int64?, _ when: String) async throws {
                let statistics = try await bench.store.statistics(of: ConformanceBench.collection)
                let expected = seconds.map { start.advanced(by: .seconds($0)) }
                try require(statistics.oldestDue, is: expected, "oldestDue \(when)")
            }
            try await requireOldest(nil, "of nothing")
            try await bench.insert(bench.id("never"))
            try await requireOldest(nil, "of a record that is never due")
            try await bench.insert(bench.id("late"), .due(after: .seconds(50)))
            try await requireOldest(50, "of a record that is not due yet")
            try await bench.insert(bench.id("head"), .due(after: .seconds(20), order: "k"))
            try await bench.insert(bench.id("behind"), .due(order: "k"))
            try await requireOldest(20, "with an earlier one behind the head")
            bench.advance(by: .seconds(60))
            try await requireOldest(20, "when it has been due for long")
            let answer = try await bench.claimDue(limit: 1, lease: Lease(.seconds(10)))
            try await requireOldest(50, "when the longest due is held")
            try await bench.delete(bench.id("head"), answer.claimed[0].fence)
            try await requireOldest(0, "when the head is gone")
            _ = try await bench.claimDue(lease: Lease(.seconds(10)))
            let statistics = try await bench.store.statistics(of: ConformanceBench.collection)
            // What is held may count with the end of its lease.
            let ends = [nil, bench.suite.isExact ? nil : start.advanced(by: .seconds(70))]
            try require(
                ends.contains(statistics.oldestDue),
                "oldestDue when everything is held is \(statistics.oldestDue, default: "nil")")
        },
        Check("a read answers each name in its place, also twice and also where nothing stands") { bench in
            let ids = ["b", "none", "a", "b"].map { bench.id($0) }
            try await bench.insert(bench.id("a"))
            try await bench.insert(bench.id("b"))
            let records = try await bench.store.read(ids).records
            try require(records.map { $0?.id.key }, is: ["b", nil, "a", "b"], "the keys")
            try require(records[3], is: records[0], "the second answer for a name")
        },
    ]
}
