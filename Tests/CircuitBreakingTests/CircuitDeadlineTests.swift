// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import CircuitBreaking
import ReliabilityCore
import ReliabilityTesting
import Testing

/// A breaker between the deadline of its caller and a time-out of the call.
@Suite struct CircuitDeadlineTests {
    private struct Untouched: NotApplied {}

    private let clock = ManualClock()
    private let breaker = CircuitBreaker(
        name: "provider", configuration: .init(failureRateThreshold: nil, consecutiveFailures: .max))

    private func timeout(_ seconds: Int, _ name: String = "call") -> Timeout {
        Timeout(.seconds(seconds), name: name, clock: clock)
    }

    private func deadline(_ seconds: Int, _ name: String = "request") -> Deadline {
        .after(.seconds(seconds), name: name, clock: clock)
    }

    private func failure(of call: () async throws -> Void) async -> (any Error)? {
        do { try await call() } catch { return error }
        return nil
    }

    /// Sleeps until so many seconds after the start, whatever happens to the task, and then throws if it is cancelled.
    private func insist(until seconds: Int) async throws {
        try await shielded { [clock] in try await clock.sleep(until: .init(offset: .seconds(seconds)), tolerance: nil) }
        try Task.checkCancellation()
    }

    /// The deadline around the breaker, the limit of the call in it, to when the clock moves in one step, and whether
    /// that is the neighbour's failure.
    private static let limits: [(around: Int, own: Int, at: Int, fails: Bool)] = [
        (5, 2, 2, true), (2, 5, 2, false),
        // At the same instant the time of the caller is up, too.
        (2, 2, 2, false),
        // A clock that jumps over both has passed the earlier one first.
        (5, 2, 9, true), (2, 5, 9, false), (2, 2, 9, false),
    ]

    @Test(arguments: limits)
    func `a call that runs out of its own time is a failure, and one out of its caller's counts nothing`(
        _ row: (around: Int, own: Int, at: Int, fails: Bool)
    ) async {
        // Which timer wakes first is chance.
        for round in 1...200 {
            let clock = ManualClock()
            async let failure = failure {
                try await Deadline.after(.seconds(row.around), clock: clock).run {
                    try await breaker.run {
                        try await Timeout(.seconds(row.own), clock: clock).run {
                            try await clock.sleep(for: .seconds(99))
                        }
                    }
                }
            }
            await clock.waitForSleepers(3)
            clock.advance(by: .seconds(row.at))
            #expect(await failure is TimedOut)
            #expect(breaker.snapshot.counts.consecutiveFailures == (row.fails ? round : 0))
        }
    }

    @Test func `whatever the operation throws when its caller's time is up counts nothing`() async {
        for error in [CancellationError(), Broken(), Untouched()] as [any Error] {
            for _ in 1...200 {
                let clock = ManualClock()
                async let failure = failure {
                    try await Deadline.after(.seconds(2), clock: clock).run {
                        try await breaker.run {
                            try await Timeout(.seconds(5), clock: clock).run {
                                try? await clock.sleep(for: .seconds(99))
                                throw error
                            }
                        }
                    }
                }
                await clock.waitForSleepers(3)
                clock.advance(by: .seconds(2))
                #expect(await failure != nil)
                #expect(breaker.snapshot.counts.calls == 0)
            }
        }
    }

    @Test func `an error of the neighbour's own counts as long as nobody cancels the call, however late it is`() async {
        // A retry binds the time that it has, and waits for an attempt that is under way.
        let deadline = deadline(2)
        await #expect(throws: Broken.self) {
            try await deadline.bind {
                try await breaker.run {
                    clock.advance(by: .seconds(3))
                    throw Broken()
                }
            }
        }
        #expect(breaker.snapshot.counts.failures == 1)
        // What runs is about to be cancelled once its time is up, so it counts no more, whichever comes first.
        await #expect(throws: Broken.self) {
            try await self.deadline(2).run {
                try await breaker.run {
                    clock.advance(by: .seconds(3))
                    throw Broken()
                }
            }
        }
        #expect(breaker.snapshot.counts.failures == 1)
    }

    @Test func `a call that ran out of its own time fails, though its caller's time is up as it ends`() async {
        async let failure = failure {
            try await deadline(5).run {
                try await breaker.run { try await timeout(2).run { try await insist(until: 6) } }
            }
        }
        await clock.waitForSleepers(3)
        clock.advance(by: .seconds(2))
        while clock.sleeperCount > 2 { await Task.yield() }
        clock.advance(by: .seconds(3))
        while clock.sleeperCount > 1 { await Task.yield() }
        clock.advance(by: .seconds(1))
        #expect(await failure is TimedOut)
        #expect(breaker.snapshot.counts.failures == 1)
    }

    @Test func `a call that ran out of its own time fails, though its caller gave up later`() async {
        let call = Task { try await breaker.run { try await timeout(2).run { try await insist(until: 6) } } }
        await clock.waitForSleepers(2)
        clock.advance(by: .seconds(2))
        while clock.sleeperCount > 1 { await Task.yield() }
        call.cancel()
        clock.advance(by: .seconds(4))
        await #expect(throws: TimedOut.self) { try await call.value }
        #expect(breaker.snapshot.counts.failures == 1)
    }

    @Test func `a call whose caller gave up before its time was up counts nothing`() async {
        let call = Task {
            try await deadline(5).run {
                try await breaker.run { try await timeout(2).run { try await insist(until: 6) } }
            }
        }
        await clock.waitForSleepers(3)
        call.cancel()
        clock.advance(by: .seconds(6))
        await #expect(throws: CancellationError.self) { try await call.value }
        #expect(breaker.snapshot.counts.calls == 0)
    }

    @Test func `a limit that began within the breaker is the neighbour's, however many calls share it`() async {
        // As a retry inside binds it, and as a time-out around another does.
        for nest in 0..<2 {
            let breaker = CircuitBreaker(name: "provider")
            let clock = ManualClock()
            let call = Timeout(.seconds(5), name: "call", clock: clock)
            let total = Timeout(.seconds(2), name: "total", clock: clock)
            async let failure = failure {
                try await Deadline.after(.seconds(9), clock: clock).run {
                    try await breaker.run {
                        let operation = { try await call.run { try await clock.sleep(for: .seconds(99)) } }
                        if nest == 0 {
                            try await Deadline.after(.seconds(2), clock: clock).bind(operation)
                        } else {
                            try await total.run(operation)
                        }
                    }
                }
            }
            await clock.waitForSleepers(3 + nest)
            clock.advance(by: .seconds(2))
            #expect(await failure is TimedOut)
            #expect(breaker.snapshot.counts.failures == 1)
        }
    }

    @Test func `a refusal because the deadline had passed counts nothing`() async {
        await #expect(throws: DeadlinePassed(name: "late")) {
            try await breaker.run { try await deadline(0, "late").run { Issue.record("It ran") } }
        }
        #expect(breaker.snapshot.counts.calls == 0)
    }

    @Test func `a judge is asked about a call that ran out of its own time, and not about its caller's`() async {
        for (around, own) in [(5, 2), (2, 5)] {
            let clock = ManualClock()
            let breaker = CircuitBreaker(name: "provider", judge: { $0 is TimedOut ? .success : .failure })
            async let failure = failure {
                try await Deadline.after(.seconds(around), clock: clock).run {
                    try await breaker.run {
                        try await Timeout(.seconds(own), clock: clock).run {
                            try await clock.sleep(for: .seconds(99))
                        }
                    }
                }
            }
            await clock.waitForSleepers(3)
            clock.advance(by: .seconds(2))
            #expect(await failure is TimedOut)
            #expect(breaker.snapshot.counts == CircuitCounts(calls: own == 2 ? 1 : 0))
        }
    }
}
