// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Whether an operation may run a second time after an error that leaves open whether the first one took effect.
///
/// A timeout, a lost connection or a 500 does not say that nothing happened: the card may have been charged before the
/// answer was lost. Only who wrote the operation knows what a second run does, so it is declared, not guessed.
public enum Repeatability: Sendable, Hashable {
    /// Nothing is known of a second run: only errors that prove that nothing took effect, those that conform to
    /// `NotApplied`, are retried.
    case unproven
    /// Running twice has the effect of running once: a read, or a write that carries an idempotency key, made before the run. Every error
    /// is retried unless the classification says stop or it is `Permanent`; an error at which it stops is the answer to
    /// all attempts.
    case idempotent
    /// The operation may take effect more than once, and its caller accepts that: a log line, a notification. It is
    /// retried like ``idempotent``; but each attempt is answered for itself alone.
    case duplicatesAccepted
}

/// What a ``Retry`` shall do about the end of an attempt, as its `classify` or `classifyResult` closure sees it.
///
/// A verdict narrows what the ``Repeatability`` allows and never widens it.
public enum RetryVerdict: Sendable, Hashable {
    /// Try again, if the repeatability allows it.
    case retry
    /// Give up now: another attempt would get the same answer. For a value it means that the value is accepted.
    ///
    /// The error of an ``Repeatability/idempotent`` operation is then thrown whatever came before it, also if it is
    /// `NotApplied` and an earlier attempt left the outcome open. So an error that is made before the other side is
    /// asked, such as that a token has expired, has to be a `Rejection`.
    case stop
    /// Give up now: the other side fails, and asks not to be tried again. A budget of tokens counts it as a failure.
    case pushedBack
    /// Try again, if the repeatability allows it, but not before this time has passed.
    case retryAfter(Duration)
}
