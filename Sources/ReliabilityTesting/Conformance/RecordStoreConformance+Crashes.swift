// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What stands after a crash, when nothing was under way. Every check passes where no crash can be had.
extension RecordStoreConformance {
    static let crashChecks = [
        Check("what was answered stands after a crash, whatever the change was", promise: 2) { bench in
            try await survivesEachChange(bench, looking: false)
            try await ConformanceBench.with(bench.suite) { try await survivesEachChange($0, looking: true) }
        },
        Check("what time has changed and an answer has shown stands after a crash", promise: 6) { bench in
            // A clock that is set back lets lifetimes last longer.
            guard bench.canCrash, !bench.suite.leeway.contains(.timeGoesBack) else { return }
            let looks: [(String, (ConformanceBench, RecordID) async throws -> Void)] = [
                ("a read", { try await $0.requireAbsent($1, "past its expiry") }),
                ("a scan", { try require(try await $0.scanAll($1.collection), are: [], "a scan past an expiry") }),
                (
                    "statistics",
                    {
                        let counts = try await $0.store.statistics(of: $1.collection).counts
                        try require(counts.values.reduce(0, +), is: 0, "the number of records past their expiry")
                    }
                ),
                ("a claim by name", { try require(try await $0.claim($1).standing, are: [], "what stands") }),
                ("a claim of due records", { try await $0.requireDue([], in: $1.collection, "past their expiry") }),
                ("an assert", { try await $0.commit(.assert($1, nil)) }),
            ]
            var bench = bench
            for (name, look) in looks {
                let id = bench.id("gone", in: name)
                try await bench.insert(id, .due(expires: .after(.seconds(5))))
                bench.advance(by: .seconds(5))
                try await look(bench, id)
                guard let next = try await bench.crashed() else { return }
                bench = next
                try await bench.requireAbsent(id, "after a crash though \(name) has shown that it expired")
                try await bench.insert(id)
            }
        },
        Check("fences and positions go on growing after a crash, also over deletes", promise: 1) { bench in
            var (bench, given) = (bench, Set<Fence>())
            var last: [RecordID: Fence] = [:]
            func take(_ fence: Fence, of id: RecordID, _ what: String) throws {
                if let last = last[id] { try require(fence > last, "over crashes \(what) gave \(fence) after \(last)") }
                try require(given.insert(fence).inserted, "over crashes \(what) gave \(fence) again")
                last[id] = fence
            }
            let (kept, gone) = (bench.id("kept"), bench.id("gone"))
            try take(try await bench.insert(kept, .due()), of: kept, "an insert")
            var position = try await bench.record(kept).position
            for round in 0..<6 {
                // The last fence that was given out is a claim's, a replace's or that of a record which is gone.
                try take(try await bench.hold(kept, lease: Lease(.zero)).fence, of: kept, "a claim")
                if round % 2 == 1 {
                    try take(try await bench.replace(kept, last[kept] ?? .none, with: .due()), of: kept, "a replace")
                }
                if round % 3 > 0 {
                    let inserted = try await bench.insert(gone)
                    try take(inserted, of: gone, "an insert")
                    position = try await bench.record(gone).position
                    try take(try await bench.hold(gone).fence, of: gone, "a claim")
                    try await bench.delete(gone, last[gone] ?? .none)
                }
                guard let next = try await bench.crashed() else { return }
                bench = next
                try take(try await bench.insert(gone), of: gone, "an insert")
                let record = try await bench.record(gone)
                try require(record.position > position, "after a crash position \(record.position) follows \(position)")
                position = record.position
                try await bench.delete(gone, record.fence)
                try take(try await bench.replace(kept, last[kept] ?? .none, with: .due()), of: kept, "a replace")
            }
        },
        Check("lines stand after a crash as they stood before", promise: 5) { bench in
            for key in ["a", "b", "c", "d"] { try await bench.insert(bench.id(key), .due(order: "k")) }
            let a = try await bench.record(bench.id("a"))
            try await bench.commit(.delete(a.id, expecting: a.fence), .insert(bench.id("e"), .due(order: "k")))
            let d = try await bench.record(bench.id("d")).fence
            try await bench.move(bench.id("d"), to: bench.id("d", in: "other"), d, with: .due(order: "k"))
            guard var bench = try await bench.crashed() else { return }
            for key in ["b", "c", "e"] {
                let head = try await bench.requireDue([key], "from a line after a crash").claimed[0]
                try await bench.delete(head.id, head.fence)
                guard let next = try await bench.crashed() else { return }
                bench = next
            }
            try await bench.requireDue(["d"], in: "other", "from the line of a moved record after a crash")
        },
        Check("time does not go back behind what a store has kept over a crash", promise: 7) { bench in
            bench.advance(by: .seconds(86_400))
            let id = bench.id("a")
            try await bench.insert(id, .due())
            let before = try await bench.record(id)
            guard let bench = try await bench.crashed() else { return }
            let now = try await bench.now()
            try require(now >= before.createdAt, "after a crash the time is \(now) after \(before.createdAt)")
            try require(try await bench.record(id), is: before, "the record")
            try await bench.requireDue(["a"], "when it was due before the crash")
        },
        Check("a claim that waits after a crash is woken", promise: 10) { bench in
            try await bench.insert(bench.id("a"), .due(after: .seconds(10)))
            guard let bench = try await bench.crashed() else { return }
            try await bench.requireWoken(with: "a", "by the due time of a record from before a crash") {
                bench.advance(by: .seconds(10))
            }
            try await bench.requireWoken(with: "b", "by a commit after a crash") {
                try await bench.insert(bench.id("b"), .due())
            }
        },
    ]

    /// One change of every kind after the other, each with a crash behind it and a look at all that should stand: by
    /// what the change was answered, or by what a look before the crash has shown.
    private static func survivesEachChange(_ bench: ConformanceBench, looking: Bool) async throws {
        let (a, b, c, d) = (bench.id("a"), bench.id("b"), bench.id("c", in: "x"), bench.id("d", in: "y"))
        let content = RecordContent(
            state: "full", body: Array(0...255), headers: ["h": "é"], orderKey: "k", due: .after(.seconds(3)),
            expires: .after(.seconds(50_000)))
        /// What stands by the answer of a change: fences, and nil where there is no record.
        typealias Step = (String, (ConformanceBench) async throws -> [RecordID: Fence?])
        let steps: [Step] = [
            ("an insert", { [a: try await $0.insert(a, content)] }),
            ("an insert that is held", { [b: try await $0.insert(b, .due(), lease: Lease(.seconds(1)))] }),
            ("a replace", { [a: try await $0.replace(a, try await $0.fence(of: a), with: content)] }),
            ("a claim by name", { [a: try await $0.hold(a).fence] }),
            (
                "an extend",
                {
                    $0.advance(by: .seconds(1))
                    let fence = try await $0.hold(b).fence
                    _ = try await $0.store.extend(b, fence: fence, lease: .seconds(600))
                    return [b: fence]
                }
            ),
            (
                "a replace that lets go",
                { [b: try await $0.replace(b, try await $0.fence(of: b), with: .due(), lease: .end)] }
            ),
            ("a claim of due records", { [b: try await $0.requireDue(["b"], "of one").claimed[0].fence] }),
            ("a move", { [b: nil, c: try await $0.move(b, to: c, try await $0.fence(of: b), with: content)] }),
            (
                "a batch",
                {
                    let fences = try await $0.commit(
                        .delete(a, expecting: try await $0.fence(of: a)), .insert(b, .plain),
                        .move(c, to: d, expecting: try await $0.fence(of: c), with: .due(), lease: .end))
                    return [a: nil, b: fences.first, c: nil, d: fences.last]
                }
            ),
            (
                "a delete",
                {
                    try await $0.delete(d, try await $0.fence(of: d))
                    return [d: nil]
                }
            ),
        ]
        var bench = bench
        for (name, step) in steps {
            let answered = try await step(bench)
            let before = looking ? try await bench.store.read([a, b, c, d]).records : []
            guard let next = try await bench.crashed() else { return }
            bench = next
            let after = try await bench.store.read([a, b, c, d])
            for (id, fence) in answered {
                let record = try await bench.find(id)
                try require(record?.fence, is: fence, "the fence of \(id) when a crash follows \(name)")
            }
            for (old, new) in zip(before, after.records) {
                try bench.requireLeft(new, of: old, at: after.now, "what stands when a crash follows \(name)")
            }
            for collection in [a, c, d].map(\.collection) {
                let records = after.records.compactMap(\.self).filter { $0.id.collection == collection }
                try require(try await bench.scanAll(collection), are: records, "a scan when a crash follows \(name)")
            }
        }
    }
}

extension Fence {
    /// A fence that no store gives out.
    fileprivate static var none: Fence { Fence(rawValue: 0) }
}

extension ConformanceBench {
    fileprivate func fence(of id: RecordID) async throws -> Fence {
        let record = try await record(id)
        return record.fence
    }

    /// Requires that a record is what another process has to find of one: the same, but that nobody holds it where one
    /// process at a time has the store.
    func requireLeft(
        _ record: Record?, of old: Record?, at now: Timestamp, _ what: @autoclosure () -> String
    ) throws(Violation) {
        guard var expected = old, let record, !suite.leeway.contains(.sharedByProcesses) else {
            return try require(record, is: old, what())
        }
        if expected.holder != nil { (expected.holder, expected.leaseUntil) = (record.holder, record.leaseUntil) }
        try require(record, is: expected, what())
        try require(!record.isHeld(at: now), "\(what()): \(record.id) is held by a process that is gone")
    }
}
