// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Testing

@testable import CircuitBreaking

/// A state with the calls of a table applied to it, each started and ended at the same time.
private struct Bench: ~Copyable {
    var core: CircuitBreakerState
    var changes: [CircuitEvent.Kind] = []

    init(_ configuration: CircuitBreaker.Configuration) {
        core = CircuitBreakerState(configuration)
    }

    /// Starts a call at the second; returns its generation, `nil` if it was refused.
    mutating func start(at second: Int64 = 0) -> UInt64? {
        guard case .admitted(let generation, let change) = core.admit(now: second * 1_000_000_000) else { return nil }
        if let change { changes.append(change) }
        return generation
    }

    mutating func end(_ generation: UInt64?, _ outcome: CallOutcome, at second: Int64 = 0) {
        guard let generation else { return }
        if let change = core.settle(outcome, of: generation, now: second * 1_000_000_000) { changes.append(change) }
    }

    /// Makes a call for every letter: Success, Failure, or an ignored one (X). Refused calls stay without effect.
    mutating func call(_ outcomes: String, at second: Int64 = 0) {
        for letter in outcomes {
            end(start(at: second), letter == "S" ? .success : letter == "F" ? .failure : .ignored, at: second)
        }
    }
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
            .init(window: row.window, minimumCalls: row.minimum, failureRateThreshold: row.threshold))
        bench.call(row.calls)
        #expect(bench.core.snapshot.state == row.state)
        #expect(bench.core.generation == (row.state == .open ? 2 : 1))
        #expect(bench.changes.count == (row.state == .open ? 1 : 0))
    }

    typealias Probe = (probes: Int, threshold: Double, calls: String, state: CircuitBreaker.State, after: Int)

    private static let verdicts: [Probe] = [
        // Probes, threshold, results in turn, the state after them, and with how many of them it was certain.
        (1, 0.5, "S", .closed, 1),
        (1, 0.5, "F", .open, 1),
        (4, 0.5, "FFSF", .open, 2),
        (4, 0.5, "FSSS", .closed, 4),
        (4, 0.5, "FSFS", .open, 3),
        (4, 0.5, "SSS", .closed, 3),
        (4, 0.5, "SS", .halfOpen, 2),
        (3, 1.0 / 3.0, "SSF", .open, 3),
        (3, 1.0 / 3.0, "SSS", .closed, 3),
        (4, 0.5, "SFSF", .open, 4),
        (4, 0.75, "SFFF", .open, 4),
        (4, 0.75, "SFS", .closed, 3),
        (3, 2.0 / 3.0, "FSF", .open, 3),
        (3, 2.0 / 3.0, "SS", .closed, 2),
        (3, 1, "FFS", .closed, 3),
        (3, 1, "FFF", .open, 3),
        // Ignored probes use up no place: there are three more than places here.
        (3, 1.0 / 3.0, "XXXXXX", .halfOpen, 6),
        (3, 1.0 / 3.0, "XXXXF", .open, 5),
        (3, 1.0 / 3.0, "XXXXSS", .halfOpen, 6),
        (3, 1.0 / 3.0, "XXXXSSS", .closed, 7),
    ]

    @Test(arguments: verdicts)
    func `the probes' verdict falls as soon as the rest of them cannot change it`(row: Probe) {
        var bench = Bench(
            .init(window: 1, failureRateThreshold: row.threshold, openFor: .seconds(5), halfOpenProbes: row.probes))
        bench.call("F")
        for (number, letter) in row.calls.enumerated() {
            let isOver = bench.core.snapshot.state != (number == 0 ? .open : .halfOpen)
            #expect(isOver == (number >= row.after))
            if !isOver { bench.call(String(letter), at: 5) }
        }
        #expect(bench.core.snapshot.state == row.state)
        let counted = row.calls.prefix(row.after).filter { $0 != "X" }
        let failures = counted.filter { $0 == "F" }.count
        switch row.state {
        case .open: #expect(bench.changes.last == .reopened(failures: failures, calls: counted.count))
        case .closed: #expect(bench.changes.last == .closed(failures: failures, calls: counted.count))
        case .halfOpen: #expect(bench.changes.last == .halfOpened)
        }
        // A breaker that closed starts with an empty window.
        if row.state == .closed { #expect(bench.core.snapshot.calls == 0) }
    }

    @Test func `the open time ends exactly at its deadline, which a refusal tells`() {
        var core = CircuitBreakerState(.init(window: 1, openFor: .seconds(5)))
        _ = core.settle(.failure, of: 1, now: 1_000_000_000)
        for (now, retryAfter) in [(1_000_000_000, 5_000_000_000), (4_000_000_000, 2_000_000_000)] as [(Int64, Int64)] {
            guard case .refused(retryAfter) = core.admit(now: now) else {
                Issue.record("not refused for \(retryAfter) at \(now)")
                return
            }
        }
        guard case .refused(1) = core.admit(now: 5_999_999_999) else {
            Issue.record("not refused a nanosecond before the deadline")
            return
        }
        guard case .admitted(3, .halfOpened) = core.admit(now: 6_000_000_000) else {
            Issue.record("refused at the deadline")
            return
        }
        #expect(core.snapshot == .init(.halfOpen, CallCounts(), isRated: false, 3))
    }

    @Test func `a clock that goes back neither lengthens the wait nor shrinks the window`() {
        var core = CircuitBreakerState(.init(window: 2, openFor: .seconds(5)))
        _ = core.settle(.failure, of: 1, now: 100_000_000_000)
        _ = core.settle(.failure, of: 1, now: 100_000_000_000)
        guard case .refused(5_000_000_000) = core.admit(now: 40_000_000_000) else {
            Issue.record("the wait is longer than the open time")
            return
        }
        _ = core.admit(now: 103_000_000_000)
        guard case .refused(2_000_000_000) = core.admit(now: 40_000_000_000) else {
            Issue.record("time that has passed came back")
            return
        }
    }

    @Test func `an open time beyond what is counted with never ends`() {
        var core = CircuitBreakerState(.init(window: 1, openFor: .seconds(Int64.max)))
        _ = core.settle(.failure, of: 1, now: 1_000)
        guard case .refused = core.admit(now: .max - 1) else {
            Issue.record("admitted")
            return
        }
    }

    @Test func `half-open has a bounded number of probes, under way and ended together`() {
        var bench = Bench(.init(window: 1, failureRateThreshold: 1.0 / 3.0, openFor: .seconds(5), halfOpenProbes: 3))
        bench.call("F")
        let probes = (0..<4).map { _ in bench.start(at: 5) }
        #expect(probes == [3, 3, 3, nil])
        guard case .refused(nil) = bench.core.admit(now: 6_000_000_000) else {
            Issue.record("a refusal told a time that nobody knows")
            return
        }
        bench.end(3, .success, at: 6)
        #expect(bench.start(at: 6) == nil)
        bench.end(3, .ignored, at: 6)
        #expect(bench.start(at: 6) == 3)
        #expect(bench.start(at: 6) == nil)
        bench.end(3, .success, at: 6)
        bench.end(3, .success, at: 6)
        #expect(bench.core.snapshot.state == .closed)
    }

    @Test func `results of an older generation change nothing`() {
        var bench = Bench(.init(window: 1, openFor: .seconds(5), halfOpenProbes: 1))
        let early = bench.start()
        bench.call("F")
        let outcomes: [CallOutcome] = [.success, .failure, .ignored]
        // While open.
        for outcome in outcomes { bench.end(early, outcome, at: 1) }
        #expect(bench.core.snapshot.state == .open)
        // While half-open: neither a verdict, nor a place for a probe more.
        let probe = bench.start(at: 5)
        for outcome in outcomes { bench.end(early, outcome, at: 5) }
        #expect(bench.core.snapshot.state == .halfOpen)
        #expect(bench.start(at: 5) == nil)
        // While closed again.
        bench.end(probe, .success, at: 6)
        for outcome in outcomes { bench.end(early, outcome, at: 6) }
        for outcome in outcomes { bench.end(probe, outcome, at: 6) }
        #expect(bench.core.snapshot == .init(.closed, CallCounts(), isRated: false, 4))
        #expect(
            bench.changes == [.opened(failures: 1, calls: 1), .halfOpened, .closed(failures: 0, calls: 1)])
    }

    @Test func `a snapshot tells what the present state has counted`() {
        var bench = Bench(.init(window: 4, minimumCalls: 3, openFor: .seconds(5), halfOpenProbes: 3))
        bench.call("SF")
        #expect(bench.core.snapshot == .init(.closed, CallCounts(calls: 2, failures: 1), isRated: false, 1))
        #expect(bench.core.snapshot.failureRate == nil)
        bench.call("S")
        #expect(bench.core.snapshot.failureRate == 1.0 / 3.0)
        bench.call("F")
        #expect(bench.core.snapshot == .init(.open, CallCounts(calls: 4, failures: 2), isRated: true, 2))
        bench.call("X", at: 5)
        #expect(bench.core.snapshot.failureRate == nil)
        bench.call("F", at: 5)
        #expect(bench.core.snapshot == .init(.halfOpen, CallCounts(calls: 1, failures: 1), isRated: true, 3))
        #expect(bench.core.snapshot.failureRate == 1)
    }
}
