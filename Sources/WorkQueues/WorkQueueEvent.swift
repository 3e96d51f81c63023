// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What happened to an item, reported after it is durable and outside any lock.
public struct WorkQueueEvent: Sendable {
    /// What happened.
    public enum Kind: Sendable {
        /// It was put into the queue.
        case enqueued
        /// An item of its name stood there, or was put not longer ago than its window; nothing was changed.
        case duplicate
        /// It was handed out, for which time.
        case delivered(Int)
        /// It was handed out after a handler had ended without a word; how often that has happened.
        case crashed(Int)
        /// It is done, and removed.
        case completed
        /// It failed with this error and is due again after that time.
        case failed(any Error, retryAfter: Duration)
        /// It went back with no failure counted, due after that time; with the error if one was the cause.
        case released(after: Duration, because: (any Error)?)
        /// It went to the dead letters.
        case deadLettered(DeadLetterReason)
        /// Its lease had passed and somebody else had it before it could be settled; nothing was changed.
        case lost
        /// The store could not renew its lease; another try follows.
        case renewalFailed(StoreError)
        /// It has been held for as long as the queue allows in all: its lease is renewed no more, and when that has run
        /// out its handler is cancelled.
        case heldTooLong
        /// The store failed while items were being received; the item's name is empty.
        case receiveFailed(StoreError)
        /// It was settled with the store, and whether that is in is not known or it failed; the lease decides.
        case settlementFailed(any Error)
        /// A newer version of the package wrote it; it is left to consumers of that version.
        case unreadable(version: Int)
    }

    /// The queue's name.
    public let queue: String
    /// The item's name; not a label for metrics, since there is no bound to how many there are.
    public let id: String
    /// What happened.
    public let kind: Kind
}
