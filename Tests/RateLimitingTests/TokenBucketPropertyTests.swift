// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import ReliabilityTesting
import Testing

/// Random limits and random calls against models that share nothing with the algorithm.
@Suite struct TokenBucketPropertyTests {
    static let seeds = (0..<200).map { UInt64($0) &* 0x9E37_79B9 &+ 7 }

    struct Grant {
        var at: Int64
        var permits: Int64
    }

    /// A bucket with exact contents, in permit nanoseconds: `permits` come in a nanosecond, and one permit is `period`.
    struct ExactBucket {
        let permits: Int64
        let period: Int64
        let capacity: Int64
        var level: Int64
        var last: Int64 = 0

        init(_ limit: RateLimit) {
            permits = Int64(limit.permits)
            period = limit.period.nanosecondsRoundedUp
            capacity = Int64(limit.burst) * period
            level = capacity
        }

        mutating func refill(at now: Int64) {
            level = min(capacity, level + (now - last) * permits)
            last = now
        }
    }

    private func randomLimit(_ random: inout RandomSource) -> RateLimit {
        let permits = Int.random(in: 1...50, using: &random)
        let burst = Int.random(in: 1...60, using: &random)
        let period = Duration.nanoseconds(Int64.random(in: 1...3_000, using: &random))
        return .per(period, permits, burst: burst)
    }

    @Test(arguments: seeds)
    func `no interval sees more than the promise, and an exact rate is met to the nanosecond (L40)`(seed: UInt64) throws
    {
        var random = RandomSource.seeded(seed)
        let limit = randomLimit(&random)
        let clock = ManualClock()
        let limiter = TokenBucket(limit, clock: clock)
        var exact = ExactBucket(limit)
        let isExact = exact.period * 16 % exact.permits == 0
        var grants: [Grant] = []
        for _ in 0..<400 {
            clock.advance(by: .nanoseconds(Int64.random(in: 0...exact.period, using: &random)))
            let now = clock.now.offset.nanosecondsRoundedDown
            let permits = Int.random(in: 1...limit.burst, using: &random)
            let decision = try limiter.tryAcquire(permits)
            exact.refill(at: now)
            let cost = Int64(permits) * exact.period
            if isExact { try #require(decision.allowed == (exact.level >= cost), "seed \(seed), \(limit), at \(now)") }
            guard decision.allowed else { continue }
            exact.level -= cost
            try #require(exact.level >= 0, "seed \(seed), \(limit), at \(now)")
            grants.append(Grant(at: now, permits: Int64(permits)))
        }
        #expect(keepsPromise(of: limit, grants), "seed \(seed), \(limit)")
    }

    /// Whether `count <= burst + rate · interval` holds between every two grants, in whole numbers.
    private func keepsPromise(of limit: RateLimit, _ grants: [Grant]) -> Bool {
        let period = limit.period.nanosecondsRoundedUp
        let (rate, burst) = (Int64(limit.permits), Int64(limit.burst))
        return grants.indices.allSatisfy { first in
            var count: Int64 = 0
            return grants[first...].allSatisfy { grant in
                count += grant.permits
                return (count - burst) * period <= rate * (grant.at - grants[first].at)
            }
        }
    }

    @Test(arguments: seeds)
    func `a reported wait is exact from both sides (L8)`(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let limit = randomLimit(&random)
        let clock = ManualClock()
        let limiter = TokenBucket(limit, clock: clock)
        clock.advance(by: .nanoseconds(Int64.random(in: 0...10_000, using: &random)))
        _ = try limiter.tryAcquire(limit.burst)
        for _ in 0..<50 {
            let permits = Int.random(in: 1...limit.burst, using: &random)
            let start = clock.now
            let decision = try limiter.tryAcquire(permits)
            guard let wait = decision.retryAfter?.nanosecondsRoundedUp else { continue }
            let place = Comment(rawValue: "seed \(seed), \(limit), \(permits) permits at \(start.offset)")
            for before in Set([0, wait / 2, wait - 1, Int64.random(in: 0..<wait, using: &random)]) {
                clock.set(to: start.advanced(by: .nanoseconds(before)))
                let again = try limiter.tryAcquire(permits)
                try #require(again.retryAfter == .nanoseconds(wait - before), place)
            }
            clock.set(to: start.advanced(by: .nanoseconds(wait)))
            try #require(try limiter.tryAcquire(permits).allowed, place)
        }
    }

    @Test(arguments: seeds)
    func `a clock that steps about gives no more than its furthest reading does`(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let limit = randomLimit(&random)
        let clock = ManualClock()
        let limiter = TokenBucket(limit, clock: clock)
        var exact = ExactBucket(limit)
        for _ in 0..<400 {
            clock.set(to: .init(offset: .nanoseconds(Int64.random(in: -10_000...50_000, using: &random))))
            let permits = Int.random(in: 1...limit.burst, using: &random)
            exact.refill(at: max(exact.last, clock.now.offset.nanosecondsRoundedDown))
            guard try limiter.tryAcquire(permits).allowed else { continue }
            exact.level -= Int64(permits) * exact.period
            try #require(exact.level >= 0, "seed \(seed), \(limit)")
        }
    }
}
