// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Retrying
import Synchronization
import Testing

@Suite struct RetryLimitTests {
    private struct Limited {
        var limit: Duration
        var attempt: Duration
        var delay: Duration
        var advice: Duration?
        var attempts: Int

        init(_ limit: Duration, _ attempt: Duration, _ delay: Duration, _ advice: Duration?, _ attempts: Int) {
            (self.limit, self.attempt, self.delay) = (limit, attempt, delay)
            (self.advice, self.attempts) = (advice, attempts)
        }
    }

    private static let limits = [
        // Attempts of 100 ms and delays of 300 ms: they end at 100, 500 and 900 ms, and 100 ms are left.
        Limited(.seconds(1), .milliseconds(100), .milliseconds(300), nil, 3),
        // A delay as long as what remains would end with nothing left; one that is shorter by a nanosecond does not.
        Limited(.milliseconds(400), .milliseconds(100), .milliseconds(300), nil, 1),
        Limited(.milliseconds(400) + .nanoseconds(1), .milliseconds(100), .milliseconds(300), nil, 2),
        // An attempt that outlasts the limit is not interrupted, and is the last.
        Limited(.milliseconds(50), .milliseconds(100), .zero, nil, 1),
        Limited(.milliseconds(100), .milliseconds(100), .zero, nil, 1),
        Limited(.milliseconds(101), .milliseconds(100), .zero, nil, 2),
        // Advice counts like the delay that it makes.
        Limited(.seconds(1), .milliseconds(100), .zero, .milliseconds(900), 1),
        Limited(.seconds(1), .milliseconds(100), .zero, .milliseconds(899), 2),
        Limited(.seconds(1), .milliseconds(100), .zero, .seconds(60), 1),
        Limited(.seconds(Int64.max), .seconds(1), .seconds(1), nil, 9),
    ]

    /// Who sets the limit: the policy, the deadline around it, or both, one of them later.
    enum Source: CaseIterable {
        case own, around, ownFirst, aroundFirst
    }

    @Test(arguments: limits, Source.allCases)
    private func `a run stops instead of sleeping past its limit or the deadline around it`(
        row: Limited, source: Source
    ) async {
        let clock = SkippingClock()
        let recorder = Recorder<RetryEvent>()
        let later = min(row.limit * 2, .longest)
        let own: Duration? =
            switch source {
            case .own, .ownFirst: row.limit
            case .around: nil
            case .aroundFirst: later
            }
        let retry = Retry(
            maxAttempts: 9, backoff: .constant(row.delay), within: own, repeatability: .idempotent, adviceJitter: 0,
            clock: clock, onEvent: recorder.record)
        var attempts = 0
        func fail() async throws {
            attempts += 1
            clock.advance(by: row.attempt)
            throw Busy(number: attempts, retryAfter: row.advice)
        }
        let error = await #expect(throws: Busy.self) {
            if source == .own {
                try await retry.run { try await fail() }
            } else {
                let limit = source == .ownFirst ? later : row.limit
                try await Deadline.after(limit, clock: clock).bind { try await retry.run { try await fail() } }
            }
        }
        #expect(attempts == row.attempts)
        #expect(error?.number == row.attempts)
        #expect(clock.sleeps.count == row.attempts - 1)
        #expect(recorder.events.last?.reason == (row.attempts == 9 ? .exhausted : .outOfTime))
        #expect(recorder.events.count == row.attempts)
        #expect(Deadline.current == nil)
    }

    @Test func `what a run that is out of time throws is true of all its attempts`() async {
        let retry = Retry(
            backoff: .listed([.zero, .seconds(9)]), within: .seconds(5), repeatability: .idempotent,
            clock: SkippingClock())
        let error = await #expect(throws: Unclear.self) {
            try await retry.run { (attempt: RetryAttempt) in
                if attempt.number == 1 { throw Unclear(number: 1) }
                throw Refused(number: attempt.number)
            }
        }
        #expect(error?.number == 1)
    }

    @Test func `attempts run under the limit, and learn what is left`() async throws {
        let clock = SkippingClock()
        let retry = Retry(
            name: "catalog", backoff: .constant(.milliseconds(300)), within: .seconds(2), repeatability: .idempotent,
            clock: clock)
        let seen = Recorder<RetryAttempt>()
        let deadlines = Recorder<Deadline?>()
        try await retry.run { attempt in
            seen.record(attempt)
            deadlines.record(Deadline.current)
            #expect(Deadline.current?.remaining == attempt.remaining)
            clock.advance(by: .milliseconds(100))
            if attempt.number < 3 { throw Unclear() }
        }
        #expect(seen.events.map(\.elapsed) == [.zero, .milliseconds(400), .milliseconds(800)])
        #expect(seen.events.map(\.remaining) == [.seconds(2), .milliseconds(1_600), .milliseconds(1_200)])
        #expect(seen.events.map(\.previousDelay) == [nil, .milliseconds(300), .milliseconds(300)])
        #expect(deadlines.events.map { $0?.name } == ["catalog", "catalog", "catalog"])
        #expect(Deadline.current == nil)
    }

    @Test func `events tell the time of runs that measure it`() async throws {
        let clock = SkippingClock()
        let recorder = Recorder<RetryEvent>()
        let attempts = [1, 2]
        func fail(_ retry: Retry, around: Deadline?, watched: Bool) async {
            var number = 0
            func attempt() throws {
                number += 1
                clock.advance(by: .milliseconds(100))
                throw Unclear()
            }
            func run() async throws {
                if watched { try await retry.run { _ in try attempt() } } else { try await retry.run { try attempt() } }
            }
            await #expect(throws: Unclear.self) {
                if let around { try await around.bind { try await run() } } else { try await run() }
            }
        }
        func retry(within limit: Duration?) -> Retry {
            Retry(
                maxAttempts: attempts.count, backoff: .constant(.milliseconds(300)), within: limit,
                repeatability: .idempotent, clock: clock, onEvent: recorder.record)
        }
        await fail(retry(within: nil), around: nil, watched: false)
        await fail(retry(within: nil), around: nil, watched: true)
        await fail(retry(within: .seconds(9)), around: nil, watched: false)
        await fail(retry(within: nil), around: .after(.seconds(9), clock: clock), watched: false)
        let elapsed = recorder.events.map { $0.elapsed.map { $0 / Duration.milliseconds(1) } }
        let remaining = recorder.events.map { $0.remaining.map { $0 / Duration.milliseconds(1) } }
        #expect(elapsed == [nil, nil, 100, 500, 100, 500, nil, nil])
        #expect(remaining == [nil, nil, nil, nil, 8_900, 8_500, 8_900, 8_500])
        #expect(recorder.events.map(\.previousDelay) == (0..<8).map { $0 % 2 == 0 ? nil : .milliseconds(300) })
    }

    @Test func `a delay that ends too late is followed by no attempt, and its retry is given back`() async {
        let clock = SkippingClock()
        let recorder = Recorder<RetryEvent>()
        let budget = RetryBudget(ratio: 0, minimumPerSecond: 1, window: .seconds(5), clock: clock)
        let retry = Retry(
            backoff: .constant(.milliseconds(300)), within: .seconds(1), repeatability: .idempotent, budget: budget,
            clock: clock, onEvent: recorder.record)
        clock.wakesLate(by: .milliseconds(700))
        var attempts = 0
        await #expect(throws: Unclear.self) {
            try await retry.run {
                attempts += 1
                throw Unclear()
            }
        }
        #expect(attempts == 1)
        #expect(recorder.events.map(\.reason) == [.retrying, .outOfTime])
        #expect(recorder.events.map(\.delay) == [.milliseconds(300), nil])
        #expect(budget.available == 5)
        // A nanosecond earlier there is time for it.
        clock.wakesLate(by: .milliseconds(700) - .nanoseconds(1))
        try? await retry.run {
            attempts += 1; throw Unclear()
        }
        #expect(attempts == 3)
    }

    @Test func `a deadline that has passed is not waited for, wherever it was made`() async {
        let clock = SkippingClock()
        let deadline = Deadline.after(.zero, name: "order", clock: clock)
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(
            repeatability: .idempotent, classify: { _ in .retry }, clock: clock, onEvent: recorder.record)
        var attempts = 0
        let error = await #expect(throws: DeadlinePassed.self) {
            try await retry.run {
                attempts += 1
                try await deadline.run {}
            }
        }
        #expect(error == DeadlinePassed(name: "order"))
        #expect(attempts == 1)
        #expect(recorder.events.map(\.reason) == [.outOfTime])
        // An attempt before it has run.
        attempts = 0
        await #expect(throws: Unclear.self) {
            try await retry.run {
                attempts += 1
                if attempts == 1 { throw Unclear() }
                try await deadline.run {}
            }
        }
        #expect(attempts == 2)
    }

    @Test func `no attempt begins under a deadline that has passed`() async {
        let clock = SkippingClock()
        for form in 0..<6 {
            for limit in [nil, Duration.seconds(9)] {
                let recorder = Recorder<RetryEvent>()
                let budget = RetryBudget(ratio: 1, minimumPerSecond: 0, clock: clock)
                let retry = Retry(
                    name: "catalog", within: limit, repeatability: .idempotent, budget: budget, clock: clock,
                    onEvent: recorder.record)
                let attempts = Locked(0)
                let attempt = { @Sendable () -> Void in attempts.withLock { $0 += 1 } }
                let timeout = Timeout(.seconds(1), clock: clock)
                func run() async throws {
                    switch form {
                    case 0: try await retry.run { attempt() }
                    case 1: try await retry.run { _ in attempt() }
                    case 2:
                        try await retry.run {
                            attempt()
                        } classifyResult: { _ in
                            .retry
                        }
                    case 3:
                        try await retry.run { _ in
                            attempt()
                        } classifyResult: { _ in
                            .retry
                        }
                    case 4: try await retry.run(attemptTimeout: timeout) { attempt() }
                    default: try await retry.run(attemptTimeout: timeout) { _ in attempt() }
                    }
                }
                let error = await #expect(throws: DeadlinePassed.self) {
                    try await Deadline.after(.zero, name: "request", clock: clock).bind { try await run() }
                }
                #expect(error == DeadlinePassed(name: "request"))
                #expect(attempts.withLock { $0 } == 0)
                #expect(budget.available == 0)
                #expect(recorder.events.map(\.reason) == [.outOfTime])
                #expect(recorder.events.map(\.attempt) == [0])
                #expect(recorder.events.first?.error is DeadlinePassed)
                #expect(recorder.events.first?.remaining == .zero)
                // With a nanosecond left it begins.
                try? await Deadline.after(.nanoseconds(1), clock: clock).bind { try await run() }
                #expect(attempts.withLock { $0 } == 1)
            }
        }
    }

    @Test func `a limit that passes before the first attempt begins lets none begin`() async {
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(
            name: "catalog", within: .nanoseconds(1), clock: TickingClock(), onEvent: recorder.record)
        let error = await #expect(throws: DeadlinePassed.self) { try await retry.run { Issue.record("It began") } }
        #expect(error == DeadlinePassed(name: "catalog"))
        #expect(recorder.events.map(\.attempt) == [0])
    }

    @Test func `a first attempt under a deadline reads the clock of the deadline alone, once`() async throws {
        let (clock, other) = (SkippingClock(), SkippingClock())
        let retry = Retry(clock: clock)
        let before = clock.readings
        try await Deadline.after(.seconds(1), clock: other).bind {
            let readings = other.readings
            try await retry.run {}
            #expect(other.readings == readings + 1)
        }
        #expect(clock.readings == before)
    }

    @Test func `a list sets the number of attempts unless it is given`() async {
        let list = Backoff.listed([.seconds(1), .seconds(5), .seconds(30), .seconds(60)])
        for (maxAttempts, backoff, expected) in [
            (nil, list, 5), (2, list, 2), (9, list, 5), (nil, .constant(.zero), 3), (4, .constant(.zero), 4),
        ] as [(Int?, Backoff, Int)] {
            let clock = SkippingClock()
            let recorder = Recorder<RetryEvent>()
            let retry = Retry(
                maxAttempts: maxAttempts, backoff: backoff, repeatability: .idempotent, clock: clock,
                onEvent: recorder.record)
            await #expect(throws: Unclear.self) { try await retry.run { throw Unclear() } }
            #expect(recorder.events.count == expected)
            #expect(recorder.events.last?.reason == .exhausted)
            let delays: [Duration] = [.seconds(1), .seconds(5), .seconds(30), .seconds(60)]
            if backoff == list { #expect(clock.sleeps == Array(delays.prefix(expected - 1))) }
        }
    }

    @Test func `a decorrelated delay builds on the one before`() async {
        let (clock, copy) = (SkippingClock(), RandomSource.seeded(8))
        let retry = Retry(
            maxAttempts: 20, backoff: .decorrelated(), repeatability: .idempotent, clock: clock,
            randomness: .seeded(8))
        await #expect(throws: Unclear.self) { try await retry.run { throw Unclear() } }
        #expect(clock.sleeps == Array(Backoff.decorrelated().delays(using: copy).prefix(19)))
    }
}
