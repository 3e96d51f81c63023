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
    /// Whether the two fingerprints could not be compared: of another version, algorithm or key.
    public let isIncomparable: Bool
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
    /// The execution whose outcome is not known. ``IdempotentOperation/resolve(_:as:of:)`` settles it, and so may its
    /// late owner.
    public let execution: UnknownExecution
    /// What a probe threw, if one was asked and threw.
    public let cause: (any Error)?

    /// The key.
    public var key: IdempotencyKey { execution.key }
    /// Names the execution when it is resolved.
    public var fence: Fence { execution.fence }
}

/// The handler ran, but another execution had claimed the key meanwhile.
///
/// The stored state is the other execution's and untouched; what this one did is not undone. The process was held up for
/// longer than the lease, or the store could not be reached to renew it. Where the loss was noticed while the handler
/// ran, the handler was cancelled.
public struct IdempotencyLeaseLost<Output: Sendable>: Error {
    /// The key.
    public let key: IdempotencyKey
    /// What this execution's handler returned or threw.
    public let result: Result<Output, any Error>
}

/// A checkpoint was not kept, because another execution has the key: this one must stop.
///
/// It is not a ``/ReliabilityCore/NotApplied``: what the handler did before has happened.
public struct IdempotencyHoldLost: Error, Hashable {
    /// The key.
    public let key: IdempotencyKey
}

/// A checkpoint was asked for while another one of the same execution was being kept; it was not kept.
public struct IdempotencyCheckpointOverlap: Error, Hashable {
    /// The key.
    public let key: IdempotencyKey
}

/// What was asked for needs a key that the execution holds, or a store that keeps records; it was not done.
public struct IdempotencyUnprotected: Error, Hashable {
    /// The key of the execution.
    public let key: IdempotencyKey
}

/// The key was completed with a value that was too large to be kept; this request ran nothing.
///
/// The operation has taken effect and must not be done again.
public struct IdempotencyOutputOmitted: Error, Hashable {
    /// The key.
    public let key: IdempotencyKey
    /// The bytes of the encoded value.
    public let size: Int
    /// When it was completed, by the store's time.
    public let completedAt: Timestamp
}

/// A change that was to be committed with the value did not find what it expected, so neither is in.
public struct IdempotencyChangeConflict: Error, Hashable {
    /// Which change, counted from zero in the order in which they were handed over, and what stands there.
    public let conflict: CommitAnswer.Conflict
}

/// The operation took effect with `value`, but it is not certain that this has been stored.
///
/// Either the value could not be encoded, the store failed, or a change alongside met a conflict. The caller has the value; for later requests the outcome
/// is unknown, at the latest once the lease has passed.
public struct IdempotencyUnsettled<Output: Sendable>: Error {
    /// The key.
    public let key: IdempotencyKey
    /// The operation's outcome.
    public let value: Output
    /// The ``/RecordStores/StoreError``, what the codec threw, or an ``IdempotencyChangeConflict``.
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
