// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import Testing

@testable import tenant_limits

@Suite struct TimelineTests {
    @Test func `buckets stay few, and nothing is lost`() {
        var timeline = Timeline(start: 100)
        var counts = Counts()
        counts[.requests] = 3
        for second in Int64(100)..<5_000 {
            var most = Counts()
            most[.requests] = Int(second)
            timeline.add(counts, most: most, at: second)
        }
        #expect(timeline.width == 16 && timeline.buckets.count == 307 && timeline.end == 100 + 307 * 16)
        #expect(timeline.buckets.dropLast().allSatisfy { $0.counts[.requests] == 3 * 16 })
        #expect(timeline.buckets.reduce(0) { $0 + $1.counts[.requests] } == 3 * 4_900)
        #expect(timeline.buckets[0].most[.requests] == 115 && timeline.most[.requests] == 4_999)

        var sparse = Timeline(start: 0)
        for second in [0, 1, 40_000_000, 40_000_001] as [Int64] { sparse.add(counts, most: counts, at: second) }
        #expect(sparse.buckets.count <= Timeline.mostBuckets && sparse.end > 40_000_001)
        #expect(sparse.buckets.first?.counts[.requests] == 6 && sparse.buckets.last?.counts[.requests] == 6)
    }

    @Test func `a recorder sees in each period what passed in it`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource.seeded(seed)
        for _ in 0..<200 {
            let period = Int64.random(in: 1...20, using: &random)
            let wait = Int64.random(in: 0...20, using: &random)
            // Some begin so soon after 1970 that their first period begins before.
            let start = Int64.random(in: 0...30, using: &random)
            var (recorder, now, passes) = (Recorder(period: period, wait: wait, start: start), start, [Int64]())
            for _ in 0..<60 {
                if Bool.random(using: &random) { now += Int64.random(in: 0...30, using: &random) / 6 }
                recorder.advance(to: now)
                passes.append(now + Int64.random(in: 0...wait, using: &random))
                recorder.count(.leakyBucket, at: passes.last ?? now)
            }
            let timeline = recorder.finish()
            let last = max(now, passes.max() ?? now)
            #expect(timeline.width == 1 && timeline.end == last + 1, "seed \(seed)")
            for (index, bucket) in timeline.buckets.enumerated() {
                let second = start + Int64(index)
                #expect(bucket.counts[.leakyBucket] == passes.count { $0 == second }, "seed \(seed)")
                let seen = passes.count { $0 <= second && $0 > second - period }
                #expect(bucket.most[.leakyBucket] == seen, "seed \(seed), \(period) to \(second)")
            }
        }
    }
}
