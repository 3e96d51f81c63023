// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a limiter answered, with all that a caller or an HTTP response needs to know about it.
///
/// Every limiter of this module answers with it, whatever its algorithm. Some numbers are worked out when they are read,
/// so an answer of which only ``allowed`` is used costs no division.
public struct RateLimitDecision: Sendable {
    /// The most permits that the limiter can give at once: the ``RateLimit/burst`` of a bucket, the
    /// ``RateLimit/permits`` of a window.
    public let limit: Int

    /// Ticks between two permits, with the backlog in ticks; or, below zero, the complement of what remains, with the
    /// backlog in nanoseconds. So the answer fits into four registers.
    private let pace: Int64

    /// How long until the limiter is as good as new; the complement of it if the answer is that of what keys share.
    private let signedBacklog: Int64

    private var backlog: Int64 { signedBacklog < 0 ? ~signedBacklog : signedBacklog }

    /// Nanoseconds until the same request would be granted; zero if it was granted, `Int64.max` if no wait helps.
    let wait: Int64

    /// An answer whose numbers follow from a bucket's backlog of ticks, each permit being worth `interval` of them.
    init(limit: Int, interval: Int64, backlog: Int64, wait: Int64) {
        self.limit = limit
        pace = interval
        signedBacklog = backlog
        self.wait = wait
    }

    /// An answer whose numbers are known.
    init(limit: Int, remaining: Int64, resetNanoseconds: Int64, wait: Int64) {
        self.limit = limit
        pace = ~max(0, remaining)
        signedBacklog = max(0, resetNanoseconds)
        self.wait = wait
    }

    /// A denial that no wait helps.
    static func never(limit: Int, isShared: Bool = false) -> RateLimitDecision {
        let decision = RateLimitDecision(limit: limit, remaining: 0, resetNanoseconds: 0, wait: .max)
        return isShared ? decision.shared : decision
    }

    /// Whether the permits were granted.
    public var allowed: Bool { wait == 0 }

    /// How many permits could be had now: after this grant, and after all who already wait.
    public var remaining: Int {
        if pace < 0 { return Int(~pace) }
        return pace == 0 ? limit : max(0, limit - Int(clamping: GCRA.quotientRoundedUp(backlog, by: pace)))
    }

    /// How long until the same request would be granted; `nil` if it was granted, or if no wait helps, because nothing
    /// comes back or nothing is ever let through.
    ///
    /// It is exact to the nanosecond as long as nobody else takes permits or gives them back: denied at any moment
    /// before, allowed at that moment. While others wait in the limiter's line it counts them in, and is never zero.
    public var retryAfter: Duration? { allowed || wait == .max ? nil : .nanoseconds(wait) }

    /// How long until the limiter is as good as new if nobody takes anything; zero if it is, and about 292 years if it
    /// never will be, because nothing comes back.
    public var resetAfter: Duration { .nanoseconds(resetNanoseconds) }

    /// Whether a ``KeyedRateLimiter`` had no room for the key, so that all numbers are those of what such keys share.
    ///
    /// A denial then says nothing of what the key has done, and there may be room for it at any later call, whatever
    /// ``retryAfter`` is: to a client it is a 503 rather than a 429.
    public var overflowed: Bool { signedBacklog < 0 }

    /// How long until the limiter is as good as new, in nanoseconds.
    var resetNanoseconds: Int64 { pace < 0 ? backlog : pace == 0 ? 0 : GCRA.nanosecondsRoundedUp(backlog) }

    /// The same answer, granted: for a limiter that only watches.
    var granted: RateLimitDecision { RateLimitDecision(self, backlog: signedBacklog, wait: 0) }

    /// The same answer, of what the keys share for which there is no room.
    var shared: RateLimitDecision { RateLimitDecision(self, backlog: ~backlog, wait: wait) }

    private init(_ decision: RateLimitDecision, backlog: Int64, wait: Int64) {
        limit = decision.limit
        pace = decision.pace
        signedBacklog = backlog
        self.wait = wait
    }
}
