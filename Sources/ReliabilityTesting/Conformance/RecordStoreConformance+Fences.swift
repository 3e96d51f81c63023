// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Promise 1, and the half of promise 4 that can be seen without a failure.
extension RecordStoreConformance {
    static let fenceChecks = [
        Check("an insert, a replace and a claim each give the record a new, higher fence", promise: 1) { bench in
            let id = bench.id("a")
            var last = try await bench.insert(id, .due())
            for round in 0..<3 {
                try require(try await bench.record(id).fence, is: last, "the fence in the record")
                let replaced = try await bench.replace(id, last, with: .due(), lease: .end)
                try require(replaced > last, "replace \(round) took the fence from \(last) to \(replaced)")
                let claimed = try await bench.hold(id).fence
                try require(claimed > replaced, "a claim took the fence from \(replaced) to \(claimed)")
                bench.advance(by: .seconds(60))
                let due = try await bench.requireDue(["a"], "when a lease has ended").claimed[0].fence
                try require(due > claimed, "a claim of due records took the fence from \(claimed) to \(due)")
                last = due
            }
        },
        Check("the fences of a name go on growing over deletes", promise: 1) { bench in
            let id = bench.id("a")
            var last = Fence(rawValue: 0)
            for round in 0..<4 {
                let inserted = try await bench.insert(id)
                try require(inserted > last, "insert \(round) gave \(inserted) after \(last)")
                last = inserted
                if round % 2 == 0 { last = try await bench.hold(id).fence }
                if round > 1 { last = try await bench.replace(id, last) }
                try await bench.delete(id, last)
            }
        },
        Check("no two records are ever given the same fence", promise: 1) { bench in
            let ids = (0..<20).map { bench.id("\($0)", in: $0 % 2 == 0 ? "even" : "odd") }
            var fences: [Fence] = []
            func take(_ answer: CommitAnswer) throws {
                guard case .committed(let committed) = answer else { throw Violation("a batch met \(answer)") }
                try require(committed.fences.count, is: ids.count, "the number of fences of a batch")
                fences += committed.fences
            }
            try take(try await bench.store.commit(ids.map { .insert($0, .due()) }))
            try take(
                try await bench.store.commit(
                    zip(ids, fences).map { .replace($0, expecting: $1, with: .due(), lease: .keep) }))
            fences += try await bench.store.claim(ClaimRequest(.ids(ids), lease: Lease(.zero))).claimed.map(\.fence)
            for collection in ["even", "odd"] {
                fences += try await bench.claimDue(in: collection).claimed.map(\.fence)
            }
            try require(fences.count, is: 4 * ids.count, "the number of fences given out")
            try require(Set(fences).count, is: fences.count, "the number of different fences")
        },
        Check("a change under a stale fence changes nothing and is told what stands there", promise: 1) { bench in
            let id = bench.id("a")
            let first = try await bench.insert(id, .due())
            let second = try await bench.replace(id, first, with: .due())
            let third = try await bench.hold(id).fence
            let other = try await bench.insert(bench.id("b"))
            let standing = try await bench.record(id)
            for stale in [first, second, other, Fence(rawValue: 0), Fence(rawValue: third.rawValue + 1_000)] {
                for change in [
                    Change.replace(id, expecting: stale, with: .plain, lease: .end), .delete(id, expecting: stale),
                    .assert(id, stale),
                ] {
                    let conflict = try await bench.conflict(change)
                    try require(conflict.index, is: 0, "the index of the only change")
                    try require(conflict.standing, is: standing, "what a stale change is told")
                }
                let answer = try await bench.store.extend(id, fence: stale, lease: .seconds(600))
                try require(
                    answer, is: .lost(now: try await bench.now(), standing: standing), "the answer to a stale extend")
                try require(try await bench.record(id), is: standing, "the record after stale changes")
            }
            try await bench.delete(id, third)
        },
        Check("a change of a record that is gone is told that nothing stands there", promise: 1) { bench in
            let id = bench.id("a")
            let fence = try await bench.insert(id)
            try await bench.delete(id, fence)
            for change in [
                Change.replace(id, expecting: fence, with: .plain, lease: .end), .delete(id, expecting: fence),
                .assert(id, fence),
            ] {
                let conflict = try await bench.conflict(change)
                try require(conflict.standing, is: nil, "what stands after a delete")
            }
            let answer = try await bench.store.extend(id, fence: fence, lease: .seconds(1))
            try require(answer, is: .lost(now: try await bench.now(), standing: nil), "the answer to an extend")
            try await bench.requireAbsent(id, "after changes of what is gone")
            let again = try await bench.insert(id)
            try require(try await bench.conflict(.delete(id, expecting: fence)).standing?.fence, is: again, "the fence")
        },
        Check("an insert where a record stands changes nothing and is told what stands there", promise: 1) { bench in
            let id = bench.id("a")
            try await bench.insert(id, .due(), lease: Lease(.seconds(5)))
            let standing = try await bench.record(id)
            let conflict = try await bench.conflict(.insert(id, .plain, lease: Lease(.seconds(9))))
            try require(conflict.standing, is: standing, "what a second insert is told")
            try require(try await bench.record(id), is: standing, "the record after a second insert")
        },
        Check("a record tells under which fence it was last replaced", promise: 4) { bench in
            let id = bench.id("a")
            func requireChanged(under fence: Fence?, _ after: String) async throws {
                try require(try await bench.record(id).changedUnder, is: fence, "changedUnder after \(after)")
            }
            let inserted = try await bench.insert(id)
            try await requireChanged(under: nil, "an insert")
            let replaced = try await bench.replace(id, inserted)
            try await requireChanged(under: inserted, "a replace")
            let claimed = try await bench.hold(id).fence
            try await requireChanged(under: inserted, "a claim")
            _ = try await bench.store.extend(id, fence: claimed, lease: .seconds(90))
            try await requireChanged(under: inserted, "an extend")
            _ = try await bench.conflict(.replace(id, expecting: replaced, with: .plain, lease: .end))
            try await requireChanged(under: inserted, "a stale replace")
            let last = try await bench.replace(id, claimed, lease: .end)
            try await requireChanged(under: claimed, "the holder's replace")
            try await bench.delete(id, last)
            try await bench.insert(id)
            try await requireChanged(under: nil, "a new insert")
        },
    ]
}
