// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

import CircuitBreaking

@Suite struct CircuitBreakerTests {
    private func run(_ breaker: CircuitBreaker, _ outcome: Result<Int, any Error>) async -> (any Error)? {
        do {
            _ = try await breaker.run { try outcome.get() }
            return nil
        } catch {
            return error
        }
    }

    @Test func `a breaker opens, refuses, probes and closes, and reports each change once`() async {
        let clock = ManualClock()
        let recorder = Recorder()
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(window: .calls(2), openFor: .seconds(5), probes: .init(1)),
            clock: clock, onEvent: recorder.record)
        for _ in 1...2 { #expect(await run(breaker, .failure(Broken())) is Broken) }
        #expect(breaker.state == .open)

        clock.advance(by: .seconds(3))
        let refusal = CircuitOpen(name: "provider", retryAfter: .seconds(2))
        #expect(await run(breaker, .success(1)) as? CircuitOpen == refusal)
        clock.advance(by: .seconds(2) - .nanoseconds(1))
        let lastRefusal = CircuitOpen(name: "provider", retryAfter: .nanoseconds(1))
        #expect(await run(breaker, .success(1)) as? CircuitOpen == lastRefusal)

        // Looking does not let the time end; a call at the deadline does.
        clock.advance(by: .nanoseconds(1))
        #expect(breaker.state == .open)
        #expect(await run(breaker, .failure(Broken())) is Broken)
        #expect(breaker.state == .open)
        clock.advance(by: .seconds(5))
        #expect(await run(breaker, .success(1)) == nil)
        #expect(breaker.state == .closed)
        #expect(breaker.snapshot.counts == CircuitCounts())

        let broken = CircuitCounts(calls: 2, failures: 2, consecutiveFailures: 2)
        let failed = CircuitCounts(calls: 1, failures: 1, consecutiveFailures: 1)
        let wait = Duration.seconds(5)
        #expect(
            recorder.kinds == [
                .changed(.init(from: .closed, to: .open, reason: .failureRate, counts: broken, openFor: wait)),
                .rejected(retryAfter: .seconds(2)), .rejected(retryAfter: .nanoseconds(1)),
                .changed(.init(from: .open, to: .halfOpen, reason: .openTimeOver, counts: broken)),
                .changed(.init(from: .halfOpen, to: .open, reason: .probesFailed, counts: failed, openFor: wait)),
                .changed(.init(from: .open, to: .halfOpen, reason: .openTimeOver, counts: failed)),
                .changed(
                    .init(from: .halfOpen, to: .closed, reason: .probesSucceeded, counts: CircuitCounts(calls: 1))),
            ])
        #expect(recorder.events.map(\.generation) == [2, 2, 2, 3, 4, 5, 6])
        #expect(recorder.events.allSatisfy { $0.name == "provider" })
    }

    private static let results: [(Result<Int, any Error>, Int, Int)] = [
        // A result, and what it adds to the calls and to the failures.
        (.success(1), 1, 0),
        (.failure(Broken()), 1, 1),
        (.failure(Declined()), 1, 0),
        (.failure(Refused()), 0, 0), (.failure(Senseless()), 0, 0),
        (.failure(CircuitOpen(name: "inner", retryAfter: nil)), 0, 0),
        // Somebody within was cancelled, though the task of the call is not.
        (.failure(CancellationError()), 0, 0),
    ]

    @Test(arguments: results)
    func `a result counts for or against the neighbour, or not at all`(
        result: Result<Int, any Error>, calls: Int, failures: Int
    ) async {
        let breaker = CircuitBreaker(
            name: "provider", judge: { $0 is Declined ? .success : .failure }, clock: ManualClock())
        _ = await run(breaker, result)
        #expect(breaker.snapshot.counts.calls == calls)
        #expect(breaker.snapshot.counts.failures == failures)
        // Without a rule of its own, every error that is counted is a failure.
        let strict = CircuitBreaker(name: "provider", clock: ManualClock())
        _ = await run(strict, result)
        let isError = if case .failure = result { true } else { false }
        #expect(strict.snapshot.counts.failures == (isError ? calls : 0))
    }

    @Test func `a judge may ignore an error, or hear its advice`() async {
        let clock = ManualClock()
        let breaker = CircuitBreaker(
            name: "provider", judge: { $0 is Declined ? .ignored : .failure(advisedBy: $0) }, clock: clock)
        _ = await run(breaker, .failure(Declined()))
        #expect(breaker.snapshot.counts.calls == 0)
        _ = await run(breaker, .failure(Overloaded(retryAfter: nil)))
        #expect(breaker.snapshot.counts.failures == 1)
        _ = await run(breaker, .failure(Overloaded(retryAfter: .seconds(7))))
        #expect(await run(breaker, .success(1)) as? CircuitOpen == .init(name: "provider", retryAfter: .seconds(7)))
        #expect(breaker.snapshot.reason == .advice)
    }

    @Test(arguments: [false, true])
    func `a rule is asked about all that a snapshot tells of the window`(isMeasuring: Bool) throws {
        final class Seen: Sendable {
            let breaker = Locked<CircuitBreaker?>(nil)
            let pairs = Locked<[(CircuitCounts, CircuitBreaker.Snapshot?)]>([])
        }
        let (seen, clock) = (Seen(), ManualClock())
        let rule = CircuitRule("never") { counts in
            // Outside the lock, so that the breaker may be asked.
            let snapshot = seen.breaker.withLock { $0 }?.snapshot
            seen.pairs.withLock { $0.append((counts, snapshot)) }
            return false
        }
        let breaker = CircuitBreaker(
            name: "provider",
            configuration: .init(
                window: .calls(4), minimumCalls: 1, failureRateThreshold: nil,
                slowCalls: .init(longerThan: .seconds(2)), rule: rule), clock: clock)
        seen.breaker.withLock { $0 = breaker }
        defer { seen.breaker.withLock { $0 = nil } }
        if isMeasuring { breaker.measureOnly() }
        let first = breaker.snapshot
        for (letter, seconds) in zip("SFFSSFFSF", [0, 0, 3, 0, 3, 0, 0, 0, 0]) {
            let permit = try breaker.acquire()
            clock.advance(by: .seconds(seconds))
            if letter == "S" { permit.succeed() } else { permit.fail() }
        }
        let pairs = seen.pairs.withLock { $0 }
        #expect(pairs.count == 6)
        for case (let counts, let snapshot?) in pairs {
            #expect(snapshot.counts == counts)
            #expect(snapshot.failureRate == counts.failureRate && snapshot.slowCallRate == counts.slowCallRate)
            #expect(snapshot.state == first.state && snapshot.generation == first.generation)
            #expect(snapshot.rejected == 0 && snapshot.runningProbes == 0 && snapshot.openings == 0)
            #expect(snapshot.reason == first.reason && snapshot.retryAfter == nil)
        }
    }

    @Test func `a value can be a failure`() async throws {
        let story = Story(.init(failureRateThreshold: nil))
        func answer(_ status: Int) async throws -> Int {
            try await story.breaker.run {
                if status == 0 { throw Broken() }
                return status
            } judging: { status in
                switch status {
                case 200: .success
                case 429: .ignored
                case 503: .unavailable(for: .seconds(9))
                default: .failure
                }
            }
        }
        for status in [200, 500, 429] { #expect(try await answer(status) == status) }
        await #expect(throws: Broken.self) { try await answer(0) }
        #expect(story.counts == CircuitCounts(calls: 3, failures: 2, consecutiveFailures: 2))
        #expect(try await answer(503) == 503)
        #expect(story.snapshot.retryAfter == .seconds(9))
        await #expect(throws: CircuitOpen(name: "provider", retryAfter: .seconds(9))) { try await answer(200) }
    }

    @Test func `the cancellation of a probe's task frees its place and decides nothing`() async {
        let clock = ManualClock()
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(window: .calls(1), openFor: .seconds(5), probes: .init(1)),
            clock: clock)
        _ = await run(breaker, .failure(Broken()))
        clock.advance(by: .seconds(5))
        // Whatever the error is: it may be the neighbour's way of saying that it was cancelled.
        for thrown in [nil, Broken(), Declined()] as [(any Error)?] {
            async let error: (any Error)? = {
                do {
                    try await breaker.run {
                        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                        if let thrown { throw thrown }
                        try Task.checkCancellation()
                    }
                    return nil
                } catch {
                    return error
                }
            }()
            #expect(await error != nil)
            #expect(breaker.state == .halfOpen)
        }
        #expect(await run(breaker, .success(1)) == nil)
        #expect(breaker.state == .closed)
    }

    @Test func `a closed breaker reads the clock only where its settings need it`() async throws {
        let rows: [(CircuitBreaker.Configuration, perCall: Int)] = [
            (.init(), 0), (.consecutiveFailures(99), 0), (.init(window: .time(.seconds(1)), minimumCalls: 99), 1),
            (.init(forgetAfter: .seconds(1)), 1), (.init(slowCalls: .init(longerThan: .seconds(1))), 2),
        ]
        for (configuration, perCall) in rows {
            let clock = CountingClock()
            let breaker = CircuitBreaker(name: "provider", configuration: configuration, clock: clock)
            let before = clock.readings
            for _ in 1...5 {
                _ = await run(breaker, .success(1))
                try breaker.acquire().succeed()
                try breaker.acquire().ignore()
                _ = await run(breaker, .failure(Broken()))
            }
            #expect(clock.readings - before == 20 * perCall)
        }
    }

    @Test func `a breaker is a policy and describes itself`() async throws {
        let breaker = CircuitBreaker(name: "provider")
        #expect(
            breaker.summary == "CircuitBreaker(provider): opens for 30.0 seconds at a failure rate of 0.5 over "
                + "the last 100 calls (at least 20), 3 probes")
        #expect(try await Pipeline { breaker }.run { 7 } == 7)
        #expect(breaker.snapshot.counts.calls == 1)
        let other = CircuitBreaker.Configuration(
            window: .time(.seconds(10)), failureRateThreshold: nil,
            slowCalls: .init(longerThan: .seconds(2), rateThreshold: 0.8), consecutiveFailures: 5,
            rule: CircuitRule("mine") { _ in false }, growth: .init())
        #expect(
            "\(other)" == "opens for 30.0 seconds to 300.0 seconds at a rate of 0.8 of calls over 2.0 seconds or "
                + "5 failures in a row or the rule mine over the last 10.0 seconds (at least 20), 3 probes")
        #expect("\(CircuitBreaker.Configuration(failureRateThreshold: nil))".contains(" at advice over "))
    }

    @Test func `an event handler may use the breaker, and hears of changes in their order`() throws {
        let clock = ManualClock()
        let recorder = Recorder()
        let holder = Locked<CircuitBreaker?>(nil)
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(window: .calls(1), openFor: .seconds(1), probes: .init(1)),
            clock: clock
        ) { event in
            // Changes the state again from inside the report of the first two changes.
            let breaker = holder.withLock { $0 }
            if event.generation <= 3, case .changed(let change) = event.kind, change.to == .open {
                clock.advance(by: .seconds(1))
                (try? breaker?.acquire().detach())?.fail()
            }
            recorder.record(event)
        }
        holder.withLock { $0 = breaker }
        try breaker.acquire().fail()
        holder.withLock { $0 = nil }
        #expect(recorder.events.map(\.generation) == [2, 3, 4])
    }

    @Test func `a rule may use the breaker, and what it says of a generation that has ended changes nothing`() throws {
        let holder = Locked<CircuitBreaker?>(nil)
        let breaker = CircuitBreaker(
            name: "provider",
            configuration: .init(
                failureRateThreshold: nil,
                rule: CircuitRule("any") { _ in
                    holder.withLock { $0 }?.reset()
                    return true
                }), clock: ManualClock())
        holder.withLock { $0 = breaker }
        try breaker.acquire().fail()
        holder.withLock { $0 = nil }
        #expect(breaker.state == .closed)
        #expect(breaker.snapshot.reason == .operation)
    }
}
