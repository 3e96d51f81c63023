// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The key was used before with another fingerprint: a mistake of the client's, to be answered as such (422).
///
/// This request did nothing. Trying again does not help.
public struct IdempotencyMismatch: Permanent, Hashable {
    /// The key that was used for two different requests.
    public let key: IdempotencyKey
}

/// The first request with this key is still being executed; this one did nothing (409 with `Retry-After`).
public struct IdempotencyInFlight: Rejection, Hashable {
    /// The key.
    public let key: IdempotencyKey
    /// The rest of the first request's lease: by then it has settled, or its outcome counts as unknown.
    public let retryAfter: Duration?
}

/// An earlier execution of the key may or may not have taken effect, and nobody knows; this request ran nothing.
///
/// It is not a ``/ReliabilityCore/NotApplied``: what the request asks for may well have happened.
public struct IdempotencyOutcomeUnknown: Error {
    /// The key. ``IdempotentOperation/resolve(_:as:of:)`` settles it, and so may the late owner of the execution.
    public let key: IdempotencyKey
    /// The execution whose outcome is not known.
    public let fence: Fence
    /// What a probe threw, if one was asked and threw.
    public let cause: (any Error)?
}

/// The handler ran and returned `value`, but another execution had claimed the key meanwhile.
///
/// The stored state is the other execution's and untouched; what this one did is not undone. The handler took longer
/// than its lease: give the operation a longer one, or the handler a shorter time limit.
public struct IdempotencyLeaseLost<Output: Sendable>: Error {
    /// The key.
    public let key: IdempotencyKey
    /// What this execution's handler returned.
    public let value: Output
}

/// The operation took effect with `value`, but it is not certain that this has been stored.
///
/// Either the value could not be encoded or the store failed. The caller has the value; for later requests the outcome
/// may count as unknown once the lease has passed.
public struct IdempotencyUnsettled<Output: Sendable>: Error {
    /// The key.
    public let key: IdempotencyKey
    /// The operation's outcome.
    public let value: Output
    /// The ``/RecordStores/StoreError``, or what the codec threw.
    public let cause: any Error
}

/// What is stored under the key cannot be read, because the codec or the format has changed; nothing ran.
///
/// It is not a ``/ReliabilityCore/NotApplied``: an earlier execution may have taken effect.
public struct IdempotencyRecordUnreadable: Error {
    /// The key.
    public let key: IdempotencyKey
    /// What the reading threw.
    public let cause: any Error
}

/// Nothing to resolve: the key is free or has been completed.
public struct IdempotencyNothingToResolve: Permanent, Hashable {
    /// The key.
    public let key: IdempotencyKey
    /// When it was completed; `nil` if nothing is stored under it.
    public let completedAt: Timestamp?
}
