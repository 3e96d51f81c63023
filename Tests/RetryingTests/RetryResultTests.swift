// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Synchronization
import Testing

@Suite struct RetryResultTests {
    /// What an attempt ends with.
    enum End: Sendable {
        /// A value that asks for another attempt.
        case pending
        case done
        case failure(Failure)
    }

    /// A value and the attempt that it came from.
    private struct Status: Equatable {
        var number: Int
        var isDone: Bool
    }

    /// How a run ended: with the value or the error of which attempt.
    private enum Outcome: Equatable {
        case returned(Int)
        case threw(Int)
    }

    private static let runs: [(Int, Repeatability, [End], Outcome, [RetryEvent.Reason])] = [
        // Attempts allowed, repeatability, ends in turn, and how the run ends.
        (3, .idempotent, [.done], .returned(1), []),
        (3, .unproven, [.done], .returned(1), []),
        (3, .idempotent, [.pending, .done], .returned(2), [.retrying]),
        (3, .duplicatesAccepted, [.pending, .done], .returned(2), [.retrying]),
        (3, .idempotent, [.pending, .pending, .pending], .returned(3), [.retrying, .retrying, .exhausted]),
        (1, .idempotent, [.pending], .returned(1), [.exhausted]),
        // A value does not prove that nothing took effect.
        (3, .unproven, [.pending], .returned(1), [.unproven]),
        (3, .unproven, [.failure(.unsent), .pending], .returned(2), [.retrying, .unproven]),
        (3, .idempotent, [.failure(.unclear), .pending, .done], .returned(3), [.retrying, .retrying]),
        // A value is the truth about what came before it, and about what proves nothing of the run after it.
        (2, .idempotent, [.failure(.unclear), .pending], .returned(2), [.retrying, .exhausted]),
        (2, .idempotent, [.pending, .failure(.refused(nil))], .returned(1), [.retrying, .exhausted]),
        (2, .idempotent, [.pending, .failure(.unsent)], .returned(1), [.retrying, .exhausted]),
        (2, .idempotent, [.pending, .failure(.unclear)], .threw(2), [.retrying, .exhausted]),
        (
            3, .idempotent, [.failure(.unclear), .pending, .failure(.refused(nil))], .returned(2),
            [.retrying, .retrying, .exhausted]
        ),
        (
            3, .idempotent, [.pending, .failure(.unclear), .failure(.unsent)], .threw(2),
            [.retrying, .retrying, .exhausted]
        ),
        (2, .idempotent, [.failure(.unsent), .failure(.refused(nil))], .threw(1), [.retrying, .exhausted]),
    ]

    @Test(arguments: runs)
    private func `a value may ask for another attempt, and the last one is returned`(
        maxAttempts: Int, repeatability: Repeatability, ends: [End], expected: Outcome, reasons: [RetryEvent.Reason]
    ) async {
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(
            maxAttempts: maxAttempts, repeatability: repeatability, classify: { _ in .stop }, clock: SkippingClock(),
            onEvent: recorder.record)
        let outcome: Outcome
        do {
            let status = try await retry.run { attempt in
                switch ends[attempt.number - 1] {
                case .pending: return Status(number: attempt.number, isDone: false)
                case .done: return Status(number: attempt.number, isDone: true)
                case .failure(let failure): throw failure.error(attempt.number)
                }
            } classifyResult: { result in
                switch result {
                case .success(let status): status.isDone ? .stop : .retry
                case .failure: .retry
                }
            }
            outcome = .returned(status.number)
        } catch {
            outcome = .threw((error as? any Numbered)?.number ?? 0)
        }
        #expect(outcome == expected)
        #expect(recorder.events.map(\.reason) == reasons)
        for event in recorder.events {
            guard case .failure = ends[event.attempt - 1] else {
                #expect(event.error == nil)
                continue
            }
            #expect((event.error as? any Numbered)?.number == event.attempt)
        }
    }

    private static let verdicts: [(RetryVerdict, Duration?, RetryEvent.Reason?)] = [
        (.retry, .milliseconds(100), .retrying), (.retryAfter(.seconds(7)), .seconds(7), .retrying),
        (.retryAfter(.milliseconds(7)), .milliseconds(100), .retrying), (.stop, nil, nil),
        (.retryAfter(.seconds(61)), nil, .adviceTooLong), (.pushedBack, nil, .pushedBack),
    ]

    @Test(arguments: verdicts)
    private func `a value's verdict is followed like an error's`(
        verdict: RetryVerdict, delay: Duration?, reason: RetryEvent.Reason?
    ) async throws {
        let clock = SkippingClock()
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(
            backoff: .exponential(jitter: .none), repeatability: .idempotent, adviceJitter: 0, clock: clock,
            onEvent: recorder.record)
        var calls = 0
        let value = try await retry.run {
            calls += 1
            return calls
        } classifyResult: { result in
            (try? result.get()) == 1 ? verdict : .stop
        }
        #expect(value == (delay == nil ? 1 : 2))
        #expect(clock.sleeps == (delay.map { [$0] } ?? []))
        #expect(recorder.events.first?.reason == reason)
    }

    @Test func `the classification of a run takes the place of the policy's`() async {
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(
            repeatability: .idempotent, classify: { _ in .retry }, clock: SkippingClock(), onEvent: recorder.record)
        let seen = Recorder<String>()
        await #expect(throws: Unclear.self) {
            try await retry.run {
                throw Unclear()
            } classifyResult: { (result: Result<Int, any Error>) in
                seen.record("\(result)")
                return .stop
            }
        }
        #expect(recorder.events.map(\.reason) == [.stopped])
        #expect(seen.events.count == 1)
    }

    @Test func `a value is returned, not retried, in a cancelled task`() async throws {
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(repeatability: .idempotent, clock: SkippingClock(), onEvent: recorder.record)
        async let value = retry.run {
            cancelCurrentTask()
            return 7
        } classifyResult: { _ in
            .retry
        }
        #expect(try await value == 7)
        #expect(recorder.events.map(\.reason) == [.cancelled])
    }

    @Test func `a policy declares for some operations what it does not for others, in every form`() async throws {
        let clock = SkippingClock()
        let budget = RetryBudget.quota(capacity: 99, cost: { _ in 1 })
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(
            name: "provider", maxAttempts: 3, backoff: .constant(.seconds(1)), within: .seconds(99), budget: budget,
            classify: { $0 is Busy ? .stop : .retry }, clock: clock, onEvent: recorder.record)
        let writes = retry.declaring(.idempotent)
        #expect(retry.summary.contains("unproven"))
        #expect(writes.summary == retry.summary.replacing("unproven", with: "idempotent"))
        let timeout = Timeout(.seconds(9), clock: clock)
        let attempts = Locked(0)
        let attempt: @Sendable () throws -> Int = {
            let number = attempts.withLock { count in
                count += 1
                return count
            }
            if number < 3 { throw Unclear() }
            return number
        }
        let accepted: (Result<Int, any Error>) -> RetryVerdict = { (try? $0.get()) == nil ? .retry : .stop }
        func run(_ retry: Retry, form: Int) async throws -> Int {
            attempts.withLock { $0 = 0 }
            return switch form {
            case 0: try await retry.run { try attempt() }
            case 1: try await retry.run { _ in try attempt() }
            case 2: try await retry.run({ try attempt() }, classifyResult: accepted)
            case 3: try await retry.run({ _ in try attempt() }, classifyResult: accepted)
            case 4: try await retry.run(attemptTimeout: timeout) { try attempt() }
            default: try await retry.run(attemptTimeout: timeout) { _ in try attempt() }
            }
        }
        for form in 0..<6 {
            #expect(try await run(writes, form: form) == 3)
            #expect(recorder.events.suffix(2).map(\.reason) == [.retrying, .retrying])
            // The same policy does not dare where nothing is declared.
            await #expect(throws: Unclear.self) { try await run(retry, form: form) }
            #expect(recorder.events.last?.reason == .unproven)
            // Two retries, the cost of the last of which came back.
            #expect(budget.available == 98 - form)
        }
        #expect(recorder.events.allSatisfy { $0.name == "provider" && $0.remaining != nil })
        #expect(clock.sleeps == Array(repeating: .seconds(1), count: 12))
        await #expect(throws: Busy.self) { try await writes.run { throw Busy() } }
        #expect(recorder.events.last?.reason == .stopped)
    }

    /// Every form with closures whose types are inferred, and values that cannot be sent.
    @Test func `the forms are told apart by their closures`() async throws {
        final class Unsendable { var count = 0 }
        let retry = Retry(within: .seconds(1), clock: SkippingClock())
        let value = Unsendable()
        let plain = try await retry.run { value }
        let watched = try await retry.run { attempt in
            value.count += attempt.number
            return value
        }
        let short = try await retry.run { $0.number }
        let judged = try await retry.run {
            value
        } classifyResult: { _ in
            .stop
        }
        let both = try await retry.run { attempt in
            value.count += attempt.number
            return value
        } classifyResult: { result in
            if case .success(let value) = result, value.count > 100 { return .retry }
            return .stop
        }
        try await retry.run {}
        #expect([plain, watched, judged, both].allSatisfy { $0 === value })
        #expect(short == 1 && value.count == 2)
    }
}
