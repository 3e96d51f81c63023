// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a ``Retry`` did about a failed attempt.
///
/// Each failed attempt is reported once, after the decision and before the delay. An attempt that succeeds is not
/// reported, and neither is a cancellation that surfaces as `CancellationError`: nothing failed.
public struct RetryEvent: Sendable {
    /// Why the attempt is followed by another, or is not.
    public enum Reason: String, Sendable, Hashable {
        /// Another attempt follows after ``RetryEvent/delay``.
        case retrying
        /// It was the last attempt of `maxAttempts`.
        case exhausted
        /// The classification said stop, or the error is `Permanent`.
        case stopped
        /// The error leaves open whether the operation took effect, and its repeatability is unproven.
        case unproven
        /// The advised wait is longer than `maximumRetryAfter`.
        case adviceTooLong
        /// The operation failed with an error of its own while its task was cancelled.
        case cancelled
    }

    /// The name of the ``Retry``.
    public let name: String
    /// The number of the attempt that failed; the first is 1.
    public let attempt: Int
    /// What the attempt failed with, which is not always what the run throws in the end.
    public let error: any Error
    /// How long the next attempt is waited for; `nil` if there is none.
    public let delay: Duration?
    /// Why another attempt follows, or does not.
    public let reason: Reason
}

/// Which attempt of a run an operation is in.
public struct RetryAttempt: Sendable, Hashable {
    /// The number of this attempt; the first is 1.
    public let number: Int
    /// How long was waited before this attempt; `nil` for the first.
    public let previousDelay: Duration?

    @usableFromInline static let first = RetryAttempt(number: 1, previousDelay: nil)
}
