// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An operation's outcome, and whether this call brought it about.
public struct IdempotentResult<Output: Sendable>: Sendable {
    /// Where an outcome comes from.
    public enum Origin: Hashable, Sendable {
        /// The handler ran in this call.
        case fresh
        /// An earlier execution brought it about: when its completion was stored, and how long ago that is, both by
        /// the store's time.
        case replayed(firstCompletedAt: Timestamp, age: Duration)
        /// The handler ran in this call without protection, and nothing was stored.
        case unprotected
    }

    /// The outcome: the handler's own value if fresh, decoded from what was stored if replayed.
    public let value: Output
    /// Where the outcome comes from.
    public let origin: Origin

    /// Whether an earlier execution brought the outcome about.
    public var isReplayed: Bool { if case .replayed = origin { true } else { false } }
}

extension IdempotentResult: Equatable where Output: Equatable {}
