// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How long to wait between two attempts.
///
/// A back-off has a *ceiling* for every attempt, which the ``Jitter`` spreads delays below. Worked ceilings:
///
/// | After attempt | `exponential()` | from 500 ms to 5 s | from 1 s, × 1.5 | linear, 1 s + 500 ms | constant 1 s | listed 1 s, 5 s, 30 s |
/// | --- | --- | --- | --- | --- | --- | --- |
/// | 1 | 100 ms | 500 ms | 1 s | 1 s | 1 s | 1 s |
/// | 2 | 200 ms | 1 s | 1.5 s | 1.5 s | 1 s | 5 s |
/// | 3 | 400 ms | 2 s | 2.25 s | 2 s | 1 s | 30 s |
/// | 4 | 800 ms | 4 s | 3.375 s | 2.5 s | 1 s | no further attempt |
/// | 5 | 1.6 s | 5 s | 5.0625 s | 3 s | 1 s | |
/// | 8 | 12.8 s | 5 s | 17.0859375 s | 4.5 s | 1 s | |
/// | 9 | 20 s | 5 s | 20 s | 5 s | 1 s | |
/// | 1,000,000 | 20 s | 5 s | 20 s | 20 s | 1 s | |
///
/// The delay under a ceiling of 1 s, where the draw is from 0 to 1:
///
/// | Draw | ``Jitter/full`` | ``Jitter/equal`` | ``Jitter/none`` |
/// | --- | --- | --- | --- |
/// | 0 | 0 | 500 ms | 1 s |
/// | 0.25 | 250 ms | 625 ms | 1 s |
/// | 1 | 1 s | 1 s | 1 s |
///
/// ``decorrelated(initial:maximum:)`` builds on the delay before instead of counting attempts.
///
/// Full jitter is the default of the forms that grow: of those compared in "Exponential Backoff And Jitter" (AWS
/// Architecture Blog, 2015), from which the three jittered forms come, it makes the fewest calls, and callers that
/// failed together come back spread over the whole range.
///
/// The maximum is a hard cap, and jitter goes downward from it. So delays stay spread when the cap is reached, and none
/// is longer than the cap. Delays are whole nanoseconds and at most `Int64.max` of them; no attempt number overflows.
/// One delay takes time logarithmic in the attempt number.
///
/// A ``Retry`` asks its back-off by itself. Alone it is a sequence, ``delays(using:)``, or a function of the attempt
/// number where that is what was stored, ``delay(afterAttempt:previous:using:)``.
public struct Backoff: Sendable, Hashable {
    /// How a delay is spread below its ceiling.
    public enum Jitter: Sendable, Hashable {
        /// Drawn evenly from zero to the ceiling.
        case full
        /// Half of the ceiling, and up to as much again, drawn evenly: no delay is short.
        case equal
        /// Always the ceiling: repeatable, and callers that failed together come back together.
        case none
    }

    enum Shape: Sendable, Hashable {
        case exponential(initial: Int64, multiplier: Double)
        case linear(initial: Int64, increment: Int64)
        case decorrelated(initial: Int64)
        case listed([Int64])
    }

    let shape: Shape
    let maximum: Int64
    let jitter: Jitter

    /// A delay whose ceiling grows by a factor with every failed attempt, up to a maximum.
    ///
    /// `ceiling(n) = min(maximum, initial × multiplier^(n - 1))` after attempt `n`.
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
        precondition(multiplier >= 1, "A back-off is multiplied by at least 1, not by \(multiplier)")
        return Backoff(
            shape: .exponential(initial: checked(initial, "start"), multiplier: multiplier),
            maximum: checked(maximum, "maximum"), jitter: jitter)
    }

    /// A delay whose ceiling grows by the same time with every failed attempt, up to a maximum.
    ///
    /// `ceiling(n) = min(maximum, initial + increment × (n - 1))` after attempt `n`.
    ///
    /// - Parameters:
    ///   - initial: The ceiling after the first attempt; zero or more. If it is longer than `maximum`, every ceiling is
    ///     `maximum`.
    ///   - increment: What is added to the ceiling with every further attempt; zero or more.
    ///   - maximum: What no delay exceeds; zero or more, 20 s by default.
    ///   - jitter: How delays are spread below the ceiling; by default over the whole of it.
    public static func linear(
        initial: Duration, increment: Duration, maximum: Duration = .seconds(20), jitter: Jitter = .full
    ) -> Backoff {
        Backoff(
            shape: .linear(initial: checked(initial, "start"), increment: checked(increment, "increment")),
            maximum: checked(maximum, "maximum"), jitter: jitter)
    }

    /// The same ceiling after every attempt.
    ///
    /// - Parameters:
    ///   - delay: The ceiling; zero or more.
    ///   - jitter: How delays are spread below the ceiling; by default they are not, and every delay is the ceiling.
    public static func constant(_ delay: Duration, jitter: Jitter = .none) -> Backoff {
        let delay = checked(delay, "constant delay")
        return Backoff(shape: .linear(initial: delay, increment: 0), maximum: delay, jitter: jitter)
    }

    /// These ceilings in turn, and then no further attempt: 1 s, 5 s, 30 s, then the dead-letter queue.
    ///
    /// A ``Retry`` ends with the list or with `maxAttempts`, whichever comes first; unless told otherwise it makes one
    /// attempt more than there are delays.
    ///
    /// - Parameters:
    ///   - delays: At least one; each zero or more.
    ///   - jitter: How delays are spread below the ceilings; by default they are not, and every delay is as listed.
    public static func listed(_ delays: [Duration], jitter: Jitter = .none) -> Backoff {
        precondition(!delays.isEmpty, "A listed back-off has at least one delay")
        let ceilings = delays.map { checked($0, "listed delay") }
        return Backoff(shape: .listed(ceilings), maximum: ceilings.max() ?? 0, jitter: jitter)
    }

    /// A delay drawn evenly from `initial` to three times the delay before, up to a maximum.
    ///
    /// It has no ceilings that are counted up, so callers that failed together lose step from the first delay on, and
    /// no delay is shorter than `initial`. A long delay may be followed by a short one. The first is drawn from `initial`
    /// to three times `initial`.
    ///
    /// This is the form that the AWS Architecture Blog calls decorrelated jitter, with one difference: the range is cut
    /// at the maximum, not the draw. If the draw were cut, up to two thirds of the delays would be the maximum itself,
    /// and callers would be in step again.
    ///
    /// - Parameters:
    ///   - initial: What no delay is shorter than; zero or more, 100 ms by default. If it is longer than `maximum`,
    ///     every delay is `maximum`.
    ///   - maximum: What no delay exceeds; zero or more, 20 s by default.
    public static func decorrelated(
        initial: Duration = .milliseconds(100), maximum: Duration = .seconds(20)
    ) -> Backoff {
        Backoff(
            shape: .decorrelated(initial: checked(initial, "start")), maximum: checked(maximum, "maximum"),
            jitter: .full)
    }

    private static func checked(_ duration: Duration, _ what: String) -> Int64 {
        precondition(duration >= .zero, "The \(what) of a back-off is zero or more, not \(duration)")
        return duration.nanosecondsRoundedUp
    }

    /// The delay between an attempt that failed and the next, drawn anew by each call; `nil` past the end of a list.
    ///
    /// - Parameters:
    ///   - attempt: The number of the attempt that failed; the first is 1.
    ///   - previous: The delay before that attempt, which ``decorrelated(initial:maximum:)`` alone looks at. If it is
    ///     not known, such a delay is drawn from everything that it can be: from `initial` to `initial × 3^attempt`, up
    ///     to the maximum.
    ///   - randomness: Where the jitter is drawn from; without jitter nothing is drawn.
    public func delay(
        afterAttempt attempt: Int, previous: Duration? = nil, using randomness: RandomSource
    ) -> Duration? {
        let previous = previous?.nanosecondsRoundedUp
        return nanoseconds(afterAttempt: attempt, previous: previous, using: randomness)
            .map { .nanoseconds($0) }
    }
}

extension Backoff: CustomStringConvertible {
    /// The settings in words, such as `0.1 seconds × 2.0 up to 20.0 seconds with full jitter`.
    public var description: String {
        let last = Duration.nanoseconds(maximum)
        switch shape {
        case .exponential(let initial, let multiplier):
            return grown(from: initial, "× \(multiplier)", grows: multiplier > 1)
        case .linear(let initial, let increment):
            return grown(from: initial, "+ \(Duration.nanoseconds(increment))", grows: increment > 0)
        case .decorrelated(let initial):
            return "\(Duration.nanoseconds(min(initial, maximum))) up to \(last), decorrelated"
        case .listed(let ceilings):
            return ceilings.map { "\(Duration.nanoseconds($0))" }.joined(separator: ", ") + spread
        }
    }

    private func grown(from initial: Int64, _ growth: String, grows: Bool) -> String {
        let (first, last) = (Duration.nanoseconds(initial), Duration.nanoseconds(maximum))
        return (grows && initial < maximum ? "\(first) \(growth) up to \(last)" : "\(min(first, last))") + spread
    }

    private var spread: String {
        switch jitter {
        case .full: " with full jitter"
        case .equal: " with equal jitter"
        case .none: ""
        }
    }
}
