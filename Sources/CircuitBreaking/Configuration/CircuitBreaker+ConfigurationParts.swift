// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension CircuitBreaker.Configuration {
    /// Which results the rates are taken over.
    public enum Window: Sendable, Hashable {
        /// The last so many calls, 1 to 1,000,000. One bit is kept for each, and a second where slow calls are counted.
        ///
        /// Results do not age: right for steady traffic, and it reads no clock.
        case calls(Int)
        /// The calls that ended in the last span of time, above zero, added up in 1 to 1,000 buckets.
        ///
        /// The oldest bucket leaves as a whole. So what is taken into account is never older than the span, and never
        /// less than the span without one bucket. Right where traffic comes and goes; costs a clock reading a call.
        case time(Duration, buckets: Int = 10)
    }

    /// What a slow call is, and at which share of them the breaker opens.
    public struct SlowCalls: Sendable, Hashable {
        /// A call that takes longer than this, from its permit to its result, is slow; zero or more.
        public var threshold: Duration
        /// The share of slow calls at which the breaker opens; above 0 and at most 1, by default 1. It is kept as
        /// ``CircuitBreaker/Configuration/failureRateThreshold`` is.
        public var rateThreshold: Double

        /// Calls that take longer than `threshold` are slow, and the breaker opens at a share of `rateThreshold`.
        public init(longerThan threshold: Duration, rateThreshold: Double = 1) {
            self.threshold = threshold
            self.rateThreshold = rateThreshold
        }
    }

    /// How the open time grows while probes fail: the next is the last one times ``factor``, until a breaker closes.
    ///
    /// | ``CircuitBreaker/Configuration/openFor`` | factor | maximum | open times |
    /// | --- | --- | --- | --- |
    /// | 1 s | 2 | 30 s | 1, 2, 4, 8, 16, 30, 30 s … |
    /// | 5 s | 3 | 5 min | 5, 15, 45, 135, 300, 300 s … |
    public struct Growth: Sendable, Hashable {
        /// What the open time is multiplied by each time; at least 1, by default 2.
        public var factor: Double
        /// The longest open time, not below the first; by default 5 minutes.
        public var maximum: Duration
        /// The share of the open time, 0 to 1, of which a random part is left out; by default 0.
        ///
        /// It keeps the instances of a fleet, which have opened together, from probing together. The time is never
        /// longer than without it.
        public var jitter: Double

        /// Makes a growth; every value left out has the default that its property tells.
        public init(factor: Double = 2, maximum: Duration = .seconds(300), jitter: Double = 0) {
            self.factor = factor
            self.maximum = maximum
            self.jitter = jitter
        }
    }

    /// How the neighbour is probed while a breaker is half-open.
    ///
    /// The verdict falls as soon as no result of the probes that are missing could change it. A probe that is ignored
    /// counts nothing, and another takes its place.
    public struct Probes: Sendable, Hashable {
        /// How many results decide; 1 to 1,000, by default 3.
        public var count: Int
        /// How many of them must be successes for the breaker to close; 1 to ``count``.
        ///
        /// By default `nil`: as many as keep the share of failures below
        /// ``CircuitBreaker/Configuration/failureRateThreshold``; and if there is no such threshold, all of them.
        public var successes: Int?
        /// How many probes may be under way at a time; at least 1, by default `nil`: as many as there are.
        public var concurrency: Int?
        /// How long a probe keeps its place; above zero, by default 60 s.
        ///
        /// When a call comes and no place is free, a probe that has had its place for so long loses it to the call. Its
        /// result still counts if it comes before the verdict.
        public var lease: Duration
        /// How long the breaker stays half-open without a verdict before it opens again; above zero, by default `nil`:
        /// as long as it takes.
        public var timeLimit: Duration?

        /// Makes the settings of probes; every value left out has the default that its property tells.
        public init(
            _ count: Int = 3, successes: Int? = nil, concurrency: Int? = nil, lease: Duration = .seconds(60),
            timeLimit: Duration? = nil
        ) {
            self.count = count
            self.successes = successes
            self.concurrency = concurrency
            self.lease = lease
            self.timeLimit = timeLimit
        }
    }
}

/// A rule of the user's for when a circuit breaker opens.
///
/// ```swift
/// let rule = CircuitRule("five failures") { $0.failures >= 5 }
/// ```
///
/// It is asked after every failure and every slow call that is counted while the breaker is closed or only measures, with
/// the counts that include it, unless another rule is broken already. A breach counts even if another result comes in
/// between.
///
/// The counts are all that there is to judge by: whatever else a ``CircuitBreaker/Snapshot`` tells follows from them while
/// calls pass, or does not change. So a rule is tried out on counts that a test makes up, without a breaker.
public struct CircuitRule: Sendable {
    /// What the rule is called in ``CircuitReason/rule(_:)``.
    public let name: String
    /// Whether these counts open the breaker. It runs in the task of the call, outside locks.
    public let isBroken: @Sendable (CircuitCounts) -> Bool

    /// Makes a rule of a name and a question.
    public init(_ name: String, isBroken: @escaping @Sendable (CircuitCounts) -> Bool) {
        self.name = name
        self.isBroken = isBroken
    }
}
