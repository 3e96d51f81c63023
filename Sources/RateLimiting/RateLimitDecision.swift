// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a limiter answered, with all that a caller or an HTTP response needs to know about it.
///
/// The numbers are worked out when they are read, so an answer of which only ``allowed`` is used costs no division.
public struct RateLimitDecision: Sendable {
    /// The most permits that the limiter can hold: its ``RateLimit/burst``.
    public let limit: Int

    /// The time between two permits, in ticks.
    private let interval: Int64

    /// How long until the bucket is full, in ticks, once all that was granted and all that is waited for is counted.
    private let backlog: Int64

    /// How long until the same request would be granted, in ticks; zero if it was granted.
    private let wait: Int64

    package init(limit: Int, interval: Int64, backlog: Int64, wait: Int64) {
        self.limit = limit
        self.interval = interval
        self.backlog = backlog
        self.wait = wait
    }

    /// Whether the permits were granted.
    public var allowed: Bool { wait == 0 }

    /// How long until the same request would be granted; zero if it was.
    var waitNanoseconds: Int64 { GCRA.quotientRoundedUp(wait, by: GCRA.ticksPerNanosecond) }

    /// How many permits could be had now: after this grant, and after all who already wait.
    public var remaining: Int {
        max(0, limit - Int(clamping: GCRA.quotientRoundedUp(backlog, by: interval)))
    }

    /// How long until the same request would be granted; `nil` if it was granted.
    ///
    /// It is exact to the nanosecond as long as nobody else takes permits: denied at any moment before, allowed at that
    /// moment. While others wait in ``TokenBucket/acquire(_:within:)`` it counts them in, and never is zero.
    public var retryAfter: Duration? { allowed ? nil : .nanoseconds(waitNanoseconds) }

    /// How long until the limiter is full again if nobody takes anything; zero if it is full.
    public var resetAfter: Duration { .nanoseconds(GCRA.quotientRoundedUp(backlog, by: GCRA.ticksPerNanosecond)) }
}
