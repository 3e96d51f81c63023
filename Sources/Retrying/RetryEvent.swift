// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a ``Retry`` did about an attempt that was not the end of it by itself.
///
/// Each attempt that failed, or whose value asked for another, is reported once, after the decision and before the
/// delay. An attempt that succeeds is not reported, and neither is a cancellation that surfaces as `CancellationError`:
/// nothing failed. A run that is under a deadline that has passed makes no attempt, and reports that as attempt 0, with
/// ``Reason-swift.enum/outOfTime``. If a delay ends so late that no time is left for the attempt that was announced, the attempt before it
/// is reported a second time, with ``Reason-swift.enum/outOfTime``.
public struct RetryEvent: Sendable {
    /// Why the attempt is followed by another, or is not.
    public enum Reason: String, Sendable, Hashable {
        /// Another attempt follows after ``RetryEvent/delay``.
        case retrying
        /// It was the last attempt of `maxAttempts`, or the listed back-off is at its end.
        case exhausted
        /// The classification said stop, or the error is `Permanent`.
        case stopped
        /// The classification said that the other side asks not to be tried again.
        case pushedBack
        /// The error, or the value, leaves open whether the operation took effect, and its repeatability is unproven.
        case unproven
        /// The advised wait is longer than `maximumRetryAfter`.
        case adviceTooLong
        /// The delay is not shorter than what remains of `within`, or of the deadline that the run is under; or the
        /// attempt was refused because of one that was made before it, or that had passed before the first.
        case outOfTime
        /// The ``RetryBudget`` had no retry left.
        case budgetExhausted
        /// The operation failed with an error of its own while its task was cancelled.
        case cancelled
    }

    /// The name of the ``Retry``.
    public let name: String
    /// The number of the attempt that ended; the first is 1, and 0 says that none began.
    public let attempt: Int
    /// What the attempt failed with, which is not always what the run throws in the end; `nil` if it returned a value
    /// that asked for another attempt.
    public let error: (any Error)?
    /// How long the next attempt is waited for; `nil` if there is none.
    public let delay: Duration?
    /// Why another attempt follows, or does not.
    public let reason: Reason
    /// How long was waited before the attempt; `nil` for the first.
    public let previousDelay: Duration?
    /// How long the run has taken, the attempt included; `nil` where that is not measured, which is in the plain form,
    /// `run { … }`, without `within`, and where no attempt began.
    public let elapsed: Duration?
    /// How long the run still has; `nil` if it is under no deadline and has no limit of its own.
    public let remaining: Duration?
}

/// Which attempt of a run an operation is in, and what the run has behind it and before it.
public struct RetryAttempt: Sendable, Hashable {
    /// The number of this attempt; the first is 1. What gRPC sends as `grpc-previous-rpc-attempts` is one less.
    public let number: Int
    /// How long was waited before this attempt; `nil` for the first.
    public let previousDelay: Duration?
    /// How long the run had taken when this attempt began, delays included.
    public let elapsed: Duration
    /// How long the run still had when this attempt began; `nil` if it is under no deadline and has no limit of its own.
    public let remaining: Duration?
}
