// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import CircuitBreaking
import ReliabilityCore
import ReliabilityTesting
import Testing

/// Worked cases from the behaviour of well-known breakers. Where such a breaker is known to err, the case says what
/// this one does instead.
@Suite struct CircuitBreakerCasesTests {
    typealias Settings = CircuitBreaker.Configuration

    @Test func `B1 a success that completes the minimum opens, once, and the next call is refused`() {
        let story = Story(.init(window: .time(.seconds(20)), minimumCalls: 5))
        story.call("FFFS")
        #expect(story.state == .closed)
        #expect(story.snapshot.failureRate == nil)
        story.call("S")
        #expect(story.state == .open)
        #expect(story.snapshot.failureRate == 0.6)
        #expect(story.reasons == [.failureRate])
        #expect(story.call("S") == 0)
        #expect(story.snapshot.rejected == 1)
    }

    @Test func `B2 calls that take longer than the limit open, though they succeed`() {
        let settings = Settings(minimumCalls: 5, slowCalls: .init(longerThan: .seconds(4), rateThreshold: 0.5))
        let story = Story(settings)
        for seconds in [5.0, 5, 1, 1] { story.call(taking: seconds) }
        #expect(story.state == .closed)
        story.call(taking: 5)
        #expect(story.recorder.changes.map(\.counts) == [CircuitCounts(calls: 5, slowCalls: 3)])
        #expect(story.reasons == [.slowCallRate])
        #expect(story.snapshot.slowCallRate == 0.6)
        // The limit itself is not slow.
        let other = Story(settings)
        for _ in 0..<9 { other.call(taking: 4) }
        #expect(other.counts == CircuitCounts(calls: 9))
    }

    @Test func `B4 an open breaker refuses before its time and probes after it with nothing counted`() {
        let story = Story(.init(window: .calls(2), openFor: .seconds(5)))
        story.call("FF")
        story.advance(3)
        #expect(story.call("S") == 0)
        #expect(story.snapshot.rejected == 1)
        story.advance(3)
        #expect(story.call("X") == 1)
        #expect(story.state == .halfOpen)
        #expect(story.counts == CircuitCounts())
        #expect(story.snapshot.failureRate == nil)
        #expect(story.snapshot.rejected == 0)
    }

    @Test func `B5 a breaker is isolated for a time or until an instant`() {
        let story = Story(.init())
        story.breaker.isolate(for: .seconds(7_200))
        story.advance(3_600)
        #expect(story.call("S") == 0)
        story.advance(3_601)
        #expect(story.call("X") == 1)
        #expect(story.state == .halfOpen)

        let other = Story(.init())
        other.breaker.isolate(until: other.clock.now.advanced(by: .seconds(3_600)), of: other.clock)
        other.advance(2_700)
        #expect(other.call("S") == 0)
        #expect(other.snapshot.retryAfter == .seconds(900))
        other.advance(901)
        #expect(other.call("X") == 1)
    }

    @Test(
        arguments: [
            // The verdict falls with the second failure already: two more successes make one half, which is enough.
            ("FF", .probesFailed, 2), ("FSSS", .probesSucceeded, 4), ("SFSF", .probesFailed, 4),
        ] as [(String, CircuitReason, Int)])
    func `B7 four probes decide by their rate`(calls: String, verdict: CircuitReason, results: Int) {
        let story = Story(.init(window: .calls(1), openFor: .seconds(5), probes: .init(4)))
        story.call("F")
        story.advance(5)
        story.call(calls)
        #expect(story.reasons.last == verdict)
        #expect(story.recorder.changes.last?.counts.calls == results)
    }

    @Test func `B7 three slow probes of four open again`() {
        let story = Story(
            .init(
                window: .calls(1), slowCalls: .init(longerThan: .seconds(4), rateThreshold: 0.75), openFor: .seconds(5),
                probes: .init(4)))
        story.call("F")
        story.advance(5)
        for seconds in [5.0, 1, 5] { story.call(taking: seconds) }
        #expect(story.state == .halfOpen)
        story.call(taking: 5)
        #expect(story.reasons.last == .probesSlow)
        #expect(story.state == .open)
    }

    @Test func `B8 what an operator says stands`() {
        let story = Story(.init(window: .calls(2), openFor: .seconds(1)))
        let breaker = story.breaker
        // Isolated for good: no time and no result ends it, and saying it again changes nothing.
        breaker.isolate()
        breaker.isolate()
        story.advance(1e9)
        #expect(story.call("SSS") == 0)
        #expect(story.snapshot.generation == 2)
        // Disabled: everything passes and nothing is kept.
        breaker.disable()
        breaker.disable()
        #expect(story.call("FFFFFFFF") == 8)
        #expect(story.counts == CircuitCounts())
        #expect(story.snapshot.generation == 3)
        // Only measuring: everything passes, and a breach is told once.
        breaker.measureOnly()
        breaker.measureOnly()
        let before = story.recorder.events.count
        #expect(story.call("SFFFF") == 5)
        #expect(
            story.recorder.kinds.dropFirst(before)
                == [.breached(.failureRate, CircuitCounts(calls: 2, failures: 1, consecutiveFailures: 1))])
        #expect(story.counts == CircuitCounts(calls: 2, failures: 2, consecutiveFailures: 4))
        #expect(story.state == .metricsOnly)
        #expect(story.reasons == [.operation, .operation, .operation])
        // Nothing leads from closed to half-open but an open time.
        breaker.reset()
        #expect(story.state == .closed)
        #expect(story.counts == CircuitCounts())
    }

    @Test func `B10 a window of five seconds forgets a second at a time`() {
        let story = Story(.init(window: .time(.seconds(5), buckets: 5), failureRateThreshold: nil))
        let calls: [(Double, String, CircuitCounts?)] = [
            (0, "F", nil), (0.1, "S", nil), (0.2, "S", nil), (1.2, "S", nil), (2.2, "S", nil), (3.2, "F", nil),
            (4.2, "S", CircuitCounts(calls: 7, failures: 2)), (5.2, "S", CircuitCounts(calls: 5, failures: 1)),
            (6.2, "S", CircuitCounts(calls: 5, failures: 1)), (11.2, "S", CircuitCounts(calls: 1)),
        ]
        for (second, letter, counts) in calls {
            story.go(to: second)
            story.call(letter)
            if let counts { #expect(story.counts == counts, "at \(second) s") }
        }
    }

    @Test func `B11 six failures in a row open for a minute, and one probe decides`() {
        let story = Story(.consecutiveFailures(6, openFor: .seconds(60)))
        story.call("FFFFFSFFFFF")
        #expect(story.state == .closed)
        story.call("F")
        #expect(story.state == .open)
        story.advance(59.999)
        #expect(story.call("S") == 0)
        story.advance(0.001)
        #expect(story.call("F") == 1)
        #expect(story.state == .open)
        story.advance(60)
        #expect(story.call("S") == 1)
        #expect(story.state == .closed)
    }

    @Test func `B13 ignored probes use up no place, and three successes in a row close`() throws {
        let settings = Settings.consecutiveFailures(6, openFor: .seconds(60), probes: .init(3))
        let story = Story(settings)
        story.call("FFFFFF")
        story.advance(60)
        #expect(story.call("XXXX") == 4)
        #expect(story.state == .halfOpen)
        story.call("F")
        #expect(story.state == .open)
        story.advance(60)
        story.call("SS")
        #expect(story.state == .halfOpen)
        let third = try story.breaker.acquire()
        #expect(throws: CircuitOpen(name: "provider", retryAfter: nil, state: .halfOpen)) {
            try story.breaker.acquire().ignore()
        }
        third.succeed()
        #expect(story.state == .closed)
    }

    @Test func `B14 thirty seconds in ten buckets, and a rule of the user's`() {
        let rule = CircuitRule("six of ten") { counts in counts.failures * 10 > counts.calls * 6 }
        let story = Story(.init(window: .time(.seconds(30)), failureRateThreshold: nil, rule: rule))
        // Excluded results (X) are in no count here, so each number is that of the case less the excluded ones.
        var calls = [("SFXSFXSFXSFXSFX", 0.0, 10), ("S", 3, 11), ("SX", 2, 12), ("XS", 2, 13), ("F", 2, 14)]
        for number in 1...6 { calls.append(("SF", 3, 14 + 2 * number)) }
        for (letters, seconds, total) in calls {
            story.advance(seconds)
            story.call(letters)
            #expect(story.counts.calls == total)
        }
        story.advance(3)
        story.call("F")
        #expect(story.counts == CircuitCounts(calls: 17, failures: 8, consecutiveFailures: 2))
        story.call("FFFFF")
        #expect(story.state == .closed)
        story.call("F")
        #expect(story.reasons == [.rule("six of ten")])
        #expect(story.recorder.changes.map(\.counts.failures) == [14])
        #expect(story.recorder.changes.map(\.counts.calls) == [23])
    }

    @Test(
        arguments: [
            ("FSFF", 3, 1, "FSFFF"), ("FS", 3, 2.0 / 3, "FSF"), ("SFSFSFSFSFSF", 4, 0.75, "SFSFSFSFSFSFF"),
        ] as [(String, Int, Double, String)])
    func `B16 so many of the last calls`(closed: String, window: Int, rate: Double, open: String) {
        for (calls, state) in [(closed, CircuitBreaker.State.closed), (open, .open)] {
            let story = Story(.init(window: .calls(window), failureRateThreshold: rate))
            story.call(calls)
            #expect(story.state == state)
        }
    }

    @Test(
        arguments: [(3, 3, "SSF"), (3, 4, "SFSF"), (2, 4, "SFFF"), (2, 3, "FSF")] as [(Int, Int, String)])
    func `B17 so many successes of so many probes`(successes: Int, count: Int, calls: String) {
        let story = Story(
            .consecutiveFailures(1, openFor: .seconds(5), probes: .init(count, successes: successes)))
        story.call("F")
        story.advance(5)
        story.call(String(calls.dropLast()))
        #expect(story.state == .halfOpen)
        story.call(String(calls.suffix(1)))
        #expect(story.state == .open)
        #expect(story.reasons.last == .probesFailed)
    }

    @Test func `B19 and B20 health over ten seconds in ten buckets`() {
        let settings = Settings(window: .time(.seconds(10)), minimumCalls: 1, failureRateThreshold: nil)
        var story = Story(settings)
        let rounds: [(String, Int, Double?, Int)] = [
            ("FS", 2, 0.5, 1), ("FS", 4, 0.5, 2), ("SS", 6, 1.0 / 3, 2), ("SS", 8, 0.25, 2), ("SS", 8, 0.125, 1),
            ("", 6, 0, 0),
        ]
        for (calls, throughput, rate, failures) in rounds {
            story.call(calls)
            story.advance(2)
            let snapshot = story.snapshot
            #expect(snapshot.counts.calls == throughput)
            #expect(snapshot.failureRate == rate)
            #expect(snapshot.counts.failures == failures)
        }
        story = Story(settings)
        for _ in 0..<10 {
            story.call("S")
            story.advance(1)
        }
        #expect(story.counts.calls == 9)
        story.advance(1)
        #expect(story.counts.calls == 8)
        for seconds in [10, 10.001] {
            story = Story(settings)
            story.call("SS")
            story.advance(seconds)
            #expect(story.counts.calls == 0)
        }
    }

    @Test func `B22 two failures shut, the wait doubles with each failed probe, and an early call cannot close`() throws
    {
        let story = Story(
            .consecutiveFailures(2, openFor: .seconds(1), growth: .init(factor: 2, maximum: .seconds(60))))
        let early = try story.breaker.acquire()
        story.call("FF")
        early.succeed()
        #expect(story.state == .open)
        story.advance(1)
        story.call("F")
        #expect(story.recorder.changes.compactMap(\.openFor) == [.seconds(1), .seconds(2)])
        story.advance(1.999)
        #expect(story.call("S") == 0)
        story.advance(0.001)
        // An answer that says "too many" fails a probe as any error does.
        try story.breaker.acquire().settle(.failure(advisedBy: Overloaded(retryAfter: nil)))
        #expect(story.state == .open)
        #expect(story.snapshot.openings == 3)
    }

    @Test func `B25 neither a clock that goes back nor an old permit nor a lost probe does harm`() throws {
        // (a) An hour back: the window keeps what it has and takes what comes.
        let window = Story(.init(window: .time(.seconds(10)), failureRateThreshold: nil))
        window.go(to: 7_200)
        window.call("FSFSFS")
        window.go(to: 3_600)
        for number in 1...20 {
            window.call("S")
            window.advance(1)
            #expect(window.counts == CircuitCounts(calls: 6 + number, failures: 3))
        }
        // (b) An ignored call of an old generation frees no place.
        let story = Story(.init(window: .calls(1), openFor: .seconds(5), probes: .init(1, lease: .seconds(30))))
        let old = try (0..<3).map { _ in try story.breaker.acquire().detach() }
        story.call("F")
        story.advance(5)
        let probe = try story.breaker.acquire().detach()
        for permit in old { permit.ignore() }
        #expect(story.call("S") == 0)
        // (c) A probe that never ends loses its place.
        story.advance(29.999)
        #expect(story.call("S") == 0)
        story.advance(0.001)
        #expect(story.call("S") == 1)
        #expect(story.state == .closed)
        #expect(probe.fail())
        #expect(story.counts == CircuitCounts())
    }
}
