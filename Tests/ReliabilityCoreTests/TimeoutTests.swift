// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

@Suite struct TimeoutTests {
    private final class Events: Sendable {
        let all = Locked<[TimeoutEvent]>([])
    }

    private let clock = ManualClock()
    private let events = Events()

    private var told: [String] {
        events.all.withLock { $0.map { "\($0.outcome.rawValue) \($0.deadline) \($0.elapsed)" } }
    }

    private func timeout(_ seconds: Int, _ name: String, grace: Duration = .seconds(1)) -> Timeout {
        Timeout(.seconds(seconds), name: name, grace: grace, clock: clock) { [events] event in
            events.all.withLock { $0.append(event) }
        }
    }

    /// Sleeps on the clock, whatever happens to the task.
    private func stubborn(_ seconds: Int) async throws {
        try await shielded { [clock] in try await clock.sleep(for: .seconds(seconds)) }
    }

    /// Advances the clock second by second, as soon as so many sleep.
    private func advance(_ seconds: Int, sleepers: Int) async {
        for _ in 0..<seconds {
            await clock.waitForSleepers(sleepers)
            clock.advance(by: .seconds(1))
        }
    }

    @Test func `a value and an error that come in time pass unchanged, and no timer is left`() async throws {
        struct Declined: Error {}
        #expect(try await timeout(2, "a").run { 7 } == 7)
        await #expect(throws: Declined.self) { try await timeout(2, "a").run { throw Declined() } }
        // Neither has suspended, so neither was watched.
        #expect(clock.sleeperCount == 0)

        async let late = timeout(2, "a").run {
            try await clock.sleep(for: .seconds(1))
            return 8
        }
        await advance(1, sleepers: 2)
        #expect(try await late == 8)
        #expect(clock.sleeperCount == 0 && told.isEmpty)
    }

    @Test func `an operation that never suspends is not timed`() async throws {
        actor Counter {
            var count = 0
            func run(_ timeout: Timeout) async throws { try await timeout.run { self.count += 1 } }
        }
        let watching = WatchingClock()
        let timeout = Timeout(.seconds(2), clock: watching)
        #expect(try await timeout.run { 7 } == 7)
        try await Counter().run(timeout)
        let hasSlept = watching.hasSlept.load(ordering: .relaxed)
        #expect(!hasSlept)
    }

    @Test func `an operation that ends while its timer starts does not wait for it`() async throws {
        // Of so many runs on all threads some end just then, and the clock stands still.
        await withDiscardingTaskGroup { group in
            for _ in 0..<16 {
                group.addTask {
                    for _ in 0..<1_000 { try? await timeout(2, "a").run { await Task.yield() } }
                }
            }
        }
        #expect(clock.sleeperCount == 0)
    }

    @Test func `an operation is cancelled at the limit and not a nanosecond before`() async throws {
        async let outcome = Result { try await timeout(2, "catalog").run { try await clock.sleep(for: .seconds(9)) } }
        await clock.waitForSleepers(2)
        clock.advance(by: .seconds(2) - .nanoseconds(1))
        #expect(clock.sleeperCount == 2)
        clock.advance(by: .nanoseconds(1))

        let error = try #require(await outcome.failure as? TimedOut)
        #expect(error.name == "catalog" && error.limit == .seconds(2) && error.cause == nil)
        #expect("\(error)" == "catalog timed out after 2.0 seconds")
        #expect(told == ["timedOut catalog 2.0 seconds"])
    }

    /// The limits of an outer and an inner time-out, and what comes out of the inner and the outer one.
    @Test(arguments: [
        (outer: 5, inner: 2, at: 2, fired: "inner"), (outer: 2, inner: 5, at: 2, fired: "outer"),
    ])
    func `of two that nest the earlier one fires, and the error says which`(
        _ nest: (outer: Int, inner: Int, at: Int, fired: String)
    ) async throws {
        async let outcome = Result {
            try await timeout(nest.outer, "outer").run {
                try await timeout(nest.inner, "inner").run { try await clock.sleep(for: .seconds(9)) }
            }
        }
        await advance(nest.at, sleepers: 3)
        let error = try #require(await outcome.failure as? TimedOut)
        #expect(error.name == nest.fired && error.limit == .seconds(min(nest.outer, nest.inner)))
        #expect(error.cause == nil)
        #expect(clock.sleeperCount == 0)
    }

    @Test func `each run has its limit anew`() async throws {
        let timeout = timeout(2, "a")
        for _ in 0..<3 {
            async let done: Void = timeout.run { try await clock.sleep(for: .seconds(1)) }
            await advance(1, sleepers: 2)
            try await done
        }
    }

    @Test func `the caller's cancellation surfaces as what the operation makes of it`() async throws {
        let run = Task { try await timeout(2, "a").run { try await clock.sleep(for: .seconds(9)) } }
        await clock.waitForSleepers(2)
        run.cancel()
        await #expect(throws: CancellationError.self) { try await run.value }

        // Also if the limit passes while the operation takes its time.
        let slow = Task {
            try await timeout(2, "a").run {
                try await stubborn(5)
                try Task.checkCancellation()
            }
        }
        await clock.waitForSleepers(2)
        slow.cancel()
        await advance(2, sleepers: 2)
        await advance(3, sleepers: 1)
        await #expect(throws: CancellationError.self) { try await slow.value }
        #expect(clock.sleeperCount == 0)
    }

    @Test func `a value that comes after the limit is returned, because it has happened`() async throws {
        async let value = timeout(2, "a", grace: .seconds(9)).run {
            try await stubborn(3)
            return 7
        }
        await advance(2, sleepers: 2)
        await clock.waitForSleepers(2)
        clock.advance(by: .seconds(1))
        #expect(try await value == 7)
        #expect(told == ["late a 3.0 seconds"])
    }

    @Test func `an error after the limit is the cause, and one that proves that nothing happened passes`() async throws
    {
        struct Broken: Error {}
        struct Refused: NotApplied {}
        for error in [Broken(), Refused(), nil] as [(any Error)?] {
            async let outcome = Result {
                try await timeout(2, "a").run {
                    try? await clock.sleep(for: .seconds(9))
                    throw try error ?? TimedOut(#require(Deadline.current), cause: Broken())
                }
            }
            await advance(2, sleepers: 2)
            let failure = await outcome.failure
            #expect(failure is Refused == error is Refused)
            #expect(told.last == "timedOut a 2.0 seconds")
            guard let timedOut = failure as? TimedOut else { continue }
            // What somebody within has told of the same deadline is not told twice.
            #expect(timedOut.limit == .seconds(2) && timedOut.cause is Broken)
        }
    }

    @Test func `a time-out of another deadline is a cause, though it has the same name and limit`() async throws {
        let other = Deadline.after(.seconds(2), name: "a")
        for inner in [TimedOut(name: "a", limit: .seconds(2)), TimedOut(other, cause: CancellationError())] {
            #expect(inner.cause == nil)
            async let outcome = Result {
                try await timeout(2, "a").run {
                    try? await clock.sleep(for: .seconds(9))
                    throw inner
                }
            }
            await advance(2, sleepers: 2)
            #expect((await outcome.failure as? TimedOut)?.cause is TimedOut)
        }
    }

    /// The deadline around the time-out, its limit, and whether the one around fires: also if both pass at one instant.
    @Test(arguments: [(5, 2, false), (2, 5, true), (2, 2, true)])
    func `an error says at every level whether the time of that level is up`(
        around: Int, own: Int, isSurrounding: Bool
    ) async throws {
        async let outcome = Result {
            try await Deadline.after(.seconds(around), name: "request", clock: clock).run {
                let inner = await Result {
                    try await timeout(own, "call").run {
                        let inmost = await Result {
                            try await timeout(9, "inmost").run { try await clock.sleep(for: .seconds(9)) }
                        }
                        #expect((inmost.failure as? TimedOut)?.isOfCurrentDeadline == true)
                        try inmost.get()
                    }
                }
                #expect((inner.failure as? TimedOut)?.isOfCurrentDeadline == isSurrounding)
                try inner.get()
            }
        }
        await advance(2, sleepers: 4)
        let failure = try #require(await outcome.failure as? TimedOut)
        #expect(!failure.isOfCurrentDeadline && failure.name == (isSurrounding ? "request" : "call"))
        let isTold = events.all.withLock { $0.map { $0.name == "call" ? $0.isSurrounding : true } }
        #expect(isTold == [true, isSurrounding])
        #expect(!TimedOut(limit: .seconds(2)).isOfCurrentDeadline)
    }

    @Test func `an operation that never suspends is not cancelled, and told if it takes too long`() async throws {
        struct Broken: Error {}
        let value = try await timeout(2, "a").run {
            clock.advance(by: .seconds(2))
            return 7
        }
        #expect(value == 7)
        await #expect(throws: Broken.self) {
            try await timeout(2, "a").run {
                clock.advance(by: .seconds(3))
                throw Broken()
            }
        }
        #expect(told == ["late a 2.0 seconds", "late a 3.0 seconds"])
    }

    @Test func `an operation that takes no notice of its cancellation is told once, after the grace`() async throws {
        async let done: Void = timeout(1, "a", grace: .seconds(2)).run { try await stubborn(6) }
        await advance(3, sleepers: 2)
        while told.isEmpty { await Task.yield() }
        await advance(3, sleepers: 1)
        try await done
        #expect(told == ["overdue a 3.0 seconds", "late a 6.0 seconds"])
    }

    @Test func `one that its caller has cancelled before is told as well, and the caller's cancellation ends nothing`()
        async throws
    {
        let run = Task { try await timeout(1, "a", grace: .seconds(2)).run { try await stubborn(6) } }
        await clock.waitForSleepers(2)
        run.cancel()
        await advance(3, sleepers: 2)
        while told.isEmpty { await Task.yield() }
        #expect(clock.sleeperCount == 1)
        await advance(3, sleepers: 1)
        try await run.value
        #expect(told == ["overdue a 3.0 seconds", "late a 6.0 seconds"])
    }

    @Test func `a caller that is cancelled leaves no watch behind, whenever the operation ends`() async {
        for round in 0..<500 {
            let run = Task { try await timeout(1, "a").run { try await clock.sleep(for: .seconds(9)) } }
            for _ in 0..<round % 5 { await Task.yield() }
            run.cancel()
            await #expect(throws: CancellationError.self) { try await run.value }
            #expect(clock.sleeperCount == 0)
        }
        #expect(told.isEmpty)
    }

    @Test func `an operation is not started under a deadline that has passed`() async throws {
        let deadline = Deadline.after(.seconds(1), name: "request", clock: clock)
        clock.advance(by: .seconds(1))
        await #expect(throws: DeadlinePassed(name: "request")) {
            try await deadline.bind { try await timeout(2, "a").run { Issue.record("It ran") } }
        }
        #expect(told == ["refused request 0.0 seconds"])
    }

    @Test func `nothing keeps the operation once its run has ended`() async throws {
        final class Token: Sendable {}
        let kept = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var kept = 0
                    for _ in 0..<1_000 {
                        weak var left: Token?
                        do {
                            let token = Token()
                            left = token
                            try? await timeout(2, "a").run {
                                await Task.yield()
                                _ = token
                            }
                        }
                        if left != nil { kept += 1 }
                    }
                    return kept
                }
            }
            return await group.reduce(0, +)
        }
        #expect(kept == 0)
    }

    @Test func `the operation stays on the executor that its caller prefers`() throws {
        let executor = ManualExecutor()
        let timeout = timeout(2, "a")
        let isBound = try executor.run {
            try await timeout.run { unsafe withUnsafeCurrentTask { unsafe $0?.unownedTaskExecutor } != nil }
        }
        #expect(isBound)
    }

    @Test func `the operation runs in the caller's isolation, with its task-local values`() async throws {
        actor Counter {
            var count = 0
            func run(_ timeout: Timeout, _ clock: ManualClock) async throws -> Int {
                try await Number.$value.withValue(5) {
                    try await timeout.run {
                        self.count += Number.value
                        try await clock.sleep(for: .seconds(1))
                        self.count += Number.value
                    }
                }
                return count
            }
        }
        async let count = Counter().run(timeout(2, "a"), clock)
        await advance(1, sleepers: 2)
        #expect(try await count == 10)
    }
}

/// A clock that remembers whether anybody slept by it.
private final class WatchingClock: Clock {
    private let clock = ManualClock()
    let hasSlept = Atomic<Bool>(false)

    var now: ManualClock.Instant { clock.now }
    var minimumResolution: Duration { clock.minimumResolution }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
        hasSlept.store(true, ordering: .relaxed)
        try await clock.sleep(until: deadline, tolerance: tolerance)
    }
}

private enum Number {
    @TaskLocal static var value = 0
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }

    fileprivate var failure: (any Error)? { if case .failure(let error) = self { error } else { nil } }
}
