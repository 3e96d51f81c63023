// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Testing

/// Attempts whose own time is up in the middle: the next one has time anew.
@Suite struct RetryRenewedTimeTests {
    private let clock = ManualClock()
    private let recorder = Recorder<RetryEvent>()

    private func retry(_ repeatability: Repeatability, budget: RetryBudget? = nil) -> Retry {
        Retry(
            maxAttempts: 3, backoff: .constant(.zero), repeatability: repeatability, budget: budget, clock: clock,
            onEvent: recorder.record)
    }

    /// Takes no notice of its cancellation in its first step, and begins its second under the time of the attempt.
    private func twoSteps(_ number: Int) async throws -> Int {
        if number == 1 { clock.advance(by: .seconds(2)) }
        return try await Timeout(.seconds(9), name: "second step", clock: clock).run { number }
    }

    @Test(arguments: [.unproven, .idempotent] as [Repeatability])
    func `an attempt whose own time is up before its last step is followed by another`(
        repeatability: Repeatability
    ) async throws {
        let timeout = Timeout(.seconds(1), name: "attempt", clock: clock)
        let number = try await retry(repeatability).run(attemptTimeout: timeout) { attempt in
            try await twoSteps(attempt.number)
        }
        #expect(number == 2)
        #expect(recorder.events.map(\.reason) == [.retrying])
        #expect(recorder.events.first?.error as? DeadlinePassed == DeadlinePassed(name: "attempt"))
    }

    @Test func `a deadline that was made within the attempt does not end the run`() async throws {
        let number = try await retry(.unproven).run { (attempt: RetryAttempt) in
            try await Deadline.after(.seconds(1), name: "attempt", clock: clock).run {
                try await Deadline.after(.seconds(5), clock: clock).run { try await twoSteps(attempt.number) }
            }
        }
        #expect(number == 2)
    }

    @Test func `a deadline that was made before the run ends it with the attempt that finds it passed`() async throws {
        let deadline = Deadline.after(.seconds(1), name: "order", clock: clock)
        let error = await #expect(throws: DeadlinePassed.self) {
            try await retry(.unproven).run { (attempt: RetryAttempt) in
                #expect(attempt.number <= 2)
                return try await deadline.run { try await twoSteps(attempt.number) }
            }
        }
        #expect(error == DeadlinePassed(name: "order"))
        #expect(recorder.events.last?.reason == .outOfTime)
    }

    @Test func `the time of the run is up for an attempt that has more`() async throws {
        let timeout = Timeout(.seconds(5), name: "attempt", clock: clock)
        let retry = Retry(
            name: "run", backoff: .constant(.zero), within: .seconds(1), clock: clock, onEvent: recorder.record)
        let error = await #expect(throws: DeadlinePassed.self) {
            try await retry.run(attemptTimeout: timeout) { attempt in try await twoSteps(attempt.number) }
        }
        #expect(error == DeadlinePassed(name: "run"))
        #expect(recorder.events.map(\.reason) == [.outOfTime])
    }

    @Test func `a retry that gives its runs time of their own can be run again`() async throws {
        let inner = Retry(name: "inner", within: .seconds(1), clock: clock)
        let number = try await retry(.unproven).run { (attempt: RetryAttempt) in
            try await inner.run { try await twoSteps(attempt.number) }
        }
        #expect(number == 2)
        #expect(recorder.events.map { ($0.error as? DeadlinePassed)?.name } == ["inner"])
    }
}
