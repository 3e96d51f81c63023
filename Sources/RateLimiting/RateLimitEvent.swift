// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a limiter reports. Granted at once is not an event: it would cost every call what few need.
public struct RateLimitEvent: Sendable, Equatable {
    /// What happened.
    public enum Kind: Sendable, Equatable {
        /// Permits were refused: not now. `retryAfter` is what the caller was told; `nil` if no wait helps.
        case denied(permits: Int, retryAfter: Duration?)
        /// The limiter is in ``RateLimitMode/shadow`` and let through what it would have refused, or let wait, for
        /// `retryAfter`; `nil` if no wait helps.
        case wouldDeny(permits: Int, retryAfter: Duration?)
        /// Permits were granted after a wait of `duration`.
        case waited(permits: Int, duration: Duration)
        /// Permits came back unused: an inner policy did not let the operation run, or a reservation was cancelled.
        case refunded(permits: Int)
        /// A ``KeyedRateLimiter`` had no room for a key, which shares what is left for all such keys.
        case overflowed
        /// The limit was changed while the limiter runs. A ``KeyedRateLimiter`` reports it where one limit of all keys
        /// took the place of another, and not where limits were looked up.
        case reconfigured(from: RateLimit, to: RateLimit)
    }

    /// The name of the limiter.
    public let limiter: String

    /// What happened.
    public let kind: Kind

    package init(limiter: String, kind: Kind) {
        self.limiter = limiter
        self.kind = kind
    }
}

/// Whether a limiter enforces what it decides.
public enum RateLimitMode: Sendable, Hashable {
    /// What is over the limit is refused, or waits.
    case enforced
    /// Everything is let through at once, and what would have been refused is reported as
    /// ``RateLimitEvent/Kind-swift.enum/wouldDeny(permits:retryAfter:)``: to try a limit on live traffic first.
    ///
    /// What is within the limit takes its permits as ever; what is over it takes none. Whoever waited already when the
    /// limiter began to watch is served in its turn.
    case shadow
}

/// What becomes of the permits that are in use when a limit changes.
public enum ConsumedPermits: Sendable, Hashable {
    /// They stay in use, as many as they are. After a change from 20 to 30 permits, 10 more can be had at once; after a
    /// change from 20 to 5, none until so many have come back that less than 5 are in use.
    ///
    /// So no interval sees more than the limits that held in it promise, not even one that the change falls into.
    case keep
    /// The same share is in use as before: half used stays half used, and empty stays empty.
    ///
    /// An interval that the change falls into may see up to the larger of the two bursts.
    case scale
}
