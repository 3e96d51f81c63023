// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Testing

@Suite struct RetryCancellationTests {
    /// What a run in a task of its own throws.
    private func thrown(
        by retry: Retry, _ operation: @escaping @Sendable (RetryAttempt) async throws -> Void
    ) async -> (any Error)? {
        async let error: (any Error)? = {
            do {
                try await retry.run(operation)
                return nil
            } catch {
                return error
            }
        }()
        return await error
    }

    @Test(.timeLimit(.minutes(10)))
    func `cancellation in a delay surfaces at once as cancellation`() async {
        let clock = ManualClock()
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(repeatability: .idempotent, clock: clock, onEvent: recorder.record)
        await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask { await thrown(by: retry) { _ in throw Unclear() } }
            await clock.waitForSleepers()
            group.cancelAll()
            let error = await group.next() ?? nil
            #expect(error is CancellationError)
        }
        #expect(clock.sleeperCount == 0)
        #expect(clock.now == ManualClock.Instant(offset: .zero))
        // The failed attempt was reported when the delay began; the cancellation is no failure.
        #expect(recorder.events.map(\.reason) == [.retrying])
    }

    @Test func `a clock that sleeps through cancellation does not lead to another attempt`() async {
        let recorder = Recorder<RetryAttempt>()
        let retry = Retry(repeatability: .idempotent, clock: SkippingClock(whileAsleep: cancelCurrentTask))
        let error = await thrown(by: retry) { attempt in
            recorder.record(attempt)
            throw Unclear()
        }
        #expect(error is CancellationError)
        #expect(recorder.events.map(\.number) == [1])
    }

    @Test func `the cancellation of a cancelled task is not retried and not reported`() async {
        let recorder = Recorder<RetryEvent>()
        let clock = SkippingClock()
        let retry = Retry(repeatability: .idempotent, clock: clock, onEvent: recorder.record)
        let error = await thrown(by: retry) { _ in
            cancelCurrentTask()
            throw CancellationError()
        }
        #expect(error is CancellationError)
        #expect(recorder.events.isEmpty)
        #expect(clock.sleeps.isEmpty)
    }

    @Test func `a cancellation error of a task that is not cancelled is an error like any other`() async {
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(
            maxAttempts: 2, repeatability: .idempotent, clock: SkippingClock(), onEvent: recorder.record)
        let error = await thrown(by: retry) { _ in throw CancellationError() }
        #expect(error is CancellationError)
        #expect(recorder.events.map(\.reason) == [.retrying, .exhausted])
    }

    private static let failures: [([Failure], Int)] = [
        // Failures in turn, with the last of which the task is cancelled; the attempt whose error is thrown.
        ([.unclear], 1),
        ([.unsent], 1),
        ([.unclear, .unclear], 2),
        ([.unclear, .unsent], 1),
    ]

    @Test(arguments: failures)
    func `an operation's own error is not retried in a cancelled task`(
        failures: [Failure], expected: Int
    ) async {
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(
            maxAttempts: 9, repeatability: .idempotent, clock: SkippingClock(), onEvent: recorder.record)
        let error = await thrown(by: retry) { attempt in
            if attempt.number == failures.count { cancelCurrentTask() }
            throw failures[attempt.number - 1].error(attempt.number)
        }
        #expect((error as? any Numbered)?.number == expected)
        #expect(recorder.events.count == failures.count)
        #expect(recorder.events.last?.reason == .cancelled)
        #expect(recorder.events.last?.delay == nil)
    }
}
