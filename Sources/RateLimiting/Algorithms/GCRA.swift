// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// The algorithm of a token bucket: the generic cell rate algorithm in its virtual scheduling form.
///
/// Source: ITU-T Recommendation I.371, annex A. The whole state is one number, the *theoretical arrival time* (`tat`):
/// the moment at which the bucket is full again. With `T` between two permits and a burst of `b`, `n` permits are
/// there from `tat + T(n - 1) - T(b - 1)` on, and taking them moves `tat` to `max(tat, now) + nT`. A denial moves
/// nothing.
///
/// Time is counted in *ticks* of 1/16 ns from the making of the limiter. A clock that steps back cannot give permits
/// twice, because `tat` never follows it. An `Int64` of ticks lasts 18.2 years, less the time to fill the bucket; a
/// limiter that gets older stands at that moment for good and refuses once it is empty, which is the strict side. A
/// limiter whose permits never come back stands at its first moment from the start.
package struct GCRA: LimitCore {
    package static let ticksPerNanosecond: Int64 = 16

    package let limit: RateLimit
    let interval: Int64
    /// `T * b`: how far ahead of the present `tat` may be. At most 2^61.
    let fill: Int64
    /// The last nanosecond that is told from those after it.
    package let lastNanosecond: Int64

    package init(_ limit: RateLimit) {
        self.limit = limit
        interval = limit.interval
        fill = limit.isUnlimited ? RateLimit.longestFill : limit.interval * Int64(limit.burst)
        lastNanosecond = limit.permits == 0 ? 0 : (Int64.max - fill) / Self.ticksPerNanosecond
    }

    package var capacity: Int { limit.burst }
    package var fresh: BucketState { BucketState() }

    /// An answer and the state after it, which is the state before if the answer is a denial.
    package struct Step {
        package let decision: RateLimitDecision
        package let tat: Int64
    }

    /// Decides on `permits` permits, at most the burst, at `now` nanoseconds; `tat` is never negative.
    @inline(__always)
    package func step(from tat: Int64, at now: Int64, permits: Int64) -> Step {
        let now = ticks(now)
        let earliest = earliest(from: tat, permits)
        guard earliest <= now else {
            return Step(decision: decision(tat: tat, now: now, wait: wait(until: earliest, from: now)), tat: tat)
        }
        // No overflow: tat <= now + fill - n·T, and now + fill <= Int64.max.
        let next = max(tat, now) + interval * permits
        return Step(decision: decision(tat: next, now: now, wait: 0), tat: next)
    }

    /// Tells without taking: whether `permits` permits could be had now, and what is there now.
    package func peek(from tat: Int64, at now: Int64, permits: Int64) -> RateLimitDecision {
        let step = step(from: tat, at: now, permits: permits)
        return step.decision.allowed ? decision(tat: tat, now: ticks(now), wait: 0) : step.decision
    }

    package func earliest(_ permits: Int64, in state: BucketState, at now: Int64) -> Int64 {
        let earliest = state.tat.subtractingSaturating(fill - length(of: permits))
        return permits == 0 || earliest <= ticks(now) ? now : moment(earliest)
    }

    package func take(_ permits: Int64, in state: inout BucketState, at moment: Int64) -> Int64 {
        state.take(length(of: permits), at: ticks(moment))
    }

    package func giveBack(_ permits: Int64, of grant: Grant, in state: inout BucketState, at now: Int64) -> Bool {
        let kept = length(of: grant.permits - permits)
        return state.giveBack(grant.mark + kept, length(of: grant.permits) - kept, at: ticks(now))
    }

    package func lapse(of grant: Grant) -> Int64 { moment(grant.mark + length(of: grant.permits)) }

    package func isFresh(_ state: BucketState, at now: Int64) -> Bool { state.isPast(at: ticks(now)) }

    package func decision(_ state: BucketState, at now: Int64, wait: Int64) -> RateLimitDecision {
        decision(tat: state.tat, now: ticks(now), wait: wait)
    }

    package func changed(to limit: RateLimit, at now: Int64) -> GCRA { GCRA(limit) }

    package func carriedOver(
        _ state: BucketState, from other: GCRA, at now: Int64, _ consumed: ConsumedPermits
    ) -> BucketState {
        guard !limit.isUnlimited else { return fresh }
        let used = max(0, state.tat.subtractingSaturating(other.ticks(now)))
        let (new, old) = consumed == .keep ? (interval, other.interval) : (fill, other.fill)
        guard old > 0 else { return fresh }
        // Not longer than any bucket may take to fill, so that no sum overflows.
        let backlog = min(Self.scaled(used, by: new, over: old), RateLimit.longestFill)
        return BucketState(tat: ticks(now).addingSaturating(backlog))
    }
}

extension GCRA {
    /// The mark of a grant that has moved `tat` to where it is.
    @inline(__always)
    func mark(of permits: Int64, before tat: Int64) -> Int64 { tat - interval * permits }

    /// The stretch that permits occupy, in ticks; at most that of the longest fill. Only a reservation that was made under
    /// another limit can have more permits than the burst.
    @inline(__always)
    private func length(of permits: Int64) -> Int64 {
        min(interval.multipliedSaturating(by: permits), RateLimit.longestFill)
    }

    /// When `permits` permits, at most the burst, are there, in ticks.
    @inline(__always)
    private func earliest(from tat: Int64, _ permits: Int64) -> Int64 {
        // No overflow: tat lies in 0 ... Int64.max, and n·T and fill in 0 ... 2^61.
        tat - (fill - interval * permits)
    }

    private func decision(tat: Int64, now: Int64, wait: Int64) -> RateLimitDecision {
        let backlog = max(0, tat.subtractingSaturating(now))
        guard limit.permits > 0 else {
            // Nothing comes back: a tick is a permit, and time stands still.
            return RateLimitDecision(
                limit: limit.burst, remaining: fill - backlog, resetNanoseconds: backlog > 0 ? .max : 0, wait: wait)
        }
        return RateLimitDecision(limit: limit.burst, interval: interval, backlog: backlog, wait: wait)
    }

    private func wait(until earliest: Int64, from now: Int64) -> Int64 {
        moment(earliest) == .max ? .max : Self.nanosecondsRoundedUp(earliest.subtractingSaturating(now))
    }

    /// The first nanosecond that is not before a tick; `Int64.max` if the limiter does not reach it.
    func moment(_ tick: Int64) -> Int64 {
        let nanosecond = Self.nanosecondsRoundedUp(tick)
        return nanosecond <= lastNanosecond ? nanosecond : .max
    }

    @inline(__always)
    func ticks(_ nanoseconds: Int64) -> Int64 {
        min(max(nanoseconds, -lastNanosecond), lastNanosecond) * Self.ticksPerNanosecond
    }

    @inline(__always)
    static func nanosecondsRoundedUp(_ ticks: Int64) -> Int64 {
        (ticks >> 4) + (ticks & (ticksPerNanosecond - 1) == 0 ? 0 : 1)
    }

    /// The quotient, rounded up where it is positive.
    static func quotientRoundedUp(_ dividend: Int64, by divisor: Int64) -> Int64 {
        let (quotient, rest) = dividend.quotientAndRemainder(dividingBy: divisor)
        return rest > 0 ? quotient + 1 : quotient
    }

    /// `value × factor / divisor` of numbers that are not negative, rounded up and clamped to `Int64.max`.
    static func scaled(_ value: Int64, by factor: Int64, over divisor: Int64) -> Int64 {
        Int64(clamping: (Int128(value) * Int128(factor) + Int128(divisor) - 1) / Int128(divisor))
    }
}
