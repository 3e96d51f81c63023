// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// The decision of a token bucket: the generic cell rate algorithm in its virtual scheduling form.
///
/// Source: ITU-T Recommendation I.371, annex A. The whole state is one number, the *theoretical arrival time* (`tat`):
/// the moment at which the bucket is full again. With `T` between two permits and a burst of `b`, `n` permits are
/// there from `tat + T(n - 1) - T(b - 1)` on, and taking them moves `tat` to `max(tat, now) + nT`. A denial moves
/// nothing.
///
/// Time is counted in *ticks* of 1/16 ns from the making of the limiter. A clock that steps back cannot give permits
/// twice, because `tat` never follows it. An `Int64` of ticks lasts 18.2 years, less the time to fill the bucket; a
/// limiter that gets older stands at that moment for good and refuses once it is empty, which is the strict side.
package struct GCRA: Sendable {
    package static let ticksPerNanosecond: Int64 = 16

    private let limit: Int
    private let interval: Int64
    /// `T * b`: how far ahead of the present `tat` may be. At most 2^61.
    private let fill: Int64
    /// The last nanosecond that is told from those after it.
    package let lastNanosecond: Int64

    package init(_ limit: RateLimit) {
        self.limit = limit.burst
        interval = limit.interval
        fill = limit.interval * Int64(limit.burst)
        lastNanosecond = (Int64.max - fill) / Self.ticksPerNanosecond
    }

    /// An answer and the state after it, which is the state before if the answer is a denial.
    package struct Step {
        package let decision: RateLimitDecision
        package let tat: Int64
    }

    /// Decides on `permits` permits, at most the burst, at `now` nanoseconds; `tat` is never negative.
    @inline(__always)
    package func step(from tat: Int64, at now: Int64, permits: Int64) -> Step {
        let now = ticks(now)
        // No overflow: tat lies in 0 ... Int64.max, and n·T and fill in 0 ... 2^61.
        let earliest = tat - (fill - interval * permits)
        guard earliest <= now else {
            return Step(decision: denied(tat: tat, now: now, earliest: earliest), tat: tat)
        }
        // No overflow: tat <= now + fill - n·T, and now + fill <= Int64.max.
        let next = max(tat, now) + interval * permits
        return Step(decision: allowed(tat: next, now: now), tat: next)
    }

    /// Tells without taking: whether `permits` permits could be had now, and what is there now.
    package func peek(from tat: Int64, at now: Int64, permits: Int64) -> RateLimitDecision {
        let step = step(from: tat, at: now, permits: permits)
        return step.decision.allowed ? allowed(tat: tat, now: ticks(now)) : step.decision
    }

    /// The denial of `permits` permits while others wait for `ahead` of them: after those, whatever the bucket holds.
    package func denial(from tat: Int64, at now: Int64, permits: Int64, behind ahead: Int64) -> RateLimitDecision {
        let now = ticks(now)
        let tat = max(tat, now).addingSaturating(interval.multipliedSaturating(by: ahead))
        return denied(tat: tat, now: now, earliest: tat - (fill - interval * permits))
    }

    /// How long the bucket had been full when a grant moved `tat` from one state to the other: time that is lost to
    /// those who come after it.
    package func idleNanoseconds(from before: Int64, to after: Int64, permits: Int64) -> Int64 {
        Self.quotientRoundedUp(after - interval * permits - before, by: Self.ticksPerNanosecond)
    }

    private func allowed(tat: Int64, now: Int64) -> RateLimitDecision {
        RateLimitDecision(limit: limit, interval: interval, backlog: backlog(tat: tat, now: now), wait: 0)
    }

    /// A denial always has a wait: behind others, even of what the bucket already holds.
    private func denied(tat: Int64, now: Int64, earliest: Int64) -> RateLimitDecision {
        RateLimitDecision(
            limit: limit, interval: interval, backlog: backlog(tat: tat, now: now),
            wait: max(1, earliest.subtractingSaturating(now)))
    }

    private func backlog(tat: Int64, now: Int64) -> Int64 { max(0, tat.subtractingSaturating(now)) }

    private func ticks(_ nanoseconds: Int64) -> Int64 {
        min(max(nanoseconds, -lastNanosecond), lastNanosecond) * Self.ticksPerNanosecond
    }

    /// The quotient, rounded up where it is positive.
    static func quotientRoundedUp(_ dividend: Int64, by divisor: Int64) -> Int64 {
        let (quotient, rest) = dividend.quotientAndRemainder(dividingBy: divisor)
        return rest > 0 ? quotient + 1 : quotient
    }
}
