// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore

/// Runs an operation again after an error, a bounded number of times, with a delay between the attempts.
///
/// ```swift
/// let retry = Retry(name: "catalog", maxAttempts: 4, within: .seconds(2), repeatability: .idempotent)
/// let product = try await retry.run { try await catalog.product(id) }
/// ```
///
/// There are four ways to run an operation, and they differ in what it is told and what is looked at:
///
/// | Form | For |
/// | --- | --- |
/// | `run { … }` | the usual case |
/// | `run { attempt in … }` | an operation that wants to know its ``RetryAttempt``: a header, a log line |
/// | `run { … } classifyResult: { result in … }` | an operation whose *value* may ask for another attempt: a job that is still pending |
/// | `run(attemptTimeout: timeout) { … }` | attempts that are cancelled when they take too long |
///
/// A write that carries an idempotency key is safe to repeat, and says so: in every one of these forms,
/// `retry.declaring(.idempotent).run { … }`, see ``declaring(_:)``.
///
/// **What is retried.** With the default repeatability, ``Repeatability/unproven``, only errors that prove that nothing
/// took effect: those that conform to `NotApplied`, such as the rejections of this package. Declare the operation
/// ``Repeatability/idempotent`` and every error is retried, unless `classify` says ``RetryVerdict/stop``. An error that
/// is `Permanent` ends the run in any case, and so does a `DeadlinePassed` of a deadline that was made before the attempt:
/// it has passed for good, so another attempt could only be refused again. Time that begins anew with each attempt, by
/// `attemptTimeout` or a `Timeout` inside, may be up in one attempt and is there again in the next.
///
/// **What is thrown in the end.** The last error itself, unwrapped, with one exception: what is thrown must be true of
/// the whole run. Once an attempt has failed with an error that is not `NotApplied`, the most recent such error is
/// thrown; otherwise, once an attempt has run, the most recent error that is no `Rejection`. Take a first attempt that
/// times out, when the card may have been charged, and a second that an open circuit refuses. To throw the refusal
/// would claim that nothing ran; an outer layer that trusts the claim would charge again. The error that leaves the
/// outcome open is the truth about the whole run.
///
/// An answer settles that. If the operation is ``Repeatability/idempotent`` and the second attempt of the example fails
/// with `Declined`, at which `classify` says ``RetryVerdict/stop`` or which is `Permanent`, then `Declined` is thrown:
/// the provider knows the request again, so it would have told of a charge. Where duplicates are merely accepted it does
/// not know that, and the time-out is thrown.
///
/// **Time.** `within` bounds the whole run, delays included. It is a deadline that the attempts run under, so that inner
/// layers see it, and the deadline that the run itself is under counts as well. No attempt begins after either: if it has
/// passed before the first, the run throws `DeadlinePassed`. When a delay is not shorter than what remains, the run ends
/// at once instead of sleeping for nothing. An attempt that is running is not interrupted,
/// unless the run has an `attemptTimeout` or there is a `Timeout` inside.
///
/// **Advice.** An error that conforms to `RetryAdvising`, and the verdict ``RetryVerdict/retryAfter(_:)``, set a floor
/// under the delay; the longer of the two counts. A little jitter goes on top of it, whatever the jitter of the back-off,
/// so that those who were given the same advice do not come back at once; `adviceJitter: 0` turns it off. What is waited is
/// the longer of that and the back-off's own delay. Nothing is retried before the floor: advice longer than
/// `maximumRetryAfter` ends the run instead. ``RetryAdvice`` reads `Retry-After` and its relatives.
///
/// | Advice | `maximumRetryAfter` | What is waited, if the back-off's delay is shorter |
/// | --- | --- | --- |
/// | 30 s | 60 s | 30 s to 33 s |
/// | 58 s | 60 s | 58 s to 60 s: the jitter stays below the maximum |
/// | 60 s | 60 s | 60 s to 60.6 s: but it does not vanish, there is always a hundredth |
/// | 61 s | 60 s | nothing, the run ends |
///
/// **Budget.** A ``RetryBudget`` that several policies share bounds the retries of all of them together. It is asked
/// before the delay, and a run for which it has none left ends at once.
///
/// **Cancellation.** A `CancellationError` of a cancelled task surfaces at once, be it thrown by the operation or in a
/// delay. It is not retried and not reported. Any other error of an operation whose task is cancelled is not retried
/// either.
///
/// In the form `run { … }`, without a limit, a budget and a deadline around it, a first attempt that succeeds reads no
/// clock; in no form does it draw a random number or allocate anything. One `Retry` serves any number of concurrent runs.
public final class Retry: Policy {
    /// The name that events and ``summary`` carry.
    public let name: String

    let rules: RetryRules
    let time: TimeSource
    let limit: Duration?
    let onEvent: (@Sendable (RetryEvent) -> Void)?

    @usableFromInline let budget: RetryBudget?
    @usableFromInline let isLimited: Bool

    /// Makes a retry policy.
    ///
    /// - Parameters:
    ///   - name: What events call it; empty by default.
    ///   - maxAttempts: How often the operation runs at most, the first time included; at least 1. By default 3, or with
    ///     a listed back-off one more than it has delays.
    ///   - backoff: How long to wait between attempts; by default exponential from 100 ms to 20 s with full jitter.
    ///   - limit: How long a run may take, delays included; more than zero, without end by default. No attempt begins
    ///     after it.
    ///   - repeatability: Whether the operation may run twice; by default this is unproven.
    ///   - maximumRetryAfter: The longest advised wait that is followed; 60 s by default. Jitter may exceed it by a
    ///     hundredth of the advice.
    ///   - adviceJitter: How much may be waited on top of advice, as a share of it, 0 to 1; by default a tenth. With 0 it
    ///     is waited for exactly as long as advised.
    ///   - budget: What bounds the retries of all that share it; none by default.
    ///   - classify: What to do about an error; `nil` retries whatever the repeatability allows. It runs once for every
    ///     failed attempt but those that end the run in any case, see ``Retry``, in the caller's task.
    ///   - clock: What the delays and the limit are measured with.
    ///   - randomness: Where the jitter is drawn from; by default a generator of its own.
    ///   - onEvent: Hears of every failed attempt, in the caller's task; see ``RetryEvent``.
    public init(
        name: String = "", maxAttempts: Int? = nil, backoff: Backoff = .exponential(), within limit: Duration? = nil,
        repeatability: Repeatability = .unproven, maximumRetryAfter: Duration = .seconds(60),
        adviceJitter: Double = 0.1, budget: RetryBudget? = nil,
        classify: (@Sendable (any Error) -> RetryVerdict)? = nil,
        clock: any Clock<Duration> = ContinuousClock(), randomness: RandomSource = .system,
        onEvent: (@Sendable (RetryEvent) -> Void)? = nil
    ) {
        let attempts = maxAttempts ?? backoff.count.map { $0 + 1 } ?? 3
        precondition(attempts >= 1, "A retry makes at least 1 attempt, not \(attempts)")
        precondition(maximumRetryAfter >= .zero, "The longest advised wait is zero or more, not \(maximumRetryAfter)")
        precondition((0...1).contains(adviceJitter), "The jitter on advice is a share of 0 to 1, not \(adviceJitter)")
        if let limit { precondition(limit > .zero, "The limit of a run is more than zero, not \(limit)") }
        self.name = name
        rules = RetryRules(
            maxAttempts: attempts, backoff: backoff, repeatability: repeatability,
            advice: AdvisedWait(maximum: maximumRetryAfter.nanosecondsRoundedUp, jitter: adviceJitter),
            classify: classify, randomness: randomness)
        time = TimeSource(clock)
        self.limit = limit
        isLimited = limit != nil
        self.budget = budget
        self.onEvent = onEvent
    }

    private init(_ other: Retry, _ repeatability: Repeatability) {
        name = other.name
        var rules = other.rules
        rules.repeatability = repeatability
        self.rules = rules
        time = other.time
        limit = other.limit
        isLimited = other.isLimited
        budget = other.budget
        onEvent = other.onEvent
    }

    /// This policy for operations of which something else is known: whether they may run twice.
    ///
    /// All else is the same, the name, the budget and the source of jitter as well. An idempotency key makes a write safe
    /// to repeat if it is made once, before the run, and the receiver honours it:
    ///
    /// ```swift
    /// let key = order.paymentKey
    /// let receipt = try await retry.declaring(.idempotent).run(attemptTimeout: timeout) {
    ///     try await provider.charge(order, idempotencyKey: key)
    /// }
    /// ```
    ///
    /// - Parameter repeatability: Whether the operations of the new policy may run twice.
    /// - Returns: a policy that can be kept; this one is not changed.
    public func declaring(_ repeatability: Repeatability) -> Retry { Retry(self, repeatability) }

    /// Runs the operation until it succeeds or must not be tried again.
    ///
    /// - Throws: the last error, or an earlier one that is truer of the whole run (see ``Retry``); `DeadlinePassed` if no
    ///   attempt was made; `CancellationError` as soon as the task is cancelled in a delay.
    @inlinable
    public func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
        // Inlined and specialized in the caller, so that a first attempt that succeeds costs little more than its call.
        if isLimited { return try await runLimited(operation) }
        try checkDeadline()
        budget?.deposit()
        let failure: any Error
        do {
            let value = try await operation()
            budget?.succeeded()
            return value
        } catch {
            failure = error
        }
        return try await runAgain(after: failure, startedAt: nil) { _ in try await operation() }
    }

    /// Runs the operation until it succeeds or must not be tried again, and tells it which attempt it is in.
    ///
    /// The clock is read at the beginning of every attempt.
    ///
    /// - Throws: the last error, or an earlier one that is truer of the whole run (see ``Retry``); `DeadlinePassed` if no
    ///   attempt was made; `CancellationError` as soon as the task is cancelled in a delay.
    @inlinable
    public func run<Success>(_ operation: (RetryAttempt) async throws -> Success) async throws -> Success {
        if isLimited { return try await runLimited(operation) }
        let start = try begin()
        let failure: any Error
        do {
            let value = try await operation(firstAttempt())
            budget?.succeeded()
            return value
        } catch {
            failure = error
        }
        return try await runAgain(after: failure, startedAt: start, operation)
    }

    /// Runs the operation until its result is accepted, or it must not be tried again.
    ///
    /// ```swift
    /// let export = try await retry.run {
    ///     try await service.export(id)
    /// } classifyResult: { result in
    ///     switch result {
    ///     case .success(let export): export.isPending ? .retryAfter(.seconds(1)) : .stop
    ///     case .failure(let error): error is NoSuchExport ? .stop : .retry
    ///     }
    /// }
    /// ```
    ///
    /// A value that is never accepted is no error: when no attempt follows, the last value is returned, and the event
    /// says why. A value leaves as much open as an error that is not `NotApplied`, so another attempt follows it only if
    /// the ``Repeatability`` is declared. Once an attempt has returned a value, a later error that proves that nothing
    /// took effect *in its attempt* is not true of the run, and the value is returned instead.
    ///
    /// - Parameters:
    ///   - operation: What is run.
    ///   - classifyResult: What to do about the end of an attempt, in the place of `classify`; for a value,
    ///     ``RetryVerdict/stop`` accepts it. It does not see the cancellation of the task, nor an error that ends the
    ///     run in any case, see ``Retry``.
    /// - Returns: the value that was accepted, or the last one.
    /// - Throws: as the other forms do.
    public func run<Success>(
        _ operation: () async throws -> Success, classifyResult: (Result<Success, any Error>) -> RetryVerdict
    ) async throws -> Success {
        try await runWatched(classifyResult) { _ in try await operation() }
    }

    /// Runs the operation until its result is accepted, or it must not be tried again, and tells it which attempt it is
    /// in.
    ///
    /// - Parameters:
    ///   - operation: What is run.
    ///   - classifyResult: What to do about the end of an attempt, in the place of `classify`; for a value,
    ///     ``RetryVerdict/stop`` accepts it.
    /// - Returns: the value that was accepted, or the last one.
    /// - Throws: as the other forms do.
    public func run<Success>(
        _ operation: (RetryAttempt) async throws -> Success,
        classifyResult: (Result<Success, any Error>) -> RetryVerdict
    ) async throws -> Success {
        try await runWatched(classifyResult, operation)
    }

    /// Runs the operation until it succeeds or must not be tried again, and gives every attempt so much time.
    ///
    /// ```swift
    /// let product = try await retry.run(attemptTimeout: Timeout(.seconds(1), name: "attempt")) {
    ///     try await catalog.product(id)
    /// }
    /// ```
    ///
    /// An attempt is cancelled when its time is up, or that of the whole run, and its end is waited for. It fails with
    /// `TimedOut` then, which does not prove that nothing took effect: another attempt follows only if the
    /// ``Repeatability`` is declared.
    ///
    /// - Parameters:
    ///   - timeout: What each attempt has.
    ///   - operation: What is run. It escapes, because it runs in a child task, which can be cancelled by itself.
    /// - Throws: as the other forms do.
    public func run<Success>(
        attemptTimeout timeout: Timeout, _ operation: @escaping () async throws -> Success
    ) async throws -> Success {
        try await run { try await timeout.run(operation) }
    }

    /// Runs the operation until it succeeds or must not be tried again, gives every attempt so much time and tells it
    /// which one it is.
    ///
    /// - Parameters:
    ///   - timeout: What each attempt has.
    ///   - operation: What is run; it escapes.
    /// - Throws: as the other forms do.
    public func run<Success>(
        attemptTimeout timeout: Timeout, _ operation: @escaping (RetryAttempt) async throws -> Success
    ) async throws -> Success {
        try await run { attempt in try await timeout.run { try await operation(attempt) } }
    }

    /// The name and the settings in one line.
    public var summary: String {
        var summary = "Retry(\(name)): up to \(rules.maxAttempts) attempts, \(rules.backoff), \(rules.repeatability)"
        if let limit { summary += ", within \(limit)" }
        if let budget { summary += ", \(budget.summary)" }
        return summary
    }
}
