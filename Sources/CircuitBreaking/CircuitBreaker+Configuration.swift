// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension CircuitBreaker {
    /// When a circuit breaker opens, for how long, and what closes it again.
    public struct Configuration: Sendable, Hashable {
        /// How many of the last calls the failure rate is taken over; 1 to 1,000,000, by default 100. One bit is kept
        /// for each.
        public let window: Int
        /// How many results the window must hold before the rate counts; at least 1, by default 20, and never more than
        /// ``window``.
        ///
        /// With fewer, chance trips the breaker: at a threshold of one half, a service of which every tenth call fails
        /// reaches 5 of the first 10 once in 600 tries, and 10 of the first 20 once in 140,000.
        public let minimumCalls: Int
        /// The share of failures at which the breaker opens; above 0 and at most 1, by default 0.5.
        ///
        /// It is kept in whole millionths, rounded down, and compared in integers: 0.3 is reached by exactly 3 of 10
        /// and 2.0 / 3.0 by exactly 2 of 3.
        public let failureRateThreshold: Double
        /// How long calls are refused before the first probe; above zero, by default 30 s.
        public let openFor: Duration
        /// How many calls probe the neighbour while the breaker is half-open; at least 1, by default 3.
        public let halfOpenProbes: Int

        /// Makes a configuration; every value left out has the default that its property tells.
        public init(
            window: Int = 100, minimumCalls: Int = 20, failureRateThreshold: Double = 0.5,
            openFor: Duration = .seconds(30), halfOpenProbes: Int = 3
        ) {
            let limit = 1_000_000
            precondition(window >= 1 && window <= limit, "A window holds 1 to \(limit) calls, not \(window)")
            precondition(minimumCalls >= 1, "A rate is taken over at least 1 call, not over \(minimumCalls)")
            precondition(
                failureRateThreshold > 0 && failureRateThreshold <= 1,
                "A failure rate threshold is above 0 and at most 1, not \(failureRateThreshold)")
            precondition(openFor > .zero, "A breaker opens for longer than zero, not for \(openFor)")
            precondition(
                halfOpenProbes >= 1 && halfOpenProbes <= limit, "There are 1 to \(limit) probes, not \(halfOpenProbes)")
            self.window = window
            self.minimumCalls = min(minimumCalls, window)
            self.failureRateThreshold = failureRateThreshold
            self.openFor = openFor
            self.halfOpenProbes = halfOpenProbes
        }
    }
}
