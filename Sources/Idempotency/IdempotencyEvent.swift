// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Something that has happened to a key, told after it is durable.
public struct IdempotencyEvent: Sendable {
    /// What happened; the raw value is a label for metrics.
    public enum Outcome: String, Hashable, Sendable, CaseIterable {
        /// The key was claimed for the first time; the handler runs next.
        case new
        /// The key was claimed again after an unknown outcome; the handler runs next.
        case reclaimed
        /// The handler's value is stored.
        case completed
        /// The handler's error is stored: duplicates throw it too.
        case failed
        /// The handler's value was too large: that the key is done is stored, and not with what.
        case outputOmitted = "output_omitted"
        /// The handler's value is stored although the lease had passed: nobody had claimed the key meanwhile.
        case completedLate = "completed_late"
        /// A probe found the earlier execution's outcome, and it is stored.
        case recovered
        /// A lease could not be renewed; ``IdempotencyEvent/error`` tells why. It is tried again at the next third of it.
        case renewalFailed = "renewal_failed"
        /// An execution has held its key for the longest time it may; its lease is not renewed any more.
        case renewalEnded = "renewal_ended"
        /// A handler runs without a key, or although the store failed: a duplicate may run too.
        case unprotected
        /// Nothing took effect, and the key is free again.
        case released
        /// The handler was started and its outcome is not known; stored as unknown.
        case leftUnknown = "left_unknown"
        /// Another execution had claimed the key before this one could settle it.
        case leaseLost = "lease_lost"
        /// A duplicate was given the stored outcome.
        case replayed
        /// A duplicate was turned away because the first execution still runs.
        case inFlight = "in_flight"
        /// A request was turned away because its fingerprint differs.
        case mismatch
        /// A request was turned away because an earlier execution's outcome is unknown.
        case unknown
        /// A request was turned away because what is stored cannot be read.
        case unreadable
        /// The store failed, or the handler's value could not be encoded; ``IdempotencyEvent/error`` tells.
        case storeFailed = "store_failed"
        /// An operator settled a key whose outcome was unknown.
        case resolved
    }

    /// The name of the operation.
    public let operation: String
    /// What happened.
    public let outcome: Outcome
    /// The key: for logs, not for labels.
    public let key: IdempotencyKey
    /// The execution concerned, where one is known.
    public let fence: Fence?
    /// The error behind ``Outcome/storeFailed``, ``Outcome/renewalFailed``, ``Outcome/unreadable`` and, where the store
    /// failed, ``Outcome/unprotected``.
    public let error: (any Error)?
}
