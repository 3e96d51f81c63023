// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Promise 8.
extension RecordStoreConformance {
    static let leaseChecks = [
        Check("a live lease refuses every claim until its very end", promise: 8) { bench in
            let id = bench.id("a")
            try await bench.insert(id, .due())
            let held = try await bench.hold(id, lease: Lease(.seconds(5)))
            try await bench.requireUnclaimable(id, "just claimed")
            bench.advance(by: .nanoseconds(4_999_999_999))
            let answer = try await bench.claim(id)
            try require(answer.claimed, are: [], "what is claimed a nanosecond before a lease ends")
            try require(answer.standing, are: [held], "what stands a nanosecond before a lease ends")
            try await bench.requireDue([], "a nanosecond before a lease ends")
            bench.advance(by: .nanoseconds(1))
            let next = try await bench.hold(id)
            try require(next.fence > held.fence, "the second claim's fence \(next.fence) is not above \(held.fence)")
        },
        Check("a claim sets holder, lease, fence and count, and nothing else", promise: 8) { bench in
            let id = bench.id("a")
            let content = RecordContent(
                state: "x", body: [1, 2], headers: ["h": "v"], orderKey: "k", due: .after(.zero),
                expires: .after(.seconds(100)))
            let fence = try await bench.insert(id, content)
            try await bench.replace(id, fence, with: content)
            var expected = try await bench.record(id)
            bench.advance(by: .seconds(1))
            let foreign = ProcessIdentity(host: "elsewhere", pid: 7, instance: 8)
            for holder in [Holder.new(), Holder(nonce: 9, process: foreign)] {
                let answer = try await bench.requireDue(["a"], lease: Lease(.seconds(5), holder: holder), "when free")
                expected.fence = answer.claimed[0].fence
                expected.holder = holder
                expected.leaseUntil = answer.now.advanced(by: .seconds(5))
                expected.claims += 1
                try require(answer.claimed, are: [expected], "the claimed record")
                try require(try await bench.record(id), is: expected, "the record after a claim")
                bench.advance(by: .seconds(5))
            }
        },
        Check("an insert can hold its record at once", promise: 8) { bench in
            let (id, lease) = (bench.id("a"), Lease(.seconds(5)))
            let fence = try await bench.insert(id, .due(), lease: lease)
            let record = try await bench.record(id)
            try require(record.holder, is: lease.holder, "the holder")
            try require(record.leaseUntil, is: record.createdAt.advanced(by: .seconds(5)), "the end of the lease")
            try require(record.claims, is: 1, "claims")
            try await bench.requireUnclaimable(id, "held by its insert")
            try await bench.requireDue([], "while the insert's lease lasts")
            try await bench.replace(id, fence)
            try await bench.requireUnclaimable(id, "held on after a replace")
        },
        Check("a replace keeps, extends or ends the hold as it says", promise: 8) { bench in
            for (change, seconds) in [(.keep, 5), (.extend(.seconds(9)), 11), (.extend(.seconds(1)), 3), (.end, nil)]
                as [(LeaseChange, Int64?)]
            {
                let id = bench.id("\(change)")
                let start = try await bench.now()
                let lease = Lease(.seconds(5))
                let fence = try await bench.insert(id, lease: lease)
                bench.advance(by: .seconds(2))
                let next = try await bench.replace(id, fence, lease: change)
                let record = try await bench.record(id)
                try require(record.fence, is: next, "the fence after \(change)")
                try require(
                    record.leaseUntil, is: seconds.map { start.advanced(by: .seconds($0)) }, "the lease after \(change)"
                )
                try require(record.holder, is: seconds == nil ? nil : lease.holder, "the holder after \(change)")
                let claimed = try await bench.claim(id).claimed
                try require(claimed.isEmpty, is: seconds != nil, "whether a claim is refused after \(change)")
            }
        },
        Check("an extend moves the end of the hold, to earlier too, and keeps the fence", promise: 8) { bench in
            let id = bench.id("a")
            try await bench.insert(id, .due())
            var expected = try await bench.hold(id, lease: Lease(.seconds(5)))
            for seconds in [20, 1, 8] as [Int64] {
                bench.advance(by: .milliseconds(500))
                let answer = try await bench.store.extend(id, fence: expected.fence, lease: .seconds(seconds))
                let now = try await bench.now()
                expected.leaseUntil = now.advanced(by: .seconds(seconds))
                try require(
                    answer, is: .extended(now: now, until: now.advanced(by: .seconds(seconds))), "the extend's answer")
                try require(try await bench.record(id), is: expected, "the record after an extend")
            }
            bench.advance(by: .nanoseconds(7_999_999_999))
            try await bench.requireUnclaimable(id, "a nanosecond before the extended end")
            bench.advance(by: .nanoseconds(1))
            try await bench.requireDue(["a"], "at the extended end")
        },
        Check("a late holder may still change the record while nobody else has claimed it", promise: 8) { bench in
            let ids = ["replaced", "deleted", "asserted", "extended"].map { bench.id($0) }
            var fences: [Fence] = []
            for id in ids { fences.append(try await bench.insert(id, .due(), lease: Lease(.seconds(5)))) }
            bench.advance(by: .seconds(1_000))
            try await bench.replace(ids[0], fences[0], lease: .end)
            try await bench.delete(ids[1], fences[1])
            try await bench.commit(.assert(ids[2], fences[2]))
            let answer = try await bench.store.extend(ids[3], fence: fences[3], lease: .seconds(5))
            guard case .extended = answer else { throw Violation("a late extend was answered with \(answer)") }
            try await bench.requireUnclaimable(ids[3], "extended after its lease had passed")
            try await bench.requireDue(["asserted"], "when the rest is settled or held again")
        },
        Check("a holder whose record was claimed by another can change nothing", promise: 8) { bench in
            let id = bench.id("a")
            let stale = try await bench.insert(id, .due(), lease: Lease(.seconds(5)))
            bench.advance(by: .seconds(5))
            let held = try await bench.requireDue(["a"], "when the lease has ended").claimed[0]
            for change in [
                Change.replace(id, expecting: stale, with: .plain, lease: .keep), .delete(id, expecting: stale),
                .assert(id, stale),
            ] {
                try require(
                    try await bench.conflict(change).standing, is: held, "what the former holder is told")
            }
            let answer = try await bench.store.extend(id, fence: stale, lease: .seconds(100))
            try require(answer, is: .lost(now: try await bench.now(), standing: held), "the answer to its extend")
            // Also when the second lease has passed, the first holder stays out.
            bench.advance(by: .seconds(1_000))
            _ = try await bench.conflict(.delete(id, expecting: stale))
            try await bench.delete(id, held.fence)
        },
        Check("a hold outdates the fence under which the record was read before", promise: 8) { bench in
            let id = bench.id("a")
            let seen = try await bench.insert(id)
            let held = try await bench.hold(id)
            _ = try await bench.conflict(.replace(id, expecting: seen, with: .plain, lease: .keep))
            let settled = try await bench.replace(id, held.fence)
            _ = try await bench.conflict(.delete(id, expecting: held.fence))
            try await bench.delete(id, settled)
        },
        Check("a lease of zero or less has ended at once", promise: 8) { bench in
            let id = bench.id("a")
            try await bench.insert(id, .due(), lease: Lease(.zero))
            for duration in [Duration.zero, .seconds(-5)] {
                let held = try await bench.hold(id, lease: Lease(duration))
                let now = try await bench.now()
                try require(
                    !held.isHeld(at: now), "a record claimed for \(duration) is held until \(held.leaseUntil ?? now)")
                let due = try await bench.requireDue(["a"], "after a lease of \(duration)").claimed[0]
                _ = try await bench.store.extend(id, fence: due.fence, lease: duration)
                let next = try await bench.hold(id)
                try await bench.replace(id, next.fence, with: .due(), lease: .extend(duration))
            }
            _ = try await bench.hold(id)
        },
        Check("a record that is let go can be claimed at once and keeps no holder", promise: 8) { bench in
            let id = bench.id("a")
            try await bench.insert(id, .due())
            let held = try await bench.hold(id)
            let fence = try await bench.replace(id, held.fence, with: .due(), lease: .end)
            let free = try await bench.record(id)
            try require(free.holder, is: nil, "the holder of a free record")
            try require(
                try await bench.store.extend(id, fence: fence, lease: .seconds(5)),
                is: .lost(now: try await bench.now(), standing: free), "the answer to an extend where nobody holds")
            try await bench.requireDue(["a"], "when it was let go")
        },
    ]
}
