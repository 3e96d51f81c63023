// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Promise 7.
extension RecordStoreConformance {
    static let timeChecks = [
        Check("every answer tells the store's time, which moves with its clock", promise: 7) { bench in
            let id = bench.id("a")
            let collection = ConformanceBench.collection
            var expected = try await bench.now()
            for step in [Duration.zero, .nanoseconds(1), .milliseconds(1_500), .seconds(86_400)] {
                bench.advance(by: step)
                expected = expected.advanced(by: step)
                try require(try await bench.now(), is: expected, "the time of a read")
                guard case .committed(let committed) = try await bench.store.commit([.insert(id, .plain)]) else {
                    throw Violation("an insert met a conflict")
                }
                try require(committed.now, is: expected, "the time of a commit")
                try require(try await bench.record(id).createdAt, is: expected, "createdAt")
                try require(try await bench.conflict(.assert(id, nil)).now, is: expected, "the time of a conflict")
                let claim = try await bench.claim(id)
                try require(claim.now, is: expected, "the time of a claim by name")
                try require(try await bench.claimDue().now, is: expected, "the time of a claim of due records")
                let fence = try await bench.record(id).fence
                try require(
                    try await bench.store.extend(id, fence: fence, lease: .seconds(3)),
                    is: .extended(now: expected, until: expected.advanced(by: .seconds(3))), "an extend's answer")
                let page = try await bench.store.scan(collection, state: nil, after: nil, limit: 1)
                try require(page.now, is: expected, "the time of a scan")
                let statistics = try await bench.store.statistics(of: collection)
                try require(statistics.now, is: expected, "the time of statistics")
                try await bench.delete(id, fence)
            }
        },
        Check("durations count from the commit", promise: 7) { bench in
            let id = bench.id("a")
            bench.advance(by: .seconds(100))
            let now = try await bench.now()
            let fence = try await bench.insert(
                id, RecordContent(state: "x", due: .after(.seconds(1)), expires: .after(.seconds(3))),
                lease: Lease(.seconds(2)))
            let expected = Record(
                id: id, fence: fence, holder: try await bench.record(id).holder,
                leaseUntil: now.advanced(by: .seconds(2)), dueAt: now.advanced(by: .seconds(1)),
                position: try await bench.record(id).position, expiresAt: now.advanced(by: .seconds(3)), state: "x",
                claims: 1, createdAt: now)
            try require(try await bench.record(id), is: expected, "the record")
        },
        Check("a clock that is set back loses nothing and reuses no fence", promise: 7) { bench in
            let (held, due, old) = (bench.id("held"), bench.id("due"), bench.id("old"))
            try await bench.insert(old, .due(expires: .after(.seconds(50))))
            bench.advance(by: .seconds(100))
            let fence = try await bench.insert(held, .due(), lease: Lease(.seconds(10)))
            try await bench.insert(due, .due(after: .seconds(10), expires: .after(.seconds(30))))
            let before = try await bench.store.read([held, due, old])
            bench.clock.set(to: .init(offset: .seconds(-3_600)))
            let after = try await bench.store.read([held, due, old])
            if bench.suite.leeway.contains(.timeGoesBack) {
                // What had expired may come back with the time, and nothing else may go.
                try require(
                    Array(after.records.prefix(2)), is: Array(before.records.prefix(2)),
                    "what stands with the clock set back")
            } else {
                try require(after, is: before, "what stands with the clock set back")
            }
            try await bench.requireUnclaimable(held, "with the clock set back")
            try await bench.requireDue(
                after.records[2] == nil ? [] : ["old"], lease: Lease(.zero), "with the clock set back")
            let new = try await bench.insert(bench.id("new"))
            try require(new > fence, "the fence \(new) given with the clock set back is not above \(fence)")
            let position = try await bench.record(bench.id("new")).position
            try require(
                before.records.allSatisfy { $0.map { $0.position < position } ?? true }, "positions do not grow")
            bench.clock.set(to: .init(offset: .seconds(110)))
            try await bench.requireDue(["held", "due"], "when the clock has caught up")
        },
        Check("negative durations count as zero", promise: 7) { bench in
            let id = bench.id("a")
            let now = try await bench.now()
            let fence = try await bench.insert(id, .due(after: .seconds(-5)))
            try require(try await bench.record(id).dueAt, is: now, "the due time after a negative delay")
            try await bench.replace(id, fence, with: .due(after: .seconds(Int64.min)))
            try require(try await bench.record(id).dueAt, is: now, "the due time after the most negative delay")
            let request = ClaimRequest(
                .due(collection: ConformanceBench.collection, limit: 1), lease: Lease(.seconds(1)),
                waitUpTo: .seconds(-5))
            try require(try await bench.store.claim(request).claimed.count, is: 1, "the number of records claimed")
            try require(try await bench.store.claim(request).claimed.count, is: 0, "the number of records claimed")
        },
        Check("huge durations are cut to the end of time", promise: 7) { bench in
            let huge = Duration.seconds(Int64.max)
            let id = bench.id("a")
            let content = RecordContent(state: "x", due: .after(huge), expires: .after(huge))
            let end = Timestamp(nanosecondsSince1970: .max)
            let fence = try await bench.insert(id, content, lease: Lease(huge))
            var record = try await bench.record(id)
            for time in [record.dueAt, record.expiresAt, record.leaseUntil] {
                try require(time, is: end, "a huge time")
            }
            guard case .extended(_, let until) = try await bench.store.extend(id, fence: fence, lease: huge) else {
                throw Violation("a hold was not extended")
            }
            try require(until, is: end, "the end of a huge lease")
            try await bench.replace(id, fence, with: content, lease: .extend(huge))
            bench.advance(by: .seconds(1_000_000_000))
            record = try await bench.record(id)
            try require(record.isHeld(at: try await bench.now()), "a record with a huge lease is not held")
            try await bench.requireUnclaimable(id, "held for a huge time")
            try await bench.replace(id, record.fence, with: content, lease: .end)
            let answer = try await bench.requireDue([], "of a record with a huge delay")
            try require(answer.nextDueIn, is: answer.now.duration(to: end), "nextDueIn of a record with a huge delay")
            try await bench.insert(bench.id("b"), .due())
            let request = ClaimRequest(
                .due(collection: ConformanceBench.collection, limit: 1), lease: Lease(huge), waitUpTo: huge)
            try require(try await bench.store.claim(request).claimed.map(\.id.key), is: ["b"], "what is claimed")
        },
    ]
}
