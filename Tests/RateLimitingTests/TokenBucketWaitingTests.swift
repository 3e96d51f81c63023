// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import RateLimiting
import ReliabilityTesting
import Synchronization
import Testing

/// The line of those who wait: who is served when, who is refused, and what a cancellation leaves behind.
@MainActor @Suite(.timeLimit(.minutes(10))) struct TokenBucketWaitingTests {
    let clock = ManualClock()
    let events = Recorder<RateLimitEvent>()
    let granted = Recorder<String>()

    private func makeLimiter(_ limit: RateLimit = .perSecond(1), maximumWaiters: Int = 1_000) -> TokenBucket {
        TokenBucket(limit, name: "line", maximumWaiters: maximumWaiters, clock: clock) { [events] in events.append($0) }
    }

    /// Starts a waiter and returns when it stands in the line.
    ///
    /// Both tasks are on the main actor, whose jobs run in order, and a waiter joins the line before it first suspends.
    private func wait(
        _ name: String, on limiter: TokenBucket, _ permits: Int = 1, within: Duration = .seconds(100)
    ) async -> Task<Void, any Error> {
        let task = Task {
            try await limiter.acquire(permits, within: within)
            granted.append(name)
        }
        await Task {}.value
        return task
    }

    /// Moves the clock to the moment at which the head's permits are there: it is not woken a nanosecond before.
    private func advance(toGrantOf head: Task<Void, any Error>) async throws {
        await clock.waitForSleepers(1)
        #expect(clock.sleeperCount == 1, "only the head sleeps")
        clock.advance(by: (clock.nextWake ?? .zero) - .nanoseconds(1))
        #expect(clock.nextWake == .nanoseconds(1))
        clock.advance(by: .nanoseconds(1))
        try await head.value
    }

    /// With a burst of one there is nothing in the bucket that could make up for a head that was woken late, so
    /// everyone behind it is late too.
    @Test func `a timer that fires late refuses nobody who was let into the line`() async throws {
        let limiter = makeLimiter(.perSecond(1, burst: 1))
        _ = limiter.tryAcquire()
        var tasks: [Task<Void, any Error>] = []
        for second in 1...3 { tasks.append(await wait("\(second)", on: limiter, within: .seconds(second))) }
        for task in tasks {
            await clock.waitForSleepers(1)
            clock.advance(by: (clock.nextWake ?? .zero) + .milliseconds(5))
            try await task.value
        }
        #expect(granted.all == ["1", "2", "3"])
        #expect(clock.now.offset == .milliseconds(3_015))
        #expect(!events.all.contains { if case .denied = $0.kind { true } else { false } })
    }

    @Test func `waiters are served in the order of arrival, each exactly when its permits are there`() async throws {
        let limiter = makeLimiter(.perSecond(1, burst: 3))
        _ = try limiter.tryAcquire(3)
        var tasks: [Task<Void, any Error>] = []
        for (name, permits) in [("a", 1), ("b", 3), ("c", 1), ("d", 2)] {
            tasks.append(await wait(name, on: limiter, permits))
        }
        for (task, second) in zip(tasks, [1, 4, 5, 7]) {
            try await advance(toGrantOf: task)
            #expect(clock.now.offset == .seconds(second))
        }
        #expect(granted.all == ["a", "b", "c", "d"])
        #expect(
            events.all.map(\.kind) == [
                .waited(permits: 1, duration: .seconds(1)), .waited(permits: 3, duration: .seconds(4)),
                .waited(permits: 1, duration: .seconds(5)), .waited(permits: 2, duration: .seconds(7)),
            ])
        #expect(limiter.peek().retryAfter == .seconds(1))
    }

    @Test func `nobody overtakes a line, and is told when the line has gone`() async throws {
        let limiter = makeLimiter(.perSecond(1, burst: 3))
        _ = try limiter.tryAcquire(3)
        let head = await wait("head", on: limiter, 3)
        let next = await wait("next", on: limiter, 2)
        clock.advance(by: .seconds(2))
        let overtaking = limiter.tryAcquire()
        #expect(!overtaking.allowed && overtaking.remaining == 0)
        #expect(overtaking.retryAfter == .seconds(4) && overtaking.resetAfter == .seconds(6))
        #expect(limiter.peek().retryAfter == .seconds(4))
        await #expect(throws: RateLimited(limiter: "line", retryAfter: .seconds(4))) {
            try await limiter.acquire(within: .milliseconds(3_999))
        }
        try await advance(toGrantOf: head)
        try await advance(toGrantOf: next)
        #expect(limiter.tryAcquire().retryAfter == .seconds(1))
        clock.advance(by: .seconds(1))
        #expect(limiter.tryAcquire().allowed)
    }

    @Test(arguments: [0, 1, 2, 3])
    func `a cancelled waiter has consumed nothing and the others move up`(place: Int) async throws {
        let limiter = makeLimiter()
        _ = limiter.tryAcquire()
        let names = ["a", "b", "c", "d"]
        var tasks: [Task<Void, any Error>] = []
        for name in names { tasks.append(await wait(name, on: limiter)) }
        clock.advance(by: .milliseconds(300))
        tasks[place].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[place].value }
        tasks.remove(at: place)
        for (index, task) in tasks.enumerated() {
            try await advance(toGrantOf: task)
            #expect(clock.now.offset == .seconds(index + 1))
        }
        #expect(granted.all == names.filter { $0 != names[place] })
        clock.advance(by: .milliseconds(999))
        #expect(!limiter.tryAcquire().allowed)
        clock.advance(by: .milliseconds(1))
        #expect(limiter.tryAcquire().allowed)
    }

    @Test func `a line that has emptied by cancellation is gone`() async throws {
        let limiter = makeLimiter(maximumWaiters: 2)
        _ = limiter.tryAcquire()
        let tasks = [await wait("a", on: limiter), await wait("b", on: limiter)]
        for task in tasks { task.cancel() }
        for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
        #expect(limiter.peek().retryAfter == .seconds(1))
        let again = await wait("c", on: limiter)
        try await advance(toGrantOf: again)
    }

    @Test func `a task that is cancelled already takes nothing and does not wait`() async throws {
        let limiter = makeLimiter()
        for taken in [false, true] {
            if taken { _ = limiter.tryAcquire() }
            let task = Task {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                try await limiter.acquire(within: .seconds(100))
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(limiter.peek().remaining == (taken ? 0 : 1))
        }
    }

    @Test func `what cannot be had in time is refused at once`() async throws {
        let limiter = makeLimiter(maximumWaiters: 1)
        try await limiter.acquire()
        let tooSoon = RateLimited(limiter: "line", retryAfter: .seconds(1))
        for within in [nil, Duration.zero, .seconds(-5), .nanoseconds(999_999_999)] {
            await #expect(throws: tooSoon) { try await limiter.acquire(within: within) }
        }
        let head = await wait("head", on: limiter, within: .seconds(1))
        await #expect(throws: RateLimited(limiter: "line", retryAfter: .seconds(2)), "the line is full") {
            try await limiter.acquire(within: .seconds(100))
        }
        try await advance(toGrantOf: head)
        #expect(
            events.all.map(\.kind)
                == Array(repeating: .denied(permits: 1, retryAfter: .seconds(1)), count: 4) + [
                    .denied(permits: 1, retryAfter: .seconds(2)), .waited(permits: 1, duration: .seconds(1)),
                ])
    }

    @Test func `a burst of three: who waits, who is refused, and what a cancellation leaves (L19)`() async throws {
        let limiter = makeLimiter(.perSecond(1, burst: 3))
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            try await limiter.acquire()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        await #expect(throws: ExceedsCapacity(requested: 4, capacity: 3)) { try await limiter.acquire(4) }
        try await limiter.acquire(2)
        let large = await wait("large", on: limiter, 3)
        try await advance(toGrantOf: large)
        #expect(clock.now.offset == .seconds(2))
        let pending = await wait("pending", on: limiter, 3)
        await clock.waitForSleepers(1)
        clock.advance(by: .seconds(2))
        pending.cancel()
        await #expect(throws: CancellationError.self) { try await pending.value }
        #expect(limiter.peek().remaining == 2)
    }

    @Test func `a late timer is no reason to refuse`() async throws {
        let limiter = makeLimiter()
        try await limiter.acquire()
        let task = await wait("late", on: limiter, within: .seconds(1))
        clock.advance(by: .seconds(50))
        try await task.value
    }

    @Test func `what the head has not taken yet is not for others`() async throws {
        let limiter = makeLimiter(.perSecond(1, burst: 3))
        try await limiter.acquire(3)
        let head = await wait("head", on: limiter)
        await clock.waitForSleepers(1)
        // The head is woken here, but cannot go on before this task suspends.
        clock.advance(by: .seconds(10))
        let overtaking = limiter.tryAcquire()
        #expect(overtaking.retryAfter == .nanoseconds(1) && overtaking.remaining == 2)
        await #expect(throws: RateLimited.self) { try await limiter.acquire(within: .zero) }
        try await head.value
        #expect(limiter.tryAcquire().remaining == 1)
    }

    @Test func `a waiter that is cancelled when its turn has come takes nothing`() async throws {
        let limiter = makeLimiter(.perSecond(1, burst: 2))
        try await limiter.acquire(2)
        let second = Recorder<Task<Void, any Error>>()
        let first = Task {
            try await limiter.acquire(within: .seconds(100))
            // The second is the head by now and has been resumed, but cannot run before this task suspends.
            second.all.first?.cancel()
        }
        await Task {}.value
        second.append(await wait("second", on: limiter))
        await clock.waitForSleepers(1)
        clock.advance(by: .seconds(10))
        try await first.value
        await #expect(throws: CancellationError.self) { try await second.all.first?.value }
        #expect(limiter.peek().remaining == 1)
    }

    @Test func `permits at hand are taken without a wait, and an empty request takes none`() async throws {
        let limiter = makeLimiter(.perSecond(10))
        try await limiter.acquire(9)
        try await limiter.acquire(0)
        #expect(limiter.peek().remaining == 1)
        #expect(events.all.isEmpty)
    }

    @Test(arguments: (0..<20).map { UInt64($0) })
    func `in a tangle of grants and cancellations every permit is counted once`(seed: UInt64) async {
        let clock = LeapingClock()
        let limiter = TokenBucket(.perSecond(1), clock: clock)
        let granted = Recorder<Int>()
        await withTaskGroup { group in
            for index in 0..<64 {
                group.addTask {
                    let random = RandomSource.seeded(seed &* 1_000 &+ UInt64(index))
                    let task = Task {
                        for _ in 0..<5 {
                            try await limiter.acquire(within: .seconds(1_000))
                            granted.append(index)
                        }
                    }
                    for _ in 0..<random.next() % 20 { await Task.yield() }
                    if random.next() % 2 == 0 { task.cancel() }
                    _ = await task.result
                }
            }
        }
        // Time moves to the moment of the next permit and no further, so the bucket is full once all are paid for.
        let full = clock.now.offset + limiter.peek().resetAfter
        #expect(full == .seconds(granted.all.count), "seed \(seed)")
        #expect(granted.all.count >= 32)
    }
}
