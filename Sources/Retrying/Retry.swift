// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Runs an operation again after an error, a bounded number of times, with a delay between the attempts.
///
/// ```swift
/// let retry = Retry(name: "catalog", maxAttempts: 4, repeatability: .idempotent)
/// let product = try await retry.run { try await catalog.product(id) }
/// ```
///
/// **What is retried.** With the default repeatability, ``Repeatability/unproven``, only errors that prove that nothing
/// took effect: those that conform to `NotApplied`, such as the rejections of this package. Declare the operation
/// ``Repeatability/idempotent`` and every error is retried, unless `classify` says ``RetryVerdict/stop``. An error that
/// is `Permanent` ends the run in any case.
///
/// **What is thrown in the end.** The last error itself, unwrapped, with one exception: what is thrown must be true of
/// the whole run. Once an attempt has failed with an error that is not `NotApplied`, the most recent such error is
/// thrown; otherwise, once an attempt has run, the most recent error that is no `Rejection`. Take a first attempt that
/// times out, when the card may have been charged, and a second that an open circuit refuses. To throw the refusal
/// would claim that nothing ran; an outer layer that trusts the claim would charge again. The error that leaves the
/// outcome open is the truth about the whole run.
///
/// **Advice.** An error that conforms to `RetryAdvising`, and the verdict ``RetryVerdict/retryAfter(_:)``, set a floor
/// under the delay; the longer of the two counts. A little jitter goes on top, up to a tenth of the floor and no more
/// than the ceiling of the ``Backoff``, so that those who were given the same advice do not come back at once. Nothing
/// is retried before the floor: advice longer than `maximumRetryAfter` ends the run instead.
///
/// **Cancellation.** A `CancellationError` of a cancelled task surfaces at once, be it thrown by the operation or in a
/// delay. It is not retried and not reported. Any other error of an operation whose task is cancelled is not retried
/// either.
///
/// The first attempt reads no clock, draws no random number and allocates nothing. One `Retry` serves any number of
/// concurrent runs.
public final class Retry: Policy {
    /// The name that events and ``summary`` carry.
    public let name: String

    private let rules: RetryRules
    private let time: TimeSource
    private let onEvent: (@Sendable (RetryEvent) -> Void)?

    /// Makes a retry policy.
    ///
    /// - Parameters:
    ///   - name: What events call it; empty by default.
    ///   - maxAttempts: How often the operation runs at most, the first time included; at least 1, by default 3.
    ///   - backoff: How long to wait between attempts; by default exponential from 100 ms to 20 s with full jitter.
    ///   - repeatability: Whether the operation may run twice; by default this is unproven.
    ///   - maximumRetryAfter: The longest advised wait that is followed; 60 s by default.
    ///   - classify: What to do about an error; `nil` retries whatever the repeatability allows. It runs once for every
    ///     failed attempt but those with a `Permanent` error, in the caller's task.
    ///   - clock: What the delays are measured with.
    ///   - randomness: Where the jitter is drawn from; by default a generator of its own.
    ///   - onEvent: Hears of every failed attempt, in the caller's task; see ``RetryEvent``.
    public init(
        name: String = "", maxAttempts: Int = 3, backoff: Backoff = .exponential(),
        repeatability: Repeatability = .unproven, maximumRetryAfter: Duration = .seconds(60),
        classify: (@Sendable (any Error) -> RetryVerdict)? = nil, clock: any Clock<Duration> = ContinuousClock(),
        randomness: RandomSource = .system, onEvent: (@Sendable (RetryEvent) -> Void)? = nil
    ) {
        precondition(maxAttempts >= 1, "A retry makes at least 1 attempt, not \(maxAttempts)")
        precondition(maximumRetryAfter >= .zero, "The longest advised wait is zero or more, not \(maximumRetryAfter)")
        self.name = name
        rules = RetryRules(
            maxAttempts: maxAttempts, backoff: backoff, repeatability: repeatability,
            maximumRetryAfter: maximumRetryAfter.nanosecondsRoundedUp, classify: classify, randomness: randomness)
        time = TimeSource(clock)
        self.onEvent = onEvent
    }

    /// Runs the operation until it succeeds or must not be tried again.
    ///
    /// - Throws: the last error, or an earlier one that is truer of the whole run (see ``Retry``);
    ///   `CancellationError` as soon as the task is cancelled in a delay.
    @inlinable
    public func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
        // Inlined and specialized in the caller, so that a first attempt that succeeds costs little more than its call.
        let failure: any Error
        do { return try await operation() } catch { failure = error }
        return try await runAgain(after: failure) { _ in try await operation() }
    }

    /// Runs the operation until it succeeds or must not be tried again, and tells it which attempt it is in.
    ///
    /// - Throws: the last error, or an earlier one that is truer of the whole run (see ``Retry``);
    ///   `CancellationError` as soon as the task is cancelled in a delay.
    @inlinable
    public func run<Success>(_ operation: (RetryAttempt) async throws -> Success) async throws -> Success {
        let failure: any Error
        do { return try await operation(.first) } catch { failure = error }
        return try await runAgain(after: failure, operation)
    }

    /// Everything after a first attempt that failed.
    @usableFromInline
    func runAgain<Success>(
        after failure: any Error, _ operation: (RetryAttempt) async throws -> Success
    ) async throws -> Success {
        var course = RetryCourse()
        var failure = failure
        while true {
            let delay = try await waitForNextAttempt(after: failure, in: &course)
            do {
                return try await operation(RetryAttempt(number: course.attempt, previousDelay: delay))
            } catch {
                failure = error
            }
        }
    }

    /// Returns the delay after it has passed, or throws what the run ends with.
    private func waitForNextAttempt(after error: any Error, in course: inout RetryCourse) async throws -> Duration {
        let attempt = course.attempt
        switch course.attemptFailed(with: error, isCancelled: Task.isCancelled, rules: rules) {
        case .surface(let cancellation):
            throw cancellation
        case .giveUp(let reason, throwing: let answer):
            report(attempt, error, delay: nil, reason)
            throw answer
        case .retry(after: let nanoseconds):
            let delay = Duration.nanoseconds(nanoseconds)
            report(attempt, error, delay: delay, .retrying)
            try await time.sleep(for: delay)
            // A clock may wake a task that was cancelled while it slept; no attempt starts after that.
            try Task.checkCancellation()
            return delay
        }
    }

    private func report(_ attempt: Int, _ error: any Error, delay: Duration?, _ reason: RetryEvent.Reason) {
        onEvent?(RetryEvent(name: name, attempt: attempt, error: error, delay: delay, reason: reason))
    }

    /// The name and the settings in one line.
    public var summary: String {
        "Retry(\(name)): up to \(rules.maxAttempts) attempts, \(rules.backoff), \(rules.repeatability)"
    }
}
