// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What a move keeps, what it changes, and what it meets.
extension RecordStoreConformance {
    static let moveChecks = [
        Check("a move keeps position, time of insert and claims, and changes the rest as it says", promise: 5) {
            bench in
            let (a, b) = (bench.id("a"), bench.id("b", in: "other"))
            let content = RecordContent(
                state: "moved", body: [1, 2, 3], headers: ["h": "v"], orderKey: "k", due: .after(.seconds(7)),
                expires: .after(.seconds(90)))
            let inserted = try await bench.insert(
                a, RecordContent(state: "old", body: [9], headers: ["x": "y"], orderKey: "l", due: .after(.zero)))
            try await bench.insert(bench.id("later", in: "other"))
            let held = try await bench.requireDue(["a"], lease: Lease(.seconds(60)), "before a move").claimed[0]
            try require(held.fence > inserted, "a claim gave \(held.fence) after \(inserted)")
            bench.advance(by: .seconds(5))
            let fence = try await bench.move(a, to: b, held.fence, with: content)
            let now = try await bench.now()
            let expected = Record(
                id: b, fence: fence, changedUnder: held.fence, holder: held.holder, leaseUntil: held.leaseUntil,
                dueAt: now.advanced(by: .seconds(7)), position: held.position, orderKey: "k",
                expiresAt: now.advanced(by: .seconds(90)), state: "moved", claims: 1, createdAt: held.createdAt,
                headers: ["h": "v"], body: [1, 2, 3])
            try require(try await bench.record(b), is: expected, "a record that was moved")
            try await bench.requireAbsent(a, "under its old name")
            try require(try await bench.scanAll("other").map(\.id.key), is: ["b", "later"], "a scan of where it went")
            try require(try await bench.scanAll(), are: [], "a scan of where it was")
        },
        Check("a move gives a fence that is higher than any of both names", promise: 1) { bench in
            let (a, b) = (bench.id("a"), bench.id("b", in: "other"))
            var fence = try await bench.insert(a)
            var last = fence
            for round in 0..<4 {
                // The other name has had higher ones since.
                let other = try await bench.insert(b)
                let highest = round % 2 == 0 ? other : try await bench.hold(b).fence
                try await bench.delete(b, highest)
                last = try await bench.move(a, to: b, fence)
                try require(last > max(highest, fence), "a move gave \(last) after \(fence) and \(highest)")
                _ = try await bench.conflict(.delete(b, expecting: fence))
                fence = try await bench.move(b, to: a, last)
                try require(fence > last, "a move back gave \(fence) after \(last)")
            }
            try await bench.delete(a, fence)
            let next = try await bench.insert(b)
            try require(next > last, "an insert gave \(next) after a move to that name gave \(last)")
            let again = try await bench.insert(a)
            try require(again > fence, "an insert gave \(again) after a move to that name gave \(fence)")
        },
        Check("a record tells by its new name under which fence it was moved", promise: 4) { bench in
            let (a, b) = (bench.id("a"), bench.id("b", in: "other"))
            let first = try await bench.insert(a)
            let second = try await bench.replace(a, first)
            let third = try await bench.move(a, to: b, second)
            try require(try await bench.record(b).changedUnder, is: second, "changedUnder after a move")
            let held = try await bench.hold(b).fence
            try require(try await bench.record(b).changedUnder, is: second, "changedUnder after a claim")
            // Handed over a second time, it changes nothing.
            let again = try await bench.conflict(
                .move(a, to: b, expecting: second, with: .plain, lease: .keep))
            try require(again.standing, is: nil, "what stands under the old name")
            try await bench.move(b, to: a, held)
            try require(try await bench.record(a).changedUnder, is: held, "changedUnder after a move back")
            try require(third > second, "a move gave \(third) after \(second)")
        },
        Check("a move keeps, extends or ends the hold as it says", promise: 8) { bench in
            for (change, seconds) in [(.keep, 5), (.extend(.seconds(9)), 11), (.extend(.seconds(1)), 3), (.end, nil)]
                as [(LeaseChange, Int64?)]
            {
                let (id, moved) = (bench.id("\(change)"), bench.id("\(change)", in: "other"))
                let start = try await bench.now()
                let lease = Lease(.seconds(5))
                let fence = try await bench.insert(id, lease: lease)
                bench.advance(by: .seconds(2))
                let next = try await bench.move(id, to: moved, fence, lease: change)
                let record = try await bench.record(moved)
                try require(
                    record.leaseUntil, is: seconds.map { start.advanced(by: .seconds($0)) }, "the lease after \(change)"
                )
                try require(record.holder, is: seconds == nil ? nil : lease.holder, "the holder after \(change)")
                try require(try await bench.claim(moved).claimed.isEmpty, is: seconds != nil, "whether it is held")
                if seconds != nil {
                    let answer = try await bench.store.extend(moved, fence: next, lease: .seconds(20))
                    guard case .extended = answer else { throw Violation("its holder's extend got \(answer)") }
                }
            }
        },
        Check("a move sets, keeps or takes away due time and expiry", promise: 7) { bench in
            let names = [bench.id("a"), bench.id("b", in: "other")]
            let start = try await bench.now()
            var fence = try await bench.insert(names[0], .due(after: .seconds(10), expires: .after(.seconds(100))))
            for (round, (when, due, expires))
                in ([
                    (.unchanged, 10, 100), (.after(.seconds(30)), 32, 32), (.unchanged, 32, 32), (.never, nil, nil),
                    (.unchanged, nil, nil), (.after(.seconds(1)), 7, 7),
                ] as [(RecordContent.When, Int64?, Int64?)]).enumerated()
            {
                bench.advance(by: .seconds(1))
                let content = RecordContent(state: "x", due: when, expires: when)
                fence = try await bench.move(names[round % 2], to: names[(round + 1) % 2], fence, with: content)
                let record = try await bench.record(names[(round + 1) % 2])
                try require(
                    record.dueAt, is: due.map { start.advanced(by: .seconds($0)) }, "the due time after \(when)")
                try require(
                    record.expiresAt, is: expires.map { start.advanced(by: .seconds($0)) }, "the expiry after \(when)")
            }
            bench.advance(by: .seconds(1))
            try await bench.requireAbsent(names[0], "past the expiry that a move gave it")
        },
        Check(
            "a move meets a conflict at its source or its destination, which says what stands, and changes nothing",
            promise: 3
        ) {
            try await movesThatMeetConflicts($0)
        },
        Check("both names of a move count as named in a batch", promise: 3) { bench in
            let (a, b, c) = (bench.id("a"), bench.id("b", in: "other"), bench.id("c"))
            let (fence, other) = (try await bench.insert(a), try await bench.insert(c))
            let before = try await bench.store.read([a, b, c])
            let move = Change.move(a, to: b, expecting: fence, with: .plain, lease: .keep)
            for batch in [
                [.move(a, to: a, expecting: fence, with: .plain, lease: .keep)], [move, .insert(b, .plain)],
                [.insert(b, .plain), move], [move, .assert(b, nil)], [move, .assert(a, fence)],
                [move, .insert(a, .plain)],
                [move, .delete(a, expecting: fence)],
                [move, .move(c, to: b, expecting: other, with: .plain, lease: .keep)],
                [move, .move(c, to: a, expecting: other, with: .plain, lease: .keep)],
                [.move(c, to: a, expecting: other, with: .plain, lease: .keep), move],
            ] as [[Change]] {
                let error = await bench.error { store throws(StoreError) in _ = try await store.commit(batch) }
                guard case .refused = error else {
                    throw Violation("\(batch) ends with \(error.map { "\($0)" } ?? "success")")
                }
                try require(try await bench.store.read([a, b, c]), is: before, "what stands after a refusal")
            }
        },
        Check("the destination of a move has the limits of every name") { bench in
            let a = bench.id("a")
            let fence = try await bench.insert(a)
            func text(_ size: Int) -> String { String(repeating: "x", count: size) }
            for id in [RecordID("", "k"), RecordID(text(65), "k"), RecordID("c", ""), RecordID("c", text(1_025))] {
                let error = await bench.error { store throws(StoreError) in
                    _ = try await store.commit([.move(a, to: id, expecting: fence, with: .plain, lease: .keep)])
                }
                guard case .refused = error else { throw Violation("a move to a name past its limit went through") }
                try require(try await bench.record(a).fence, is: fence, "the fence after a refusal")
            }
            let longest = RecordID(text(64), text(1_024))
            let moved = try await bench.move(a, to: longest, fence)
            try require(try await bench.record(longest).fence, is: moved, "the fence under the longest name")
        },
        Check("a move is in or out with its batch, over any collections", promise: 3) { bench in
            let (a, b, c) = (bench.id("a", in: "x"), bench.id("b", in: "y"), bench.id("c", in: "z"))
            let fence = try await bench.insert(a)
            let standing = try await bench.record(a)
            _ = try await bench.conflict(
                .move(a, to: b, expecting: fence, with: .plain, lease: .keep), .insert(c, .plain),
                .assert(bench.id("d"), fence))
            try require(try await bench.store.read([a, b, c]).records, is: [standing, nil, nil], "what stands")
            let old = try await bench.insert(c)
            let fences = try await bench.commit(
                .insert(bench.id("d"), .plain), .move(a, to: b, expecting: fence, with: .due(), lease: .keep),
                .delete(c, expecting: old), .insert(bench.id("e"), .plain))
            let records = try await bench.store.read([bench.id("d"), b, bench.id("e"), a, c]).records
            try require(records.map { $0?.fence }, is: fences + [nil, nil], "the fences that stand")
            try require(fences.count, is: 3, "the number of fences of two inserts and a move")
        },
        Check("records that move to and fro are shown once, at their positions, and counted where they are") { bench in
            try await movesToAndFro(bench)
        },
        Check("what was moved stands so when the store is opened again", promise: 9) { bench in
            let (a, b) = (bench.id("a"), bench.id("b", in: "other"))
            let fence = try await bench.insert(a, .due(order: "k"), lease: .overOpenings)
            try await bench.insert(bench.id("first", in: "other"), .due(order: "k"))
            try await bench.move(a, to: b, fence, with: .due(order: "k"))
            let before = try await bench.record(b)
            guard let bench = try await bench.reopened() else { return }
            try require(try await bench.record(b), is: before, "the record")
            try await bench.requireAbsent(a, "though it was moved")
            try await bench.requireDue([], in: "other", "behind a moved head that is held")
        },
    ]

    private static func movesThatMeetConflicts(_ bench: ConformanceBench) async throws {
        let (a, b, free) = (bench.id("a"), bench.id("b", in: "other"), bench.id("free", in: "other"))
        let stale = try await bench.insert(a)
        let fence = try await bench.replace(a, stale, with: .due(order: "k"))
        try await bench.insert(b, .due(order: "k"), lease: Lease(.seconds(60)))
        let (source, taken) = (try await bench.record(a), try await bench.record(b))
        let conflicts: [(RecordID, RecordID, Fence, Record?)] = [
            (a, free, stale, source), (a, b, stale, source), (a, b, fence, taken), (free, b, fence, nil),
            (bench.id("none"), free, fence, nil),
        ]
        for (from, to, expected, standing) in conflicts {
            let move = Change.move(from, to: to, expecting: expected, with: .plain, lease: .end)
            for (batch, index) in [([move], 0), ([.insert(bench.id("new"), .plain), move], 1)] as [([Change], Int)] {
                guard case .conflict(let conflict) = try await bench.store.commit(batch) else {
                    throw Violation("a move of \(from) to \(to) under \(expected) went through")
                }
                try require(conflict.index, is: index, "the index of a move from \(from) to \(to)")
                try require(conflict.standing, is: standing, "what a move from \(from) to \(to) is told")
                try require(
                    try await bench.store.read([a, b, free, bench.id("new")]).records, is: [source, taken, nil, nil],
                    "what stands after a conflict of a move")
            }
        }
        // What has expired is absent at both ends.
        let (old, gone) = (bench.id("old"), bench.id("gone", in: "other"))
        let oldFence = try await bench.insert(old, RecordContent(state: "x", expires: .after(.seconds(5))))
        try await bench.insert(gone, RecordContent(state: "x", expires: .after(.seconds(5))))
        bench.advance(by: .seconds(5))
        let absent = try await bench.conflict(.move(old, to: free, expecting: oldFence, with: .plain, lease: .keep))
        try require(absent.standing, is: nil, "what stands where a record has expired")
        try await bench.move(a, to: gone, fence)
        try require(try await bench.record(gone).position, is: source.position, "the position")
    }

    private static func movesToAndFro(_ bench: ConformanceBench) async throws {
        let keys = (0..<40).map { "\($0)" }
        var fences: [Fence] = []
        for key in keys { fences.append(try await bench.insert(bench.id(key, in: "x"), RecordContent(state: "x"))) }
        for round in 0..<6 {
            let (from, to) = round % 2 == 0 ? ("x", "y") : ("y", "x")
            // In another order each time, and all but every fifth.
            let moved = keys.indices.map { ($0 * 7 + round) % keys.count }.filter { $0 % 5 > 0 }
            for index in moved {
                fences[index] = try await bench.move(
                    bench.id(keys[index], in: from), to: bench.id(keys[index], in: to), fences[index],
                    with: RecordContent(state: to))
            }
            let there = keys.indices.filter { $0 % 5 > 0 }.map { keys[$0] }
            for (name, expected) in [
                (to, to == "x" ? keys : there), (from, from == "x" ? keys.filter { !there.contains($0) } : []),
            ] {
                let records = try await bench.scanAll(name, limit: 7)
                try require(records.map(\.id.key), is: expected, "the pages of \(name) in round \(round)")
                let counts = try await bench.store.statistics(of: name).counts.filter { $0.value != 0 }
                try require(counts, is: expected.isEmpty ? [:] : [name: expected.count], "the counts of \(name)")
            }
        }
    }
}
