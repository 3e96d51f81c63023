// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Promise 6.
extension RecordStoreConformance {
    static let expiryChecks = [
        Check("an expired record is absent to every operation", promise: 6) { bench in
            let id = bench.id("a")
            let fence = try await bench.insert(id, .due(expires: .after(.seconds(10))))
            let standing = try await bench.record(id)
            bench.advance(by: .nanoseconds(9_999_999_999))
            try require(try await bench.record(id), is: standing, "the record a nanosecond before it expires")
            try require(try await bench.scanAll(), are: [standing], "the collection a nanosecond before")
            bench.advance(by: .nanoseconds(1))
            try await bench.requireAbsent(id, "at its expiry")
            let named = try await bench.claim(id)
            try require(named.claimed + named.standing, are: [], "what a claim by name finds at its expiry")
            let due = try await bench.requireDue([], "at its expiry")
            try require(due.nextDueIn, is: nil, "nextDueIn at its expiry")
            try require(try await bench.scanAll(), are: [], "a scan at its expiry")
            let statistics = try await bench.store.statistics(of: ConformanceBench.collection)
            try require(statistics.counts.values.reduce(0, +), is: 0, "the number of records at its expiry")
            try require(statistics.oldestDue, is: nil, "oldestDue at its expiry")
            try require(statistics.oldestCreated, is: nil, "oldestCreated at its expiry")
            for change in [
                Change.replace(id, expecting: fence, with: .plain, lease: .keep), .delete(id, expecting: fence),
                .assert(id, fence),
            ] {
                try require(try await bench.conflict(change).standing, is: nil, "what a change finds at its expiry")
            }
            let answer = try await bench.store.extend(id, fence: fence, lease: .seconds(5))
            try require(answer, is: .lost(now: try await bench.now(), standing: nil), "an extend's answer")
            try await bench.commit(.assert(id, nil))
        },
        Check("statistics leave out what has expired since the last change", promise: 6) { bench in
            try await bench.insert(bench.id("a"), .due(expires: .after(.seconds(5))))
            try await bench.insert(bench.id("b"), .due(after: .seconds(1)))
            bench.advance(by: .seconds(5))
            let statistics = try await bench.store.statistics(of: ConformanceBench.collection)
            try require(statistics.counts["due"], is: 1, "the number of records")
            let standing = try await bench.record(bench.id("b"))
            try require(statistics.oldestDue, is: standing.dueAt, "oldestDue")
        },
        Check("an insert over an expired record makes a new one with a higher fence", promise: 6) { bench in
            let id = bench.id("a")
            let content = RecordContent.due(expires: .after(.seconds(5)))
            var fence = try await bench.replace(id, try await bench.insert(id, content), with: content)
            for held in [false, true] {
                let old = try await bench.record(id)
                if held { fence = try await bench.hold(id, lease: Lease(.seconds(5))).fence }
                bench.advance(by: .seconds(5))
                let next = try await bench.insert(id, content)
                try require(next > fence, "the new fence \(next) is not above \(fence)")
                let record = try await bench.record(id)
                try require(record.position > old.position, "the position did not grow")
                let now = try await bench.now()
                let expected = Record(
                    id: id, fence: next, dueAt: now, position: record.position,
                    expiresAt: now.advanced(by: .seconds(5)), state: "due", createdAt: now)
                try require(record, is: expected, "the new record")
                fence = next
            }
            bench.advance(by: .seconds(5))
            _ = try await bench.commit(.assert(id, nil), .insert(bench.id("b"), .plain))
        },
        Check("a held record never expires", promise: 6) { bench in
            let id = bench.id("a")
            try await bench.insert(id, .due(expires: .after(.seconds(5))))
            let held = try await bench.hold(id, lease: Lease(.seconds(20)))
            bench.advance(by: .seconds(10))
            try require(try await bench.record(id), is: held, "a held record past its expiry")
            try await bench.requireUnclaimable(id, "held past its expiry")
            try require(try await bench.scanAll(), are: [held], "a scan past the expiry of a held record")
            _ = try await bench.conflict(.insert(id, .plain))
            _ = try await bench.store.extend(id, fence: held.fence, lease: .seconds(20))
            bench.advance(by: .nanoseconds(19_999_999_999))
            let fence = try await bench.replace(
                id, held.fence, with: RecordContent(state: "x", expires: .unchanged), lease: .keep)
            bench.advance(by: .nanoseconds(1))
            try await bench.requireAbsent(id, "when its lease has ended past its expiry")
            // Absent is absent: also to the late holder.
            try require(try await bench.conflict(.delete(id, expecting: fence)).standing, is: nil, "what stands")
        },
        Check("letting go of a record past its expiry makes it absent and promotes the next", promise: 6) { bench in
            let id = bench.id("a")
            let fence = try await bench.insert(
                id, .due(order: "k", expires: .after(.seconds(5))), lease: Lease(.seconds(60)))
            try await bench.insert(bench.id("b"), .due(order: "k"))
            bench.advance(by: .seconds(10))
            try await bench.requireDue([], "behind a head that is held past its expiry")
            let content = RecordContent(state: "x", orderKey: "k", expires: .unchanged)
            try await bench.replace(id, fence, with: content, lease: .end)
            try await bench.requireAbsent(id, "when it was let go past its expiry")
            try await bench.requireDue(["b"], "when the head was let go past its expiry")
        },
        Check("a replace sets the expiry, keeps it or takes it away", promise: 6) { bench in
            let id = bench.id("a")
            let start = try await bench.now()
            var fence = try await bench.insert(id, RecordContent(state: "x", expires: .unchanged))
            try require(try await bench.record(id).expiresAt, is: nil, "the expiry of an insert with nothing to keep")
            for (expires, seconds) in [
                (.after(.seconds(10)), 11), (.unchanged, 11), (.after(.seconds(30)), 33), (.unchanged, 33),
                (.never, nil),
                (.unchanged, nil),
            ] as [(RecordContent.When, Int64?)] {
                bench.advance(by: .seconds(1))
                fence = try await bench.replace(id, fence, with: RecordContent(state: "x", expires: expires))
                try require(
                    try await bench.record(id).expiresAt, is: seconds.map { start.advanced(by: .seconds($0)) },
                    "the expiry after a replace with \(expires)")
            }
            bench.advance(by: .seconds(1_000))
            _ = try await bench.record(id)
        },
        Check("a record that expires at once is absent at once, unless it is held", promise: 6) { bench in
            for duration in [Duration.zero, .seconds(-5)] {
                let content = RecordContent.due(expires: .after(duration))
                let (id, held) = (bench.id("free, \(duration)"), bench.id("held, \(duration)"))
                try await bench.insert(id, content)
                try await bench.requireAbsent(id, "though it was to expire after \(duration)")
                let fence = try await bench.insert(id)
                try await bench.replace(id, fence, with: content)
                try await bench.requireAbsent(id, "though a replace let it expire after \(duration)")
                try await bench.insert(held, content, lease: Lease(.seconds(5)))
                _ = try await bench.record(held)
                bench.advance(by: .seconds(5))
                try await bench.requireAbsent(held, "after its lease")
            }
        },
        Check("a purge takes expired records alone, and no more than its limit", promise: 6) { bench in
            for index in 0..<30 {
                try await bench.insert(bench.id("gone \(index)"), .due(order: "k", expires: .after(.seconds(1))))
            }
            let content = RecordContent.due(order: "k", expires: .after(.seconds(1)))
            try await bench.insert(bench.id("held"), content, lease: Lease(.seconds(60)))
            try await bench.insert(bench.id("later"), .due(order: "k", expires: .after(.seconds(100))))
            try await bench.insert(bench.id("never"), .due(order: "l"))
            let before = try await bench.scanAll().suffix(3)
            let early = try await bench.store.purgeExpired(limit: 1_000)
            try require(early, is: 0, "what a purge takes before anything has expired")
            bench.advance(by: .seconds(1))
            var total = 0
            for _ in 0..<100 {
                let count = try await bench.store.purgeExpired(limit: 4)
                try require((0...4).contains(count), "a purge of at most 4 took \(count)")
                total += count
            }
            try require(total <= 30, "purges took \(total) of 30 expired records")
            try require(try await bench.store.purgeExpired(limit: 1_000), is: 0, "what is left to purge")
            try require(try await bench.scanAll(), are: Array(before), "what stands after purges")
            try await bench.requireDue(["never"], "after purges, behind a head that is held")
            bench.advance(by: .seconds(59))
            try await bench.requireDue(["later"], "when the held head has expired as well")
        },
    ]
}
