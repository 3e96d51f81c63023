// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

extension CircuitBreakerState {
    /// Lets happen what time alone brings: results that are too old leave, a half-open state without a verdict ends,
    /// and what is idle is forgotten.
    mutating func advance(to now: Int64) {
        latest = max(latest, now)
        results.advance(to: latest)
        if case .halfOpen(let until) = state, latest >= until {
            open(Breach(reason: .probesTimedOut, counts: probes.counts), at: until)
        }
        forgetIfIdle()
    }

    private mutating func forgetIfIdle() {
        guard let forgetAfter = rules.forgetAfter else { return }
        let idleSince: Int64
        switch state {
        case .closed, .metricsOnly, .halfOpen: idleSince = lastUse
        case .open(let until), .isolated(let until): idleSince = max(lastUse, until)
        // What somebody has said stands until somebody says otherwise.
        case .disabled: return
        }
        guard latest.subtractingSaturating(idleSince) >= forgetAfter else { return }
        switch state {
        case .closed, .metricsOnly:
            // A time window has forgotten by itself; good results do not even come here to say that it is in use.
            if results.end == nil { results.clear() }
        case .open, .halfOpen, .isolated:
            enter(.closed, .idle, counts)
        case .disabled:
            break
        }
    }

    /// Ends the half-open state as soon as no result of the probes that are missing could change the verdict.
    mutating func judgeProbes() {
        switch probes.verdict(rules) {
        case nil: break
        case .probesSucceeded: enter(.closed, .probesSucceeded, probes.counts)
        case let reason?: open(Breach(reason: reason, counts: probes.counts), at: latest)
        }
    }

    /// Opens at the time, which is not later than ``latest``.
    mutating func open(_ breach: Breach, at time: Int64) {
        openings += 1
        openTime = openings == 1 ? rules.openFor : rules.openTime(after: openTime)
        let length = breach.advice ?? rules.jittered(openTime, draw)
        if let random { draw = random.next() }
        enter(.open(until: time.addingSaturating(length)), breach.reason, breach.counts, openFor: length)
    }

    /// Starts a state and its generation.
    mutating func enter(
        _ next: State, _ reason: CircuitReason, _ counts: CircuitCounts, openFor: Int64? = nil
    ) {
        let previous = publicState
        state = next
        generation += 1
        self.reason = reason
        judged = counts
        switch next {
        case .closed, .metricsOnly:
            results.clear()
            openings = 0
        case .disabled: openings = 0
        case .halfOpen: probes.begin()
        case .open, .isolated: break
        }
        tell(
            .changed(
                CircuitChange(
                    from: previous, to: publicState, reason: reason, counts: counts,
                    openFor: openFor.map { .nanoseconds($0) })))
    }

    mutating func tell(_ kind: CircuitEvent.Kind) {
        if isHeard { notices.append(Notice(generation: generation, kind: kind)) }
    }
}

// What somebody can say.
extension CircuitBreakerState {
    /// Refuses every call for so long; `nil` is for good.
    mutating func isolate(for length: Int64?, now: Int64) {
        advance(to: now)
        let until = length.map { latest.addingSaturating($0) } ?? .max
        if until <= latest { return }
        if case .isolated(until) = state { return }
        enter(.isolated(until: until), .operation, counts, openFor: length)
    }

    /// Lets every call pass and counts nothing.
    mutating func disable(now: Int64) {
        advance(to: now)
        if case .disabled = state { return }
        enter(.disabled, .operation, counts)
    }

    /// Lets every call pass, counts, and tells of breaches.
    mutating func measureOnly(now: Int64) {
        advance(to: now)
        if case .metricsOnly = state { return }
        enter(.metricsOnly(isBreached: false), .operation, counts)
    }

    /// Makes the breaker as good as new.
    mutating func reset(now: Int64) {
        advance(to: now)
        lastUse = latest
        enter(.closed, .operation, counts)
    }

    /// Goes on by other rules. The state and its deadlines stay; so do the results, if the window is the same.
    mutating func reconfigure(_ rules: CircuitRules, areOwn: Bool, now: Int64) {
        advance(to: now)
        if rules.window != self.rules.window || rules.tracksSlowCalls != self.rules.tracksSlowCalls {
            results = ResultWindow(rules.window, tracksSlowCalls: rules.tracksSlowCalls)
            results.advance(to: latest)
        }
        self.rules = rules
        hasOwnRules = areOwn
        lastUse = latest
        tell(.reconfigured)
        // Fewer probes than have ended already would wait for a result for ever.
        if case .halfOpen = state { judgeProbes() }
    }
}
