// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How long to wait between two attempts: a constant time, or one that grows with every failed attempt.
///
/// The exponential form with full jitter, the default, draws every delay evenly from zero to a ceiling that doubles up
/// to a maximum. Callers that failed together thereby come back spread over the whole range; of the forms compared in
/// "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015) it is the one that makes the fewest calls.
///
/// `ceiling(n) = min(maximum, initial × multiplier^(n - 1))` after attempt `n`, and the delay is
///
/// | Jitter | Delay after attempt `n` |
/// | --- | --- |
/// | ``Jitter/full`` | drawn evenly from `0 ... ceiling(n)` |
/// | ``Jitter/none`` | `ceiling(n)` |
///
/// The maximum is a hard cap, and the jitter goes downward from it. So delays stay spread when the cap is reached, and
/// none is longer than the cap. Worked ceilings:
///
/// | After attempt | default | from 500 ms to 5 s | from 1 s, × 1.5 | constant 1 s |
/// | --- | --- | --- | --- | --- |
/// | 1 | 100 ms | 500 ms | 1 s | 1 s |
/// | 2 | 200 ms | 1 s | 1.5 s | 1 s |
/// | 3 | 400 ms | 2 s | 2.25 s | 1 s |
/// | 4 | 800 ms | 4 s | 3.375 s | 1 s |
/// | 5 | 1.6 s | 5 s | 5.0625 s | 1 s |
/// | 8 | 12.8 s | 5 s | 17.0859375 s | 1 s |
/// | 9 | 20 s | 5 s | 20 s | 1 s |
/// | 1,000,000 | 20 s | 5 s | 20 s | 1 s |
///
/// Delays are whole nanoseconds and at most `Int64.max` of them; no attempt number overflows. One delay takes time
/// logarithmic in the attempt number.
public struct Backoff: Sendable, Hashable {
    /// How a delay is spread below its ceiling.
    public enum Jitter: Sendable, Hashable {
        /// Drawn evenly from zero to the ceiling.
        case full
        /// Always the ceiling: repeatable, and callers that failed together come back together.
        case none
    }

    private let initial: Int64
    private let multiplier: Double
    private let maximum: Int64
    private let jitter: Jitter

    private init(initial: Int64, multiplier: Double, maximum: Int64, jitter: Jitter) {
        self.initial = initial
        self.multiplier = multiplier
        self.maximum = maximum
        self.jitter = jitter
    }

    /// A delay whose ceiling grows by a factor with every failed attempt, up to a maximum.
    ///
    /// - Parameters:
    ///   - initial: The ceiling after the first attempt; zero or more, 100 ms by default. If it is longer than
    ///     `maximum`, every ceiling is `maximum`.
    ///   - multiplier: What the ceiling grows by with every further attempt; at least 1, by default 2.
    ///   - maximum: What no delay exceeds; zero or more, 20 s by default.
    ///   - jitter: How delays are spread below the ceiling; by default over the whole of it.
    public static func exponential(
        initial: Duration = .milliseconds(100), multiplier: Double = 2, maximum: Duration = .seconds(20),
        jitter: Jitter = .full
    ) -> Backoff {
        precondition(initial >= .zero, "A back-off starts at zero or more, not at \(initial)")
        precondition(multiplier >= 1, "A back-off is multiplied by at least 1, not by \(multiplier)")
        precondition(maximum >= .zero, "The maximum of a back-off is zero or more, not \(maximum)")
        return Backoff(
            initial: initial.nanosecondsRoundedUp, multiplier: multiplier,
            maximum: maximum.nanosecondsRoundedUp, jitter: jitter)
    }

    /// The same delay after every attempt, without jitter; zero or more.
    public static func constant(_ delay: Duration) -> Backoff {
        precondition(delay >= .zero, "A constant back-off is zero or more, not \(delay)")
        let delay = delay.nanosecondsRoundedUp
        return Backoff(initial: delay, multiplier: 1, maximum: delay, jitter: .none)
    }

    /// The delay between an attempt that failed and the next, drawn anew by each call.
    ///
    /// - Parameters:
    ///   - attempt: The number of the attempt that failed; the first is 1.
    ///   - randomness: Where the jitter is drawn from; without jitter nothing is drawn.
    public func delay(afterAttempt attempt: Int, using randomness: RandomSource) -> Duration {
        .nanoseconds(nanoseconds(afterAttempt: attempt, notBefore: 0, using: randomness))
    }

    /// The delay, but at least `floor`: what the other side advised.
    ///
    /// A floor alone would wake all who were given the same advice at the same moment, so up to a tenth of the floor
    /// is added to it, and no more than the ceiling; without jitter nothing is added.
    package func nanoseconds(
        afterAttempt attempt: Int, notBefore floor: Int64, using randomness: RandomSource
    ) -> Int64 {
        let ceiling = ceiling(afterAttempt: attempt)
        switch jitter {
        case .none:
            return max(ceiling, floor)
        case .full:
            let drawn = randomness.draw(upTo: ceiling)
            guard drawn < floor else { return drawn }
            return floor.addingSaturating(randomness.draw(upTo: min(ceiling, floor / 10)))
        }
    }

    private func ceiling(afterAttempt attempt: Int) -> Int64 {
        precondition(attempt >= 1, "Attempts are counted from 1, not from \(attempt)")
        // Zero must not meet an infinite factor.
        guard initial > 0 else { return 0 }
        let grown = Double(initial) * multiplier.raised(to: attempt - 1)
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

extension Backoff: CustomStringConvertible {
    /// The settings in words, such as `0.1 seconds × 2.0 up to 20.0 seconds with full jitter`.
    public var description: String {
        let (first, last) = (Duration.nanoseconds(initial), Duration.nanoseconds(maximum))
        let grows = initial < maximum && multiplier > 1
        let range = grows ? "\(first) × \(multiplier) up to \(last)" : "\(min(first, last))"
        return jitter == .full ? "\(range) with full jitter" : range
    }
}
