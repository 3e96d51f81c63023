// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An algorithm that limits rates: values and arithmetic, no clock, no lock, no task.
///
/// The algorithm is one value and what it knows of a caller is another, so that a million keys share the first and each
/// has its own of the second. Moments are nanoseconds from the making of the limiter, and a state learns of them in
/// order: whoever keeps it lets time stand still where a clock steps back.
package protocol LimitCore: Sendable {
    /// What is known of the grants so far.
    associatedtype State: Sendable

    init(_ limit: RateLimit)

    /// What was asked for.
    var limit: RateLimit { get }

    /// The most permits that one call may ask for.
    var capacity: Int { get }

    /// The state before the first grant.
    var fresh: State { get }

    /// The first moment, not before `now`, at which so many permits can be had if nobody else takes any; `Int64.max` if
    /// there is none. The number is at most the capacity; zero can be had at any moment.
    func earliest(_ permits: Int64, in state: State, at now: Int64) -> Int64

    /// Takes permits at a moment not before the `earliest`, and returns the mark by which they can be given back.
    func take(_ permits: Int64, in state: inout State, at moment: Int64) -> Int64

    /// Gives back the last `permits` of those that a grant took, as far as that cannot break the promise. Returns whether
    /// any came back.
    func giveBack(_ permits: Int64, of grant: Grant, in state: inout State, at now: Int64) -> Bool

    /// The moment from which on it makes no difference whether a grant is given back.
    func lapse(of grant: Grant) -> Int64

    /// Whether the state tells no more than a fresh one, now and at any moment after.
    func isFresh(_ state: State, at now: Int64) -> Bool

    /// The answer that goes with the state: a denial if the wait is above zero.
    func decision(_ state: State, at now: Int64, wait: Int64) -> RateLimitDecision

    /// The algorithm with another limit from `now` on.
    func changed(to limit: RateLimit, at now: Int64) -> Self

    /// The state that stands for the same grants as a state of the algorithm with another limit.
    func carriedOver(_ state: State, from other: Self, at now: Int64, _ consumed: ConsumedPermits) -> State
}

/// Permits that were taken, and how they can be given back.
package struct Grant: Sendable, Equatable {
    package let permits: Int64
    /// What `take` returned.
    package let mark: Int64
    /// Which of the limits that there have been it was made under.
    package let generation: Int

    package init(permits: Int64, mark: Int64, generation: Int = 0) {
        self.permits = permits
        self.mark = mark
        self.generation = generation
    }

    /// The grant after all but its first `permits` permits were given back.
    package func left(with permits: Int64) -> Grant { Grant(permits: permits, mark: mark, generation: generation) }
}
