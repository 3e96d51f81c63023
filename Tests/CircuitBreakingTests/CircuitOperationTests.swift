// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import CircuitBreaking
import ReliabilityCore
import ReliabilityTesting
import Testing

@Suite struct CircuitOperationTests {
    typealias Settings = CircuitBreaker.Configuration

    private static let verbs: [(CircuitBreaker.State, @Sendable (CircuitBreaker) -> Void)] = [
        (.isolated, { $0.isolate() }), (.isolated, { $0.isolate(for: .seconds(9)) }), (.disabled, { $0.disable() }),
        (.metricsOnly, { $0.measureOnly() }), (.closed, { $0.reset() }),
    ]

    @Test func `every verb works in every state, starts a generation, and is told with the state before`() throws {
        let open: @Sendable (CircuitBreaker) -> Void = { try? $0.acquire().fail() }
        for (from, before) in Self.verbs + [(.open, open)] {
            for (to, verb) in Self.verbs {
                let story = Story(.init(window: .calls(1), openFor: .seconds(5)))
                before(story.breaker)
                #expect(story.state == from)
                let (generation, told) = (story.snapshot.generation, story.recorder.changes.count)
                let early = story.breaker.peek() == nil ? try story.breaker.acquire().detach() : nil
                verb(story.breaker)
                #expect(story.state == to)
                // What is so already is neither done nor told, except that a closed breaker forgets.
                if from == to, from != .closed, story.snapshot.generation == generation {
                    #expect(story.recorder.changes.count == told)
                    continue
                }
                #expect(story.snapshot.generation == generation + 1)
                #expect(story.snapshot.reason == .operation)
                let changes = story.recorder.changes.dropFirst(told)
                #expect(changes.map(\.from) == [from])
                #expect(changes.map(\.to) == [to])
                // What ran meanwhile counts no more.
                early?.fail()
                #expect(story.state == to)
                if to != .isolated { #expect(story.counts == CircuitCounts()) }
            }
        }
    }

    @Test func `a breaker is isolated to the nanosecond, and then probes`() {
        let story = Story(.init(window: .calls(4), openFor: .seconds(5), probes: .init(1)))
        story.call("F")
        story.breaker.isolate(for: .seconds(10))
        #expect(story.counts.failures == 1)
        #expect(story.recorder.changes.last?.openFor == .seconds(10))
        story.advance(9.999999999)
        #expect(story.breaker.peek() == CircuitOpen(name: "provider", retryAfter: .nanoseconds(1), state: .isolated))
        #expect(story.call("S") == 0)
        story.advance(0.000000001)
        #expect(story.breaker.peek() == nil)
        #expect(story.call("F") == 1)
        #expect(story.snapshot.retryAfter == .seconds(5))
        for duration in [Duration.zero, .seconds(-1)] { story.breaker.isolate(for: duration) }
        story.breaker.isolate(until: story.clock.now, of: story.clock)
        #expect(story.state == .open)
        story.breaker.isolate()
        #expect(story.breaker.peek() == CircuitOpen(name: "provider", retryAfter: nil, state: .isolated))
        #expect(story.call("S") == 0)
        #expect(story.snapshot.rejected == 1)
        #expect(story.recorder.kinds.last == .rejected(retryAfter: nil))
    }

    @Test func `a refusal does not tell a time that never comes, nor one that a clock has taken back`() throws {
        let story = Story(.init(window: .calls(1), openFor: .seconds(Int64.max)))
        story.advance(1)
        story.call("F")
        #expect(throws: CircuitOpen(name: "provider", retryAfter: nil)) { try story.breaker.acquire().ignore() }
        #expect(story.breaker.peek() == CircuitOpen(name: "provider", retryAfter: nil))
        let other = Story(.init(window: .calls(1), openFor: .seconds(5)))
        other.go(to: 100)
        other.call("F")
        other.go(to: 40)
        let refusal = CircuitOpen(name: "provider", retryAfter: .seconds(5))
        #expect(throws: refusal) { try other.breaker.acquire().ignore() }
        #expect(other.breaker.peek() == refusal)
    }

    @Test func `a breach is told again after a result that was none`() {
        let story = Story(.init(window: .calls(4), minimumCalls: 4, failureRateThreshold: 0.5))
        story.breaker.measureOnly()
        func breaches() -> Int { story.recorder.kinds.count { if case .breached = $0 { true } else { false } } }
        story.call("FFFF")
        #expect(breaches() == 1)
        story.call("SSSS")
        #expect(breaches() == 1)
        story.call("F")
        #expect(breaches() == 1)
        story.call("F")
        #expect(breaches() == 2)
        let rule = Story(.init(failureRateThreshold: nil, rule: CircuitRule("even") { $0.failures % 2 == 0 }))
        rule.breaker.measureOnly()
        rule.call("FFFF")
        #expect(
            rule.recorder.kinds.suffix(2)
                == [2, 4].map { failures in
                    .breached(
                        .rule("even"),
                        CircuitCounts(calls: failures, failures: failures, consecutiveFailures: failures))
                })
    }

    @Test func `looking changes nothing`() throws {
        let story = Story(.init(window: .calls(1), openFor: .seconds(5), probes: .init(2, lease: .seconds(9))))
        func look() { for _ in 0..<5 { _ = (story.breaker.peek(), story.snapshot, story.state) } }
        #expect(story.breaker.peek() == nil)
        story.call("F")
        #expect(story.breaker.peek() == CircuitOpen(name: "provider", retryAfter: .seconds(5)))
        story.advance(5)
        look()
        #expect(story.breaker.peek() == nil)
        #expect(story.state == .open)
        #expect(story.snapshot.retryAfter == nil)
        let probes = try (0..<2).map { _ in try story.breaker.acquire().detach() }
        #expect(story.snapshot.runningProbes == 2)
        #expect(story.breaker.peek() == CircuitOpen(name: "provider", retryAfter: nil, state: .halfOpen))
        story.advance(9)
        look()
        #expect(story.breaker.peek() == nil)
        let (told, rejected) = (story.recorder.events.count, story.snapshot.rejected)
        look()
        #expect(story.recorder.events.count == told)
        #expect(story.snapshot.rejected == rejected)
        #expect(story.snapshot.runningProbes == 2)
        for probe in probes { probe.succeed() }
        #expect(story.state == .closed)
    }

    @Test func `looking draws nothing from the randomness, in any state and at any time`() throws {
        let configuration = Settings.consecutiveFailures(
            1, openFor: .seconds(10), growth: .init(jitter: 1), probes: .init(2, timeLimit: .seconds(3)))
        // Two that live through the same, of which one is looked at all the time.
        func live(_ look: (CircuitBreakers<String>) -> Void) throws -> (times: [Duration?], draw: UInt64) {
            let (clock, randomness) = (ManualClock(), RandomSource.seeded(7))
            let breakers = CircuitBreakers<String>(
                name: "provider", configuration: configuration, clock: clock, randomness: randomness)
            let breaker = breakers.breaker(for: "a")
            var times: [Duration?] = []
            for _ in 0..<20 {
                look(breakers)
                if case .closed = breaker.state { try breaker.acquire().fail() }
                look(breakers)
                times.append(breaker.snapshot.retryAfter)
                clock.advance(by: .seconds(10))
                look(breakers)
                // A probe that hangs until the half-open time is over, so that looking finds the breaker open again.
                let probe = try? breaker.acquire().detach()
                look(breakers)
                clock.advance(by: .seconds(3))
                look(breakers)
                probe?.ignore()
            }
            return (times, randomness.next())
        }
        let alone = try live { _ in }
        let watched = try live { breakers in
            for _ in 0..<5 {
                _ = (breakers.snapshots(), breakers.outliers())
                if let breaker = breakers.existingBreaker(for: "a") {
                    _ = (breaker.state, breaker.snapshot, breaker.peek(), breaker.isFresh)
                }
            }
        }
        #expect(watched.times == alone.times)
        #expect(watched.draw == alone.draw)
        #expect(Set(alone.times).count > 2)
    }

    @Test func `a window that is the same keeps its results, and another starts empty`() throws {
        let first = Settings(window: .calls(10), minimumCalls: 10, failureRateThreshold: 1)
        let rows: [(Settings, keeps: Bool)] = [
            (Settings(window: .calls(10), minimumCalls: 4, failureRateThreshold: 0.9), true),
            (Settings(window: .calls(11), minimumCalls: 10), false),
            (Settings(window: .time(.seconds(10)), minimumCalls: 10), false),
            (Settings(window: .calls(10), slowCalls: .init(longerThan: .zero)), false),
        ]
        for (settings, keeps) in rows {
            let story = Story(first)
            let running = try story.breaker.acquire().detach()
            story.call("SFF")
            try story.breaker.reconfigure(settings)
            #expect(story.recorder.kinds.last == .reconfigured)
            #expect(story.counts == (keeps ? CircuitCounts(calls: 3, failures: 2, consecutiveFailures: 2) : .init()))
            // A call that began before belongs to the same generation; it is not slow, as nobody has timed it.
            story.advance(1)
            running.succeed()
            #expect(story.counts == CircuitCounts(calls: keeps ? 4 : 1, failures: keeps ? 2 : 0))
        }
    }

    @Test func `a result that came without a time goes to the bucket of the present`() throws {
        let story = Story(.init())
        let running = try (0..<3).map { _ in try story.breaker.acquire().detach() }
        try story.breaker.reconfigure(.init(window: .time(.seconds(10))))
        running[0].succeed()
        story.advance(9.5)
        running[1].succeed()
        #expect(story.counts.calls == 2)
        story.advance(0.5)
        running[2].succeed()
        #expect(story.counts.calls == 2)
    }

    @Test func `a broken setting is refused and the breaker goes on as before`() throws {
        let story = Story(.init(window: .calls(2)))
        story.call("F")
        #expect(throws: InvalidCircuitConfiguration.self) {
            try story.breaker.reconfigure(.init(window: .calls(0)))
        }
        #expect(story.recorder.events.isEmpty)
        story.call("F")
        #expect(story.state == .open)
    }

    @Test func `a deadline that was told stays, and the next is the new one's`() throws {
        let story = Story(.init(window: .calls(1), openFor: .seconds(5), probes: .init(1)))
        story.call("F")
        try story.breaker.reconfigure(.init(window: .calls(1), openFor: .seconds(60), probes: .init(1)))
        #expect(story.snapshot.retryAfter == .seconds(5))
        story.advance(5)
        story.call("F")
        #expect(story.snapshot.retryAfter == .seconds(60))
    }

    @Test(
        arguments: [("SS", 2, .closed), ("SF", 2, .open), ("SS", 9, .halfOpen), ("", 1, .halfOpen)]
            as [(String, Int, CircuitBreaker.State)])
    func `probes that have ended are judged by the new settings`(
        calls: String, count: Int, state: CircuitBreaker.State
    ) throws {
        let story = Story(.consecutiveFailures(1, openFor: .seconds(5), probes: .init(5, successes: 4)))
        story.call("F")
        story.advance(5)
        story.call("X" + calls)
        #expect(story.state == .halfOpen)
        try story.breaker.reconfigure(.consecutiveFailures(1, openFor: .seconds(5), probes: .init(count)))
        #expect(story.state == state)
    }

    @Test func `results that were counted break the new rules with the next one`() throws {
        let story = Story(.consecutiveFailures(9))
        story.call("FFF")
        try story.breaker.reconfigure(.consecutiveFailures(2))
        #expect(story.state == .closed)
        story.call("F")
        #expect(story.state == .open)
        // Good results that came without the lock belong to the window before.
        let other = Story(.init(window: .calls(10), failureRateThreshold: 0.5))
        other.call("SSSSSS")
        try other.breaker.reconfigure(.init(window: .calls(10), minimumCalls: 1, failureRateThreshold: 0.1))
        #expect(other.counts.calls == 6)
        other.call("F")
        #expect(other.state == .open)
        #expect(other.recorder.changes.map(\.counts.calls) == [7])
    }
}
