// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Synchronization
import Testing

@Suite struct RetryTests {
    /// How a run ended: in how many attempts, with which error, and for which reasons each attempt was the last or not.
    private struct Ending: Equatable {
        var attempts: Int
        var thrown: Int?
        var reasons: [RetryEvent.Reason]
    }

    /// Runs an operation that fails with the errors in turn and then succeeds.
    private func ending(
        of failures: [Failure], maxAttempts: Int, _ repeatability: Repeatability,
        maximumRetryAfter: Duration = .seconds(60), classify: (@Sendable (any Error) -> RetryVerdict)? = nil
    ) async -> Ending {
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(
            maxAttempts: maxAttempts, repeatability: repeatability, maximumRetryAfter: maximumRetryAfter,
            classify: classify, clock: SkippingClock(), onEvent: recorder.record)
        var attempts = 0
        var thrown: Int?
        do {
            try await retry.run {
                attempts += 1
                if attempts <= failures.count { throw failures[attempts - 1].error(attempts) }
            }
        } catch {
            thrown = (error as? any Numbered)?.number
        }
        return Ending(attempts: attempts, thrown: thrown, reasons: recorder.events.map(\.reason))
    }

    @Test func `a first attempt that succeeds reads no clock, draws nothing and reports nothing`() async throws {
        let clock = SkippingClock()
        let random = RandomSource.seeded(5)
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(clock: clock, randomness: random, onEvent: recorder.record)
        let before = clock.readings
        #expect(try await retry.run { 7 } == 7)
        #expect(clock.readings == before)
        let first = try await retry.run { attempt in attempt }
        #expect(first.number == 1)
        #expect(first.previousDelay == nil)
        #expect(first.elapsed == .zero)
        #expect(first.remaining == nil)
        #expect(random.next() == RandomSource.seeded(5).next())
        #expect(recorder.events.isEmpty)
    }

    private static let endings: [(Int, Repeatability, [Failure], Ending)] = [
        // Attempts allowed, repeatability, failures in turn, and how it ends.
        (3, .unproven, [.unclear], Ending(attempts: 1, thrown: 1, reasons: [.unproven])),
        (3, .unproven, [.busy(.zero)], Ending(attempts: 1, thrown: 1, reasons: [.unproven])),
        (3, .unproven, [.unsent], Ending(attempts: 2, thrown: nil, reasons: [.retrying])),
        (3, .unproven, [.refused(nil)], Ending(attempts: 2, thrown: nil, reasons: [.retrying])),
        (3, .unproven, [.unsent, .unclear], Ending(attempts: 2, thrown: 2, reasons: [.retrying, .unproven])),
        (3, .idempotent, [.unclear], Ending(attempts: 2, thrown: nil, reasons: [.retrying])),
        (3, .idempotent, [.unsent], Ending(attempts: 2, thrown: nil, reasons: [.retrying])),
        (
            3, .duplicatesAccepted, [.unclear, .busy(nil)],
            Ending(attempts: 3, thrown: nil, reasons: [.retrying, .retrying])
        ),
        (1, .unproven, [.unsent], Ending(attempts: 1, thrown: 1, reasons: [.exhausted])),
        (1, .idempotent, [.unclear], Ending(attempts: 1, thrown: 1, reasons: [.exhausted])),
        (1, .idempotent, [], Ending(attempts: 1, thrown: nil, reasons: [])),
        (
            3, .idempotent, [.unclear, .unclear, .unclear, .unclear],
            Ending(attempts: 3, thrown: 3, reasons: [.retrying, .retrying, .exhausted])
        ),
    ]

    @Test(arguments: endings)
    private func `what is retried, how often, and why no more`(
        maxAttempts: Int, repeatability: Repeatability, failures: [Failure], expected: Ending
    ) async {
        #expect(await ending(of: failures, maxAttempts: maxAttempts, repeatability) == expected)
    }

    private static let verdicts: [(Repeatability, RetryVerdict, Failure, RetryEvent.Reason)] = [
        (.unproven, .retry, .unclear, .unproven),
        (.unproven, .retryAfter(.seconds(1)), .unclear, .unproven),
        (.unproven, .stop, .unclear, .stopped),
        (.unproven, .retry, .unsent, .retrying),
        (.unproven, .stop, .unsent, .stopped),
        (.unproven, .retryAfter(.seconds(60)), .unsent, .retrying),
        (.unproven, .retryAfter(.seconds(60) + .nanoseconds(1)), .unsent, .adviceTooLong),
        (.idempotent, .retry, .unclear, .retrying),
        (.idempotent, .stop, .unclear, .stopped),
        (.idempotent, .pushedBack, .unclear, .pushedBack),
        (.unproven, .pushedBack, .unclear, .pushedBack),
        (.unproven, .pushedBack, .unsent, .pushedBack),
        (.idempotent, .retryAfter(.seconds(61)), .unclear, .adviceTooLong),
        (.idempotent, .retryAfter(.seconds(Int64.max)), .unclear, .adviceTooLong),
        (.idempotent, .retry, .busy(.seconds(60)), .retrying),
        (.idempotent, .retry, .busy(.seconds(61)), .adviceTooLong),
        (.idempotent, .retry, .refused(.seconds(61)), .adviceTooLong),
        // The longer of two pieces of advice counts.
        (.idempotent, .retryAfter(.seconds(1)), .busy(.seconds(61)), .adviceTooLong),
    ]

    @Test(arguments: verdicts)
    func `a classification narrows what the repeatability allows`(
        repeatability: Repeatability, verdict: RetryVerdict, failure: Failure, reason: RetryEvent.Reason
    ) async {
        let ending = await ending(of: [failure], maxAttempts: 2, repeatability) { _ in verdict }
        #expect(ending.reasons == [reason])
        #expect(ending.attempts == (reason == .retrying ? 2 : 1))
        #expect(ending.thrown == (reason == .retrying ? nil : 1))
    }

    private static let rethrown: [([Failure], Int)] = [
        // Failures in turn, and the number of the attempt whose error is thrown.
        ([.unclear, .unclear], 2),
        ([.unsent, .unsent], 2),
        ([.unsent, .refused(nil)], 1),
        ([.unclear, .unsent], 1),
        ([.unclear, .refused(nil)], 1),
        ([.busy(nil), .refused(nil)], 1),
        ([.refused(nil), .refused(nil)], 2),
        ([.unsent, .unclear], 2),
        ([.unclear, .unclear, .unsent], 2),
        ([.unclear, .unsent, .unsent], 1),
        ([.unsent, .unclear, .unsent], 2),
        ([.unclear, .unsent, .unclear], 3),
    ]

    private struct Hopeless: Permanent {}

    @Test func `an error that no other try can help ends the run, whatever the classification says`() async {
        let retry = Retry(maxAttempts: 5, repeatability: .idempotent, classify: { _ in .retry }, clock: SkippingClock())
        await #expect(throws: Hopeless.self) {
            try await retry.run { (attempt: RetryAttempt) in
                #expect(attempt.number == 1)
                throw Hopeless()
            }
        }
    }

    @Test(arguments: rethrown)
    func `what a run throws is true of all its attempts`(failures: [Failure], thrown: Int) async {
        let exhausted = await ending(of: failures, maxAttempts: failures.count, .idempotent)
        #expect(exhausted.thrown == thrown)
        // The same holds whatever ends the run, but for an answer.
        let last = failures.count
        let stopped = await ending(of: failures, maxAttempts: 9, .duplicatesAccepted) {
            ($0 as? any Numbered)?.number == last ? .stop : .retry
        }
        #expect(stopped.thrown == thrown)
        #expect(stopped.reasons.last == .stopped)
        let tooLong = await ending(of: failures, maxAttempts: 9, .idempotent) {
            ($0 as? any Numbered)?.number == last ? .retryAfter(.seconds(99)) : .retry
        }
        #expect(tooLong.thrown == thrown)
        #expect(tooLong.reasons.last == .adviceTooLong)
    }

    private struct Declined: Numbered, NotApplied {
        var number: Int
    }

    private struct Unknown: Numbered, Permanent {
        var number: Int
    }

    /// Something that is known before the other side is asked.
    private struct Expired: Numbered, Rejection {
        var number: Int
        var retryAfter: Duration?
    }

    /// A guard's refusal for good.
    private struct TooMany: Numbered, PermanentRefusal {
        var number: Int
    }

    private static let answers: [(any Numbered, Repeatability, RetryVerdict, thrown: Int)] = [
        // What comes after a time-out, whether the operation may be repeated, the verdict, and whose error is thrown.
        (Declined(number: 2), .idempotent, .stop, 2), (Unknown(number: 2), .idempotent, .retry, 2),
        (Unclear(number: 2), .idempotent, .stop, 2),
        // Nobody knows the request again.
        (Declined(number: 2), .duplicatesAccepted, .stop, 1), (Unknown(number: 2), .duplicatesAccepted, .retry, 1),
        // They did not reach who could know it, or are tried again and so are no answer.
        (Expired(number: 2), .idempotent, .stop, 1), (Refused(number: 2), .idempotent, .stop, 1),
        (TooMany(number: 2), .idempotent, .retry, 1),
        (Unsent(number: 2), .idempotent, .retry, 1), (Unsent(number: 2), .idempotent, .pushedBack, 1),
        (Unsent(number: 2), .idempotent, .retryAfter(.seconds(99)), 1),
    ]

    @Test(arguments: answers)
    private func `the answer to a repeatable operation is the answer of the whole run`(
        second: any Numbered, repeatability: Repeatability, verdict: RetryVerdict, thrown: Int
    ) async {
        let retry = Retry(
            maxAttempts: 2, repeatability: repeatability,
            classify: { ($0 as? any Numbered)?.number == 2 ? verdict : .retry }, clock: SkippingClock())
        let error = await #expect(throws: (any Error).self) {
            try await retry.run { attempt in
                if attempt.number == 1 { throw TimedOut(limit: .seconds(1)) }
                throw second
            }
        }
        #expect((error as? any Numbered)?.number ?? (error is TimedOut ? 1 : 0) == thrown)
    }

    @Test func `an answer is the truth about a value that was not accepted before it`() async {
        let retry = Retry(repeatability: .idempotent, clock: SkippingClock())
        await #expect(throws: Declined.self) {
            _ = try await retry.run { attempt in
                if attempt.number == 2 { throw Declined(number: 2) }
                return attempt.number
            } classifyResult: { result in
                (try? result.get()) == nil ? .stop : .retry
            }
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `an attempt starts exactly when its delay is over, and knows its number and that delay`() async throws {
        let clock = ManualClock()
        let recorder = Recorder<RetryEvent>()
        let seen = Recorder<RetryAttempt>()
        let retry = Retry(
            name: "catalog", maxAttempts: 4, backoff: .exponential(jitter: .none), repeatability: .idempotent,
            clock: clock, onEvent: recorder.record)
        async let value = retry.run { attempt in
            seen.record(attempt)
            if attempt.number < 4 { throw Unclear(number: attempt.number) }
            return attempt.number
        }
        for (number, milliseconds) in [(1, 100), (2, 200), (3, 400)] {
            await clock.waitForSleepers()
            #expect(clock.nextWake == .milliseconds(milliseconds))
            #expect(seen.events.map(\.number) == Array(1...number))
            #expect(recorder.events.last?.delay == .milliseconds(milliseconds))
            clock.advance(by: .milliseconds(milliseconds))
        }
        #expect(try await value == 4)
        #expect(seen.events.map(\.previousDelay) == [nil, .milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(recorder.events.map(\.name) == ["catalog", "catalog", "catalog"])
        #expect(recorder.events.map(\.attempt) == [1, 2, 3])
        #expect(recorder.events.map { ($0.error as? Unclear)?.number } == [1, 2, 3])
        #expect(recorder.events.map(\.reason) == [.retrying, .retrying, .retrying])
    }

    private static let floors: [(Failure, RetryVerdict, Duration)] = [
        (.busy(.seconds(30)), .retry, .seconds(30)),
        (.busy(.milliseconds(30)), .retry, .milliseconds(100)),
        (.busy(.seconds(-30)), .retry, .milliseconds(100)), (.busy(.seconds(Int64.min)), .retry, .milliseconds(100)),
        (.busy(nil), .retry, .milliseconds(100)),
        (.busy(nil), .retryAfter(.seconds(3)), .seconds(3)),
        (.busy(.seconds(2)), .retryAfter(.seconds(3)), .seconds(3)),
        (.busy(.seconds(3)), .retryAfter(.seconds(2)), .seconds(3)),
        (.refused(.seconds(60)), .retry, .seconds(60)),
        // A wait is never rounded to something shorter.
        (.busy(Duration(secondsComponent: 1, attosecondsComponent: 1)), .retry, .seconds(1) + .nanoseconds(1)),
    ]

    @Test(arguments: floors)
    func `advice is a floor under the delay`(failure: Failure, verdict: RetryVerdict, delay: Duration) async throws {
        let clock = SkippingClock()
        let retry = Retry(
            maxAttempts: 2, backoff: .exponential(jitter: .none), repeatability: .idempotent, adviceJitter: 0,
            classify: { _ in verdict }, clock: clock)
        try await retry.run { attempt in
            if attempt.number == 1 { throw failure.error(1) }
        }
        #expect(clock.sleeps == [delay])
    }

    @Test func `an event that ends a run has no delay and names the attempt's own error`() async {
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(maxAttempts: 2, repeatability: .idempotent, clock: SkippingClock(), onEvent: recorder.record)
        let thrown = await #expect(throws: Unclear.self) {
            try await retry.run { attempt in
                if attempt.number == 1 { throw Unclear() }
                throw Refused(number: 2)
            }
        }
        #expect(thrown?.number == 1)
        #expect(recorder.events.last?.delay == nil)
        #expect(recorder.events.last?.error is Refused)
        #expect(recorder.events.last?.attempt == 2)
    }

    @Test func `a retry is a policy and describes itself`() async throws {
        let retry = Retry(name: "catalog", maxAttempts: 4, backoff: .constant(.seconds(1)), clock: SkippingClock())
        #expect(retry.summary == "Retry(catalog): up to 4 attempts, 1.0 seconds, unproven")
        let budget = RetryBudget.tokens(name: "all")
        #expect(
            Retry(within: .seconds(2), repeatability: .idempotent, budget: budget).summary
                == "Retry(): up to 3 attempts, \(Backoff.exponential()), idempotent, within 2.0 seconds, \(budget.summary)"
        )
        let pipeline = Pipeline { retry }
        let attempts = Locked(0)
        let value = try await pipeline.run {
            let attempt = attempts.withLock { count in
                count += 1
                return count
            }
            if attempt < 4 { throw Unsent() }
            return attempt
        }
        #expect(value == 4)
    }

    @Test(arguments: ["not 0", "not -1.0 seconds", "not -0.1", "not nan", "not 1.5", "not 0.0 seconds"])
    func `settings that make no sense are refused with their value`(expected: String) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [expected = expected as String] in
            switch expected {
            case "not 0": _ = Retry(maxAttempts: 0)
            case "not -1.0 seconds": _ = Retry(maximumRetryAfter: .seconds(-1))
            case "not -0.1": _ = Retry(adviceJitter: -0.1)
            case "not nan": _ = Retry(adviceJitter: .nan)
            case "not 1.5": _ = Retry(adviceJitter: 1.5)
            default: _ = Retry(within: .zero)
            }
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains(expected))
    }
}
