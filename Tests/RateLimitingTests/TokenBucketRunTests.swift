// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import ReliabilityTesting
import Testing

@Suite struct TokenBucketRunTests {
    private struct Declined: Error, Equatable {}

    private let clock = ManualClock()
    private let events = Recorder<RateLimitEvent>()

    private func makeLimiter(_ limit: RateLimit, name: String = "outer") -> TokenBucket {
        TokenBucket(limit, name: name, clock: clock) { [events] in events.append($0) }
    }

    @Test func `the operation's value and its error come out unchanged and cost a permit`() async throws {
        let limiter = makeLimiter(.perSecond(2))
        #expect(try await limiter.run { 7 } == 7)
        await #expect(throws: Declined()) { try await limiter.run { throw Declined() } }
        #expect(limiter.peek().remaining == 0)
        await #expect(throws: RateLimited(limiter: "outer", retryAfter: .milliseconds(500))) {
            try await limiter.run { Issue.record("ran without a permit") }
        }
        #expect(events.all.map(\.kind) == [.denied(permits: 1, retryAfter: .milliseconds(500))])
    }

    @Test func `what an inner policy refused gives the permit back exactly`() async throws {
        let outer = makeLimiter(.perSecond(3))
        let pipeline = Pipeline {
            outer
            makeLimiter(.perMinute(1), name: "inner")
        }
        #expect(pipeline.layers.count == 2)
        try await pipeline.run {}
        clock.advance(by: .nanoseconds(333_333_333))
        let before = outer.peek().resetAfter
        #expect(before == .nanoseconds(1))
        for _ in 0..<5 {
            await #expect(throws: RateLimited.self) { try await pipeline.run {} }
            #expect(outer.peek().resetAfter == before)
        }
        #expect(events.all.filter { $0.kind == .refunded(permits: 1) && $0.limiter == "outer" }.count == 5)
    }

    @Test func `grants that are given back in reverse order leave the limiter as if they had never been`() async throws
    {
        let limiter = makeLimiter(.perSecond(4))
        let refusal = RateLimited(limiter: "far", retryAfter: nil)
        await #expect(throws: refusal) {
            try await limiter.run { try await limiter.run { throw refusal } }
        }
        #expect(limiter.peek().resetAfter == .zero)
        #expect(events.all.count == 2)
    }

    @Test func `a permit stays consumed if somebody took one since, so that no instant sees more than the burst`()
        async throws
    {
        let limiter = makeLimiter(.perSecond(1))
        let refusal = RateLimited(limiter: "far", retryAfter: nil)
        await #expect(throws: refusal) {
            try await limiter.run {
                clock.advance(by: .seconds(1))
                #expect(limiter.tryAcquire().allowed)
                throw refusal
            }
        }
        #expect(limiter.tryAcquire().retryAfter == .seconds(1))
        #expect(!events.all.contains { $0.kind == .refunded(permits: 1) })
    }

    @Test func `run waits up to the limit of the limiter`() async throws {
        let limiter = TokenBucket(.perSecond(1), maximumWait: .seconds(1), clock: clock)
        try await limiter.run {}
        async let second = limiter.run { 2 }
        await clock.waitForSleepers(1)
        await #expect(throws: RateLimited.self) { try await limiter.run {} }
        clock.advance(by: .seconds(1))
        #expect(try await second == 2)
    }
}
