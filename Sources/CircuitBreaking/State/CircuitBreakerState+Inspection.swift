// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

// What the outside may know.
extension CircuitBreakerState {
    var publicState: CircuitBreaker.State {
        switch state {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        case .isolated: .isolated
        case .disabled: .disabled
        case .metricsOnly: .metricsOnly
        }
    }

    /// What the present state has counted, or what it was entered on if it counts nothing.
    var counts: CircuitCounts {
        switch state {
        case .closed, .metricsOnly: results.counts
        case .open, .isolated: judged
        case .halfOpen: probes.counts
        case .disabled: CircuitCounts()
        }
    }

    /// Whether the breaker decides as one that was just made: closed, nothing counted, and no rules of its own. Only
    /// after ``look(now:)`` does it know what time has made of it.
    var isFresh: Bool {
        guard case .closed = state else { return false }
        return results.calls == 0 && !hasOwnRules
    }

    /// A copy for which it is `now`, and which shares nothing with this one.
    func look(now: Int64) -> CircuitBreakerState {
        var copy = self
        copy.random = nil
        copy.advance(to: now)
        return copy
    }

    /// How long calls are refused for; `nil` if they are not or if it is not known.
    var refusesFor: Int64? {
        switch state {
        case .open(let until), .isolated(let until): until == .max || until <= latest ? nil : until - latest
        case .closed, .halfOpen, .disabled, .metricsOnly: nil
        }
    }

    /// Whether the counts are enough for a rate to mean something.
    var isRated: Bool {
        switch state {
        case .closed, .metricsOnly: results.calls >= rules.minimumCalls
        case .open, .isolated, .halfOpen, .disabled: true
        }
    }

    /// How many probes have a place.
    var runningProbes: Int {
        if case .halfOpen = state { probes.running } else { 0 }
    }

    /// How calls are treated in the present generation.
    var era: CircuitEra {
        let flags: UInt64
        switch state {
        case .closed, .metricsOnly:
            flags =
                CircuitEra.passes | (rules.tracksSlowCalls ? CircuitEra.timed : 0)
                | (rules.needsTime ? CircuitEra.clocked : 0)
        case .open: flags = CircuitEra.refuses
        case .isolated: flags = CircuitEra.refuses | CircuitEra.isolated
        case .halfOpen: flags = 0
        case .disabled: flags = CircuitEra.passes | CircuitEra.uncounted
        }
        return CircuitEra(generation, flags)
    }

    /// When calls stop being refused; the smallest number if none are.
    var refusedUntil: Int64 {
        switch state {
        case .open(let until), .isolated(let until): until
        case .closed, .halfOpen, .disabled, .metricsOnly: .min
        }
    }

    /// Which good results may be handed in later and together, by ``recordGood(_:)``.
    enum Tallying {
        /// None: each can change something.
        case none
        /// The first so many; those after them change nothing at all.
        case first(Int)
        /// All, before the window's end.
        case any
    }

    var tallying: Tallying {
        switch state {
        case .open, .halfOpen, .isolated, .disabled: return .none
        case .closed, .metricsOnly: break
        }
        // A good result opens the breaker if it completes the minimum and others in the window are bad.
        guard results.calls >= rules.minimumCalls || results.failures + results.slowCalls == 0 else { return .none }
        if results.end != nil { return .any }
        // With a pause that makes a count window forget, each result has to say when it came.
        return rules.forgetAfter == nil ? .first(results.goodResultsThatCount ?? 0) : .none
    }

    /// Counts so many results that neither failed nor were slow, which ``tallying`` allowed.
    mutating func recordGood(_ number: Int) { results.recordGood(number) }
}
