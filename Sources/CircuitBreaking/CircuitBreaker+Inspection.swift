// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension CircuitBreaker {
    /// What a circuit breaker does with calls.
    public enum State: String, Sendable, Hashable, CaseIterable {
        /// Calls pass, and how they end is counted.
        case closed
        /// Calls are refused. The first call after the time is over finds the breaker half-open; without a call it
        /// stays open.
        case open
        /// A few calls pass as probes, the others are refused.
        case halfOpen
        /// Calls are refused because somebody said so. If there is an end to that, the first call after it is a probe.
        case isolated
        /// Calls pass, and nothing is counted.
        case disabled
        /// Calls pass, how they end is counted, and the breaker tells when it would have opened.
        case metricsOnly
    }

    /// What a circuit breaker does and has counted.
    public struct Snapshot: Sendable, Hashable {
        /// What it does with calls.
        public let state: State
        /// Why it does so; `nil` if it has never changed its state.
        public let reason: CircuitReason?
        /// The number of the present generation: 1 at first, and one more with every change of state.
        public let generation: UInt64
        /// What is counted: the results in the window while closed or only measuring, those of the probes while
        /// half-open, and while open or isolated what was counted before.
        public let counts: CircuitCounts
        /// The share of failures; `nil` without a result, and while closed with fewer than
        /// ``CircuitBreaker/Configuration/minimumCalls``.
        public let failureRate: Double?
        /// The share of slow calls; `nil` when ``failureRate`` is.
        public let slowCallRate: Double?
        /// How many calls were refused since the state last changed.
        public let rejected: Int
        /// How many probes are under way.
        public let runningProbes: Int
        /// How often in a row the breaker has opened without closing in between.
        public let openings: Int
        /// The time until a call passes; `nil` if calls pass now or if the time is not known.
        public let retryAfter: Duration?

        init(_ core: CircuitBreakerState, rejected: Int) {
            let counts = core.counts
            state = core.publicState
            reason = core.reason
            generation = core.generation
            self.counts = counts
            failureRate = core.isRated ? counts.failureRate : nil
            slowCallRate = core.isRated ? counts.slowCallRate : nil
            self.rejected = rejected
            runningProbes = core.runningProbes
            openings = core.openings
            retryAfter = core.refusesFor.map { .nanoseconds($0) }
        }
    }

    /// What the breaker does with calls now. Looking changes nothing.
    public var state: State { look { $0.publicState } }

    /// What the breaker does and has counted. Looking changes nothing.
    public var snapshot: Snapshot { look { Snapshot($0, rejected: gate.rejected) } }

    /// What ``acquire()`` would throw now, and `nil` if it would hand out a permit. Looking changes nothing: no probe is
    /// used up and nothing is counted, which suits a health page.
    public func peek() -> CircuitOpen? {
        look { core in
            var core = core
            guard case .refused(let retryAfter) = core.admit(now: core.latest) else { return nil }
            return CircuitOpen(
                name: name, retryAfter: retryAfter.map { .nanoseconds($0) }, state: core.publicState)
        }
    }
}
