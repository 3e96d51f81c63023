// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Synchronization
import Testing

@testable import CircuitBreaking

/// A core with the calls of a table applied to it. A breach is concluded at once, as the breaker does it.
struct Bench: ~Copyable {
    var core: CircuitBreakerState

    init(_ configuration: CircuitBreaker.Configuration) {
        core = CircuitBreakerState(CircuitRules(configuration), random: .seeded(1))
    }

    /// Starts a call at the second; returns `nil` if it was refused.
    mutating func start(at second: Double = 0) -> CircuitTicket? {
        guard case .admitted(let ticket) = core.admit(now: Self.nanoseconds(second)) else { return nil }
        return ticket
    }

    /// How long a call at the second is refused for; -1 if that is not told, and `nil` if it passes.
    mutating func refusal(at nanosecond: Int64) -> Int64? {
        guard case .refused(let retryAfter) = core.admit(now: nanosecond) else { return nil }
        return retryAfter ?? -1
    }

    mutating func end(_ ticket: CircuitTicket?, _ outcome: CallOutcome, at second: Double = 0) {
        guard let ticket else { return }
        let now = Self.nanoseconds(second)
        switch core.settle(outcome, ticket, now: now) {
        case .done, .late: break
        case .needsTime: Issue.record("the time was given")
        case .breached(let breach): core.conclude(breach, of: ticket.era.generation, now: now)
        case .ask(let rule, let counts):
            let breach = CircuitBreakerState.Breach(reason: .rule(rule.name), counts: counts)
            core.conclude(rule.isBroken(counts) ? breach : nil, of: ticket.era.generation, now: now)
        }
    }

    /// Makes a call for every letter: Success, Failure, or an ignored one (X). Refused calls stay without effect.
    mutating func call(_ outcomes: String, at second: Double = 0) {
        for letter in outcomes {
            end(start(at: second), letter == "S" ? .success : letter == "F" ? .failure : .ignored, at: second)
        }
    }

    var state: CircuitBreaker.State { core.publicState }

    /// Takes the changes that there were since the last time.
    mutating func changes() -> [CircuitChange] {
        defer { core.notices = [] }
        return core.notices.compactMap { if case .changed(let change) = $0.kind { change } else { nil } }
    }

    static func nanoseconds(_ second: Double) -> Int64 { Int64((second * 1e9).rounded()) }
}

@Suite struct CircuitBreakerStateTests {
    typealias Row = (window: Int, minimum: Int, threshold: Double, calls: String, state: CircuitBreaker.State)

    private static let windows: [Row] = [
        // The rate counts from the minimum on, and then a success can open: 3 of 5 are 60 %.
        (20, 5, 0.5, "FFFS", .closed),
        (20, 5, 0.5, "FFFSS", .open),
        (20, 5, 0.5, "FFSSS", .closed),
        // Five failures leave it closed, a success in between takes their number below the threshold.
        (6, 6, 1, "FFFFF", .closed),
        (6, 6, 1, "FFFFFSFFFFF", .closed),
        (6, 6, 1, "FFFFFSFFFFFF", .open),
        (6, 6, 1, "FFFFFF", .open),
        (3, 3, 1, "FSFF", .closed),
        (3, 3, 1, "FSFFF", .open),
        // Two of three and three of four, where the threshold is no exact binary fraction.
        (3, 3, 2.0 / 3.0, "FSF", .open),
        (3, 3, 2.0 / 3.0, "SFSSFSSFS", .closed),
        (4, 4, 0.75, "SFSFSFSFSFSF", .closed),
        (10, 10, 0.3, "SSSSSSSFF", .closed),
        (10, 10, 0.3, "SSSSSSSFFS", .closed),
        (10, 10, 0.3, "SSSSSSSFFF", .open),
        (100, 100, 0.29, String(repeating: "S", count: 72) + String(repeating: "F", count: 28), .closed),
        (100, 100, 0.29, String(repeating: "S", count: 71) + String(repeating: "F", count: 29), .open),
        // A thousandth is one of a thousand, neither fewer nor more.
        (1_000, 1_000, 0.007, String(repeating: "S", count: 994) + String(repeating: "F", count: 6), .closed),
        (1_000, 1_000, 0.007, String(repeating: "S", count: 993) + String(repeating: "F", count: 7), .open),
        // The oldest result leaves a full window, across the words it is kept in.
        (130, 130, 0.5, String(repeating: "SSF", count: 400), .closed),
        (130, 130, 0.5, String(repeating: "S", count: 300) + String(repeating: "F", count: 64), .closed),
        (130, 130, 0.5, String(repeating: "S", count: 300) + String(repeating: "F", count: 65), .open),
        (64, 64, 1, String(repeating: "F", count: 63) + "S" + String(repeating: "F", count: 63), .closed),
        (64, 64, 1, String(repeating: "F", count: 63) + "S" + String(repeating: "F", count: 64), .open),
        // More calls than the window holds cannot be asked for.
        (2, 100, 1, "FF", .open),
        (1, 1, 0.5, "S", .closed),
        (1, 1, 0.5, "F", .open),
        // Ignored calls take no place in the window, and the smallest threshold still needs a failure.
        (2, 2, 1, "FXXXX", .closed),
        (2, 2, 1, "FXXXXF", .open),
        (2, 2, 1e-12, "SSSSSSS", .closed),
        (2, 2, 1e-12, "SF", .open),
    ]

    @Test(arguments: windows)
    func `the breaker opens when the share of failures in the window reaches the threshold`(row: Row) {
        var bench = Bench(
            .init(window: .calls(row.window), minimumCalls: row.minimum, failureRateThreshold: row.threshold))
        bench.call(row.calls)
        #expect(bench.state == row.state)
        #expect(bench.core.generation == (row.state == .open ? 2 : 1))
        let changes = bench.changes()
        #expect(changes.map(\.reason) == (row.state == .open ? [.failureRate] : []))
        #expect(
            changes.allSatisfy { $0.openFor == .seconds(30) && $0.counts.calls == min(row.window, row.calls.count) })
    }

    @Test func `a good result opens only by completing the minimum, even where time has raised the rate`() {
        // Twenty successes leave the window, and of ten results six are failures.
        var bench = Bench(.init(window: .time(.seconds(10)), minimumCalls: 8))
        bench.call(String(repeating: "S", count: 20), at: 0)
        bench.call("FFFSSSSFFF", at: 5)
        bench.call("S", at: 10)
        #expect(bench.state == .closed)
        #expect(bench.core.counts == CircuitCounts(calls: 11, failures: 6))
        bench.call("F", at: 10)
        #expect(bench.changes().map(\.reason) == [.failureRate])
        // Below the minimum there was no rate; the result that completes it brings one about.
        bench = Bench(.init(window: .time(.seconds(10)), minimumCalls: 8))
        bench.call(String(repeating: "S", count: 20), at: 0)
        bench.call("FSFSFSF", at: 5)
        bench.call("S", at: 10)
        #expect(bench.changes().map(\.counts) == [CircuitCounts(calls: 8, failures: 4)])
    }

    typealias RunRow = (failures: Int, calls: String, state: CircuitBreaker.State)

    @Test(
        arguments: [
            (1, "F", .open), (2, "F", .closed), (2, "FF", .open), (2, "FSF", .closed), (2, "FXF", .open),
            (6, "FFFFF", .closed), (6, "FFFFFSFFFFF", .closed), (6, "FFFFFSFFFFFF", .open),
            // More than the window holds.
            (200, String(repeating: "F", count: 199), .closed), (200, String(repeating: "F", count: 200), .open),
        ] as [RunRow])
    func `so many failures in a row open`(row: RunRow) {
        var bench = Bench(.consecutiveFailures(row.failures))
        bench.call(row.calls)
        #expect(bench.state == row.state)
        #expect(bench.changes().map(\.reason) == (row.state == .open ? [.consecutiveFailures] : []))
    }

    @Test func `a rule of the user's is asked after bad results alone, with counts that have them`() {
        let asked = Locked<[CircuitCounts]>([])
        let rule = CircuitRule("two") { counts in
            asked.withLock { $0.append(counts) }
            return counts.failures >= 2
        }
        var bench = Bench(.init(failureRateThreshold: nil, rule: rule))
        bench.call("SFSXF")
        #expect(
            asked.withLock { $0 } == [
                CircuitCounts(calls: 2, failures: 1, consecutiveFailures: 1),
                CircuitCounts(calls: 4, failures: 2, consecutiveFailures: 1),
            ])
        #expect(bench.changes().map(\.reason) == [.rule("two")])
    }

    typealias Probe = (
        settings: CircuitBreaker.Configuration.Probes, threshold: Double?, calls: String, state: CircuitBreaker.State,
        after: Int
    )

    private static let verdicts: [Probe] = [
        // Probes, threshold, results in turn, the state after them, and with how many of them it was certain.
        (.init(1), 0.5, "S", .closed, 1),
        (.init(1), 0.5, "F", .open, 1),
        (.init(4), 0.5, "FFSF", .open, 2),
        (.init(4), 0.5, "FSSS", .closed, 4),
        (.init(4), 0.5, "FSFS", .open, 3),
        (.init(4), 0.5, "SSS", .closed, 3),
        (.init(4), 0.5, "SS", .halfOpen, 2),
        (.init(3), 1.0 / 3.0, "SSF", .open, 3),
        (.init(3), 1.0 / 3.0, "SSS", .closed, 3),
        (.init(4), 0.5, "SFSF", .open, 4),
        (.init(4), 0.75, "SFFF", .open, 4),
        (.init(4), 0.75, "SFS", .closed, 3),
        (.init(3), 2.0 / 3.0, "FSF", .open, 3),
        (.init(3), 2.0 / 3.0, "SS", .closed, 2),
        (.init(3), 1, "FFS", .closed, 3),
        (.init(3), 1, "FFF", .open, 3),
        // So many successes of so many probes, whatever the rate.
        (.init(3, successes: 3), 0.9, "SSF", .open, 3),
        (.init(4, successes: 3), 0.1, "SFSF", .open, 4),
        (.init(4, successes: 3), 0.1, "SFSS", .closed, 4),
        (.init(4, successes: 2), 0.1, "SFFF", .open, 4),
        (.init(4, successes: 2), 0.1, "FFS", .halfOpen, 3),
        (.init(3, successes: 2), 0.1, "FSF", .open, 3),
        (.init(3, successes: 1), 0.1, "FFS", .closed, 3),
        // Without a rate all have to succeed.
        (.init(3), nil, "SSF", .open, 3),
        (.init(3), nil, "SSS", .closed, 3),
        // Ignored probes use up no place: there are three more than places here.
        (.init(3), 1.0 / 3.0, "XXXXXX", .halfOpen, 6),
        (.init(3), 1.0 / 3.0, "XXXXF", .open, 5),
        (.init(3), 1.0 / 3.0, "XXXXSS", .halfOpen, 6),
        (.init(3), 1.0 / 3.0, "XXXXSSS", .closed, 7),
    ]

    @Test(arguments: verdicts)
    func `the probes' verdict falls as soon as the rest of them cannot change it`(row: Probe) {
        var bench = Bench(
            .init(
                window: .calls(1), failureRateThreshold: row.threshold, consecutiveFailures: 1, openFor: .seconds(5),
                probes: row.settings))
        bench.call("F")
        for (number, letter) in row.calls.enumerated() {
            let isOver = bench.state != (number == 0 ? .open : .halfOpen)
            #expect(isOver == (number >= row.after))
            if !isOver { bench.call(String(letter), at: 5) }
        }
        #expect(bench.state == row.state)
        let counted = row.calls.prefix(row.after).filter { $0 != "X" }
        let change = bench.changes().last
        switch row.state {
        case .open: #expect(change?.reason == .probesFailed)
        case .closed: #expect(change?.reason == .probesSucceeded)
        default: #expect(change?.reason == .openTimeOver)
        }
        if row.state != .halfOpen {
            #expect(change?.from == .halfOpen)
            #expect(change?.counts.calls == counted.count)
            #expect(change?.counts.failures == counted.filter { $0 == "F" }.count)
        }
        // A breaker that closed starts with an empty window.
        if row.state == .closed { #expect(bench.core.counts == CircuitCounts()) }
    }

    @Test func `the open time ends exactly at its deadline, which a refusal tells`() {
        var bench = Bench(.init(window: .calls(1), openFor: .seconds(5)))
        bench.call("F", at: 1)
        #expect(bench.refusal(at: 1_000_000_000) == 5_000_000_000)
        #expect(bench.refusal(at: 4_000_000_000) == 2_000_000_000)
        #expect(bench.refusal(at: 5_999_999_999) == 1)
        #expect(bench.start(at: 6)?.era.generation == 3)
        #expect(bench.state == .halfOpen)
        #expect(bench.core.counts == CircuitCounts())
    }

    @Test func `a clock that goes back neither lengthens the wait nor shrinks the window`() {
        var bench = Bench(.init(window: .calls(2), openFor: .seconds(5)))
        bench.call("FF", at: 100)
        #expect(bench.refusal(at: 40_000_000_000) == 5_000_000_000)
        #expect(bench.refusal(at: 103_000_000_000) == 2_000_000_000)
        #expect(bench.refusal(at: 40_000_000_000) == 2_000_000_000)
        // Nor is a call slow because the time stood still for it.
        bench = Bench(.init(slowCalls: .init(longerThan: .seconds(1)), consecutiveFailures: 9))
        bench.call("S", at: 100)
        let ticket = bench.start(at: 40)
        bench.end(ticket, .success, at: 41)
        #expect(bench.core.counts == CircuitCounts(calls: 2))
    }

    @Test func `an open time beyond what is counted with never ends`() {
        var bench = Bench(.init(window: .calls(1), openFor: .seconds(Int64.max)))
        bench.call("F", at: 1)
        #expect(bench.refusal(at: .max - 1) == -1)
    }

    @Test func `half-open has a bounded number of probes, under way and ended together`() {
        var bench = Bench(
            .init(window: .calls(1), failureRateThreshold: 1.0 / 3.0, openFor: .seconds(5), probes: .init(3)))
        bench.call("F")
        var probes = (0..<4).map { _ in bench.start(at: 5) }
        #expect(probes.map { $0?.probe } == [1, 2, 3, nil])
        #expect(bench.refusal(at: 6_000_000_000) == -1)
        bench.end(probes[0], .success, at: 6)
        #expect(bench.start(at: 6) == nil)
        bench.end(probes[1], .ignored, at: 6)
        probes.append(bench.start(at: 6))
        #expect(probes.last??.probe == 4)
        #expect(bench.start(at: 6) == nil)
        bench.end(probes[2], .success, at: 6)
        bench.end(probes[4], .success, at: 6)
        #expect(bench.state == .closed)
    }

    @Test func `so many probes are under way at a time as may be`() {
        var bench = Bench(
            .init(window: .calls(1), openFor: .seconds(5), probes: .init(4, successes: 4, concurrency: 2)))
        bench.call("F")
        let (first, second) = (bench.start(at: 5), bench.start(at: 5))
        #expect(bench.start(at: 5) == nil)
        bench.end(first, .success, at: 5)
        let third = bench.start(at: 5)
        #expect(third != nil)
        #expect(bench.start(at: 5) == nil)
        for probe in [second, third] { bench.end(probe, .success, at: 5) }
        // One result is missing, so one place is left.
        let last = bench.start(at: 5)
        #expect(last != nil)
        #expect(bench.start(at: 5) == nil)
        bench.end(last, .success, at: 5)
        #expect(bench.state == .closed)
    }

    @Test func `a probe loses its place when its lease is over and another call needs it, and its result counts`() {
        var bench = Bench(.init(window: .calls(1), openFor: .seconds(5), probes: .init(2, lease: .seconds(10))))
        bench.call("F")
        let (first, second) = (bench.start(at: 5), bench.start(at: 6))
        #expect(bench.start(at: 14.999999999) == nil)
        bench.core.notices = []
        let third = bench.start(at: 15)
        #expect(third != nil)
        #expect(bench.core.notices.map(\.kind) == [.probeExpired])
        // The second has its place for another second.
        #expect(bench.start(at: 15.999999999) == nil)
        // The first frees no place that it no longer has.
        bench.end(first, .ignored, at: 15)
        #expect(bench.start(at: 15) == nil)
        let fourth = bench.start(at: 16)
        #expect(fourth != nil)
        #expect(bench.start(at: 16) == nil)
        bench.end(second, .success, at: 17)
        #expect(bench.state == .halfOpen)
        bench.end(fourth, .success, at: 17)
        #expect(bench.state == .closed)
        bench.end(third, .failure, at: 17)
        #expect(bench.core.counts == CircuitCounts())
    }

    @Test func `half-open ends at its time limit, as if somebody had looked then`() {
        var bench = Bench(
            .init(
                window: .calls(1), openFor: .seconds(5), probes: .init(1, lease: .seconds(60), timeLimit: .seconds(3))))
        bench.call("F")
        let probe = bench.start(at: 5)
        #expect(bench.refusal(at: 7_999_999_999) == -1)
        // The breaker has been open since 8 s, and refuses until 13 s.
        #expect(bench.refusal(at: 9_000_000_000) == 4_000_000_000)
        bench.end(probe, .success, at: 9)
        #expect(bench.state == .open)
        #expect(bench.changes().map(\.reason) == [.failureRate, .openTimeOver, .probesTimedOut])
        // Nobody comes for an hour: open again at 16 s, and long over.
        #expect(bench.start(at: 13) != nil)
        #expect(bench.start(at: 3_600) != nil)
        #expect(bench.changes().map(\.to) == [.halfOpen, .open, .halfOpen])
        // A result at the limit is late.
        let late = bench.start(at: 3_603)
        #expect(late == nil)
        #expect(bench.core.openings == 4)
    }

    @Test func `open times grow while probes fail, up to their maximum, and start again after closing`() {
        var bench = Bench(
            .init(
                window: .calls(1), openFor: .seconds(1), growth: .init(factor: 3, maximum: .seconds(20)),
                probes: .init(1)))
        var now = 0.0
        bench.call("F", at: now)
        for seconds in [1.0, 3, 9, 20, 20] {
            #expect(bench.changes().last?.openFor == .seconds(seconds))
            now += seconds
            bench.call("F", at: now)
        }
        now += 20
        bench.call("S", at: now)
        #expect(bench.state == .closed)
        bench.call("F", at: now)
        #expect(bench.changes().last?.openFor == .seconds(1))
    }

    @Test func `jitter shortens an open time by a random part of its share and never lengthens it`() {
        let growth = CircuitBreaker.Configuration.Growth(factor: 2, maximum: .seconds(64), jitter: 0.25)
        let rules = CircuitRules(.init(openFor: .seconds(4), growth: growth))
        #expect(rules.jittered(rules.openFor, 0) == 4_000_000_000)
        #expect(rules.jittered(rules.openFor, .max) == 3_000_000_000)
        #expect(rules.jittered(rules.openFor, .max / 2) == 3_500_000_000)
        let all = CircuitRules(.init(openFor: .nanoseconds(1), growth: .init(jitter: 1)))
        #expect([0, .max / 2, .max].allSatisfy { all.jittered(1, $0) == 1 })
        #expect(all.jittered(.max, .max) == 1)
        // It is taken off the time, not off the next one's base.
        var bench = Bench(
            .init(window: .calls(1), openFor: .seconds(4), growth: .init(factor: 2, jitter: 0.5), probes: .init(1)))
        bench.call("F", at: 0)
        bench.call("F", at: 4)
        #expect(bench.core.openTime == 8_000_000_000)
        // Whoever looks ahead sees the same random part as comes about.
        bench = Bench(
            .init(
                window: .calls(1), openFor: .seconds(4), growth: .init(jitter: 0.5),
                probes: .init(1, timeLimit: .seconds(1))))
        bench.call("F", at: 0)
        bench.call("X", at: 4)
        let ahead = bench.core.look(now: Bench.nanoseconds(5)).refusesFor
        #expect(ahead != nil && bench.core.look(now: Bench.nanoseconds(5)).refusesFor == ahead)
        #expect(bench.refusal(at: Bench.nanoseconds(5)) == ahead)
    }

    @Test func `advice opens at once for its time, at most for the maximum, and a time of zero is a plain failure`() {
        let rows: [(advice: Int64, maximum: Duration, openFor: Duration?)] = [
            (2_000_000_000, .seconds(300), .seconds(2)), (400_000_000_000, .seconds(300), .seconds(300)),
            (.max, .seconds(300), .seconds(300)), (1, .zero, nil),
        ]
        for row in rows {
            var bench = Bench(.init(maximumAdvice: row.maximum))
            bench.end(bench.start(), .unavailable(row.advice))
            let change = bench.changes().last
            #expect(change?.openFor == row.openFor)
            #expect(change?.reason == (row.openFor == nil ? nil : .advice))
            if row.openFor == nil { #expect(bench.core.counts.failures == 1) }
        }
        #expect(CallOutcome(.unavailable(for: .zero)) == .failure)
        #expect(CallOutcome(.unavailable(for: .seconds(-1))) == .failure)
        #expect(CallOutcome(.unavailable(for: .nanoseconds(1))) == .unavailable(1))
        // A probe's advice is heard before the verdict, and is the open time, whatever that has grown to.
        var bench = Bench(
            .init(window: .calls(1), openFor: .seconds(5), growth: .init(factor: 2), probes: .init(9)))
        bench.call("F")
        bench.end(bench.start(at: 5), .unavailable(1_000_000_000), at: 5)
        #expect(bench.changes().last?.reason == .advice)
        #expect(bench.refusal(at: 5_000_000_000) == 1_000_000_000)
    }

    @Test func `a result from before a change of state changes nothing`() {
        var bench = Bench(.init(window: .calls(4), openFor: .seconds(5), probes: .init(1)))
        let early = bench.start()
        bench.call("FFFF")
        let stillEarly = bench.start(at: 5)
        bench.end(early, .success, at: 5)
        #expect(bench.state == .halfOpen)
        // Nor does its ignoring free the place of the probe.
        bench.end(early, .ignored, at: 5)
        #expect(bench.start(at: 5) == nil)
        bench.end(stillEarly, .success, at: 5)
        for outcome in [CallOutcome.success, .failure, .ignored, .unavailable(1)] { bench.end(early, outcome, at: 5) }
        #expect(bench.state == .closed)
        #expect(bench.core.counts == CircuitCounts())
    }

    @Test func `use is the end of a call, however it ends, and not a call that is under way`() {
        let settings = CircuitBreaker.Configuration(failureRateThreshold: nil, forgetAfter: .seconds(60))
        for (others, kept) in [("", 1), ("X", 2), ("S", 3), ("F", 3)] {
            var bench = Bench(settings)
            let long = bench.start(at: 0)
            bench.call("F", at: 1)
            // A call that only begins keeps nothing; nor does looking.
            _ = bench.start(at: 30)
            _ = bench.core.look(now: Bench.nanoseconds(31))
            bench.call(others, at: 40)
            bench.end(long, .failure, at: 61)
            #expect(bench.core.counts.calls == kept)
        }
    }

    @Test func `what is idle for long enough is as good as new`() {
        let settings = CircuitBreaker.Configuration(
            window: .calls(4), minimumCalls: 2, openFor: .seconds(5), growth: .init(factor: 2),
            probes: .init(2, lease: .seconds(600)), forgetAfter: .seconds(60))
        // Closed, from the last result on.
        var bench = Bench(settings)
        bench.call("F", at: 0)
        bench.call("F", at: 60)
        #expect(bench.state == .closed)
        bench.call("F", at: 119.9)
        #expect(bench.state == .open)
        _ = bench.changes()
        // Open, from the end of its time on.
        #expect(bench.core.look(now: Bench.nanoseconds(184.8)).publicState == .open)
        bench.call("X", at: 184.9)
        #expect(bench.changes().map(\.reason) == [.idle])
        #expect(bench.core.isFresh)
        // Half-open with a probe that never ends.
        bench.call("FF", at: 200)
        #expect(bench.start(at: 205) != nil)
        #expect(bench.core.look(now: Bench.nanoseconds(264.9)).publicState == .halfOpen)
        #expect(bench.core.look(now: Bench.nanoseconds(265)).isFresh)
        // One that calls ask for in vain is in use.
        #expect(bench.start(at: 206) != nil && bench.start(at: 240) == nil)
        #expect(bench.core.look(now: Bench.nanoseconds(299.9)).publicState == .halfOpen)
        #expect(bench.core.look(now: Bench.nanoseconds(300)).isFresh)
        // Isolated for good or disabled: never.
        bench.core.isolate(for: nil, now: Bench.nanoseconds(300))
        #expect(bench.core.look(now: .max - 1).publicState == .isolated)
        bench.core.disable(now: Bench.nanoseconds(300))
        #expect(bench.core.look(now: .max - 1).publicState == .disabled)
        // Isolated for a time: from its end on.
        bench.core.isolate(for: 10_000_000_000, now: Bench.nanoseconds(300))
        #expect(bench.core.look(now: Bench.nanoseconds(369)).publicState == .isolated)
        #expect(bench.core.look(now: Bench.nanoseconds(370)).isFresh)
    }
}
