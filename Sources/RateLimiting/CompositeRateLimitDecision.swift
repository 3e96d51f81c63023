// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a ``CompositeRateLimiter`` answered, and what each of its limiters did.
public struct CompositeRateLimitDecision: Sendable {
    /// The answer of one limiter.
    public struct Part: Sendable {
        /// The name of the limiter.
        public let limiter: String
        /// Its answer: what it says of itself, whatever the others do.
        public let decision: RateLimitDecision
    }

    /// The answers of the limiters, in the order in which they were given.
    public let parts: [Part]

    /// Nanoseconds until all would grant the same request; zero if they did.
    private let wait: Int64

    init(parts: [Part], wait: Int64) {
        self.parts = parts
        self.wait = wait
    }

    /// Whether the permits were granted by all.
    public var allowed: Bool { wait == 0 }

    /// The names of the limiters that denied, the one with the longest wait first; empty if none did.
    public var denied: [String] {
        parts.filter { !$0.decision.allowed }.sorted { $0.decision.wait > $1.decision.wait }.map(\.limiter)
    }

    /// How long until all would grant the same request; `nil` if they did, or if no wait helps.
    public var retryAfter: Duration? { allowed || wait == .max ? nil : .nanoseconds(wait) }

    /// How many permits could be had now: of the limiter that has the fewest.
    public var remaining: Int { parts.map(\.decision.remaining).min() ?? 0 }

    /// The answer to tell a caller about: of those that denied the one with the longest wait, or else the one that has
    /// the fewest permits left.
    public var tightest: Part? {
        allowed
            ? parts.min { $0.decision.remaining < $1.decision.remaining }
            : parts.max { $0.decision.wait < $1.decision.wait }
    }
}
