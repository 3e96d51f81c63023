// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import RateLimiting
import ReliabilityCore
import ReliabilityTesting
import Testing

/// What each algorithm answers, call by call.
@Suite struct LimiterTableTests {
    /// One call: when, how many permits, and what is expected. Times are in nanoseconds.
    struct Row: Sendable {
        var at: Int64
        var permits: Int
        var allowed: Bool
        var remaining: Int?
        var reset: Int64?
        var retry: Int64?
        var peek: Bool
    }

    struct Table: Sendable, CustomTestStringConvertible {
        var title: String
        var algorithm: Algorithm
        var limit: RateLimit
        var rows: [Row]
        var testDescription: String { "\(title), \(algorithm)" }
    }

    private static func row(
        _ at: Int64, _ allowed: Bool, n: Int = 1, left: Int? = nil, reset: Int64? = nil, retry: Int64? = nil,
        peek: Bool = false
    ) -> Row {
        Row(at: at, permits: n, allowed: allowed, remaining: left, reset: reset, retry: retry, peek: peek)
    }

    private static let s: Int64 = 1_000_000_000

    static let tables: [Table] = [
        Table(
            title: "a counter weighs the window before: 42 at 15 of 60 s are 31.5, with 18 they are 49.5 (L38)",
            algorithm: .counter, limit: .perMinute(50),
            rows: [
                row(59 * s, true, n: 42, left: 8, reset: 61 * s), row(75 * s, true, n: 18, left: 0, reset: 105 * s),
                row(75 * s, false, retry: 714_285_715), row(75 * s + 714_285_714, false, retry: 1),
                row(75 * s + 714_285_715, true, left: 0), row(120 * s, true, left: 31, peek: true),
                row(179 * s, true, left: 49, peek: true), row(180 * s, true, left: 50, reset: 0, peek: true),
            ]),
        Table(
            title: "a counter at 30 percent: 5 before and 3 now are 6.5 (L38)", algorithm: .counter,
            limit: .per(.nanoseconds(10), 7),
            rows: [
                row(9, true, n: 5), row(13, true, n: 3, left: 0), row(13, false, retry: 1), row(14, true, left: 0),
                row(14, false, n: 2, retry: 4), row(18, true, n: 2, left: 0), row(19, false, retry: 1),
                row(40, true, left: 7, reset: 0, peek: true),
            ]),
        Table(
            title: "a counter's window before is gone after two empty windows (L38)", algorithm: .counter,
            limit: .per(.nanoseconds(10), 5),
            rows: [
                row(0, true, n: 5), row(9, false, n: 5, retry: 11), row(10, false, n: 5, retry: 10),
                row(20, true, n: 5),
                row(30, false, n: 1, retry: 2), row(40, true, n: 5),
            ]),
        Table(
            title: "a counter at its worst: 100 and 99 within a period", algorithm: .counter,
            limit: .per(.nanoseconds(100), 100),
            rows: [
                row(99, true, n: 100), row(198, false, n: 100, retry: 2), row(198, true, n: 98),
                row(199, true, left: 0),
            ]),
        Table(
            title: "a counter that denies in vain: no interval of a period sees the hundred any more",
            algorithm: .counter, limit: .perMinute(100),
            rows: [row(0, true, n: 100), row(61 * s, true, left: 0), row(61 * s, false, retry: 200_000_000)]),
        Table(
            title: "a log forgets each permit a period after it", algorithm: .log, limit: .per(.nanoseconds(10), 3),
            rows: [
                row(0, true, left: 2, reset: 10), row(4, true, n: 2, left: 0, reset: 10),
                row(9, false, left: 0, retry: 1), row(9, false, n: 2, retry: 5), row(10, true, left: 0, reset: 10),
                row(14, false, n: 3, retry: 6), row(14, true, n: 2, left: 0),
                row(24, true, n: 3, left: 0), row(40, true, left: 3, reset: 0, peek: true),
            ]),
        Table(
            title: "a window starts anew at its edge", algorithm: .fixedWindow, limit: .per(.nanoseconds(10), 3),
            rows: [
                row(8, true, n: 2, left: 1, reset: 2), row(9, false, n: 2, left: 1, retry: 1),
                row(9, true, left: 0), row(10, true, n: 3, left: 0, reset: 10), row(19, false, left: 0, retry: 1),
                row(20, true, left: 3, reset: 0, peek: true), row(55, true, left: 2, reset: 5),
            ]),
        Table(
            title: "the outlet is busy for as long as the permits take", algorithm: .leakyBucket,
            limit: .per(.nanoseconds(10), 5),
            rows: [
                row(0, true, n: 3, left: 0, reset: 6), row(5, false, left: 0, retry: 1),
                row(6, true, left: 0, reset: 2), row(8, true, left: 5, reset: 0, peek: true),
                row(50, true, left: 5, reset: 0, peek: true), row(100, true, n: 5), row(109, false, retry: 1),
                row(110, true),
            ]),
        Table(
            title: "a fraction of an interval is kept (L31)", algorithm: .tokenBucket,
            limit: .per(.nanoseconds(1_000), 100),
            rows: [
                row(0, true, n: 100, left: 0), row(3, false, left: 0, retry: 7), row(900, true, left: 90, peek: true),
                row(917, true, left: 91, reset: 83, peek: true), row(920, true, n: 92, left: 0),
            ]),
        Table(
            title: "the wait for what is missing (L32)", algorithm: .tokenBucket, limit: .per(.nanoseconds(100), 10),
            rows: [
                row(0, true, n: 10), row(0, false, n: 10, retry: 100), row(40, false, n: 7, left: 4, retry: 30),
                row(70, true, n: 7, left: 0),
            ]),
        Table(
            title: "the wait for what is missing, slowly (L32, L34)", algorithm: .tokenBucket,
            limit: .per(.nanoseconds(100), 2, burst: 33),
            rows: [row(0, true, n: 33, reset: 1_650), row(0, false, n: 10, retry: 500)]),
        Table(
            title: "one a second, asked at 200 ms (L34)", algorithm: .tokenBucket, limit: .perSecond(1, burst: 3),
            rows: [
                row(0, true, n: 3), row(200_000_000, false, retry: 800_000_000),
                row(200_000_000, false, n: 3, retry: 2_800_000_000),
            ]),
    ]

    @Test(arguments: tables)
    func `every row of the tables holds`(table: Table) throws {
        let clock = ManualClock()
        let limiter = table.algorithm.limiter(table.limit, clock: clock)
        for (index, row) in table.rows.enumerated() {
            clock.set(to: .init(offset: .nanoseconds(row.at)))
            let peeked = try limiter.peek(row.permits)
            let decision = try row.peek ? peeked : limiter.tryAcquire(row.permits)
            let place = Comment(rawValue: "\(table.title), row \(index)")
            #expect(decision.allowed == row.allowed, place)
            #expect(peeked.allowed == decision.allowed && peeked.retryAfter == decision.retryAfter, place)
            if let remaining = row.remaining { #expect(decision.remaining == remaining, place) }
            if let reset = row.reset { #expect(decision.resetAfter == .nanoseconds(reset), place) }
            if let retry = row.retry { #expect(decision.retryAfter == .nanoseconds(retry), place) }
        }
    }

    /// Buckets that refill at the edges of windows and hold more or less than that are not offered.
    @Test(arguments: [
        (RateLimit.perMinute(400), 40, 266), (.perMinute(400), 60, 400), (.perMinute(400), 1, 6),
        (.perMinute(0), 40, 0),
        (.perMinute(0), 40, 0), (.per(.seconds(60), 1), 59, 0),
    ])
    func `a first window that is shorter has its share, and all after it are whole (L35)`(
        limit: RateLimit, seconds: Int, share: Int
    ) throws {
        let clock = ManualClock()
        let limiter = FixedWindow(limit, firstWindow: .seconds(seconds), clock: clock)
        #expect(limiter.peek().remaining == share)
        #expect(try limiter.tryAcquire(share).allowed)
        let edge = limit.permits == 0 ? nil : Duration.seconds(seconds)
        #expect(limiter.tryAcquire().retryAfter == edge)
        clock.advance(by: .seconds(seconds) - .nanoseconds(1))
        #expect(!limiter.tryAcquire().allowed)
        for _ in 0..<2 {
            clock.advance(by: .nanoseconds(1))
            #expect(try limiter.tryAcquire(limit.permits).allowed && !limiter.tryAcquire().allowed)
            clock.advance(by: .seconds(60) - .nanoseconds(1))
            #expect(!limiter.tryAcquire().allowed)
        }
        #expect(FixedWindow(.unlimited, firstWindow: .milliseconds(1), clock: clock).peek().remaining == .max)
    }

    @Test(arguments: Algorithm.allCases)
    func `no limit lets everything through, at any time, and a rate of zero nothing (L20, L22)`(
        algorithm: Algorithm
    ) throws {
        let clock = ManualClock()
        let all = algorithm.limiter(.every(.zero), clock: clock)
        for moment in [0, 1, -1_000, 5] {
            clock.set(to: .init(offset: .seconds(moment)))
            for permits in [1, 1_000_000, Int.max, 0] {
                let decision = try all.tryAcquire(permits)
                #expect(decision.allowed && decision.remaining == .max && decision.resetAfter == .zero)
                #expect(try all.reserve(permits, within: nil).delay == .zero)
            }
        }
        #expect(all.limit == .unlimited)

        let events = Recorder<RateLimitEvent>()
        let nothing = algorithm.limiter(.zero, clock: clock, .init(onEvent: { events.append($0) }))
        for _ in 0..<2 {
            let decision = nothing.tryAcquire()
            #expect(!decision.allowed && decision.retryAfter == nil && decision.remaining == 0)
            #expect(!nothing.peek().allowed && nothing.peek().retryAfter == nil)
            clock.advance(by: .seconds(1 << 40))
        }
        #expect(throws: ExceedsCapacity(requested: 2, capacity: 0)) { try nothing.tryAcquire(2) }
        #expect(throws: ExceedsCapacity(requested: 2, capacity: 0)) { try nothing.peek(2) }
        // A retry that asks whether the other side has answered is told that nobody asked it.
        let never: any Error = ExceedsCapacity(requested: 2, capacity: 0)
        #expect(never.isRefusal && !(never is any Rejection))
        #expect(try nothing.tryAcquire(0).allowed)
        #expect(events.all.map(\.kind) == Array(repeating: .denied(permits: 1, retryAfter: nil), count: 2))
    }

    @Test(arguments: Algorithm.allCases)
    func `zero permits can be had of a limiter that has none, and leave no trace`(algorithm: Algorithm) throws {
        let clock = ManualClock()
        let limiter = algorithm.limiter(.per(.seconds(1), 4, burst: 4), clock: clock, .init(maximumWait: .seconds(9)))
        #expect(try limiter.tryAcquire(0).allowed && limiter.peek().resetAfter == .zero)
        #expect(try limiter.tryAcquire(4).allowed)
        // Far over what there is now.
        limiter.reconfigure(.per(.seconds(1), 1, burst: 1), consumed: .keep)
        let before = limiter.peek()
        #expect(!before.allowed)
        #expect(try limiter.tryAcquire(0).allowed && limiter.peek(0).allowed)
        #expect(try limiter.reserve(0, within: nil).delay == .zero)
        #expect(limiter.peek().resetAfter == before.resetAfter && limiter.peek().retryAfter == before.retryAfter)
    }

    @Test func `a log remembers no more than it must`() {
        let log = SlidingLog(.per(.nanoseconds(10), 9))
        var state = log.fresh
        for _ in 0..<3 { _ = log.take(2, in: &state, at: 5) }
        _ = log.take(0, in: &state, at: 6)
        #expect(state.entries.count == 1 && state.used == 6, "of one moment once, of nothing nothing")
        for moment in 0..<Int64(1_000) { _ = log.take(1, in: &state, at: 20 + moment * 4) }
        #expect(state.entries.count == 3, "what no window sees any more is gone")
        // One of two grants is left of six permits in three.
        var full = log.fresh
        for moment in 0..<Int64(9) { _ = log.take(1, in: &full, at: moment) }
        let small = SlidingLog(.per(.nanoseconds(10), 1))
        #expect(small.carriedOver(full, from: log, at: 9, .scale).entries.count == 1)
    }

    @Test func `a rate of zero with a burst gives the burst, once (L20)`() throws {
        let clock = ManualClock()
        let limiter = TokenBucket(.perSecond(0, burst: 3), maximumWait: .longest, clock: clock)
        #expect(try limiter.tryAcquire(2).remaining == 1)
        let refused = try limiter.tryAcquire(2)
        #expect(!refused.allowed && refused.retryAfter == nil && refused.resetAfter == .longest)
        clock.set(to: .init(offset: .longest))
        #expect(limiter.tryAcquire().allowed)
        #expect(!limiter.tryAcquire().allowed)
        #expect(throws: RateLimited(limiter: "", retryAfter: nil)) { try limiter.reserve() }
    }

    @Test(arguments: [
        (RateLimit.perSecond(100), [(1, 100), (2, 200), (3, 300)]),
        (.perMinute(7), [(1, 1), (60, 8), (120, 15)]),
        (.perSecond(3), [(3_600, 10_801)]),
    ])
    func `a pace is kept for as long as it takes (L37)`(limit: RateLimit, counts: [(Int, Int)]) {
        let clock = ManualClock()
        let limiter = LeakyBucket(limit, clock: clock)
        var admitted = 0
        for (seconds, expected) in counts {
            // The interval is rounded up to a whole nanosecond, ten thousand times at most.
            let end = Duration.seconds(seconds) + (limit.permits == 100 ? .nanoseconds(-1) : .microseconds(8))
            while clock.now.offset <= end {
                let decision = limiter.tryAcquire()
                if decision.allowed { admitted += 1 }
                guard let wait = limiter.peek().retryAfter, clock.now.offset + wait <= end else { break }
                clock.advance(by: wait)
            }
            #expect(admitted == expected)
        }
    }

    @Test(arguments: Algorithm.allCases)
    func `64 tasks get exactly what there is`(algorithm: Algorithm) async throws {
        let clock = ManualClock()
        let limiter = algorithm.limiter(.per(.seconds(1), 640, burst: 640), clock: clock)
        for second in [0, 3, 6] {
            clock.set(to: .init(offset: .seconds(second)))
            let admitted = await withTaskGroup { group in
                for _ in 0..<64 {
                    group.addTask { (0..<20).count { _ in limiter.tryAcquire().allowed } }
                }
                return await group.reduce(0, +)
            }
            #expect(admitted == (algorithm == .leakyBucket ? 1 : 640))
        }
    }

    @Test(arguments: Algorithm.allCases)
    func `a limiter describes itself`(algorithm: Algorithm) {
        let limiter = algorithm.limiter(
            .perSecond(4), clock: ManualClock(), .init(name: "mail", maximumWait: .seconds(3), maximumWaiters: 5))
        let type = String(describing: type(of: limiter))
        #expect(limiter.summary == "\(type) mail: 4 per 1.0 seconds, burst 4, waits up to 3.0 seconds")
        #expect(limiter.name == "mail" && limiter.limit == .perSecond(4) && limiter.mode == .enforced)
    }
}
