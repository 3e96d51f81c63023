// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// The algorithm of a leaky bucket as a queue: one outlet, which a call keeps busy for as long as its permits take.
///
/// Source: J. Turner, "New directions in communications (or which way to the information age?)", IEEE Communications
/// Magazine 24(10), 1986. The state is the moment at which the outlet is free, in ticks of 1/16 ns as in ``GCRA``; a
/// grant of `n` permits moves it to `max(free, now) + nT`.
package struct Pacing: LimitCore {
    private let bucket: GCRA

    package init(_ limit: RateLimit) { bucket = GCRA(limit) }

    package var limit: RateLimit { bucket.limit }
    package var capacity: Int { limit.permits == 0 ? 0 : limit.burst }
    package var fresh: BucketState { BucketState() }

    package func earliest(_ permits: Int64, in state: BucketState, at now: Int64) -> Int64 {
        permits == 0 || state.tat <= bucket.ticks(now) || limit.isUnlimited ? now : bucket.moment(state.tat)
    }

    package func take(_ permits: Int64, in state: inout BucketState, at moment: Int64) -> Int64 {
        bucket.take(permits, in: &state, at: moment)
    }

    package func giveBack(_ permits: Int64, of grant: Grant, in state: inout BucketState, at now: Int64) -> Bool {
        bucket.giveBack(permits, of: grant, in: &state, at: now)
    }

    package func lapse(of grant: Grant) -> Int64 { bucket.lapse(of: grant) }

    package func isFresh(_ state: BucketState, at now: Int64) -> Bool { bucket.isFresh(state, at: now) }

    package func decision(_ state: BucketState, at now: Int64, wait: Int64) -> RateLimitDecision {
        let backlog = limit.isUnlimited ? 0 : max(0, state.tat.subtractingSaturating(bucket.ticks(now)))
        return RateLimitDecision(
            limit: capacity, remaining: backlog == 0 ? Int64(capacity) : 0,
            resetNanoseconds: GCRA.nanosecondsRoundedUp(backlog), wait: wait)
    }

    package func changed(to limit: RateLimit, at now: Int64) -> Pacing { Pacing(limit) }

    package func carriedOver(
        _ state: BucketState, from other: Pacing, at now: Int64, _ consumed: ConsumedPermits
    ) -> BucketState {
        bucket.carriedOver(state, from: other.bucket, at: now, consumed)
    }
}
