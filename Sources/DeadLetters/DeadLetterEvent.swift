// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What happened to a letter, reported after it is durable and outside any lock.
public struct DeadLetterEvent: Sendable {
    /// What happened.
    public enum Kind: Sendable {
        /// It was put into the queue.
        case put
        /// It was to be put and stood there already; nothing was changed.
        case alreadyThere
        /// It was taken out for good.
        case evicted
        /// A redrive holds it and hands it to its handler.
        case redriveStarted
        /// The handler took it, and it is removed.
        case redriven
        /// The handler failed with this error; the letter stays.
        case redriveFailed(any Error)
        /// The handler was cancelled, or a guard did not let it run; the letter stays, with no failure added.
        case redriveInterrupted(any Error)
        /// Another redrive took the letter over after the lease of this one had passed; nothing was changed.
        case redriveLost
    }

    /// The name of the queue.
    public let queue: String
    /// The letter's name; not a label for metrics, since there is no bound to how many there are.
    public let id: String
    /// The reason's code, a label for metrics.
    public let reason: String
    /// What happened.
    public let kind: Kind
}
