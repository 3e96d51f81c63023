// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// The rules that all runs of a ``Retry`` share.
struct RetryRules: Sendable {
    let maxAttempts: Int
    let backoff: Backoff
    var repeatability: Repeatability
    let advice: AdvisedWait
    let classify: (@Sendable (any Error) -> RetryVerdict)?
    let randomness: RandomSource
}

/// The pure core of a run: which attempt it is in, and what its attempts so far allow it to end with.
struct RetryCourse {
    /// The attempt that runs or was the last to run; the first is 1.
    private(set) var attempt = 1
    /// The delay before that attempt; `nil` for the first.
    private(set) var previousDelay: Int64?

    private let repeatability: Repeatability
    /// The most recent error that tells of the whole run, unless a value came after it: one that leaves open whether the
    /// operation took effect, or the answer that ended the run.
    private var telling: (any Error)?
    /// Whether an attempt has returned a value.
    private var hasValue = false
    /// The most recent error of an attempt that ran, unless a value came after it.
    private var ran: (any Error)?
    private var last: (any Error)?

    init(_ repeatability: Repeatability) { self.repeatability = repeatability }

    /// What a run ends with that makes no further attempt.
    enum Answer {
        /// This error is thrown.
        case error(any Error)
        /// The most recent value is returned.
        case value
    }

    /// What to do about an attempt that ended.
    enum Step {
        /// Wait for so many nanoseconds, then attempt again.
        case attempt(after: Int64)
        /// End the run with its ``answer``, for the reason.
        case end(RetryEvent.Reason)
        /// Throw the task's cancellation as it is: it is no failure.
        case surface(any Error)
    }

    /// What is true of the whole run.
    ///
    /// That nothing took effect, or that nothing ran, in the last attempt is not the truth about a run in which an earlier
    /// attempt may have taken effect, has returned a value, or ran.
    var answer: Answer {
        if let telling { return .error(telling) }
        guard !hasValue, let error = ran ?? last else { return .value }
        return .error(error)
    }

    /// Decides about an attempt that failed.
    ///
    /// - Parameter remaining: What remains of the time that the run has, in nanoseconds; `nil` if it has no end.
    mutating func failed(
        with error: any Error, isCancelled: Bool, remaining: Int64?, rules: RetryRules,
        classify: (any Error) -> RetryVerdict
    ) -> Step {
        if isCancelled && error is CancellationError { return .surface(error) }

        let proof = error is any NotApplied
        last = error
        if !proof { telling = error }
        if !error.isRefusal { ran = error }

        if isCancelled { return .end(.cancelled) }
        // The next attempt would find it passed too, unless it was made within this one.
        if let error = error as? DeadlinePassed, !error.hasLeftRun { return .end(.outOfTime) }
        let verdict = error is any Permanent ? .stop : classify(error)
        if verdict == .stop && isAnswer(error) { telling = error }
        return another(
            verdict, notBefore: (error as? any RetryAdvising)?.retryAfter ?? .zero, mayHaveHappened: !proof,
            remaining: remaining, rules: rules)
    }

    /// Whether an error at which a run stops is what the other side says to the operation, whichever attempt it says it to.
    ///
    /// Attempts that may be repeated because they have the effect of one get the answer of one: had an earlier attempt
    /// taken effect, this one would have been told so. A refusal is no answer, for it was given before the other side.
    private func isAnswer(_ error: any Error) -> Bool {
        repeatability == .idempotent && !error.isRefusal
    }

    /// Decides about an attempt that returned a value which asks for another attempt.
    ///
    /// The value is the truth about everything before it, as the value of a run that succeeds is.
    mutating func returnedValue(
        asking verdict: RetryVerdict, isCancelled: Bool, remaining: Int64?, rules: RetryRules
    ) -> Step {
        (hasValue, telling, ran, last) = (true, nil, nil, nil)
        if isCancelled { return .end(.cancelled) }
        return another(verdict, notBefore: .zero, mayHaveHappened: true, remaining: remaining, rules: rules)
    }

    private mutating func another(
        _ verdict: RetryVerdict, notBefore advised: Duration, mayHaveHappened: Bool, remaining: Int64?,
        rules: RetryRules
    ) -> Step {
        let advice: Duration
        switch verdict {
        case .retry: advice = advised
        case .stop: return .end(.stopped)
        case .pushedBack: return .end(.pushedBack)
        case .retryAfter(let delay): advice = max(advised, delay)
        }
        if repeatability == .unproven && mayHaveHappened { return .end(.unproven) }
        guard attempt < rules.maxAttempts else { return .end(.exhausted) }
        guard let advised = rules.advice.nanoseconds(advice, using: rules.randomness) else {
            return .end(.adviceTooLong)
        }
        let drawn = rules.backoff.nanoseconds(
            afterAttempt: attempt, previous: previousDelay, using: rules.randomness)
        guard let drawn else { return .end(.exhausted) }
        let delay = max(drawn, advised)
        if let remaining, delay >= remaining { return .end(.outOfTime) }
        return .attempt(after: delay)
    }

    /// The next attempt begins, after that delay.
    mutating func begins(after delay: Int64) {
        attempt += 1
        previousDelay = delay
    }
}

extension RetryEvent.Reason {
    /// Whether an attempt that ended for this reason says that the neighbour fails: it would have been tried again, or
    /// was pushed back.
    var isFailureOfNeighbour: Bool {
        switch self {
        case .exhausted, .pushedBack, .unproven, .adviceTooLong, .outOfTime: true
        // A budget counts these itself when it is asked.
        case .retrying, .budgetExhausted: false
        // An answer, and our own doing.
        case .stopped, .cancelled: false
        }
    }
}
