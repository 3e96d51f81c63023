// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension CircuitBreaker {
    /// What a circuit breaker does with calls.
    public enum State: String, Sendable, Hashable {
        /// Calls pass, and their results are counted.
        case closed
        /// Calls are refused. The first call after the time is over finds the breaker half-open; without a call it
        /// stays open.
        case open
        /// A few calls pass as probes, the others are refused.
        case halfOpen
    }

    /// What a circuit breaker has counted.
    public struct Snapshot: Sendable, Hashable {
        /// What it does with calls.
        public let state: State
        /// How many results are counted: those in the window while closed, those of the probes while half-open, and
        /// while open those that opened it.
        public let calls: Int
        /// How many of the counted results are failures.
        public let failures: Int
        /// `failures / calls`; `nil` while closed with fewer results than `minimumCalls`, and while half-open without
        /// any.
        public let failureRate: Double?
        /// The number of the present generation: 1 at first, and one more with every change of state.
        public let generation: UInt64

        init(_ state: State, _ counts: CallCounts, isRated: Bool, _ generation: UInt64) {
            self.state = state
            calls = counts.calls
            failures = counts.failures
            failureRate = isRated ? Double(counts.failures) / Double(counts.calls) : nil
            self.generation = generation
        }
    }
}
