// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore
internal import Synchronization

/// Stops calling a neighbour that fails, and finds out by a few probes when it is well again.
///
/// ```swift
/// let breaker = CircuitBreaker(name: "provider")
/// let receipt = try await breaker.run { try await provider.charge(order) }
/// ```
///
/// A breaker is *closed* at first: calls pass, and how the last of them ended is kept. When a rule of its
/// ``Configuration`` is broken it is *open* for a time: calls are refused with ``CircuitOpen`` and cost next to nothing.
/// The first call at or after the end of that time finds it *half-open*: a few calls pass as probes. As soon as the rest
/// of the probes could not change the verdict, the breaker closes with an empty window, or opens again. (The pattern is
/// Michael Nygard's, "Release It!", 2007.)
///
/// | Result of a call | Counts as |
/// | --- | --- |
/// | a value | success, unless `judging` says otherwise |
/// | an error | failure, unless `judge` says otherwise |
/// | a `Rejection` from a policy inside, or a `Permanent` error | nothing: the neighbour was not asked, or was right to refuse |
/// | a `TimedOut` by a limit inside, such as a `Timeout` around the call | failure, unless `judge` says otherwise |
/// | a `TimedOut` by the `Deadline` or `Timeout` around the breaker | nothing: the time of the caller was up |
/// | a `CancellationError`, whoever was cancelled | nothing: the neighbour was not waited for |
/// | any other error in a task that is cancelled, or that a deadline around it has yet to cancel | nothing: nobody waited for it |
/// | any result of a call that began before the last change of state | nothing: it tells of a past already judged |
///
/// A client that throws a `CancellationError` where the neighbour has gone away hides that from the breaker: throw another
/// error in its place if the task is not cancelled.
///
/// A call that takes longer than ``Configuration/slowCalls`` says is slow, be it a success or a failure. A failure or a
/// slow call opens the breaker, never a good one, with one exception: the one that completes
/// ``Configuration/minimumCalls``.
///
/// **Which verb.** ``run(_:)`` serves most code. ``run(_:judging:)`` is for calls whose value can be a failure, such as a
/// response with status 503. ``acquire()`` hands out a ``CircuitPermit`` where the call and its result are in different
/// places. ``peek()`` tells whether a call would pass, and takes nothing.
///
/// **Cost.** A closed breaker reads no clock unless it times calls, has a time window or forgets. A good result takes no
/// lock; a refusal by an open breaker reads the clock, takes no lock, and allocates nothing but the error. One breaker
/// serves any number of concurrent calls.
public final class CircuitBreaker: Policy {
    /// The name that errors, events and ``summary`` carry.
    public let name: String

    private let judge: (@Sendable (any Error) -> CircuitVerdict)?
    private let onEvent: (@Sendable (CircuitEvent) -> Void)?
    private let time: TimeSource
    let gate: CircuitGate
    private let guarded: Locked<Guarded>

    /// What the lock protects.
    private struct Guarded {
        var core: CircuitBreakerState
        /// Whether a call is reporting notices at the moment.
        var isReporting = false
    }

    /// Makes a closed breaker.
    ///
    /// - Parameters:
    ///   - name: What errors and events call it, usually the neighbour's name.
    ///   - configuration: When it opens, for how long, and what closes it; a value that makes no sense stops the
    ///     program. Check values from a file with ``Configuration/validate()`` before.
    ///   - judge: What an error says of the neighbour; `nil` takes every error for a failure. It is not asked about
    ///     what counts as nothing in the table above. It runs in the caller's task, outside the lock.
    ///   - clock: What measures how long the breaker is open and how long calls take.
    ///   - randomness: Where the jitter of open times is drawn from; by default a generator of its own.
    ///   - onEvent: Hears of changes, refusals and dropped permits, outside the lock; see ``CircuitEvent``.
    public convenience init(
        name: String, configuration: Configuration = Configuration(),
        judge: (@Sendable (any Error) -> CircuitVerdict)? = nil, clock: any Clock<Duration> = ContinuousClock(),
        randomness: RandomSource = .system, onEvent: (@Sendable (CircuitEvent) -> Void)? = nil
    ) {
        do { try configuration.validate() } catch { preconditionFailure("\(error)") }
        self.init(
            name: name, rules: CircuitRules(configuration), judge: judge, time: TimeSource(clock),
            randomness: randomness, onEvent: onEvent)
    }

    init(
        name: String, rules: CircuitRules, judge: (@Sendable (any Error) -> CircuitVerdict)?, time: TimeSource,
        randomness: RandomSource, onEvent: (@Sendable (CircuitEvent) -> Void)?
    ) {
        self.name = name
        self.judge = judge
        self.onEvent = onEvent
        self.time = time
        let core = CircuitBreakerState(rules, random: randomness, now: time.now(), isHeard: onEvent != nil)
        gate = CircuitGate(core.era)
        gate.open(core)
        guarded = Locked(Guarded(core: core))
    }

    /// When the breaker opens, for how long, and what closes it.
    public var configuration: Configuration { guarded.withLock { $0.core.rules.configuration } }

    /// The name and the settings in one line.
    public var summary: String { "CircuitBreaker(\(name)): \(configuration)" }

    /// Runs the operation if the breaker lets it pass, and counts how it ends.
    ///
    /// - Throws: what the operation throws, or ``CircuitOpen`` without running it.
    @inlinable
    public func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
        let ticket = try admit()
        do {
            let value = try await operation()
            succeed(ticket)
            return value
        } catch {
            settle(outcome(of: error), ticket)
            throw error
        }
    }

    /// Runs the operation if the breaker lets it pass, and counts its value as the closure judges it.
    ///
    /// ```swift
    /// let response = try await breaker.run {
    ///     try await client.execute(request)
    /// } judging: { response in
    ///     response.status == 503 ? .unavailable(for: response.retryAfter) : .success
    /// }
    /// ```
    ///
    /// The value is returned whatever the verdict. Errors are judged as in ``run(_:)``.
    ///
    /// - Throws: what the operation throws, or ``CircuitOpen`` without running it.
    @inlinable
    public func run<Success>(
        _ operation: () async throws -> Success, judging judgeValue: (Success) -> CircuitVerdict
    ) async throws -> Success {
        let ticket = try admit()
        do {
            let value = try await operation()
            settle(CallOutcome(judgeValue(value)), ticket)
            return value
        } catch {
            settle(outcome(of: error), ticket)
            throw error
        }
    }

    /// Takes the permit for one call, to be settled with its result.
    ///
    /// - Throws: ``CircuitOpen`` if the breaker does not let the call pass.
    @inlinable
    public func acquire() throws(CircuitOpen) -> CircuitPermit {
        CircuitPermit(self, try admit())
    }
}

// What calls do.
extension CircuitBreaker {
    @usableFromInline
    func outcome(of error: any Error) -> CallOutcome {
        if isNeutral(error) { return .ignored }
        return judge.map { CallOutcome($0(error)) } ?? .failure
    }

    /// Whether an error says nothing of the neighbour.
    private func isNeutral(_ error: any Error) -> Bool {
        // It says itself whose time was up, whatever has become of the task since.
        if let error = error as? TimedOut { return error.isOfCurrentDeadline }
        if error is any Rejection || error is any Permanent || error is CancellationError { return true }
        if Task.isCancelled { return true }
        // What is inside can find out that the time of the caller is up before the caller's task is cancelled.
        guard let deadline = Deadline.current else { return false }
        return deadline.cancels && deadline.hasPassed
    }

    @usableFromInline
    func admit() throws(CircuitOpen) -> CircuitTicket {
        let era = gate.era
        guard era.has(CircuitEra.passes) else { return try admitUnlessRefused(era) }
        return CircuitTicket(era: era, startedAt: era.has(CircuitEra.timed) ? time.now() : 0, probe: 0)
    }

    @inline(never)
    private func admitUnlessRefused(_ era: CircuitEra) throws(CircuitOpen) -> CircuitTicket {
        if era.has(CircuitEra.isolated), gate.refusesForGood { throw refusal(in: era, .isolated, retryAfter: nil) }
        let now = time.now()
        if era.has(CircuitEra.refuses), let retryAfter = gate.refusal(at: now) {
            throw refusal(in: era, era.has(CircuitEra.isolated) ? .isolated : .open, retryAfter: retryAfter)
        }
        let (admission, present, state) = taking { core in (core.admit(now: now), core.era, core.publicState) }
        switch admission {
        case .admitted(let ticket): return ticket
        case .refused(let retryAfter): throw refusal(in: present, state, retryAfter: retryAfter)
        }
    }

    @inline(__always)
    private func refusal(in era: CircuitEra, _ state: State, retryAfter: Int64?) -> CircuitOpen {
        gate.countRefusal()
        let error = CircuitOpen(name: name, retryAfter: retryAfter.map { .nanoseconds($0) }, state: state)
        if onEvent != nil { tell(.rejected(retryAfter: error.retryAfter), era.generation) }
        return error
    }

    /// Counts the success of a call.
    @usableFromInline
    func succeed(_ ticket: CircuitTicket) {
        let era = ticket.era
        guard era.has(CircuitEra.clocked) else {
            if !gate.tallyGood(era, at: nil) { settle(.success, ticket, now: nil) }
            return
        }
        let now = time.now()
        let isSlow = era.has(CircuitEra.timed) && gate.isSlow(now, since: ticket.startedAt)
        if isSlow || !gate.tallyGood(era, at: now) { settle(.success, ticket, now: now) }
    }

    /// Counts how a call ended.
    @usableFromInline
    func settle(_ outcome: CallOutcome, _ ticket: CircuitTicket) {
        if case .success = outcome { return succeed(ticket) }
        settle(outcome, ticket, now: ticket.era.has(CircuitEra.clocked) ? time.now() : nil)
    }

    private func settle(_ outcome: CallOutcome, _ ticket: CircuitTicket, now: Int64?) {
        let generation = ticket.era.generation
        if ticket.era.has(CircuitEra.uncounted) { return }
        switch taking({ core in core.settle(outcome, ticket, now: now) }) {
        case .done:
            break
        case .late:
            if outcome != .ignored { tell(.lateResult(CircuitVerdict(outcome)), generation) }
        case .needsTime:
            settle(outcome, ticket, now: time.now())
        case .breached(let breach):
            conclude(breach, of: generation)
        case .ask(let rule, let counts):
            conclude(
                rule.isBroken(counts) ? .init(reason: .rule(rule.name), counts: counts) : nil, of: generation)
        }
    }

    private func conclude(_ breach: CircuitBreakerState.Breach?, of generation: UInt64) {
        changing { $0.conclude(breach, of: generation, now: $1) }
    }

    /// Gives back the permit of a call of which nobody said how it ended.
    @usableFromInline
    func settleDropped(_ ticket: CircuitTicket) {
        settle(.ignored, ticket)
        tell(.permitDropped, ticket.era.generation)
    }
}

// What the lock is taken for.
extension CircuitBreaker {
    /// Lets the core do something at the present time.
    func changing(_ body: (inout CircuitBreakerState, Int64) -> Void) {
        let now = time.now()
        taking { body(&$0, now) }
    }

    /// Hands out a copy of the core for which it is now.
    func look<Result: Sendable>(_ body: (CircuitBreakerState) -> Result) -> Result {
        let now = time.now()
        return taking { body($0.look(now: now)) }
    }

    /// Whether the breaker decides as one that was just made. Tells nobody anything.
    var isFresh: Bool {
        let now = time.now()
        return guarded.withLock { guarded in
            gate.close(&guarded.core)
            defer { gate.open(guarded.core) }
            return guarded.core.look(now: now).isFresh
        }
    }

    /// Lets the core do something, publishes what came of it, and reports what there is to tell.
    private func taking<Result: Sendable>(_ body: (inout CircuitBreakerState) -> Result) -> Result {
        let (result, mustReport) = guarded.withLock { guarded in
            gate.close(&guarded.core)
            let result = body(&guarded.core)
            gate.open(guarded.core)
            let mustReport = !guarded.isReporting && !guarded.core.notices.isEmpty
            if mustReport { guarded.isReporting = true }
            return (result, mustReport)
        }
        if mustReport { reportNotices() }
        return result
    }

    /// Reports notices until none is left. One call does so at a time, which keeps them in order.
    private func reportNotices() {
        while let notice = guarded.withLock({ guarded -> CircuitBreakerState.Notice? in
            guarded.isReporting = !guarded.core.notices.isEmpty
            return guarded.isReporting ? guarded.core.notices.removeFirst() : nil
        }) {
            tell(notice.kind, notice.generation)
        }
    }

    private func tell(_ kind: CircuitEvent.Kind, _ generation: UInt64) {
        onEvent?(CircuitEvent(name: name, generation: generation, kind: kind))
    }
}
