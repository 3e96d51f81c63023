// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension CircuitBreaker {
    /// When a circuit breaker opens, for how long, and what closes it again.
    ///
    /// The rules are independent of each other: the first that is broken opens the breaker, and one that is `nil` never
    /// does. The values are checked where they are used; ``validate()`` checks them before.
    public struct Configuration: Sendable {
        /// Which results the rates are taken over; by default the last 100 calls.
        public var window: Window
        /// How many results the window must hold before a rate counts; at least 1, by default 20. In a window of fewer
        /// calls, as many as it holds.
        ///
        /// With few, chance trips the breaker: at a threshold of one half, a service of which every tenth call fails
        /// reaches 5 of the first 10 once in 600 tries, and 10 of the first 20 once in 140,000.
        public var minimumCalls: Int
        /// The share of failures at which the breaker opens; above 0 and at most 1, by default 0.5.
        ///
        /// It is kept in whole millionths, rounded down, and compared in integers: 0.3 is reached by exactly 3 of 10
        /// and 2.0 / 3.0 by exactly 2 of 3.
        public var failureRateThreshold: Double?
        /// What a slow call is, and at which share of them the breaker opens; by default `nil`, and calls are not timed.
        public var slowCalls: SlowCalls?
        /// At how many failures in a row, in the order in which calls end, the breaker opens; at least 1, by default
        /// `nil`. A success ends the row, an ignored result does not.
        public var consecutiveFailures: Int?
        /// A rule of your own; by default `nil`.
        public var rule: CircuitRule?
        /// How long calls are refused before the first probe; above zero, by default 30 s.
        public var openFor: Duration
        /// How the open time grows while probes fail; by default `nil`: it does not.
        public var growth: Growth?
        /// The longest time that ``CircuitVerdict/unavailable(for:)`` opens the breaker for; zero or more, by default
        /// 5 minutes. Advice that is longer is cut to it, so that no neighbour can shut itself off for a year.
        public var maximumAdvice: Duration
        /// How the neighbour is probed when the open time is over.
        public var probes: Probes
        /// After how long without use a breaker that nobody has overridden is as good as new; by default `nil`: never.
        ///
        /// Use is the end of a call, however it ends, and where a breaker is not closed a call that asks for a permit as
        /// well. An open breaker counts from the end of its open time on. A call that is under way is no use, so take
        /// more than the longest call: the first that ends so long after the one before finds the results forgotten,
        /// also if it began when they were fresh.
        ///
        /// A time window forgets its results by itself, so that this makes a difference to a count window and to a
        /// breaker that is not closed.
        public var forgetAfter: Duration?

        /// Makes a configuration; every value left out has the default that its property tells.
        public init(
            window: Window = .calls(100), minimumCalls: Int = 20, failureRateThreshold: Double? = 0.5,
            slowCalls: SlowCalls? = nil, consecutiveFailures: Int? = nil, rule: CircuitRule? = nil,
            openFor: Duration = .seconds(30), growth: Growth? = nil, maximumAdvice: Duration = .seconds(300),
            probes: Probes = Probes(), forgetAfter: Duration? = nil
        ) {
            self.window = window
            self.minimumCalls = minimumCalls
            self.failureRateThreshold = failureRateThreshold
            self.slowCalls = slowCalls
            self.consecutiveFailures = consecutiveFailures
            self.rule = rule
            self.openFor = openFor
            self.growth = growth
            self.maximumAdvice = maximumAdvice
            self.probes = probes
            self.forgetAfter = forgetAfter
        }

        /// A breaker that opens after so many failures in a row and by nothing else.
        public static func consecutiveFailures(
            _ failures: Int, openFor: Duration = .seconds(30), growth: Growth? = nil, probes: Probes = Probes(1)
        ) -> Configuration {
            Configuration(
                failureRateThreshold: nil, consecutiveFailures: failures, openFor: openFor, growth: growth,
                probes: probes)
        }
    }
}
