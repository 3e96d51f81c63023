// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Claims of due records: what is handed out, when, and in what order.
extension RecordStoreConformance {
    static let dueChecks = [
        Check("a record is handed out at its due time and not a nanosecond earlier", promise: 7) { bench in
            try await bench.insert(bench.id("a"), .due(after: .seconds(10)))
            // One and a half nanoseconds: a wait is rounded up.
            try await bench.insert(
                bench.id("b"),
                .due(after: .seconds(20) + Duration(secondsComponent: 0, attosecondsComponent: 1_500_000_000)))
            try await bench.requireDue([], "ten seconds early")
            bench.advance(by: .nanoseconds(9_999_999_999))
            let early = try await bench.requireDue([], "a nanosecond early")
            try require(early.nextDueIn, is: .nanoseconds(1), "nextDueIn a nanosecond early")
            bench.advance(by: .nanoseconds(1))
            try await bench.requireDue(["a"], lease: Lease(.seconds(600)), "on time")
            bench.advance(by: .nanoseconds(10_000_000_001))
            try await bench.requireDue([], "half a nanosecond early")
            bench.advance(by: .nanoseconds(1))
            try await bench.requireDue(["b"], "on time")
        },
        Check("the longest due is handed out first, at one time the lowest position, and no more than the limit") {
            bench in
            let start = try await bench.now()
            let delays: [Int64] = [5, 3, 5, 1, 3, 1]
            for (index, delay) in delays.enumerated() {
                try await bench.insert(bench.id("\(index)"), .due(after: .seconds(delay)))
            }
            bench.advance(by: .seconds(4))
            for expected in [["3"], ["5"], ["1"], ["4"], []] {
                let answer = try await bench.claimDue(limit: 1)
                try require(answer.claimed.map(\.id.key), is: expected, "what a claim of one gets")
                try require(answer.now, is: start.advanced(by: .seconds(4)), "the time of a claim")
            }
            bench.advance(by: .seconds(2))
            let answer = try await bench.claimDue(limit: 2)
            try require(answer.claimed.map(\.id.key), is: ["0", "2"], "what a claim of two gets")
            for (key, delay) in [("late", 9), ("early", 5), ("later", 9), ("latest", 10)] as [(String, Int64)] {
                try await bench.insert(bench.id(key), .due(after: .seconds(delay)))
            }
            bench.advance(by: .seconds(9))
            try await bench.requireDue(["early", "late", "later"], "when three are due")
        },
        Check("a record without a due time is handed out by its name alone") { bench in
            let (a, b) = (bench.id("a"), bench.id("b"))
            try await bench.insert(a)
            try await bench.insert(b, RecordContent(state: "x", due: .unchanged))
            let answer = try await bench.requireDue([], "of records that are never due")
            try require(answer.nextDueIn, is: nil, "nextDueIn of records that are never due")
            try require(try await bench.record(b).dueAt, is: nil, "the due time of an insert with nothing to keep")
            bench.advance(by: .seconds(1_000_000))
            try await bench.requireDue([], "of records that are never due")
            let claimed = try await bench.claim(b, a).claimed.map(\.id.key).sorted()
            try require(claimed, is: ["a", "b"], "what a claim by name gets")
            bench.advance(by: .seconds(60))
            try await bench.requireDue([], "of records that are never due, after a lease")
        },
        Check("a claim by name does not ask for the due time") { bench in
            let id = bench.id("a")
            try await bench.insert(id, .due(after: .seconds(100)))
            let held = try await bench.hold(id, lease: Lease(.seconds(5)))
            bench.advance(by: .seconds(50))
            try await bench.requireDue([], "before the due time though a lease has ended")
            try await bench.replace(id, held.fence, with: RecordContent(state: "x", due: .unchanged), lease: .end)
            bench.advance(by: .seconds(50))
            try await bench.requireDue(["a"], "at the due time")
        },
        Check("a claim by name passes over what is not there, and tells no due time") { bench in
            try await bench.insert(bench.id("a"), .due())
            try await bench.insert(bench.id("b"), .due(after: .seconds(5)))
            let answer = try await bench.claim(bench.id("none"), bench.id("a"))
            try require(answer.claimed.map(\.id.key), is: ["a"], "what is claimed")
            try require(answer.standing, are: [], "what stands")
            try require(answer.nextDueIn, is: nil, "nextDueIn of a claim by name")
        },
        Check("nextDueIn tells when the next record of the collection can be claimed") { bench in
            func requireNext(_ next: Duration?, limit: Int = 1, _ when: String) async throws {
                let answer = try await bench.claimDue(limit: limit, lease: Lease(.seconds(3)))
                try require(answer.nextDueIn, is: next, "nextDueIn \(when)")
            }
            try await requireNext(nil, "in an empty collection")
            try await bench.insert(bench.id("other", in: "other"), .due(after: .seconds(1)))
            try await requireNext(nil, "with records in another collection")
            try await bench.insert(bench.id("late"), .due(after: .seconds(20)))
            try await bench.insert(bench.id("soon"), .due(after: .seconds(10), order: "k"))
            try await bench.insert(bench.id("behind"), .due(order: "k"))
            try await requireNext(.seconds(10), "before the first due time, with an earlier one behind it")
            bench.advance(by: .seconds(10))
            try await requireNext(.seconds(3), "while the head is held, until its lease ends")
            try await bench.insert(bench.id("x"), .due())
            try await bench.insert(bench.id("y"), .due())
            try await requireNext(.zero, "when more is due than was asked for")
            try await requireNext(.seconds(3), "when everything due is held")
            bench.advance(by: .seconds(3))
            let answer = try await bench.claimDue(lease: Lease(.zero))
            try require(answer.claimed.count, is: 3, "the number of records whose leases have ended")
            try require(answer.nextDueIn, is: .zero, "nextDueIn after a claim for no time")
            bench.advance(by: .seconds(1_000))
            try await requireNext(.seconds(3), limit: 1_000, "when everything is held")
        },
        Check("the end of a lease makes a record due again, and every handing out counts", promise: 8) { bench in
            let id = bench.id("a")
            func requireClaims(_ count: Int, _ after: String) async throws {
                try require(try await bench.record(id).claims, is: count, "claims after \(after)")
            }
            let fence = try await bench.insert(id, .due())
            try await requireClaims(0, "an insert")
            try await bench.replace(id, fence, with: .due())
            for round in 1...3 {
                let answer = try await bench.requireDue(["a"], lease: Lease(.seconds(5)), "in round \(round)")
                try require(answer.claimed[0].claims, is: round, "claims in the answer")
                bench.advance(by: .nanoseconds(4_999_999_999))
                let early = try await bench.requireDue([], "a nanosecond before the lease ends")
                try require(early.nextDueIn, is: .nanoseconds(1), "nextDueIn before the lease ends")
                bench.advance(by: .nanoseconds(1))
            }
            let held = try await bench.hold(id)
            try await requireClaims(4, "a claim by name")
            _ = try await bench.store.extend(id, fence: held.fence, lease: .seconds(5))
            _ = try await bench.claim(id)
            let last = try await bench.replace(id, held.fence, lease: .end)
            try await requireClaims(4, "an extend, a refused claim and a replace")
            try await bench.delete(id, last)
            try await bench.insert(id, lease: Lease(.zero))
            try await requireClaims(1, "an insert that was held at once")
        },
        Check("a replace sets the due time, keeps it or takes it away") { bench in
            let id = bench.id("a")
            let start = try await bench.now()
            var fence = try await bench.insert(id, .due(after: .seconds(10)))
            for (due, seconds) in [
                (.unchanged, 10), (.after(.seconds(30)), 32), (.unchanged, 32), (.never, nil), (.unchanged, nil),
                (.after(.zero), 6), (.unchanged, 6),
            ] as [(RecordContent.When, Int64?)] {
                bench.advance(by: .seconds(1))
                fence = try await bench.replace(id, fence, with: RecordContent(state: "x", due: due))
                try require(
                    try await bench.record(id).dueAt, is: seconds.map { start.advanced(by: .seconds($0)) },
                    "the due time after a replace with \(due)")
            }
            try await bench.requireDue(["a"], "after its due time")
        },
        Check("due records are handed out from the collection asked for alone") { bench in
            for collection in ["x", "y", "xy"] {
                try await bench.insert(bench.id("in \(collection)", in: collection), .due())
            }
            for collection in ["xy", "y", "x"] {
                try await bench.requireDue(["in \(collection)"], in: collection, "from \(collection)")
            }
            try await bench.requireDue([], in: "nowhere", "from a collection that has no record")
        },
    ]
}
