// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

import CircuitBreaking

@Suite struct CircuitPermitTests {
    private let clock = ManualClock()
    private let recorder = Recorder()

    /// A breaker that one failure opens for 5 s, with one probe.
    private func makeBreaker() -> CircuitBreaker {
        CircuitBreaker(
            name: "provider", configuration: .init(window: .calls(1), openFor: .seconds(5), probes: .init(1)),
            clock: clock, onEvent: recorder.record)
    }

    /// A half-open breaker of which all places are free.
    private func makeHalfOpen() throws -> CircuitBreaker {
        let breaker = makeBreaker()
        try breaker.acquire().fail()
        clock.advance(by: .seconds(5))
        try breaker.acquire().ignore()
        return breaker
    }

    @Test func `a probe's permit takes its place until it is settled`() throws {
        let breaker = try makeHalfOpen()
        let probe = try breaker.acquire()
        #expect(throws: CircuitOpen(name: "provider", retryAfter: nil, state: .halfOpen)) {
            try breaker.acquire().ignore()
        }
        probe.ignore()
        #expect(breaker.state == .halfOpen)
        try breaker.acquire().succeed()
        #expect(breaker.state == .closed)
        try breaker.acquire().fail()
        #expect(breaker.state == .open)
    }

    @Test func `a permit that is dropped counts as ignored and is reported`() throws {
        let breaker = try makeHalfOpen()
        let before = recorder.events.count
        do { _ = try breaker.acquire() }
        do { _ = try breaker.acquire().detach() }
        #expect(recorder.kinds.dropFirst(before) == [.permitDropped, .permitDropped])
        #expect(recorder.events.last?.generation == breaker.snapshot.generation)
        #expect(breaker.snapshot.counts.calls == 0)
        try breaker.acquire().succeed()
        #expect(breaker.state == .closed)
    }

    @Test func `a permit that was settled is not reported as dropped`() throws {
        let breaker = makeBreaker()
        try breaker.acquire().succeed()
        try breaker.acquire().ignore()
        try breaker.acquire().detach().succeed()
        let unsettled = try breaker.acquire()
        let detached = unsettled.detach()
        #expect(recorder.events.isEmpty)
        detached.ignore()
        #expect(recorder.events.isEmpty)
    }

    @Test func `a detached permit is settled once, by whoever comes first`() throws {
        let breaker = try makeHalfOpen()
        let permit = try breaker.acquire().detach()
        #expect(permit.ignore())
        #expect(!permit.fail())
        #expect(!permit.succeed())
        #expect(!permit.ignore())
        // The second ignoring must not have freed a place that another probe holds.
        let probe = try breaker.acquire().detach()
        permit.ignore()
        #expect(throws: CircuitOpen.self) { try breaker.acquire().ignore() }
        #expect(probe.fail())
        #expect(breaker.state == .open)
    }

    @Test func `a permit is settled by a verdict too`() throws {
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(failureRateThreshold: nil), clock: clock, onEvent: recorder.record)
        for verdict in [CircuitVerdict.success, .failure, .ignored] {
            try breaker.acquire().settle(verdict)
            #expect(try breaker.acquire().detach().settle(verdict))
        }
        #expect(breaker.snapshot.counts == CircuitCounts(calls: 4, failures: 2, consecutiveFailures: 2))
        try breaker.acquire().settle(.unavailable(for: .seconds(7)))
        #expect(breaker.snapshot.retryAfter == .seconds(7))
    }

    @Test func `a result that is too late changes nothing and is told with what it says`() throws {
        let breaker = makeBreaker()
        let early = try (0..<5).map { _ in try breaker.acquire().detach() }
        try breaker.acquire().fail()
        let before = recorder.events.count
        early[0].succeed()
        early[1].fail()
        early[2].ignore()
        early[3].settle(.unavailable(for: .seconds(9)))
        #expect(
            recorder.kinds.dropFirst(before) == [
                .lateResult(.success), .lateResult(.failure), .lateResult(.unavailable(for: .seconds(9))),
            ])
        #expect(recorder.events.dropFirst(before).allSatisfy { $0.generation == 1 })
        #expect(breaker.snapshot.retryAfter == .seconds(5))
        early[4].ignore()
    }
}
