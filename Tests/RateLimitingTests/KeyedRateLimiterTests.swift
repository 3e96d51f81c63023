// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import RateLimiting
import ReliabilityTesting
import Synchronization
import Testing

@MainActor @Suite(.timeLimit(.minutes(10))) struct KeyedRateLimiterTests {
    let clock = ManualClock()
    let events = Recorder<RateLimitEvent>()

    nonisolated static let algorithms: [(Algorithm, RateLimitAlgorithm)] = [
        (.tokenBucket, .tokenBucket), (.log, .slidingWindowLog), (.counter, .slidingWindowCounter),
        (.fixedWindow, .fixedWindow), (.leakyBucket, .leakyBucket),
    ]
    nonisolated static let seeded = algorithms.flatMap { pair in
        (0..<30).map { (pair.0, pair.1, UInt64($0) &* 97 &+ 3) }
    }

    @Test(arguments: seeded)
    func `a key is limited as if it had a limiter of its own, and nobody notices that it was forgotten`(
        algorithm: Algorithm, kind: RateLimitAlgorithm, seed: UInt64
    ) throws {
        var random = RandomSource.seeded(seed)
        let period = Int64.random(in: 1...2_000, using: &random)
        let limits = (0..<3).map { _ in
            let permits = Int.random(in: 1...9, using: &random)
            return RateLimit.per(.nanoseconds(period), permits, burst: Int.random(in: 1...9, using: &random))
        }
        let keyed = KeyedRateLimiter<Int>(algorithm: kind, maximumWait: .nanoseconds(9 * period), clock: clock) {
            limits[$0 % 3]
        }
        let own = (0..<25).map {
            algorithm.limiter(limits[$0 % 3], clock: clock, .init(maximumWait: .nanoseconds(9 * period)))
        }
        var reservations: [(RateLimitReservation, RateLimitReservation)] = []
        for step in 0..<600 {
            clock.advance(by: .nanoseconds(Int64.random(in: 0...period / 3, using: &random)))
            let key = Int.random(in: 0..<25, using: &random)
            let model = own[key]
            let permits = Int.random(in: 1...algorithm.capacity(limits[key % 3]), using: &random)
            let place: Comment = "seed \(seed), step \(step), key \(key), \(permits) permits"
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let (a, b) = (keyed.tryAcquire(key), model.tryAcquire())
                try #require(a.allowed == b.allowed && a.retryAfter == b.retryAfter, place)
                try #require(a.remaining == b.remaining && a.resetAfter == b.resetAfter && a.limit == b.limit, place)
            case 5:
                let (a, b) = (try keyed.tryAcquire(key, permits), try model.tryAcquire(permits))
                try #require(a.allowed == b.allowed && a.retryAfter == b.retryAfter, place)
            case 6:
                let (a, b) = (keyed.peek(key), model.peek())
                try #require(a.remaining == b.remaining && a.retryAfter == b.retryAfter, place)
            case 7:
                let a = try? keyed.reserve(key, permits)
                let b = try? model.reserve(permits, within: nil)
                try #require(a?.delay == b?.delay, place)
                if let a, let b { reservations.append((a, b)) }
            case 8:
                guard let pair = reservations.randomElement(using: &random) else { continue }
                let permits = Int.random(in: 1...3, using: &random)
                pair.0.refund(permits)
                pair.1.refund(permits)
            default:
                keyed.removeFresh()
            }
        }
    }

    @Test(arguments: algorithms)
    func `every key has its own permits, and is forgotten as soon as it is as good as new (L10)`(
        algorithm: Algorithm, kind: RateLimitAlgorithm
    ) throws {
        let limiter = KeyedRateLimiter<String>(.perSecond(1), algorithm: kind, clock: clock)
        for (name, at) in [("foo", 0), ("bar", 200), ("baz", 800)] {
            clock.set(to: .init(offset: .milliseconds(at)))
            #expect(limiter.tryAcquire(name).allowed && !limiter.tryAcquire(name).allowed)
        }
        #expect(limiter.keyCount == 3 && limiter.removeFresh() == 0)
        let ends =
            switch algorithm {
            case .tokenBucket, .leakyBucket, .log: [1_000, 1_200, 1_800]
            case .fixedWindow: [1_000, 1_000, 1_000]
            case .counter: [2_000, 2_000, 2_000]
            }
        for end in Set(ends).sorted() {
            clock.set(to: .init(offset: .milliseconds(end) - .nanoseconds(1)))
            #expect(limiter.removeFresh() == 0)
            clock.advance(by: .nanoseconds(1))
            #expect(limiter.removeFresh() == ends.count { $0 == end })
        }
        #expect(limiter.keyCount == 0)
        #expect(limiter.tryAcquire("foo").allowed)
    }

    @Test(arguments: algorithms)
    func `there are never more keys than may be, and none that is in use makes room`(
        algorithm: Algorithm, kind: RateLimitAlgorithm
    ) throws {
        let limiter = KeyedRateLimiter<Int>(
            .per(.seconds(10), 1), algorithm: kind, name: "tenants", maximumKeys: 3, clock: clock
        ) { [events] in events.append($0) }
        for key in 0..<3 { #expect(limiter.tryAcquire(key).allowed) }
        let denied = limiter.tryAcquire(3)
        #expect(!denied.allowed && denied.retryAfter == nil && denied.limit == 0 && denied.remaining == 0)
        #expect(try !limiter.tryAcquire(3, 1).allowed && !limiter.peek(3).allowed)
        #expect(throws: RateLimited(limiter: "tenants", retryAfter: nil)) { try limiter.reserve(3) }
        for key in 0..<3 { #expect(!limiter.tryAcquire(key).allowed, "in use, so not forgotten") }
        #expect(limiter.keyCount == 3)
        let kinds = events.all.map(\.kind)
        #expect(kinds.prefix(2) == [.overflowed, .denied(permits: 1, retryAfter: nil)])
        #expect(kinds.count { $0 == .overflowed } == 3)

        clock.advance(by: .seconds(20))
        #expect(limiter.peek(3).allowed && limiter.keyCount == 3)
        for key in 3..<6 { #expect(limiter.tryAcquire(key).allowed, "in the place of one that is as good as new") }
        #expect(limiter.keyCount == 3 && !limiter.tryAcquire(0).allowed)
    }

    @Test func `keys that find no room share what is left for them`() async throws {
        let limiter = KeyedRateLimiter<Int>(
            .per(.seconds(100), 5), name: "tenants", maximumKeys: 1, overflow: .perSecond(2), maximumWait: .seconds(9),
            clock: clock
        ) { [events] in events.append($0) }
        _ = limiter.tryAcquire(0)
        #expect(throws: ExceedsCapacity(requested: 6, capacity: 5)) { try limiter.tryAcquire(0, 6) }
        #expect(limiter.tryAcquire(1).allowed)
        try await limiter.acquire(2)
        #expect(events.all.map(\.kind) == [.overflowed, .overflowed])
        let denied = limiter.tryAcquire(3)
        #expect(denied.retryAfter == .milliseconds(500) && denied.limit == 2)
        #expect(try limiter.tryAcquire(3, 4).retryAfter == nil, "more than all share is no error of a key")
        let task = Task { try await limiter.acquire(4) }
        await clock.waitForSleepers(1)
        #expect(limiter.tryAcquire(5).retryAfter == .seconds(1), "the line is shared too")
        clock.advance(by: .milliseconds(500))
        try await task.value
        let reservation = try limiter.reserve(6)
        #expect(reservation.delay == .milliseconds(500))
        // There is room by now, but who has permits of those that are shared gives them back there.
        clock.advance(by: .seconds(100))
        reservation.cancel()
        #expect(limiter.tryAcquire(6).limit == 5)
    }

    @Test func `whoever offers many keys gets what the bound lets him have, and the rest is limited as ever`() throws {
        #if DEBUG
        let attempts = 300_000
        #else
        let attempts = 10_000_000
        #endif
        let maximum = 20_000
        let limiter = KeyedRateLimiter<Int>(.per(.seconds(60), 10), maximumKeys: maximum, clock: clock)
        for _ in 0..<10 { #expect(limiter.tryAcquire(-1).allowed) }
        var attacker = 0
        for key in 0..<attempts {
            if limiter.tryAcquire(key).allowed { attacker += 1 }
            if key.isMultiple(of: 1_000) {
                #expect(!limiter.tryAcquire(-1).allowed)
                try #require(limiter.keyCount <= maximum)
            }
        }
        #expect(attacker == maximum - 1)
        // A permit comes back every 6 seconds; by then the attacker's keys make room for others, the known key does not.
        clock.advance(by: .seconds(6))
        #expect(limiter.tryAcquire(-1).allowed && !limiter.tryAcquire(-1).allowed)
        for key in 0..<100_000 { _ = limiter.tryAcquire(attempts + key) }
        #expect(!limiter.tryAcquire(-1).allowed && limiter.keyCount <= maximum)
        clock.advance(by: .seconds(60))
        #expect(limiter.removeFresh() > maximum * 9 / 10)
        #expect(limiter.keyCount == 0)
    }

    @Test func `a reservation of a key that was forgotten since is taken for no other`() throws {
        let limiter = KeyedRateLimiter<Int>(.perSecond(1), maximumWait: .seconds(9), clock: clock)
        func ahead() throws -> RateLimitReservation {
            _ = limiter.tryAcquire(1)
            return try limiter.reserve(1)
        }
        let old = try ahead()
        #expect(limiter.removeFresh() == 0)
        clock.advance(by: .seconds(9))
        #expect(limiter.removeFresh() == 1)
        let new = try ahead()
        old.cancel()
        #expect(limiter.peek(1).retryAfter == .seconds(2))
        new.cancel()
        #expect(limiter.peek(1).retryAfter == .seconds(1))
    }

    @Test func `what is held of a key that was forgotten is taken for nothing of those that find no room`() throws {
        let limiter = KeyedRateLimiter<Int>(
            .perSecond(1), maximumKeys: 1, overflow: .perSecond(1), maximumWait: .seconds(9), clock: clock
        ) { [events] in events.append($0) }
        let view = limiter.limiter(for: 1)
        let held = try [limiter.reserve(1), view.reserve(), view.reserve()]
        clock.advance(by: .seconds(60))
        #expect(limiter.tryAcquire(2).allowed, "in the place of a key whose reservations have lapsed")
        #expect(view.tryAcquire().allowed, "of what is shared")
        for second in 1...3 { #expect(try limiter.reserve(3).delay == .seconds(second)) }
        let count = events.all.count
        for reservation in held { reservation.cancel() }
        #expect(events.all.count == count && limiter.peek(3).retryAfter == .seconds(4))
    }

    @Test func `a view that found no room finds it when there is, and gives back where it took`() throws {
        let limiter = KeyedRateLimiter<Int>(
            .per(.seconds(100), 1), maximumKeys: 1, overflow: .per(.seconds(1_000), 7), clock: clock)
        let view = limiter.limiter(for: 2)
        let both = CompositeRateLimiter([view, TokenBucket(.unlimited)])
        _ = limiter.tryAcquire(1)
        let held = try [view.reserve(), both.reserve()]
        #expect(view.limit.permits == 7 && view.peek().remaining == 5 && both.peek().remaining == 5)
        #expect(view.peek().overflowed && both.peek().parts.map(\.decision.overflowed) == [true, false])
        #expect(limiter.peek(2).overflowed && limiter.peek(2).resetAfter == view.peek().resetAfter)
        #expect(try limiter.peek(2, 8).overflowed && view.tryAcquire(8).overflowed)
        #expect(try limiter.tryAcquire(2, 8).overflowed && !limiter.tryAcquire(1).overflowed)
        clock.advance(by: .seconds(100))
        #expect(view.limit.permits == 1 && !view.peek().overflowed && view.peek().limit == 1)
        #expect(both.tryAcquire().remaining == 0)
        #expect(!view.tryAcquire().allowed, "one key, however it is asked")
        for reservation in held { reservation.cancel() }
        #expect(!view.tryAcquire().allowed)
        #expect(limiter.tryAcquire(3).remaining == 6)
    }

    @Test func `a reservation is taken for no other, also if other keys had theirs before`() throws {
        // So few keys share one lock.
        let limiter = KeyedRateLimiter<Int>(maximumKeys: 9, maximumWait: .seconds(200), clock: clock) {
            .every(.seconds($0))
        }
        _ = limiter.tryAcquire(100)
        _ = try limiter.reserve(100)
        _ = limiter.tryAcquire(1)
        let old = try limiter.reserve(1)
        _ = limiter.peek(100)
        clock.advance(by: .seconds(9))
        #expect(limiter.removeFresh() == 1)
        _ = limiter.tryAcquire(1)
        #expect(try limiter.reserve(1).delay == .seconds(1))
        old.cancel()
        #expect(limiter.peek(1).retryAfter == .seconds(2))
    }

    @Test func `a key whose limit stays the same can be given back what was taken before`() throws {
        let limiter = KeyedRateLimiter<Int>(maximumWait: .seconds(200), clock: clock) { _ in .every(.seconds(10)) }
        let held = [try limiter.reserve(1), try limiter.reserve(1)]
        clock.advance(by: .seconds(11))
        #expect(limiter.peek(1).retryAfter == .seconds(9))
        limiter.refreshLimits()
        held[1].cancel()
        #expect(limiter.peek(1).allowed)
    }

    @Test func `keys that are forgotten as others come are not counted any more`() {
        let limiter = KeyedRateLimiter<Int>(.perSecond(1), clock: clock)
        for key in 0..<20_000 {
            _ = limiter.tryAcquire(key)
            clock.advance(by: .milliseconds(61))
        }
        #expect(limiter.keyCount < 10_000)
        clock.advance(by: .seconds(1))
        limiter.removeFresh()
        #expect(limiter.keyCount == 0)
    }

    @Test func `nobody puts in a key with a limit that was looked up before limits change`() {
        var shard = KeyShard<Int, GCRA>(GCRA(.zero))
        _ = shard.insert(1, tag: 1, .perSecond(1), at: 0)
        let epoch = shard.epoch
        #expect(shard.keysToChange(in: 2) == [1] && shard.epoch > epoch)
        #expect(shard.keysToChange(in: 1) == nil, "a change that began earlier leaves the keys to the later one")
        _ = shard.change(in: 1, at: 0, .keep, to: { _ in .perSecond(5) }) { _, _ in CancellationError() }
        #expect(shard.withState(of: 1, tag: 1) { $0.core.limit } == .perSecond(1))
    }

    @Test func `limits are looked up when a key comes, and anew when they are to be`() async throws {
        let lookups = Recorder<String>()
        let plan = Locked(["small": RateLimit.per(.seconds(10), 2), "large": .per(.seconds(10), 8)])
        let limiter = KeyedRateLimiter<String>(maximumWait: .seconds(60), clock: clock) { key in
            lookups.append(key)
            return plan.withLock { $0[key] ?? .zero }
        }
        for _ in 0..<2 { #expect(limiter.tryAcquire("small").allowed && limiter.tryAcquire("large").allowed) }
        #expect(!limiter.tryAcquire("small").allowed && limiter.peek("large").remaining == 6)
        #expect(!limiter.tryAcquire("nobody").allowed)
        #expect(lookups.all == ["small", "large", "nobody"])
        #expect(limiter.limiter(for: "large").limit == .per(.seconds(10), 8))

        let held = try limiter.reserve("large")
        let waiting = Task { try await limiter.acquire("small") }
        await clock.waitForSleepers(1)
        #expect(clock.nextWake == .seconds(5))
        plan.withLock { $0 = ["small": .per(.seconds(10), 4), "large": .per(.seconds(10), 4)] }
        limiter.refreshLimits()
        try await waiting.value
        #expect(lookups.all.count == 6)
        #expect(limiter.peek("small").remaining == 1 && limiter.peek("large").remaining == 1)
        held.cancel()
        #expect(limiter.peek("large").remaining == 1, "a grant under another limit does not come back")

        limiter.reconfigure(.perMinute(60), consumed: .scale)
        #expect(limiter.peek("small").remaining == 15 && limiter.limiter(for: "new").limit == .perMinute(60))
        #expect(limiter.tryAcquire("new").remaining == 59)
        #expect(lookups.all.count == 6)
    }

    @Test func `a key that is looked up while the limits change gets the new one`() throws {
        let limiters = Recorder<KeyedRateLimiter<Int>>()
        let limiter = KeyedRateLimiter<Int>(clock: clock) { key in
            limiters.all.first?.reconfigure(.perSecond(7))
            return .perSecond(1)
        }
        limiters.append(limiter)
        #expect(limiter.tryAcquire(1).limit == 7)
    }

    @Test(arguments: algorithms)
    func `who waits for a key is served in order, and other keys are not kept waiting`(
        algorithm: Algorithm, kind: RateLimitAlgorithm
    ) async throws {
        let limiter = KeyedRateLimiter<String>(
            .perSecond(1), algorithm: kind, name: "tenants", maximumKeys: 2, maximumWait: .seconds(100), clock: clock
        ) { [events] in events.append($0) }
        try await limiter.acquire("a")
        let served = Recorder<Int>()
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<3 {
            tasks.append(
                Task {
                    try await limiter.run("a") {}
                    served.append(number)
                })
            await Task {}.value
        }
        #expect(!limiter.tryAcquire("a").allowed && limiter.tryAcquire("b").allowed)
        tasks[1].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[1].value }
        for number in [0, 2] {
            await clock.waitForSleepers(1)
            clock.advance(by: clock.nextWake ?? .zero)
            try await tasks[number].value
        }
        #expect(served.all == [0, 2])
        #expect(
            limiter.limiter(for: "a").summary
                == "KeyedRateLimiter tenants: 1 per 1.0 seconds, burst 1, waits up to 100.0 seconds")
        clock.advance(by: .seconds(9))
        #expect(limiter.removeFresh() == 2 && limiter.keyCount == 0)
        await #expect(throws: RateLimited(limiter: "far", retryAfter: nil)) {
            try await limiter.run("a") { throw RateLimited(limiter: "far", retryAfter: nil) }
        }
        #expect(limiter.peek("a").resetAfter == .zero && events.all.last?.kind == .refunded(permits: 1))
    }

    @Test func `a limiter of keys that watches lets everything through`() throws {
        let limiter = KeyedRateLimiter<Int>(.perSecond(1), name: "t", maximumKeys: 1, mode: .shadow, clock: clock) {
            [events] in events.append($0)
        }
        for key in [1, 1, 2] { #expect(limiter.tryAcquire(key).allowed) }
        #expect(try limiter.tryAcquire(2, 3).allowed)
        #expect(
            events.all.map(\.kind) == [
                .wouldDeny(permits: 1, retryAfter: .seconds(1)), .overflowed, .wouldDeny(permits: 1, retryAfter: nil),
                .overflowed, .wouldDeny(permits: 3, retryAfter: nil),
            ])
        #expect(limiter.mode == .shadow && limiter.name == "t")
        limiter.mode = .enforced
        #expect(!limiter.tryAcquire(1).allowed)
    }

    @Test(arguments: algorithms)
    func `64 tasks get exactly what there is of each key`(algorithm: Algorithm, kind: RateLimitAlgorithm) async {
        let limiter = KeyedRateLimiter<String>(
            .per(.seconds(60), 100, burst: 100), algorithm: kind, maximumKeys: 4_096, clock: clock)
        let admitted = await withTaskGroup(of: Int.self) { group in
            for task in 0..<64 {
                group.addTask {
                    (0..<300).count { number in
                        if number.isMultiple(of: 50) { limiter.removeFresh() }
                        // Keys that come and go are in the same shards.
                        return limiter.tryAcquire("key \((number + task) % 20)").allowed
                    }
                }
            }
            var sum = 0
            for await admitted in group { sum += admitted }
            return sum
        }
        #expect(admitted == 20 * (algorithm == .leakyBucket ? 1 : 100) && limiter.keyCount == 20)
    }

    @Test func `a clock that steps back lets time stand still for all keys of a shard`() throws {
        let limiter = KeyedRateLimiter<Int>(
            .per(.seconds(10), 2), algorithm: .slidingWindowLog, maximumKeys: 9, clock: clock)
        clock.advance(by: .seconds(30))
        #expect(limiter.tryAcquire(1).allowed)
        clock.set(to: .init(offset: .seconds(5)))
        #expect(limiter.tryAcquire(2).allowed && limiter.tryAcquire(1).allowed)
        #expect(limiter.tryAcquire(1).retryAfter == .seconds(35))
        clock.set(to: .init(offset: .seconds(39)))
        #expect(!limiter.tryAcquire(1).allowed && limiter.peek(2).remaining == 1)
    }

    @Test(arguments: [1, 5, 1_000, 100_000]) func `any number of keys may be bound`(maximum: Int) {
        let limiter = KeyedRateLimiter<UInt64>(.perMinute(1), maximumKeys: maximum, clock: clock)
        for key in 0..<UInt64(min(maximum, 5_000) + 50) { _ = limiter.tryAcquire(key) }
        #expect(limiter.keyCount == min(maximum, 5_050))
    }

    @Test func `a clock that steps back gives no key a permit more, however it is asked`() throws {
        let limiter = KeyedRateLimiter<Int>(.perSecond(2), algorithm: .slidingWindowLog, clock: clock)
        let view = limiter.limiter(for: 1)
        #expect(try view.tryAcquire(0).allowed)
        clock.set(to: .init(offset: .seconds(10)))
        #expect(view.tryAcquire().allowed)
        clock.set(to: .init(offset: .seconds(5)))
        #expect(limiter.tryAcquire(1).allowed)
        clock.set(to: .init(offset: .seconds(6)))
        #expect(try !limiter.tryAcquire(1, 2).allowed, "time stands still until ten seconds")
    }

    @Test func `of changes at one time the one that began last is that of all keys`() {
        let limiters = Recorder<KeyedRateLimiter<Int>>()
        let isArmed = Locked(false)
        let limiter = KeyedRateLimiter<Int>(clock: clock) { key in
            let comes = isArmed.withLock { isArmed in
                defer { isArmed = false }
                return isArmed
            }
            // Another change comes while this one looks up.
            if comes { limiters.all.first?.reconfigure(.perSecond(7)) }
            return .perSecond(1)
        }
        limiters.append(limiter)
        _ = limiter.tryAcquire(1)
        isArmed.withLock { $0 = true }
        limiter.refreshLimits()
        #expect(limiter.limiter(for: 1).limit == .perSecond(7) && limiter.limiter(for: 2).limit == .perSecond(7))
    }

    @Test func `another limit for all keys is an event, and limits that are looked up are none`() {
        let limiter = KeyedRateLimiter<Int>(.perSecond(1), clock: clock) { [events] in events.append($0) }
        limiter.reconfigure(.perSecond(2))
        limiter.refreshLimits()
        #expect(events.all.map(\.kind) == [.reconfigured(from: .perSecond(1), to: .perSecond(2))])
    }
}
