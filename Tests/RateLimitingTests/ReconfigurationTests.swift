// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import ReliabilityTesting
import Testing

/// What becomes of what was used when the limit changes, and of everything when it only watches.
@Suite struct ReconfigurationTests {
    struct Change: Sendable, CustomTestStringConvertible {
        var algorithm: Algorithm
        var old: RateLimit
        var used: Int
        var new: RateLimit
        /// When it changes, in seconds.
        var at: Int
        /// What remains then, and after how many milliseconds all of the new limit can be had at once.
        var kept: (Int, all: Int)
        var scaled: (Int, all: Int)
        var testDescription: String { "\(algorithm): \(used) of \(old) used, at \(at) s \(new)" }
    }

    private static let small = RateLimit.per(.seconds(10), 10)
    private static let large = RateLimit.per(.seconds(10), 20)
    private static let long = RateLimit.per(.seconds(20), 10)

    static let changes: [Change] = [
        // 4 of 10 are in use after 2 seconds; the new ones come back twice as fast.
        Change(algorithm: .tokenBucket, old: small, used: 6, new: large, at: 2, kept: (16, 2_000), scaled: (12, 4_000)),
        Change(algorithm: .tokenBucket, old: large, used: 18, new: small, at: 2, kept: (0, 14_000), scaled: (3, 7_000)),
        Change(
            algorithm: .tokenBucket, old: small, used: 6, new: .perSecond(0, burst: 10), at: 2, kept: (6, -1),
            scaled: (6, -1)),
        Change(
            algorithm: .tokenBucket, old: .perSecond(0, burst: 10), used: 6, new: small, at: 2, kept: (4, 6_000),
            scaled: (4, 6_000)),
        Change(algorithm: .tokenBucket, old: .unlimited, used: 6, new: small, at: 2, kept: (10, 0), scaled: (10, 0)),
        Change(
            algorithm: .tokenBucket, old: small, used: 6, new: .unlimited, at: 2, kept: (.max, 0), scaled: (.max, 0)),
        Change(algorithm: .log, old: small, used: 6, new: large, at: 2, kept: (14, 8_000), scaled: (8, 8_000)),
        Change(algorithm: .log, old: large, used: 18, new: small, at: 2, kept: (0, 8_000), scaled: (1, 8_000)),
        Change(algorithm: .log, old: small, used: 6, new: long, at: 2, kept: (4, 18_000), scaled: (4, 18_000)),
        Change(algorithm: .log, old: small, used: 6, new: .unlimited, at: 2, kept: (.max, 0), scaled: (.max, 0)),
        Change(algorithm: .fixedWindow, old: small, used: 6, new: large, at: 2, kept: (14, 8_000), scaled: (8, 8_000)),
        Change(algorithm: .fixedWindow, old: large, used: 18, new: small, at: 2, kept: (0, 8_000), scaled: (1, 8_000)),
        Change(algorithm: .fixedWindow, old: small, used: 6, new: long, at: 2, kept: (4, 20_000), scaled: (4, 20_000)),
        Change(algorithm: .fixedWindow, old: .unlimited, used: 6, new: small, at: 2, kept: (10, 0), scaled: (10, 0)),
        Change(algorithm: .counter, old: small, used: 6, new: large, at: 2, kept: (14, 18_000), scaled: (8, 18_000)),
        Change(algorithm: .counter, old: large, used: 18, new: small, at: 2, kept: (0, 18_000), scaled: (1, 18_000)),
        // Both windows are carried over: 5 of 6 are still seen after 12 seconds, and none after 20.
        Change(algorithm: .counter, old: small, used: 6, new: large, at: 12, kept: (15, 8_000), scaled: (10, 8_000)),
        // 4 of the 6 are still seen after 14 seconds, rounded up.
        Change(algorithm: .counter, old: small, used: 6, new: long, at: 14, kept: (6, 40_000), scaled: (6, 40_000)),
        Change(algorithm: .counter, old: small, used: 6, new: .unlimited, at: 2, kept: (.max, 0), scaled: (.max, 0)),
        Change(algorithm: .leakyBucket, old: small, used: 6, new: large, at: 2, kept: (0, 2_000), scaled: (0, 4_000)),
        Change(algorithm: .leakyBucket, old: large, used: 18, new: small, at: 2, kept: (0, 14_000), scaled: (0, 7_000)),
    ]

    @Test(arguments: changes)
    func `what was used stays used, or its share does`(change: Change) throws {
        for (consumed, expected) in [(ConsumedPermits.keep, change.kept), (.scale, change.scaled)] {
            let clock = ManualClock()
            let limiter = change.algorithm.limiter(change.old, clock: clock)
            let held = try limiter.reserve(change.used, within: .zero)
            clock.advance(by: .seconds(change.at))
            limiter.reconfigure(change.new, consumed: consumed)
            #expect(limiter.limit == change.new)
            #expect(limiter.peek().remaining == expected.0, "\(consumed)")
            held.cancel()
            if change.algorithm == .tokenBucket || change.algorithm == .leakyBucket {
                #expect(limiter.peek().remaining == expected.0, "an older grant does not come back")
            }
            let whole = change.algorithm.capacity(change.new)
            let wait = try limiter.peek(whole).retryAfter
            if expected.all == -1 {
                #expect(try wait == nil && !limiter.peek(whole).allowed)
            } else if change.algorithm == .tokenBucket || change.algorithm == .leakyBucket {
                #expect((wait ?? .zero) == .milliseconds(expected.all), "\(consumed)")
            }
        }
    }

    @Test(arguments: changes)
    func `what was used comes back when the new limit says`(change: Change) throws {
        for (consumed, expected) in [(ConsumedPermits.keep, change.kept), (.scale, change.scaled)]
        where expected.all >= 0 {
            let clock = ManualClock()
            let limiter = change.algorithm.limiter(change.old, clock: clock)
            _ = try limiter.tryAcquire(change.used)
            clock.advance(by: .seconds(change.at))
            limiter.reconfigure(change.new, consumed: consumed)
            let whole = change.algorithm.capacity(change.new)
            #expect((try limiter.peek(whole).retryAfter ?? .zero) == .milliseconds(expected.all), "\(consumed)")
            clock.advance(by: .milliseconds(expected.all))
            #expect(try limiter.tryAcquire(whole).allowed)
        }
    }

    @Test(arguments: Algorithm.allCases.flatMap { algorithm in (0..<60).map { (algorithm, UInt64($0) &* 77 &+ 5) } })
    func `with what was used kept, no interval sees more than the largest limit, however often it changes`(
        algorithm: Algorithm, seed: UInt64
    ) throws {
        var random = RandomSource.seeded(seed)
        let clock = ManualClock()
        let period = Int64.random(in: 10...2_000, using: &random)
        let limits = (0..<3).map { _ in
            let permits = Int.random(in: 1...9, using: &random)
            return RateLimit.per(.nanoseconds(period), permits, burst: Int.random(in: 1...9, using: &random))
        }
        let limiter = algorithm.limiter(limits[0], clock: clock, .init(maximumWait: .nanoseconds(5 * period)))
        var acts: [Act] = []
        for _ in 0..<150 {
            clock.advance(by: .nanoseconds(Int64.random(in: 0...period / 2, using: &random)))
            let now = clock.now.offset.nanosecondsRoundedDown
            if Int.random(in: 0...9, using: &random) == 0 {
                limiter.reconfigure(limits.randomElement(using: &random) ?? limits[0], consumed: .keep)
            }
            let permits = Int.random(in: 1...algorithm.capacity(limiter.limit), using: &random)
            if try limiter.tryAcquire(permits).allowed { acts.append(Act(at: now, permits: Int64(permits))) }
        }
        let most = RateLimit.per(
            .nanoseconds(period), limits.map(\.permits).max() ?? 0, burst: limits.map(\.burst).max() ?? 0)
        #expect(Promise(algorithm, most).isKept(by: acts), "seed \(seed), \(limits)")
    }

    @Test func `what was used comes back some day, however long it would take`() throws {
        let clock = ManualClock()
        let limiter = TokenBucket(.perSecond(1_000), clock: clock)
        #expect(try limiter.tryAcquire(1_000).allowed)
        // A thousand permits of a year each; no bucket takes longer to fill than 2^57 nanoseconds.
        limiter.reconfigure(.per(.seconds(365 * 86_400), 1))
        let wait = try #require(limiter.peek().retryAfter)
        #expect(wait == .nanoseconds(1 << 57))
        clock.advance(by: wait)
        #expect(limiter.tryAcquire().allowed)
    }

    @Test(arguments: [ConsumedPermits.keep, .scale])
    func `a key without a limit is as good as new`(consumed: ConsumedPermits) {
        for algorithm in [RateLimitAlgorithm.tokenBucket, .slidingWindowLog, .fixedWindow, .slidingWindowCounter] {
            let limiter = KeyedRateLimiter<Int>(.perSecond(5), algorithm: algorithm, clock: ManualClock())
            _ = limiter.tryAcquire(1)
            limiter.reconfigure(.unlimited, consumed: consumed)
            #expect(limiter.removeFresh() == 1 && limiter.tryAcquire(1).remaining == .max)
        }
    }

    @Test(arguments: Algorithm.allCases)
    func `a limiter that watches lets everything through, and tells what it would have done`(
        algorithm: Algorithm
    ) async throws {
        let clock = ManualClock()
        let events = Recorder<RateLimitEvent>()
        let limiter = algorithm.limiter(
            .every(.seconds(1)), clock: clock,
            .init(maximumWait: .seconds(100), mode: .shadow) { events.append($0) })
        let wait: Duration = algorithm == .counter ? .seconds(2) : .seconds(1)
        #expect(limiter.mode == .shadow)
        #expect(limiter.tryAcquire().allowed)
        #expect(limiter.tryAcquire().allowed && limiter.tryAcquire().retryAfter == nil)
        #expect(try limiter.tryAcquire(7).allowed)
        try await limiter.acquire(1, within: nil)
        try await limiter.acquire(7, within: nil)
        #expect(try await limiter.run { 5 } == 5)
        await #expect(throws: RateLimited.self) {
            try await limiter.run { throw RateLimited(limiter: "far", retryAfter: nil) }
        }
        let reservations = try [1, 7].map { try limiter.reserve($0, within: nil) }
        #expect(reservations.allSatisfy { $0.delay == .zero })
        for reservation in reservations { reservation.cancel() }
        let denied = RateLimitEvent.Kind.wouldDeny(permits: 1, retryAfter: wait)
        let never = RateLimitEvent.Kind.wouldDeny(permits: 7, retryAfter: nil)
        #expect(events.all.map(\.kind) == [denied, denied, never, denied, never, denied, denied, denied, never])
        #expect(limiter.peek().retryAfter == wait, "what is over the limit takes nothing")

        limiter.mode = .enforced
        #expect(limiter.tryAcquire().retryAfter == wait)
        clock.advance(by: wait)
        limiter.mode = .shadow
        let held = try limiter.reserve(1, within: nil)
        held.cancel()
        #expect(limiter.peek().allowed)
        #expect(events.all.last?.kind == .refunded(permits: 1))
    }

    private static let extremes: [RateLimit] = [
        .perSecond(10), .perSecond(3), .zero, .unlimited, .perSecond(0, burst: 5), .perMinute(1_000_000),
        .per(.seconds(100_000_000), 1), .per(.seconds(86_400), 10), .per(.nanoseconds(1), 1_000_000_000),
        .perSecond(.max, burst: 1), .per(.seconds(7), 50, burst: 3),
    ]

    @Test(arguments: Algorithm.allCases.flatMap { algorithm in (0..<60).map { (algorithm, UInt64($0) &* 31 &+ 1) } })
    func `whatever lies ahead when the limit changes, it keeps its moment and nothing overflows`(
        algorithm: Algorithm, seed: UInt64
    ) throws {
        var random = RandomSource.seeded(seed)
        func limit() -> RateLimit { Self.extremes.randomElement(using: &random) ?? .zero }
        let clock = ManualClock()
        let limiter = algorithm.limiter(limit(), clock: clock, .init(maximumWait: .seconds(100_000_000_000)))
        var held: [(reservation: RateLimitReservation, moment: Duration)] = []
        for step in 0..<120 {
            let capacity = algorithm.capacity(limiter.limit)
            switch random.next() % 7 {
            case 0: limiter.reconfigure(limit(), consumed: random.next() % 2 == 0 ? .keep : .scale)
            case 1: clock.advance(by: .nanoseconds(Int64(random.next() % 20_000_000_000)))
            case 2, 3:
                let permits = Bool.random(using: &random) ? capacity : Int.random(in: 0...capacity, using: &random)
                guard let reservation = try? limiter.reserve(permits, within: nil) else { continue }
                held.append((reservation, clock.now.offset + reservation.delay))
            case 4: held.randomElement(using: &random)?.reservation.refund(Bool.random(using: &random) ? 1 : .max)
            case 5:
                let decision = limiter.tryAcquire()
                #expect(decision.remaining >= 0 && decision.resetAfter >= .zero, "seed \(seed), step \(step)")
                if let wait = decision.retryAfter, wait < .seconds(100_000_000) { clock.advance(by: wait) }
            default: #expect(limiter.peek().resetAfter >= .zero, "seed \(seed), step \(step)")
            }
            for (reservation, moment) in held {
                try #require(reservation.delay == max(.zero, moment - clock.now.offset), "seed \(seed), step \(step)")
            }
        }
    }

    @Test(arguments: [Algorithm.tokenBucket, .leakyBucket])
    func `what lies ahead empties a bucket for no longer than any bucket takes to fill`(algorithm: Algorithm) throws {
        let clock = ManualClock()
        let limiter = algorithm.limiter(.perSecond(10), clock: clock, .init(maximumWait: .seconds(200)))
        let held = try (0..<1_000).map { _ in try limiter.reserve(1, within: nil) }
        limiter.reconfigure(.every(.seconds(365 * 86_400)), consumed: .keep)
        clock.advance(by: .seconds(200))
        // A thousand years would be too long.
        let wait = try #require(limiter.peek().retryAfter)
        #expect(wait > .seconds(4 * 365 * 86_400) && wait <= .nanoseconds(1 << 57))
        for reservation in held { reservation.cancel() }
        let left = try #require(limiter.peek().retryAfter, "what was not counted in does not come back")
        #expect(left > .seconds(365 * 86_400) && left <= wait)
    }

    @Test func `who waits and is refused by a change is an event`() async throws {
        let clock = ManualClock()
        let events = Recorder<RateLimitEvent>()
        let limiter = TokenBucket(.perSecond(1), maximumWait: .seconds(5), clock: clock) { events.append($0) }
        #expect(limiter.tryAcquire().allowed)
        let task = Task { try await limiter.acquire() }
        await clock.waitForSleepers(1)
        limiter.reconfigure(.every(.seconds(100)))
        await #expect(throws: RateLimited(limiter: "", retryAfter: .seconds(100))) { try await task.value }
        #expect(events.all.count == 2)
        #expect(events.all.contains { $0.kind == .denied(permits: 1, retryAfter: .seconds(100)) })
    }
}
