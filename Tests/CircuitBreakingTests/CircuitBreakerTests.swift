// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

import CircuitBreaking

struct Broken: Error {}

/// A proper answer of the neighbour that is thrown as an error.
struct Declined: Error {}

/// A refusal by a guard inside the breaker.
struct Refused: Rejection {
    var retryAfter: Duration? { nil }
}

/// Collects what `onEvent` hears.
final class Recorder: Sendable {
    private let list = Locked<[CircuitEvent]>([])

    var events: [CircuitEvent] { list.withLock { $0 } }
    var kinds: [CircuitEvent.Kind] { events.map(\.kind) }

    @Sendable func record(_ event: CircuitEvent) {
        list.withLock { $0.append(event) }
    }
}

/// A clock that counts its readings and cannot be slept on.
final class CountingClock: Clock {
    typealias Instant = ManualClock.Instant
    private let count = Locked(0)

    var readings: Int { count.withLock { $0 } }
    var minimumResolution: Duration { .zero }
    var now: Instant {
        count.withLock { $0 += 1 }
        return Instant(offset: .zero)
    }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws { throw CancellationError() }
}

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
            name: "provider", configuration: .init(window: 2, openFor: .seconds(5), halfOpenProbes: 1), clock: clock,
            onEvent: recorder.record)
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
        #expect(breaker.snapshot.calls == 0)

        #expect(
            recorder.kinds == [
                .opened(failures: 2, calls: 2),
                .rejected(retryAfter: .seconds(2)), .rejected(retryAfter: .nanoseconds(1)),
                .halfOpened, .reopened(failures: 1, calls: 1),
                .halfOpened, .closed(failures: 0, calls: 1),
            ])
        #expect(recorder.events.map(\.generation) == [2, 2, 2, 3, 4, 5, 6])
        #expect(recorder.events.allSatisfy { $0.name == "provider" })
    }

    private static let results: [(Result<Int, any Error>, Int, Int)] = [
        // A result, and what it adds to the calls and to the failures.
        (.success(1), 1, 0),
        (.failure(Broken()), 1, 1),
        (.failure(Declined()), 1, 0),
        (.failure(Refused()), 0, 0),
        (.failure(CircuitOpen(name: "inner", retryAfter: nil)), 0, 0),
        // Its task is not cancelled, so this one speaks of the neighbour.
        (.failure(CancellationError()), 1, 1),
    ]

    @Test(arguments: results)
    func `a result counts for or against the neighbour, or not at all`(
        result: Result<Int, any Error>, calls: Int, failures: Int
    ) async {
        let breaker = CircuitBreaker(name: "provider", isFailure: { !($0 is Declined) }, clock: ManualClock())
        _ = await run(breaker, result)
        #expect(breaker.snapshot.calls == calls)
        #expect(breaker.snapshot.failures == failures)
        // Without a rule of its own, every error that is counted is a failure.
        let strict = CircuitBreaker(name: "provider", clock: ManualClock())
        _ = await run(strict, result)
        let isError = if case .failure = result { true } else { false }
        #expect(strict.snapshot.failures == (isError ? calls : 0))
    }

    @Test func `the cancellation of a probe's task frees its place and decides nothing`() async {
        let clock = ManualClock()
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(window: 1, openFor: .seconds(5), halfOpenProbes: 1), clock: clock)
        _ = await run(breaker, .failure(Broken()))
        clock.advance(by: .seconds(5))
        for _ in 1...3 {
            async let error: (any Error)? = {
                do {
                    try await breaker.run {
                        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                        try Task.checkCancellation()
                    }
                    return nil
                } catch {
                    return error
                }
            }()
            #expect(await error is CancellationError)
            #expect(breaker.state == .halfOpen)
        }
        #expect(await run(breaker, .success(1)) == nil)
        #expect(breaker.state == .closed)
    }

    @Test func `a closed breaker reads no clock`() async throws {
        let clock = CountingClock()
        let breaker = CircuitBreaker(name: "provider", clock: clock)
        let before = clock.readings
        for _ in 1...50 {
            _ = await run(breaker, .success(1))
            try breaker.acquire().succeed()
        }
        _ = await run(breaker, .failure(Broken()))
        #expect(clock.readings == before)
    }

    @Test func `a breaker is a policy and describes itself`() async throws {
        let breaker = CircuitBreaker(name: "provider")
        #expect(
            breaker.summary == "CircuitBreaker(provider): opens for 30.0 seconds at a failure rate of 0.5 over "
                + "100 calls (at least 20), 3 probes")
        #expect(try await Pipeline { breaker }.run { 7 } == 7)
        #expect(breaker.snapshot.calls == 1)
    }

    @Test func `an event handler may use the breaker, and hears of changes in their order`() throws {
        let clock = ManualClock()
        let recorder = Recorder()
        let holder = Locked<CircuitBreaker?>(nil)
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(window: 1, openFor: .seconds(1), halfOpenProbes: 1), clock: clock
        ) { event in
            // Changes the state again from inside the report of the first two changes.
            let breaker = holder.withLock { $0 }
            if event.generation <= 3, event.kind != .halfOpened {
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

    private static let refused = [
        "not 0", "not 1000001", "over 0", "not 0.0", "not 1.5", "not nan", "not for 0.0", "probes, not 0",
    ]

    @Test(arguments: refused.indices)
    func `settings that make no sense are refused with their value`(row: Int) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [row = row as Int] in
            switch row {
            case 0: _ = CircuitBreaker.Configuration(window: 0)
            case 1: _ = CircuitBreaker.Configuration(window: 1_000_001)
            case 2: _ = CircuitBreaker.Configuration(minimumCalls: 0)
            case 3: _ = CircuitBreaker.Configuration(failureRateThreshold: 0)
            case 4: _ = CircuitBreaker.Configuration(failureRateThreshold: 1.5)
            case 5: _ = CircuitBreaker.Configuration(failureRateThreshold: .nan)
            case 6: _ = CircuitBreaker.Configuration(openFor: .zero)
            default: _ = CircuitBreaker.Configuration(halfOpenProbes: 0)
            }
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains(Self.refused[row]))
    }
}
