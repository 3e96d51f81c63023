// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// The pure core of a circuit breaker.
///
/// Every change of state starts a new generation. A call belongs to the generation that admitted it, and its result
/// counts in that generation alone. Time is whatever the caller says, and never goes back: `now` is the larger of what
/// is said and what was said before.
///
/// Opening takes two steps, because a rule of the user's must not run under the lock and a closed breaker should read
/// no clock: ``settle(_:_:now:)`` tells of a breach, and ``conclude(_:of:now:)`` acts on it, unless the generation has
/// ended meanwhile.
struct CircuitBreakerState: Sendable {
    enum State: Sendable {
        /// Calls pass, and ``results`` keeps how they ended.
        case closed
        /// Calls are refused before this time, and the first one at it or later is a probe.
        case open(until: Int64)
        /// Calls pass as ``probes`` while places are free. Without a verdict by this time the breaker opens again.
        case halfOpen(until: Int64)
        /// As open, because somebody said so; with the largest number, for good.
        case isolated(until: Int64)
        /// Calls pass, and nothing is counted.
        case disabled
        /// Calls pass and their results are kept as while closed, and a breach is only told. Whether the last result
        /// that could break a rule did.
        case metricsOnly(isBreached: Bool)
    }

    var rules: CircuitRules
    /// Whether the rules are no longer those that the breaker was made with, or that its registry gave it.
    var hasOwnRules = false
    var state = State.closed
    var generation: UInt64 = 1
    var results: ResultWindow
    var probes = ProbeRound()
    /// How often in a row the breaker has opened without closing in between.
    var openings = 0
    /// The open time before jitter, from the second opening in a row on.
    var openTime: Int64 = 0
    /// What was counted when the present state began, and why it began.
    var judged = CircuitCounts()
    var reason: CircuitReason?
    var latest: Int64 = 0
    var lastUse: Int64 = 0
    /// Where the bits of openings are drawn from; `nil` in a copy that looks ahead, which draws nothing.
    var random: RandomSource?
    /// The random bits of the next opening. They are drawn ahead, so that a copy that looks ahead finds the same; time
    /// alone opens no breaker twice, so it needs no others.
    var draw: UInt64
    /// What is to be told, oldest first; stays empty if nobody listens.
    var notices: [Notice] = []
    let isHeard: Bool

    /// Something to be told, and the generation it belongs to.
    struct Notice: Sendable, Equatable {
        let generation: UInt64
        let kind: CircuitEvent.Kind
    }

    init(_ rules: CircuitRules, random: RandomSource, now: Int64 = 0, isHeard: Bool = true) {
        self.rules = rules
        self.random = random
        draw = random.next()
        self.isHeard = isHeard
        results = ResultWindow(rules.window, tracksSlowCalls: rules.tracksSlowCalls)
        latest = now
        lastUse = now
    }

    /// What becomes of a call that wants to start.
    enum Admission {
        case admitted(CircuitTicket)
        /// It does not run; a probe can pass after so many nanoseconds, `nil` if that is not known.
        case refused(retryAfter: Int64?)
    }

    /// Decides about a call that starts now.
    mutating func admit(now: Int64) -> Admission {
        advance(to: now)
        switch state {
        case .closed, .metricsOnly, .disabled:
            // Most calls start here without asking, so none of them is a use of the breaker before it ends.
            return .admitted(CircuitTicket(era: era, startedAt: now, probe: 0))
        case .open(let until), .isolated(let until):
            lastUse = latest
            guard latest >= until else { return .refused(retryAfter: until == .max ? nil : until - latest) }
            enter(.halfOpen(until: rules.timeLimit.map { latest.addingSaturating($0) } ?? .max), .openTimeOver, judged)
            return admitProbe(now: now)
        case .halfOpen:
            lastUse = latest
            return admitProbe(now: now)
        }
    }

    private mutating func admitProbe(now: Int64) -> Admission {
        switch probes.admit(now: latest, rules) {
        case .probe(let number, let expired):
            if expired { tell(.probeExpired) }
            let era = CircuitEra(generation, CircuitEra.timed | CircuitEra.clocked)
            return .admitted(CircuitTicket(era: era, startedAt: now, probe: number))
        case .full:
            return .refused(retryAfter: nil)
        }
    }

    /// What the caller has to do after a call has ended.
    enum Settlement {
        /// Nothing.
        case done
        /// Nothing: the call began before a change of state, and tells of a past that has been judged.
        case late
        /// Settle it again with the time. Nothing has happened yet.
        case needsTime
        /// Conclude this breach.
        case breached(Breach)
        /// Ask the rule about the counts, and conclude its answer.
        case ask(CircuitRule, CircuitCounts)
    }

    /// A reason to open.
    struct Breach: Sendable {
        let reason: CircuitReason
        let counts: CircuitCounts
        /// For how long the neighbour said it will be away.
        var advice: Int64?
    }

    /// Counts the outcome of a call.
    mutating func settle(_ outcome: CallOutcome, _ ticket: CircuitTicket, now: Int64?) -> Settlement {
        guard ticket.era.generation == generation else { return .late }
        if let now {
            advance(to: now)
            // Time alone may have ended the generation.
            guard ticket.era.generation == generation else { return .late }
            lastUse = latest
        } else if needsTime {
            return .needsTime
        }
        let isSlow =
            if let now, ticket.era.has(CircuitEra.timed) { rules.isSlow(now, since: ticket.startedAt) } else { false }
        switch state {
        case .closed, .metricsOnly:
            return record(outcome, isSlow: isSlow)
        case .halfOpen:
            settleProbe(outcome, ticket.probe, isSlow: isSlow)
            return .done
        case .disabled:
            return .done
        case .open, .isolated:
            preconditionFailure("Generation \(generation) admits no call, so none of it can end")
        }
    }

    private var needsTime: Bool {
        switch state {
        case .closed, .metricsOnly: rules.needsTime
        case .halfOpen: true
        case .open, .isolated, .disabled: false
        }
    }

    private mutating func record(_ outcome: CallOutcome, isSlow: Bool) -> Settlement {
        // An ignored call has taken nothing that could be given back.
        if outcome == .ignored { return .done }
        let isFailed = outcome != .success
        let before = results.calls
        results.record(failed: isFailed, slow: isSlow)
        // A good result opens the breaker only if it completes the number from which on a rate counts.
        let completes = before < rules.minimumCalls && results.calls >= rules.minimumCalls
        guard isFailed || isSlow || completes else { return .done }
        if let breach = breach(outcome) { return .breached(breach) }
        guard isFailed || isSlow else { return .done }
        if let rule = rules.rule { return .ask(rule, results.counts) }
        if case .metricsOnly(isBreached: true) = state { state = .metricsOnly(isBreached: false) }
        return .done
    }

    private func breach(_ outcome: CallOutcome) -> Breach? {
        let counts = results.counts
        if case .unavailable(let advised) = outcome {
            let advice = min(advised, rules.maximumAdvice)
            if advice > 0 { return Breach(reason: .advice, counts: counts, advice: advice) }
        }
        if counts.consecutiveFailures >= rules.consecutiveFailures {
            return Breach(reason: .consecutiveFailures, counts: counts)
        }
        guard counts.calls >= rules.minimumCalls else { return nil }
        if let share = rules.failureShare, share.isReached(by: counts.failures, of: counts.calls) {
            return Breach(reason: .failureRate, counts: counts)
        }
        if let share = rules.slowShare, share.isReached(by: counts.slowCalls, of: counts.calls) {
            return Breach(reason: .slowCallRate, counts: counts)
        }
        return nil
    }

    /// Acts on a breach that was found in a generation, or on the finding that there is none.
    mutating func conclude(_ breach: Breach?, of generation: UInt64, now: Int64) {
        guard generation == self.generation else { return }
        latest = max(latest, now)
        switch state {
        case .closed:
            if let breach { open(breach, at: latest) }
        case .metricsOnly(let wasBreached):
            if let breach, !wasBreached { tell(.breached(breach.reason, breach.counts)) }
            state = .metricsOnly(isBreached: breach != nil)
        case .open, .halfOpen, .isolated, .disabled:
            preconditionFailure("No breach is found in generation \(generation), which is \(state)")
        }
    }

    private mutating func settleProbe(_ outcome: CallOutcome, _ probe: UInt64, isSlow: Bool) {
        probes.release(probe)
        if outcome == .ignored { return }
        probes.record(failed: outcome != .success, slow: isSlow)
        if case .unavailable(let advised) = outcome, rules.maximumAdvice > 0 {
            let advice = min(advised, rules.maximumAdvice)
            open(Breach(reason: .advice, counts: probes.counts, advice: advice), at: latest)
        } else {
            judgeProbes()
        }
    }
}
