// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Promise 3.
extension RecordStoreConformance {
    static let batchChecks = [
        Check("a batch over several collections is in as a whole", promise: 3) { bench in
            let (old, gone) = (bench.id("old", in: "x"), bench.id("gone", in: "y"))
            let (new, held) = (bench.id("new", in: "x"), bench.id("held", in: "z"))
            let (kept, oldFence) = (bench.id("kept", in: "y"), try await bench.insert(old))
            let (goneFence, keptFence) = (try await bench.insert(gone), try await bench.insert(kept))
            let fences = try await bench.commit(
                .insert(new, .plain), .delete(gone, expecting: goneFence),
                .replace(old, expecting: oldFence, with: .due(), lease: .end), .assert(kept, keptFence),
                .assert(bench.id("none", in: "z"), nil), .insert(held, .plain, lease: Lease(.seconds(1))))
            let records = try await bench.store.read([new, gone, old, kept, held]).records
            try require(
                records.map { $0?.fence }, is: [fences.first, nil, fences.dropFirst().first, keptFence, fences.last],
                "the fences that stand after a batch")
            try require(fences.count, is: 3, "the number of fences of two inserts and a replace")
            try require(records.compactMap { $0?.state }, is: ["plain", "due", "plain", "plain"], "the states")
        },
        Check("a conflict at any place of a batch leaves everything untouched and names the place", promise: 3) {
            try await conflictsAtEachPlace($0)
        },
        Check("of several conflicts the first is told", promise: 3) { bench in
            let (a, b) = (bench.id("a"), bench.id("b"))
            try await bench.insert(a)
            try await bench.insert(b)
            let conflict = try await bench.conflict(
                .insert(bench.id("c"), .plain), .insert(b, .plain), .assert(a, nil))
            try require(conflict.index, is: 1, "the index of the first conflict")
            try require(conflict.standing?.id, is: b, "what stands in its way")
        },
        Check("an assert lets a batch through only while the record stands so, and changes nothing", promise: 3) {
            bench in
            let (a, b) = (bench.id("a"), bench.id("b"))
            try require(try await bench.commit(.assert(a, nil)), is: [], "the fences of an assert")
            let fence = try await bench.insert(a)
            let standing = try await bench.record(a)
            try require(
                try await bench.conflict(.assert(a, nil), .insert(b, .plain)).standing, is: standing, "what stands")
            try await bench.commit(.assert(a, fence), .insert(b, .plain))
            try require(try await bench.record(a), is: standing, "a record that was asserted")
            try await bench.commit(.assert(a, fence))
            let held = try await bench.hold(a).fence
            let conflict = try await bench.conflict(.assert(a, fence))
            try require(conflict.standing?.fence, is: held, "the fence that an assert under an old one is told")
            try await bench.delete(a, held)
            try require(try await bench.conflict(.assert(a, held)).standing, is: nil, "what stands after a delete")
        },
        Check("a batch that names a record twice is refused", promise: 3) { bench in
            let (a, b) = (bench.id("a"), bench.id("b"))
            let fence = try await bench.insert(a, .due())
            let standing = try await bench.record(a)
            let changes: [Change] = [
                .replace(a, expecting: fence, with: .plain, lease: .keep), .delete(a, expecting: fence),
                .assert(a, fence), .insert(a, .plain),
            ]
            for (first, second) in changes.flatMap({ first in changes.map { (first, $0) } }) {
                let error = await bench.error { store throws(StoreError) in
                    _ = try await store.commit([first, .insert(b, .plain), second])
                }
                guard case .refused = error else {
                    throw Violation(
                        "\(first) and \(second) in one batch end with \(error.map { "\($0)" } ?? "success")")
                }
                try require(try await bench.record(a), is: standing, "a record that was named twice")
                try await bench.requireAbsent(b, "after a refused batch")
            }
            try await bench.commit(.insert(bench.id("a", in: "other"), .plain), .assert(a, fence))
        },
        Check("a conflict promotes nobody", promise: 3) { bench in
            let fence = try await bench.insert(bench.id("a"), RecordContent(state: "first", orderKey: "k"))
            try await bench.insert(bench.id("b"), .due(order: "k"))
            _ = try await bench.conflict(.delete(bench.id("a"), expecting: fence), .insert(bench.id("b"), .plain))
            try await bench.requireDue([], "after a batch with a conflict would have deleted the head")
        },
    ]

    /// Commits six good changes with one after the other made bad, then all of them good.
    private static func conflictsAtEachPlace(_ bench: ConformanceBench) async throws {
        let ids = (0..<6).map { bench.id("\($0)", in: $0 % 2 == 0 ? "even" : "odd") }
        var fences: [Fence] = []
        for id in ids[..<4] { fences.append(try await bench.insert(id, .due(order: "k"))) }
        let stale = Fence(rawValue: 0)
        let good: [Change] = [
            .replace(ids[0], expecting: fences[0], with: .plain, lease: .end), .delete(ids[1], expecting: fences[1]),
            .assert(ids[2], fences[2]), .delete(ids[3], expecting: fences[3]), .insert(ids[4], .due()),
            .assert(ids[5], nil),
        ]
        let bad: [Change] = [
            .replace(ids[0], expecting: stale, with: .plain, lease: .end), .insert(ids[1], .plain),
            .assert(ids[2], nil), .delete(ids[3], expecting: stale), .delete(ids[4], expecting: stale),
            .assert(ids[5], stale),
        ]
        let before = try await bench.store.read(ids)
        let statistics = try await bench.store.statistics(of: "even")
        for place in ids.indices {
            var batch = good
            batch[place] = bad[place]
            guard case .conflict(let conflict) = try await bench.store.commit(batch) else {
                throw Violation("a batch with a conflict at \(place) went through")
            }
            try require(conflict.index, is: place, "the index of the conflict")
            try require(conflict.standing, is: before.records[place], "what stands at the conflict")
            try require(try await bench.store.read(ids), is: before, "what stands after a conflict at \(place)")
            try require(
                try await bench.store.statistics(of: "even"), is: statistics, "statistics after a conflict at \(place)")
        }
        guard case .committed = try await bench.store.commit(good) else {
            throw Violation("a batch went not through after conflicts that should have left all as it was")
        }
        let after = try await bench.store.read(ids).records.map { $0?.state }
        try require(after, is: ["plain", nil, "due", nil, "due", nil], "the states after the batch")
    }
}
