// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import RateLimiting
import ReliabilityTesting
import Synchronization
import Testing

/// The line of those who wait, in front of every algorithm. With one permit a second it moves every second, but for the
/// counter, which lets each permit weigh for another second.
@MainActor @Suite(.timeLimit(.minutes(10))) struct LimiterWaitingTests {
    let clock = ManualClock()
    let events = Recorder<RateLimitEvent>()
    let granted = Recorder<String>()

    private func makeLimiter(
        _ algorithm: Algorithm, _ limit: RateLimit = .every(.seconds(1)),
        _ change: (inout Algorithm.Settings) -> Void = { _ in }
    ) -> any AdjustableLimiter {
        var settings = Algorithm.Settings(name: "line", maximumWait: .seconds(100)) { [events] in events.append($0) }
        change(&settings)
        return algorithm.limiter(limit, clock: clock, settings)
    }

    private func step(_ algorithm: Algorithm) -> Duration { algorithm == .counter ? .seconds(2) : .seconds(1) }

    /// Starts a waiter and returns when it stands in the line: both tasks are on the main actor, whose jobs run in order,
    /// and a waiter joins the line before it first suspends.
    private func wait(
        _ name: String, on limiter: any AdjustableLimiter, _ permits: Int = 1, within: Duration? = nil
    ) async -> Task<Void, any Error> {
        let task = Task {
            try await limiter.acquire(permits, within: within)
            granted.append(name)
        }
        await Task {}.value
        return task
    }

    /// Moves the clock to the moment of the head's permits: it is not woken a nanosecond before.
    private func advance(toGrantOf head: Task<Void, any Error>) async throws {
        await clock.waitForSleepers(1)
        #expect(clock.sleeperCount == 1, "only the head sleeps")
        clock.advance(by: (clock.nextWake ?? .zero) - .nanoseconds(1))
        #expect(clock.nextWake == .nanoseconds(1))
        clock.advance(by: .nanoseconds(1))
        try await head.value
    }

    /// Waits until the sleeper is the one that a change has put to sleep anew.
    private func waitForWake(_ wake: Duration) async {
        while clock.nextWake != wake { await Task.yield() }
    }

    @Test(arguments: Algorithm.allCases)
    func `waiters are served in the order of arrival, each exactly when its permits are there`(
        algorithm: Algorithm
    ) async throws {
        let limiter = makeLimiter(algorithm)
        #expect(limiter.tryAcquire().allowed)
        var tasks: [Task<Void, any Error>] = []
        for name in ["a", "b", "c"] { tasks.append(await wait(name, on: limiter)) }
        let denied = limiter.tryAcquire()
        #expect(denied.retryAfter == step(algorithm) * 4 && denied.remaining == 0)
        for (place, task) in tasks.enumerated() {
            try await advance(toGrantOf: task)
            #expect(clock.now.offset == step(algorithm) * (place + 1))
        }
        #expect(granted.all == ["a", "b", "c"])
        #expect(
            events.all.map(\.kind) == [.denied(permits: 1, retryAfter: step(algorithm) * 4)]
                + (1...3).map { .waited(permits: 1, duration: step(algorithm) * $0) })
    }

    @Test(arguments: Algorithm.allCases)
    func `a cancelled waiter has consumed nothing and the others move up`(algorithm: Algorithm) async throws {
        let limiter = makeLimiter(algorithm)
        _ = limiter.tryAcquire()
        var tasks: [Task<Void, any Error>] = []
        for name in ["a", "b", "c", "d"] { tasks.append(await wait(name, on: limiter)) }
        for place in [2, 0] {
            tasks[place].cancel()
            await #expect(throws: CancellationError.self) { try await tasks[place].value }
            tasks.remove(at: place)
        }
        await waitForWake(step(algorithm))
        for task in tasks { try await advance(toGrantOf: task) }
        #expect(granted.all == ["b", "d"])
        #expect(clock.now.offset == step(algorithm) * 2)
        #expect(limiter.peek().retryAfter == step(algorithm))
    }

    @Test(arguments: Algorithm.allCases)
    func `a waiter takes the place of a reservation that is cancelled, and is woken for it`(
        algorithm: Algorithm
    ) async throws {
        let limiter = makeLimiter(algorithm)
        let first = try limiter.reserve(1, within: .zero)
        let ahead = try limiter.reserve(1, within: nil)
        #expect(ahead.delay == step(algorithm))
        let waiter = await wait("waiter", on: limiter)
        await waitForWake(step(algorithm) * 2)
        let behind = try limiter.reserve(1, within: nil)
        #expect(behind.delay == step(algorithm) * 3, "behind those who wait")
        ahead.cancel()
        await waitForWake(step(algorithm))
        #expect(behind.delay == step(algorithm) * 3, "a promised moment stays")
        first.cancel()
        try await waiter.value
        #expect(clock.now.offset == .zero)
        #expect(try limiter.reserve(1, within: nil).delay == step(algorithm))
    }

    @Test(arguments: Algorithm.allCases)
    func `what cannot be had in time is refused at once`(algorithm: Algorithm) async throws {
        let limiter = makeLimiter(algorithm) { $0.maximumWaiters = 1 }
        try await limiter.acquire(1, within: nil)
        let step = step(algorithm)
        for within in [Duration.zero, .seconds(-5), step - .nanoseconds(1)] {
            await #expect(throws: RateLimited(limiter: "line", retryAfter: step)) {
                try await limiter.acquire(1, within: within)
            }
        }
        // At the deadline itself it is too late.
        try await Deadline.after(step, clock: clock).run { [limiter] in
            _ = await #expect(throws: RateLimited(limiter: "line", retryAfter: step)) {
                try await limiter.acquire(1, within: nil)
            }
        }
        let head = await wait("head", on: limiter, within: step)
        await #expect(throws: RateLimited(limiter: "line", retryAfter: step * 2), "the line is full") {
            try await limiter.acquire(1, within: nil)
        }
        await #expect(throws: ExceedsCapacity(requested: 2, capacity: 1)) { try await limiter.acquire(2, within: nil) }
        try await advance(toGrantOf: head)
    }

    @Test(arguments: Algorithm.allCases)
    func `a new limit wakes the head, and refuses at once whom it can no longer serve in time`(
        algorithm: Algorithm
    ) async throws {
        let limiter = makeLimiter(algorithm, .per(.seconds(1), 2, burst: 2))
        #expect(try limiter.tryAcquire(2).allowed)
        let head = await wait("head", on: limiter, 2)
        let large = await wait("large", on: limiter, 2, within: step(algorithm) * 3)
        let late = await wait("late", on: limiter, 1, within: step(algorithm) * 3)
        await waitForWake(step(algorithm))
        limiter.reconfigure(.per(.seconds(4), 2, burst: 2), consumed: .keep)
        for task in [large, late] {
            let error = await #expect(throws: RateLimited.self) { try await task.value }
            #expect(try #require(error?.retryAfter) > step(algorithm) * 3)
        }
        await waitForWake(step(algorithm) * 4)
        limiter.reconfigure(.perSecond(1), consumed: .keep)
        await #expect(throws: ExceedsCapacity(requested: 2, capacity: 1)) { try await head.value }
        #expect(limiter.limit == .perSecond(1))
        limiter.reconfigure(.unlimited, consumed: .keep)
        try await limiter.acquire(1_000, within: .zero)
        #expect(events.all.filter { if case .reconfigured = $0.kind { true } else { false } }.count == 3)
    }

    @Test(arguments: Algorithm.allCases)
    func `a larger limit serves the head earlier`(algorithm: Algorithm) async throws {
        let limiter = makeLimiter(algorithm)
        _ = limiter.tryAcquire()
        let head = await wait("head", on: limiter)
        await waitForWake(step(algorithm))
        limiter.reconfigure(.perSecond(1_000), consumed: .keep)
        if algorithm == .leakyBucket {
            await waitForWake(.milliseconds(1))
            clock.advance(by: .milliseconds(1))
        }
        try await head.value
        #expect(clock.now.offset <= .milliseconds(1))
        #expect(events.all.map(\.kind).last == .waited(permits: 1, duration: clock.now.offset))
    }

    @Test(arguments: Algorithm.allCases)
    func `the head sleeps longer by the jitter, and never past its limit`(algorithm: Algorithm) async throws {
        for (within, bound) in [
            (Duration.seconds(50), Duration.seconds(5)), (step(algorithm) + .seconds(1), .seconds(1)),
        ] {
            var extra: [Duration] = []
            for seed in 0..<12 {
                let clock = ManualClock()
                let limiter = algorithm.limiter(
                    .every(.seconds(1)), clock: clock,
                    .init(jitter: .seconds(5), randomness: .seeded(UInt64(seed))))
                _ = limiter.tryAcquire()
                let task = Task { try await limiter.acquire(1, within: within) }
                await clock.waitForSleepers(1)
                extra.append((clock.nextWake ?? .zero) - step(algorithm))
                clock.advance(by: clock.nextWake ?? .zero)
                try await task.value
            }
            #expect(extra.allSatisfy { $0 >= .zero && $0 <= bound })
            #expect(Set(extra).count == extra.count)
        }
    }

    @Test(arguments: Algorithm.allCases)
    func `an operation that did not run gives its permit back, any other uses it`(algorithm: Algorithm) async throws {
        let limiter = makeLimiter(algorithm) { $0.maximumWait = .zero }
        let refusal = RateLimited(limiter: "far", retryAfter: nil)
        for _ in 0..<3 {
            await #expect(throws: refusal) { try await limiter.run { throw refusal } }
        }
        #expect(limiter.peek().resetAfter == .zero)
        #expect(try await limiter.run { 7 } == 7)
        await #expect(throws: RateLimited(limiter: "line", retryAfter: step(algorithm))) {
            try await limiter.run { Issue.record("ran without a permit") }
        }
        #expect(
            events.all.map(\.kind)
                == Array(repeating: .refunded(permits: 1), count: 3)
                + [.denied(permits: 1, retryAfter: step(algorithm))])
    }

    @Test(arguments: Algorithm.allCases)
    func `a clock that fails ends the wait with its error and leaves nothing`(algorithm: Algorithm) async throws {
        let limiter = algorithm.limiter(.every(.seconds(1)), clock: FailingClock())
        _ = limiter.tryAcquire()
        await #expect(throws: FailingClock.Failure()) { try await limiter.acquire(1, within: .seconds(100)) }
        #expect(limiter.peek().retryAfter == step(algorithm))
    }

    /// The first reading is in making the limiter, the second for the permit that there is. The third decides that the
    /// next has to wait; the fourth is in the line, just after it was seen to that the task is not cancelled.
    @Test(arguments: Algorithm.allCases, 2...5)
    func `a waiter that is cancelled between two steps leaves the line`(algorithm: Algorithm, reading: Int) async throws
    {
        let limiter = algorithm.limiter(.every(.seconds(1)), clock: CancellingClock(atReading: reading))
        let task = Task {
            _ = limiter.tryAcquire()
            try await limiter.acquire(1, within: .seconds(100))
        }
        if reading == 5 { task.cancel() }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(limiter.peek().retryAfter == step(algorithm))
    }

    @Test func `who was woken before it could suspend does not suspend`() async throws {
        let isSuspended = Recorder<Bool>()
        try await withCheckedThrowingContinuation { (turn: WaiterLine.Turn) in
            var line = WaiterLine()
            line.join(1, permits: 1, deadline: 9)
            #expect(line.wake(1) == nil)
            isSuspended.append(line.suspend(1, turn))
            turn.resume()
        }
        #expect(isSuspended.all == [false])
    }

    @Test func `who could be served only after its deadline, or never, does not join the line`() {
        var state = LimiterState(GCRA(.perSecond(0, burst: 1)))
        _ = state.take(1, at: 0)
        guard case .refused(let never) = state.join(1, at: 0, until: .max, most: 9) else { return #expect(Bool(false)) }
        #expect(!never.allowed && never.retryAfter == nil && state.line.isEmpty)
        _ = state.change(to: GCRA(.every(.nanoseconds(10))), generation: 1, at: 0, .keep) { _, _ in CancellationError()
        }
        guard case .refused(let late) = state.join(1, at: 0, until: 9, most: 9) else { return #expect(Bool(false)) }
        #expect(late.retryAfter == .nanoseconds(10) && state.line.isEmpty)
        guard case .joined = state.join(1, at: 0, until: 10, most: 9) else { return #expect(Bool(false)) }
        // Served at its deadline it stays; with a limit that never serves it, it goes however long it would wait.
        var refused = 0
        func change(to limit: RateLimit, at now: Int64) {
            _ = state.change(to: GCRA(limit), generation: 2, at: now, .keep) { answer, _ in
                guard case .denied(let decision) = answer, !decision.allowed else { return CancellationError() }
                refused += 1
                return RateLimited(limiter: "", retryAfter: decision.retryAfter)
            }
        }
        change(to: .every(.nanoseconds(10)), at: 0)
        #expect(refused == 0 && state.line.count == 1)
        guard case .joined = state.join(1, at: 0, until: .max, most: 9) else { return #expect(Bool(false)) }
        change(to: .perSecond(0, burst: 1), at: 0)
        #expect(refused == 2 && state.line.isEmpty)
        // Its moment has come, but it is past its deadline: it is told that it was refused, not that it may run.
        change(to: .every(.nanoseconds(10)), at: 0)
        guard case .joined = state.join(1, at: 0, until: 10, most: 9) else { return #expect(Bool(false)) }
        change(to: .every(.nanoseconds(11)), at: 30)
        #expect(refused == 3 && state.line.isEmpty)
    }

    @Test(arguments: Algorithm.allCases.flatMap { algorithm in (0..<4).map { (algorithm, UInt64($0)) } })
    func `in a tangle of waits, reservations and cancellations every permit is counted once`(
        algorithm: Algorithm, seed: UInt64
    ) async {
        let clock = LeapingClock()
        let limiter = algorithm.limiter(.every(.seconds(1)), clock: clock, .init(maximumWait: .seconds(10_000)))
        let acts = Recorder<Act>()
        await withTaskGroup { group in
            for index in 0..<64 {
                group.addTask {
                    let random = RandomSource.seeded(seed &* 1_000 &+ UInt64(index))
                    let task = Task {
                        for _ in 0..<5 {
                            switch random.next() % 4 {
                            case 0:
                                let reservation = try limiter.reserve(1, within: nil)
                                await Task.yield()
                                reservation.cancel()
                            case 1:
                                try? await limiter.run { throw RateLimited(limiter: "", retryAfter: nil) }
                            default:
                                try await limiter.acquire(1, within: nil)
                                acts.append(Act(at: clock.now.offset.nanosecondsRoundedDown, permits: 1))
                            }
                        }
                    }
                    for _ in 0..<random.next() % 20 { await Task.yield() }
                    if random.next() % 2 == 0 { task.cancel() }
                    _ = await task.result
                }
            }
        }
        #expect(acts.all.count >= 32)
        // A grant is read from the clock a little after it was made, so the judge counts, instead of looking at spacings.
        let whole = clock.now.offset / .seconds(1)
        #expect(Double(acts.all.count) <= whole + 1, "seed \(seed)")
        #expect(limiter.peek().resetAfter <= step(algorithm) * 2, "nothing is left ahead, seed \(seed)")
    }
}

/// A clock that cancels the task that reads it, at one of its readings.
final class CancellingClock: Clock {
    private let readings: Locked<Int>

    init(atReading reading: Int) { readings = Locked(reading) }

    var now: ManualClock.Instant {
        let left = readings.withLock { readings in
            readings -= 1
            return readings
        }
        if left == 0 { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
        return .init(offset: .zero)
    }

    var minimumResolution: Duration { .zero }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
        try await Task.sleep(for: .seconds(1_000))
    }
}

/// A clock that is where a sleeper wants it to be: waits take no time, and many tasks can wait at once.
final class LeapingClock: Clock {
    private let present = Locked(ManualClock.Instant(offset: .zero))

    var now: ManualClock.Instant { present.withLock { $0 } }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        await Task.yield()
        try Task.checkCancellation()
        present.withLock { $0 = max($0, deadline) }
    }
}

/// A clock on which nobody can sleep.
final class FailingClock: Clock {
    struct Failure: Error, Equatable {}

    var now: ManualClock.Instant { .init(offset: .zero) }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws { throw Failure() }
}
