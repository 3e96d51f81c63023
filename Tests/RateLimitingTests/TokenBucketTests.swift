// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import ReliabilityTesting
import Testing

@Suite struct TokenBucketTests {
    /// One call: when, how many permits, and what is expected.
    struct Row: Sendable {
        var at: Duration
        var permits: Int
        var allowed: Bool
        var remaining: Int?
        var reset: Duration?
        var retry: Duration?
        var peek: Bool
    }

    private static func row(
        _ milliseconds: Int, _ allowed: Bool, n: Int = 1, remaining: Int? = nil, reset: Int? = nil, retry: Int? = nil,
        peek: Bool = false
    ) -> Row {
        Row(
            at: .milliseconds(milliseconds), permits: n, allowed: allowed, remaining: remaining,
            reset: reset.map { .milliseconds($0) }, retry: retry.map { .milliseconds($0) }, peek: peek)
    }

    static let tables: [(String, RateLimit, [Row])] = [
        (
            "what remains, when it is full, when to try again (L1, L2)", .perSecond(1, burst: 5),
            [
                row(0, true, remaining: 5, reset: 0, peek: true),
                row(0, true, remaining: 4, reset: 1_000), row(0, true, remaining: 3, reset: 2_000),
                row(0, true, remaining: 2, reset: 3_000), row(0, true, remaining: 1, reset: 4_000),
                row(0, true, remaining: 0, reset: 5_000), row(0, false, remaining: 0, reset: 5_000, retry: 1_000),
                row(3_000, true, remaining: 2, reset: 3_000), row(3_100, true, remaining: 1, reset: 3_900),
                row(4_000, true, remaining: 1, reset: 4_000), row(8_000, true, remaining: 4, reset: 1_000),
                row(9_500, true, remaining: 4, reset: 1_000), row(9_500, true, n: 0, remaining: 4, reset: 1_000),
                row(9_500, true, n: 4, remaining: 4, reset: 1_000, peek: true),
                row(9_500, false, n: 5, remaining: 4, reset: 1_000, retry: 1_000, peek: true),
                row(9_500, true, n: 2, remaining: 2, reset: 3_000),
                row(9_500, false, n: 5, remaining: 2, reset: 3_000, retry: 3_000),
                row(60_000, true, remaining: 5, reset: 0, peek: true),
                row(60_000, true, n: 5, remaining: 0, reset: 5_000),
            ]
        ),
        (
            "two a second (L4)", .perSecond(2),
            [
                row(0, true), row(1, true), row(2, false, retry: 498), row(1_002, true), row(1_003, true),
                row(1_004, false),
            ]
        ),
        (
            "no more than the burst after a long pause (L5)", .perSecond(5),
            Array(repeating: row(0, true), count: 5) + [row(0, false)]
                + Array(repeating: row(2_000, true), count: 5) + [row(2_000, false)]
        ),
        (
            "several permits at once (L7)", .perSecond(4),
            [
                row(0, true, n: 2), row(0, true, n: 2), row(1, false, n: 2), row(1_001, true, n: 2),
                row(1_002, true, n: 2), row(1_003, false, n: 2),
            ]
        ),
        ("as good as no rate at all (L20)", .per(.seconds(144_000_000), 1), [row(0, true), row(1_000_000_000, false)]),
        (
            "a clock that steps back (L23c, peers admit fifteen of three)", .perSecond(1, burst: 3),
            [
                row(3_600_000, true, n: 3), row(3_600_000, false, retry: 1_000),
                row(0, false, remaining: 0, retry: 3_601_000), row(-7_200_000, false, retry: 10_801_000),
                row(3_600_999, false, retry: 1), row(3_601_000, true), row(3_601_000, false),
            ]
        ),
        (
            "a clock before the start", .perSecond(1, burst: 3),
            [row(-1_000, false, n: 3, retry: 1_000), row(0, true, n: 3)]
        ),
    ]

    @Test(arguments: tables)
    func `every row of the tables holds`(title: String, limit: RateLimit, rows: [Row]) throws {
        let clock = ManualClock()
        let limiter = TokenBucket(limit, clock: clock)
        for (index, row) in rows.enumerated() {
            clock.set(to: .init(offset: row.at))
            let decision = try row.peek ? limiter.peek(row.permits) : limiter.tryAcquire(row.permits)
            let place = Comment(rawValue: "\(title), row \(index)")
            #expect(decision.allowed == row.allowed, place)
            #expect(decision.limit == limit.burst, place)
            #expect((decision.retryAfter == nil) == row.allowed, place)
            if let remaining = row.remaining { #expect(decision.remaining == remaining, place) }
            if let reset = row.reset { #expect(decision.resetAfter == reset, place) }
            if let retry = row.retry { #expect(decision.retryAfter == retry, place) }
        }
    }

    @Test func `the system's clock is the default`() throws {
        let limiter = TokenBucket(.perMinute(1))
        #expect(limiter.tryAcquire().allowed)
        let wait = try #require(limiter.tryAcquire().retryAfter)
        #expect(wait > .zero && wait <= .seconds(60))
    }

    @Test func `never is another answer than not now (L1)`() async throws {
        let limiter = TokenBucket(.perSecond(5), name: "n", maximumWait: .seconds(60), clock: ManualClock())
        let never = ExceedsCapacity(requested: 6, capacity: 5)
        #expect(throws: never) { try limiter.tryAcquire(6) }
        #expect(throws: never) { try limiter.peek(6) }
        await #expect(throws: never) { try await limiter.acquire(6) }
        #expect(!((never as any Error) is any RetryAdvising))
        #expect(limiter.peek().remaining == 5)
        #expect("\(never)" == "6 permits asked for at once, but the limiter never holds over 5")
        #expect("\(RateLimited(limiter: "n", retryAfter: .seconds(2)))" == "Rate limited by n, retry after 2.0 seconds")
    }

    @Test func `a limiter past its range refuses and does not come back`() async throws {
        let clock = ManualClock()
        let limiter = TokenBucket(.perSecond(1), maximumWait: .longest, clock: clock)
        clock.set(to: .init(offset: .longest))
        #expect(limiter.tryAcquire().allowed)
        let refusal = limiter.tryAcquire()
        #expect(!refusal.allowed && refusal.retryAfter == nil)
        await #expect(throws: RateLimited.self) { try await limiter.acquire() }
        clock.set(to: .init(offset: .seconds(Int64.max)))
        #expect(!limiter.tryAcquire().allowed)
        clock.set(to: .init(offset: .seconds(Int64.min)))
        #expect(!limiter.tryAcquire().allowed)
    }

    @Test func `three a second are 10,800 an hour and the burst, not one more and not a microsecond late`() {
        let clock = ManualClock()
        let limiter = TokenBucket(.perSecond(3), clock: clock)
        let hour = Duration.seconds(3_600)
        var admitted = 0
        var lastAdmission = Duration.zero
        while clock.now.offset <= hour + .nanoseconds(450) {
            let decision = limiter.tryAcquire()
            if decision.allowed {
                admitted += 1
                lastAdmission = clock.now.offset
            }
            clock.advance(by: decision.retryAfter ?? .zero)
        }
        #expect(admitted == 10_800 + 3)
        #expect(lastAdmission >= hour && lastAdmission <= hour + .nanoseconds(450))
    }

    @Test func `a denial is an event, a grant is none`() throws {
        let events = Recorder<RateLimitEvent>()
        let limiter = TokenBucket(.perSecond(2), name: "edge", clock: ManualClock()) { events.append($0) }
        _ = try limiter.tryAcquire(2)
        _ = limiter.tryAcquire()
        _ = limiter.peek()
        #expect(
            events.all == [
                RateLimitEvent(limiter: "edge", kind: .denied(permits: 1, retryAfter: .milliseconds(500)))
            ])
    }

    @Test func `twenty tasks at once get the twenty that there are (L11)`() async {
        let clock = ManualClock()
        let limiter = TokenBucket(.perSecond(20), clock: clock)
        let admitted = await withTaskGroup { group in
            for _ in 0..<20 { group.addTask { limiter.tryAcquire().allowed ? 1 : 0 } }
            return await group.reduce(0, +)
        }
        #expect(admitted == 20)
        clock.advance(by: .milliseconds(2))
        #expect(!limiter.tryAcquire().allowed)
        clock.advance(by: .milliseconds(998))
        #expect(limiter.tryAcquire().allowed)
    }

    @Test(arguments: [1, 2])
    func `parallel tasks get exactly the burst, and exactly what came back later`(permits: Int) async throws {
        let clock = ManualClock()
        let limiter = TokenBucket(.perSecond(20, burst: 640), clock: clock)
        for (time, expected) in [(Duration.zero, 640), (.milliseconds(2), 0), (.seconds(1), 20), (.seconds(33), 640)] {
            clock.set(to: .init(offset: time))
            let admitted = await withTaskGroup { group in
                for _ in 0..<64 {
                    group.addTask { (0..<100).count { _ in (try? limiter.tryAcquire(permits).allowed) == true } }
                }
                return await group.reduce(0, +)
            }
            #expect(admitted * permits == expected)
        }
    }
}
