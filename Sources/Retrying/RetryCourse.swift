// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The rules that all runs of a ``Retry`` share.
struct RetryRules: Sendable {
    let maxAttempts: Int
    let backoff: Backoff
    let repeatability: Repeatability
    let maximumRetryAfter: Int64
    let classify: (@Sendable (any Error) -> RetryVerdict)?
    let randomness: RandomSource
}

/// The pure core of a run: which attempt it is in, and what its failures so far allow it to throw.
struct RetryCourse {
    /// The attempt that runs or was the last to run; the first is 1.
    private(set) var attempt = 1
    /// The most recent error that leaves open whether the operation took effect.
    private var unsettled: (any Error)?
    /// The most recent error of an attempt that ran.
    private var ran: (any Error)?

    /// What to do about a failed attempt.
    enum Step {
        /// Wait for so many nanoseconds, then attempt again.
        case retry(after: Int64)
        /// Throw the error, for the reason.
        case giveUp(RetryEvent.Reason, throwing: any Error)
        /// Throw the task's cancellation as it is: it is no failure.
        case surface(any Error)
    }

    /// Decides about the error that the present attempt ended with.
    mutating func attemptFailed(with error: any Error, isCancelled: Bool, rules: RetryRules) -> Step {
        if isCancelled && error is CancellationError { return .surface(error) }

        let proof = error is any NotApplied
        if !proof { unsettled = error }
        if !(error is any Rejection) { ran = error }
        // That nothing took effect, or that nothing ran, in this attempt is not the truth about a run in which an
        // earlier attempt may have taken effect, or ran.
        let answer = unsettled ?? ran ?? error

        if isCancelled { return .giveUp(.cancelled, throwing: answer) }
        if error is any Permanent { return .giveUp(.stopped, throwing: answer) }
        var advice = (error as? any RetryAdvising)?.retryAfter ?? .zero
        switch rules.classify?(error) ?? .retry {
        case .retry: break
        case .stop: return .giveUp(.stopped, throwing: answer)
        case .retryAfter(let delay): advice = max(advice, delay)
        }
        if rules.repeatability == .unproven && !proof { return .giveUp(.unproven, throwing: answer) }
        guard attempt < rules.maxAttempts else { return .giveUp(.exhausted, throwing: answer) }
        let floor = advice.nanosecondsRoundedUp
        guard floor <= rules.maximumRetryAfter else { return .giveUp(.adviceTooLong, throwing: answer) }

        let delay = rules.backoff.nanoseconds(afterAttempt: attempt, notBefore: floor, using: rules.randomness)
        attempt += 1
        return .retry(after: delay)
    }
}
