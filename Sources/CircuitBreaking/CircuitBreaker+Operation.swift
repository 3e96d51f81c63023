// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

// The verbs of an operator. Each starts a new generation: the results of calls that run meanwhile count no more.
extension CircuitBreaker {
    /// Refuses every call until ``reset()`` or another verb says otherwise.
    public func isolate() {
        changing { $0.isolate(for: nil, now: $1) }
    }

    /// Refuses every call for so long; the first one after that is a probe, as after an open time. A duration that is
    /// not above zero does nothing.
    public func isolate(for duration: Duration) {
        changing { $0.isolate(for: duration.nanosecondsRoundedUp, now: $1) }
    }

    /// Refuses every call until the instant of the given clock; the first one after that is a probe, as after an open
    /// time. An instant that has passed does nothing.
    ///
    /// The clock is read once, and the time that remains is measured by the breaker's own.
    public func isolate<C: Clock>(
        until instant: C.Instant, of clock: C = ContinuousClock()
    ) where C.Instant.Duration == Duration {
        isolate(for: clock.now.duration(to: instant))
    }

    /// Lets every call pass and counts nothing, until ``reset()`` or another verb says otherwise.
    public func disable() {
        changing { $0.disable(now: $1) }
    }

    /// Lets every call pass, counts from an empty window on, and tells of each breach by
    /// ``CircuitEvent/Kind/breached(_:_:)``, until ``reset()`` or another verb says otherwise: to try a configuration
    /// on real traffic.
    public func measureOnly() {
        changing { $0.measureOnly(now: $1) }
    }

    /// Closes the breaker and makes it as good as new, whatever its state.
    public func reset() {
        changing { $0.reset(now: $1) }
    }

    /// Goes on by another configuration.
    ///
    /// The state stays, with the deadline that callers have been told and with the leases that probes have got. Results
    /// stay if ``Configuration/window`` does and slow calls are counted in both or in neither; otherwise the window
    /// starts empty. Calls that run keep their permits; one that started while calls were not timed is not slow. Probes
    /// that have ended are judged by the new settings at once. Counts that break the new rules open the breaker with the
    /// next failure or slow call.
    ///
    /// - Throws: ``InvalidCircuitConfiguration``; the breaker then goes on as before.
    public func reconfigure(_ configuration: Configuration) throws(InvalidCircuitConfiguration) {
        try configuration.validate()
        let rules = CircuitRules(configuration)
        changing { $0.reconfigure(rules, areOwn: true, now: $1) }
    }

    /// Goes on by the rules of its registry, unless it has rules of its own or later ones of the registry.
    func applyUnlessOwn(_ rules: CircuitRules) {
        changing { core, now in
            guard !core.hasOwnRules, core.rules.version < rules.version else { return }
            core.reconfigure(rules, areOwn: false, now: now)
        }
    }
}
