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

    /// How long until the limiter is as good as new.
    private let backlog: Int64

    /// Nanoseconds until the same request would be granted; zero if it was granted, `Int64.max` if no wait helps.
    let wait: Int64

    /// An answer whose numbers follow from a bucket's backlog of ticks, each permit being worth `interval` of them.
    init(limit: Int, interval: Int64, backlog: Int64, wait: Int64) {
        self.limit = limit
        pace = interval
        self.backlog = backlog
        self.wait = wait
    }

    /// An answer whose numbers are known.
    init(limit: Int, remaining: Int64, resetNanoseconds: Int64, wait: Int64) {
        self.limit = limit
        pace = ~max(0, remaining)
        backlog = resetNanoseconds
        self.wait = wait
    }

    /// A denial that no wait helps.
    static func never(limit: Int) -> RateLimitDecision {
        RateLimitDecision(limit: limit, remaining: 0, resetNanoseconds: 0, wait: .max)
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

    /// How long until the limiter is as good as new, in nanoseconds.
    var resetNanoseconds: Int64 { pace < 0 ? backlog : pace == 0 ? 0 : GCRA.nanosecondsRoundedUp(backlog) }

    /// The same answer, granted: for a limiter that only watches.
    var granted: RateLimitDecision { RateLimitDecision(self, wait: 0) }

    private init(_ decision: RateLimitDecision, wait: Int64) {
        limit = decision.limit
        pace = decision.pace
        backlog = decision.backlog
        self.wait = wait
    }
}
