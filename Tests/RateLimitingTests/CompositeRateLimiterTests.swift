// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import ReliabilityTesting
import Testing

@MainActor @Suite(.timeLimit(.minutes(10))) struct CompositeRateLimiterTests {
    let clock = ManualClock()
    let events = Recorder<RateLimitEvent>()

    private func bucket(_ name: String, _ limit: RateLimit, mode: RateLimitMode = .enforced) -> TokenBucket {
        TokenBucket(limit, name: name, mode: mode, clock: clock) { [events] in events.append($0) }
    }

    @Test func `permits are taken from all or from none, and the decision says who denied (L32)`() throws {
        let (tenant, user) = (bucket("tenant", .per(.nanoseconds(100), 10)), bucket("user", .per(.nanoseconds(10), 5)))
        for order in [[tenant, user], [user, tenant]] {
            clock.advance(by: .seconds(1))
            _ = try tenant.tryAcquire(9)
            _ = try user.tryAcquire(3)
            let limiter = CompositeRateLimiter(order)
            // One and two are left, three are asked for: 20 and 2 nanoseconds.
            let decision = try limiter.tryAcquire(3)
            #expect(!decision.allowed && decision.denied == ["tenant", "user"] && decision.remaining == 1)
            #expect(decision.retryAfter == .nanoseconds(20) && decision.tightest?.limiter == "tenant")
            #expect(decision.parts.map(\.limiter) == order.map(\.name))
            #expect(tenant.peek().remaining == 1 && user.peek().remaining == 2, "nothing was taken")
            clock.advance(by: .nanoseconds(19))
            #expect(try limiter.tryAcquire(3).denied == ["tenant"] && user.peek().remaining == 5)
            clock.advance(by: .nanoseconds(1))
            #expect(try limiter.peek(3).allowed)
            let allowed = try limiter.tryAcquire(3)
            #expect(allowed.allowed && allowed.retryAfter == nil && allowed.denied.isEmpty && allowed.remaining == 0)
            #expect(allowed.tightest?.limiter == "tenant" && allowed.parts.allSatisfy { $0.decision.allowed })
            #expect(tenant.peek().remaining == 0 && user.peek().remaining == 2)
        }
        let denials = events.all.filter { if case .denied = $0.kind { true } else { false } }
        #expect(denials.map(\.limiter).sorted() == ["tenant", "tenant", "tenant", "tenant", "user", "user"])
    }

    @Test func `who asks for more than one of them can give is told so, and who only watches has no say`() throws {
        let (small, watched) = (bucket("small", .perSecond(2)), bucket("watched", .perSecond(1), mode: .shadow))
        let limiter = CompositeRateLimiter([watched, small])
        #expect(throws: ExceedsCapacity(requested: 3, capacity: 2)) { try limiter.tryAcquire(3) }
        #expect(throws: ExceedsCapacity(requested: 3, capacity: 2)) { try limiter.peek(3) }
        #expect(throws: ExceedsCapacity(requested: 3, capacity: 2)) { try limiter.reserve(3) }
        #expect(try limiter.tryAcquire(2).allowed && small.peek().remaining == 0 && watched.peek().remaining == 1)
        #expect(events.all == [RateLimitEvent(limiter: "watched", kind: .wouldDeny(permits: 2, retryAfter: nil))])
        let used = CompositeRateLimiter([watched])
        for _ in 0..<3 { #expect(used.tryAcquire().allowed) }
        #expect(watched.peek().resetAfter == .seconds(1), "what is over the limit takes nothing")
        let denied = limiter.tryAcquire()
        #expect(denied.denied == ["small"] && denied.parts.map(\.decision.allowed) == [true, false])
        #expect(limiter.summary.hasPrefix("CompositeRateLimiter: TokenBucket watched: 1 per 1.0 seconds"))
        #expect(CompositeRateLimiter([bucket("off", .zero)]).tryAcquire().retryAfter == nil)
    }

    @Test(arguments: (0..<120).map { UInt64($0) &* 53 &+ 11 })
    func `all agree exactly when each would, and a reported wait is exact from both sides`(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let period = Int64.random(in: 2...1_000, using: &random)
        let limiters = Algorithm.allCases.shuffled(using: &random).prefix(3).map { algorithm in
            let permits = Int.random(in: 2...9, using: &random)
            return algorithm.limiter(
                .per(.nanoseconds(Int64.random(in: 1...period, using: &random)), permits, burst: permits), clock: clock,
                .init(maximumWait: .nanoseconds(20 * period)))
        }
        let limiter = CompositeRateLimiter(limiters, maximumWait: .nanoseconds(20 * period))
        func states() -> [Int] { limiters.map { $0.peek().remaining } }
        for _ in 0..<40 {
            clock.advance(by: .nanoseconds(Int64.random(in: 0...period / 2, using: &random)))
            // Some have obligations of their own.
            let other = limiters[Int.random(in: 0..<3, using: &random)]
            if Bool.random(using: &random) { _ = try? other.reserve(1, within: nil) }
            let permits = Int.random(in: 1...2, using: &random)
            let (each, before, start) = (limiters.map { try? $0.peek(permits).allowed }, states(), clock.now)
            let decision = try limiter.tryAcquire(permits)
            try #require(decision.allowed == each.allSatisfy { $0 == true }, "seed \(seed)")
            guard let wait = decision.retryAfter?.nanosecondsRoundedUp else { continue }
            try #require(states() == before, "seed \(seed)")
            for moment in Set([0, wait / 2, wait - 1]).sorted() {
                clock.set(to: start.advanced(by: .nanoseconds(moment)))
                let wait = try limiter.peek(permits).retryAfter
                try #require(wait == (decision.retryAfter ?? .zero) - .nanoseconds(moment), "seed \(seed)")
            }
            let reservation = try? limiter.reserve(permits)
            try #require(reservation == nil || reservation?.delay == .nanoseconds(1), "seed \(seed)")
            reservation?.cancel()
            clock.set(to: start.advanced(by: .nanoseconds(wait)))
            try #require(try limiter.tryAcquire(permits).allowed, "seed \(seed)")
        }
    }

    @Test func `64 tasks with limits in common get exactly what there is, whatever the order of the limits`() async {
        let (a, b) = (bucket("a", .perMinute(500)), FixedWindow(.perMinute(300), clock: clock))
        let keys = KeyedRateLimiter<Int>(.perMinute(40), maximumKeys: 10_000, clock: clock)
        let composites = [[a, b], [b, a], [b, a], [a, b]] as [[any RateLimiter]]
        let admitted = await withTaskGroup(of: (Int, Int).self) { group in
            for task in 0..<64 {
                group.addTask {
                    let key = keys.limiter(for: task % 16)
                    var limiters = composites[task % 4]
                    limiters.insert(key, at: task % 3)
                    let limiter = CompositeRateLimiter(limiters)
                    return (task % 16, (0..<30).count { _ in limiter.tryAcquire().allowed })
                }
            }
            var sums: [Int: Int] = [:]
            for await (key, count) in group { sums[key, default: 0] += count }
            return sums
        }
        #expect(admitted.values.reduce(0, +) == 300 && admitted.values.allSatisfy { $0 <= 40 })
        #expect(a.peek().remaining == 200 && b.peek().remaining == 0)
        for key in 0..<16 { #expect(keys.peek(key).remaining == 40 - (admitted[key] ?? 0)) }
    }

    @Test func `a key comes with its first call, and one that finds no room is denied`() throws {
        let keys = KeyedRateLimiter<String>(.perSecond(1), name: "keys", maximumKeys: 1, clock: clock)
        let all = bucket("all", .perSecond(9))
        let first = CompositeRateLimiter([keys.limiter(for: "a"), all])
        #expect(first.tryAcquire().allowed && first.tryAcquire().denied == ["keys"])
        let second = CompositeRateLimiter([all, keys.limiter(for: "b")])
        #expect(second.tryAcquire().denied == ["keys"] && second.tryAcquire().retryAfter == nil)
        #expect(try second.tryAcquire(2).retryAfter == nil, "more than all such keys share is no error of a key")
        #expect(all.peek().remaining == 8 && keys.keyCount == 1)
    }

    @Test func `a wait is the longest, in order, and what is not used comes back everywhere`() async throws {
        let (tenant, user) = (bucket("tenant", .every(.seconds(2))), bucket("user", .every(.seconds(1), burst: 2)))
        let limiter = CompositeRateLimiter([tenant, user], maximumWait: .seconds(100))
        try await limiter.acquire()
        var tasks: [Task<Void, any Error>] = []
        for _ in 0..<3 {
            tasks.append(Task { try await limiter.acquire() })
            await Task {}.value
        }
        await clock.waitForSleepers(3)
        #expect(clock.nextWake == .seconds(2))
        #expect(tenant.tryAcquire().retryAfter == .seconds(8))
        await #expect(throws: RateLimited(limiter: "tenant", retryAfter: .seconds(8))) {
            try await limiter.acquire(within: .seconds(7))
        }
        try await Deadline.after(.seconds(8), clock: clock).run {
            _ = await #expect(throws: RateLimited.self) { try await limiter.acquire() }
        }
        tasks[1].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[1].value }
        // The place in the middle is there for the next, and the others keep theirs.
        #expect(try limiter.reserve().delay == .seconds(4))
        clock.advance(by: .seconds(2))
        try await tasks[0].value
        clock.advance(by: .seconds(4))
        try await tasks[2].value

        clock.advance(by: .seconds(60))
        await #expect(throws: RateLimited(limiter: "far", retryAfter: nil)) {
            try await limiter.run { throw RateLimited(limiter: "far", retryAfter: nil) }
        }
        #expect(tenant.peek().remaining == 1 && user.peek().remaining == 2)
        #expect(try await limiter.run { 3 } == 3)
        #expect(tenant.peek().remaining == 0 && user.peek().remaining == 1)
    }

    @Test func `what lies ahead is taken from all, also from those that would have it earlier`() throws {
        let (tenant, user) = (bucket("tenant", .every(.seconds(2))), bucket("user", .every(.seconds(1), burst: 2)))
        let limiter = CompositeRateLimiter([tenant, user], maximumWait: .seconds(9))
        #expect(limiter.tryAcquire().allowed && user.peek().remaining == 1)
        let ahead = try limiter.reserve()
        #expect(ahead.delay == .seconds(2) && user.peek().remaining == 0)
        ahead.cancel()
        #expect(user.peek().remaining == 1 && tenant.peek().retryAfter == .seconds(2))
    }

    @Test func `what somebody who waits has not taken yet is not for others`() async throws {
        let tenant = bucket("tenant", .every(.seconds(1), burst: 3))
        let limiter = CompositeRateLimiter([tenant, bucket("user", .perSecond(100))])
        _ = try tenant.tryAcquire(3)
        let waiting = Task { try await tenant.acquire(within: .seconds(9)) }
        await clock.waitForSleepers(1)
        // The waiter is woken here, but cannot go on before this task suspends.
        clock.advance(by: .seconds(10))
        #expect(limiter.tryAcquire().denied == ["tenant"] && limiter.peek().retryAfter == .nanoseconds(1))
        try await waiting.value
        #expect(limiter.tryAcquire().allowed)
    }

    @Test func `who waits for one of them comes first, and as many reservations lie ahead as may`() async throws {
        let tenant = TokenBucket(.every(.seconds(1)), name: "tenant", maximumWaiters: 2, clock: clock)
        let limiter = CompositeRateLimiter([tenant, bucket("user", .perSecond(100))], maximumWait: .seconds(100))
        _ = tenant.tryAcquire()
        let waiting = Task { try await tenant.acquire(within: .seconds(9)) }
        await clock.waitForSleepers(1)
        #expect(try limiter.reserve().delay == .seconds(2))
        #expect(limiter.tryAcquire().retryAfter == .seconds(3))
        #expect(try limiter.reserve().delay == .seconds(3))
        #expect(throws: RateLimited(limiter: "tenant", retryAfter: nil)) { try limiter.reserve() }
        #expect(limiter.tryAcquire().retryAfter == .seconds(4))
        clock.advance(by: .seconds(1))
        try await waiting.value
    }
}
