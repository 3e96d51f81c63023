// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension Backoff {
    /// The delay in nanoseconds; `nil` past the end of a list.
    package func nanoseconds(
        afterAttempt attempt: Int, previous: Int64? = nil, using randomness: RandomSource
    ) -> Int64? {
        precondition(attempt >= 1, "Attempts are counted from 1, not from \(attempt)")
        guard let (low, high) = range(afterAttempt: attempt, previous: previous) else { return nil }
        return low == high ? low : low + randomness.draw(upTo: high - low)
    }

    /// The delay, and past the end of a list its last one: for those who decide elsewhere when to give up.
    ///
    /// It is not before the advice, which gets the jitter that a ``Retry`` adds by default. Since nothing here can end
    /// for advice that is too long, that is cut to the longest.
    package func delayOrLast(
        afterAttempt attempt: Int, notBefore advice: Duration = .zero, upTo longest: Duration = .longest,
        using randomness: RandomSource
    ) -> Duration {
        let attempt = min(attempt, count ?? attempt)
        let drawn = nanoseconds(afterAttempt: attempt, using: randomness) ?? maximum
        let advised = AdvisedWait(maximum: longest.nanosecondsRoundedUp, jitter: 0.1)
            .nanoseconds(min(advice, longest), using: randomness)
        return .nanoseconds(max(drawn, advised ?? 0))
    }

    /// How many delays there are; `nil` if they have no end.
    package var count: Int? {
        guard case .listed(let ceilings) = shape else { return nil }
        return ceilings.count
    }

    /// What the delay after an attempt is drawn from; `nil` past the end of a list.
    private func range(afterAttempt attempt: Int, previous: Int64?) -> (low: Int64, high: Int64)? {
        let ceiling: Int64
        switch shape {
        case .exponential(let initial, let multiplier):
            ceiling = grown(initial, by: multiplier, times: attempt - 1)
        case .linear(let initial, let increment):
            ceiling = min(maximum, initial.addingSaturating(increment.multipliedSaturating(by: Int64(attempt - 1))))
        case .decorrelated(let initial):
            let low = min(initial, maximum)
            let high = previous.map { min(maximum, $0.multipliedSaturating(by: 3)) }
            return (low, max(low, high ?? grown(initial, by: 3, times: attempt)))
        case .listed(let ceilings):
            guard attempt <= ceilings.count else { return nil }
            ceiling = ceilings[attempt - 1]
        }
        switch jitter {
        case .full: return (0, ceiling)
        case .equal: return (ceiling - ceiling / 2, ceiling)
        case .none: return (ceiling, ceiling)
        }
    }

    /// `initial × factor^times`, up to the maximum.
    private func grown(_ initial: Int64, by factor: Double, times: Int) -> Int64 {
        // Zero must not meet an infinite power.
        guard initial > 0 else { return 0 }
        let grown = Double(initial) * factor.raised(to: times)
        // A double below the maximum converts to an integer that is not above it.
        return grown < Double(maximum) ? Int64(grown) : maximum
    }
}

extension Double {
    /// The power by repeated squaring: a handful of multiplications, and infinite where it does not fit.
    fileprivate func raised(to exponent: Int) -> Double {
        var (power, square, rest) = (1.0, self, exponent)
        while rest > 0 {
            if rest & 1 == 1 { power *= square }
            square *= square
            rest >>= 1
        }
        return power
    }
}
