// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How a call ended, as far as a breaker is concerned.
@usableFromInline
enum CallOutcome: Sendable {
    /// The neighbour answered.
    case success
    /// The neighbour failed.
    case failure
    /// The call says nothing of the neighbour.
    case ignored
}

/// The pure core of a circuit breaker.
///
/// Every change of state starts a new generation. A call belongs to the generation that admitted it, and its result
/// counts in that generation alone.
struct CircuitBreakerState: Sendable {
    enum State: Sendable {
        /// Calls pass, and ``window`` keeps the results of the last of them.
        case closed
        /// Calls are refused before the deadline; `after` is what was counted when the breaker opened.
        case open(until: Int64, after: CallCounts)
        /// A bounded number of calls pass as probes, and their results decide.
        case halfOpen(Probes)
    }

    /// The probes of one half-open generation.
    struct Probes: Sendable {
        var inFlight = 0
        var counts = CallCounts()
    }

    private let configuration: CircuitBreaker.Configuration
    private let openFor: Int64
    /// The threshold in millionths, at least one of them, so that no window without a failure reaches it.
    private let threshold: Int
    private(set) var state = State.closed
    /// The results of the closed state. It stays outside the case, since a payload that is taken out, written and put
    /// back costs as much as the lock around it.
    private var window: CountWindow
    private(set) var generation: UInt64 = 1
    private var latest = Int64.min

    init(_ configuration: CircuitBreaker.Configuration) {
        self.configuration = configuration
        openFor = configuration.openFor.nanosecondsRoundedUp
        threshold = max(1, Int(configuration.failureRateThreshold * 1_000_000))
        window = CountWindow(capacity: configuration.window)
    }

    /// What becomes of a call that wants to start.
    enum Admission {
        /// It runs, and its result belongs to the generation. With `change` it is the first probe.
        case admitted(generation: UInt64, change: CircuitEvent.Kind?)
        /// It does not run; a probe can pass after so many nanoseconds, `nil` if that is not known.
        case refused(retryAfter: Int64?)
    }

    /// Decides about a call that starts now.
    mutating func admit(now: Int64) -> Admission {
        switch state {
        case .closed:
            return .admitted(generation: generation, change: nil)
        case .open(let deadline, _):
            latest = max(latest, now)
            guard latest >= deadline else { return .refused(retryAfter: deadline - latest) }
            enter(.halfOpen(Probes(inFlight: 1)))
            return .admitted(generation: generation, change: .halfOpened)
        case .halfOpen(var probes):
            guard probes.inFlight + probes.counts.calls < configuration.halfOpenProbes else {
                return .refused(retryAfter: nil)
            }
            probes.inFlight += 1
            state = .halfOpen(probes)
            return .admitted(generation: generation, change: nil)
        }
    }

    /// Counts the outcome of a call that was admitted in `generation`; returns the change of state it led to.
    ///
    /// `now` is evaluated only if the breaker opens, so that a closed breaker reads no clock.
    mutating func settle(
        _ outcome: CallOutcome, of generation: UInt64, now: @autoclosure () -> Int64
    ) -> CircuitEvent.Kind? {
        // The call began before a change of state; it tells of a past that has been judged.
        guard generation == self.generation else { return nil }
        switch state {
        case .closed:
            // An ignored call has taken nothing that could be given back.
            if outcome == .ignored { return nil }
            window.record(failed: outcome == .failure)
            let counts = window.counts
            guard counts.calls >= configuration.minimumCalls && reachesThreshold(counts.failures, of: counts.calls)
            else { return nil }
            open(counts, now: now())
            return .opened(failures: counts.failures, calls: counts.calls)
        case .open:
            preconditionFailure("No call is admitted in an open generation, and none of \(generation) can end")
        case .halfOpen(var probes):
            probes.inFlight -= 1
            switch outcome {
            case .success: probes.counts.calls += 1
            case .failure:
                probes.counts.calls += 1
                probes.counts.failures += 1
            case .ignored: break
            }
            return judge(probes, now: now)
        }
    }

    /// Ends the half-open state as soon as no result of the remaining probes could change the verdict.
    private mutating func judge(_ probes: Probes, now: () -> Int64) -> CircuitEvent.Kind? {
        let (counts, total) = (probes.counts, configuration.halfOpenProbes)
        if reachesThreshold(counts.failures, of: total) {
            open(counts, now: now())
            return .reopened(failures: counts.failures, calls: counts.calls)
        }
        if !reachesThreshold(counts.failures + total - counts.calls, of: total) {
            window.clear()
            enter(.closed)
            return .closed(failures: counts.failures, calls: counts.calls)
        }
        state = .halfOpen(probes)
        return nil
    }

    private func reachesThreshold(_ failures: Int, of calls: Int) -> Bool {
        failures * 1_000_000 >= threshold * calls
    }

    private mutating func open(_ counts: CallCounts, now: Int64) {
        latest = max(latest, now)
        enter(.open(until: latest.addingSaturating(openFor), after: counts))
    }

    private mutating func enter(_ next: State) {
        state = next
        generation += 1
    }

    /// The generation that calls start in while the breaker is closed, and zero while it is not.
    var closedGeneration: UInt64 {
        switch state {
        case .closed: generation
        case .open, .halfOpen: 0
        }
    }

    /// What the breaker looks like from outside.
    var snapshot: CircuitBreaker.Snapshot {
        switch state {
        case .closed:
            return .init(.closed, window.counts, isRated: window.counts.calls >= configuration.minimumCalls, generation)
        case .open(_, after: let counts):
            return .init(.open, counts, isRated: true, generation)
        case .halfOpen(let probes):
            return .init(.halfOpen, probes.counts, isRated: probes.counts.calls > 0, generation)
        }
    }
}
