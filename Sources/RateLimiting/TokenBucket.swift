// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore
internal import Synchronization

/// Lets so many operations through in a period, and a burst of them at once.
///
/// ```swift
/// let limiter = TokenBucket(.perSecond(20), name: "mail provider", maximumWait: .seconds(2))
/// ```
///
/// One limiter is meant to be shared: make it once for the thing that it protects, not once a request. There are three
/// ways to ask it, and they differ in who waits and in who gives permits back.
///
/// **`tryAcquire` answers now.** It never waits and never throws for a limit that is reached: it tells. For the edge of
/// a service, where the answer goes back to a caller:
///
/// ```swift
/// let decision = limiter.tryAcquire()
/// guard decision.allowed else { return tooManyRequests(retryAfter: decision.retryAfter) }
/// ```
///
/// **`acquire` waits, in order, and only if it is worth it.** For a worker that has nothing better to do. It knows
/// beforehand how long the wait is: if that is longer than `within`, it throws ``RateLimited`` at once instead of after
/// the wait. A cancelled wait has taken nothing.
///
/// ```swift
/// try await limiter.acquire(batch.count, within: .seconds(10))
/// try await provider.send(batch)
/// ```
///
/// **`run` waits like `acquire`, runs the operation, and settles.** For a pipeline of policies. If an inner policy did
/// not let the operation run, it gives the permit back.
///
/// ```swift
/// try await limiter.run { try await provider.send(message) }
/// ```
///
/// *Not now* and *never* differ: a limit that is reached is an answer or a ``RateLimited``, which say when to try
/// again; more permits than the burst are ``ExceedsCapacity``, which no wait can help.
///
/// **Fairness.** Those who wait are served in the order in which they came, whatever number of permits they ask for,
/// and while anybody waits `tryAcquire` is denied: nobody overtakes.
///
/// **Cost.** ``tryAcquire()`` is a reading of the clock and one compare-and-swap of one word; a denial stores nothing,
/// locks nothing and allocates nothing. The lock is taken by those who wait.
///
/// **State.** The limiter starts full and forgets everything with the process. Its clock should only move forward, as
/// `ContinuousClock` does, also while the machine sleeps; a clock that steps back gives no permit twice, and no new
/// ones until it is back where it was. The algorithm is the generic cell rate algorithm (ITU-T I.371); see
/// ``RateLimit`` for its promise and its precision. A limiter works for about 18 years; from then on it no longer
/// refills.
public final class TokenBucket: Policy {
    /// The name in events and errors; of bounded cardinality, so not the name of a user.
    public let name: String

    /// What the limiter lets through.
    public let limit: RateLimit

    /// How long ``run(_:)`` waits at most, and ``acquire(_:within:)`` unless told otherwise.
    public let maximumWait: Duration

    /// How many may wait at the same time.
    public let maximumWaiters: Int

    let gcra: GCRA
    let time: TimeSource
    let onEvent: (@Sendable (TokenBucketEvent) -> Void)?

    /// The theoretical arrival time, in ticks. It stands alone, no other memory is published by it, so its accesses are
    /// relaxed; at zero, the moment of making, the bucket is full.
    let tat = Atomic<Int64>(0)
    /// The sum of permits in `line`, written under its lock: above zero while anybody waits for permits.
    let queued = Atomic<Int64>(0)
    let line = Locked(WaiterLine())

    /// Makes a limiter that is full.
    ///
    /// - Parameters:
    ///   - limit: The rate and the burst.
    ///   - name: The name in events and errors; empty unless given.
    ///   - maximumWait: How long `run` and `acquire` wait at most; zero, which is not at all, unless given.
    ///   - maximumWaiters: How many may wait at the same time; 1,000 unless given. The next is refused at once.
    ///   - clock: Where time comes from.
    ///   - onEvent: Called for every ``TokenBucketEvent``, in the task that caused it and outside locks.
    public init(
        _ limit: RateLimit, name: String = "", maximumWait: Duration = .zero, maximumWaiters: Int = 1_000,
        clock: any Clock<Duration> = ContinuousClock(), onEvent: (@Sendable (TokenBucketEvent) -> Void)? = nil
    ) {
        precondition(maximumWait >= .zero, "A limiter waits for at least zero, not for \(maximumWait)")
        precondition(maximumWaiters >= 0, "A limiter lets at least zero callers wait, not \(maximumWaiters)")
        self.limit = limit
        self.name = name
        self.maximumWait = maximumWait
        self.maximumWaiters = maximumWaiters
        self.onEvent = onEvent
        gcra = GCRA(limit)
        time = TimeSource(clock)
    }

    /// Takes one permit if there is one and nobody waits; never waits.
    public func tryAcquire() -> RateLimitDecision { answer(1) }

    /// Takes all of `permits` permits if they are there and nobody waits, else none; never waits.
    ///
    /// - Parameter permits: At least zero. Zero permits take nothing and are granted unless somebody waits.
    /// - Throws: ``ExceedsCapacity`` if the limiter can never hold as many.
    public func tryAcquire(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision {
        answer(try checked(permits))
    }

    /// Tells what ``tryAcquire()`` would answer and what the limiter holds, and takes nothing.
    public func peek() -> RateLimitDecision { look(1) }

    /// Tells what ``tryAcquire(_:)`` would answer and what the limiter holds, and takes nothing.
    ///
    /// - Throws: ``ExceedsCapacity`` if the limiter can never hold as many.
    public func peek(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision { look(try checked(permits)) }

    /// Takes `permits` permits, and waits for them if that is not too long.
    ///
    /// Whoever waits is served in the order of arrival. Whether the wait fits into `within` is decided at the start, so
    /// a call that must be refused is refused at once. It is decided again at the head of the line, for the rare case
    /// that a `tryAcquire` at the same instant came first; a timer that fires late is no reason to refuse.
    ///
    /// - Parameters:
    ///   - permits: At least zero; one unless given.
    ///   - within: How long the wait may be; the limiter's ``maximumWait`` unless given. Zero or less is not at all.
    /// - Throws: ``RateLimited`` if the wait would be too long, or if ``maximumWaiters`` wait already;
    ///   ``ExceedsCapacity`` if the limiter can never hold as many; `CancellationError` if the task is cancelled before
    ///   the permits are taken. None of them has taken anything.
    public func acquire(_ permits: Int = 1, within: Duration? = nil) async throws {
        _ = try await take(try checked(permits), within: within ?? maximumWait)
    }

    /// Takes a permit like ``acquire(_:within:)`` within ``maximumWait``, and runs the operation.
    ///
    /// The operation's value and error come out unchanged. A `Rejection` from it says that it did not run, so the
    /// permit is given back: exactly, if nobody took one since. If somebody did, the permit stays consumed. To subtract
    /// it then could break the promise: with one permit a second and a burst of one, A takes at 0 s, B at 1 s; were A's
    /// permit given back now, C could run in the same instant as B, although time has given it back already. A permit
    /// that is given back does not wake who waits already; it is there for them when they wake.
    ///
    /// - Throws: what the operation throws, or what ``acquire(_:within:)`` does.
    public func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
        let grant = try await take(1, within: maximumWait)
        do {
            return try await operation()
        } catch {
            if error is any Rejection { giveBack(grant) }
            throw error
        }
    }

    /// The name and the settings in one line.
    public var summary: String {
        "TokenBucket\(name.isEmpty ? "" : " \(name)"): \(limit), waits up to \(maximumWait)"
    }
}

extension TokenBucket {
    /// Permits that were taken: the state before and after.
    struct Grant {
        let before: Int64
        let after: Int64
    }

    enum Attempt {
        case granted(Grant, RateLimitDecision)
        case denied(RateLimitDecision)
    }

    /// Takes permits if they are there and nobody waits.
    @inline(__always)
    func attempt(_ permits: Int64, at now: Int64) -> Attempt {
        let ahead = queued.load(ordering: .relaxed)
        guard ahead == 0 else {
            let tat = tat.load(ordering: .relaxed)
            return .denied(gcra.denial(from: tat, at: now, permits: permits, behind: ahead))
        }
        return attemptAtHead(permits, at: now)
    }

    /// Takes permits if they are there, for one who has nobody ahead.
    @inline(__always)
    func attemptAtHead(_ permits: Int64, at now: Int64) -> Attempt {
        var before = tat.load(ordering: .relaxed)
        while true {
            let step = gcra.step(from: before, at: now, permits: permits)
            guard step.decision.allowed else { return .denied(step.decision) }
            let (exchanged, current) = tat.weakCompareExchange(
                expected: before, desired: step.tat, ordering: .relaxed)
            if exchanged { return .granted(Grant(before: before, after: step.tat), step.decision) }
            before = current
        }
    }

    private func answer(_ permits: Int64) -> RateLimitDecision {
        switch attempt(permits, at: time.now()) {
        case .granted(_, let decision):
            return decision
        case .denied(let decision):
            reportDenial(of: permits, decision)
            return decision
        }
    }

    private func look(_ permits: Int64) -> RateLimitDecision {
        let ahead = queued.load(ordering: .relaxed)
        let tat = tat.load(ordering: .relaxed)
        return ahead == 0
            ? gcra.peek(from: tat, at: time.now(), permits: permits)
            : gcra.denial(from: tat, at: time.now(), permits: permits, behind: ahead)
    }

    /// Restores the state before the grant if nothing has changed since.
    ///
    /// Every grant moves the state forward, so the state after a grant stands there again only if every later grant was
    /// given back too.
    private func giveBack(_ grant: Grant) {
        let restored = tat.compareExchange(expected: grant.after, desired: grant.before, ordering: .relaxed).exchanged
        if restored { report(.refunded(permits: 1)) }
    }

    private func checked(_ permits: Int) throws(ExceedsCapacity) -> Int64 {
        precondition(permits >= 0, "A limiter gives at least zero permits, not \(permits)")
        guard permits <= limit.burst else { throw ExceedsCapacity(requested: permits, capacity: limit.burst) }
        return Int64(permits)
    }

    func report(_ kind: @autoclosure () -> TokenBucketEvent.Kind) {
        if let onEvent { onEvent(TokenBucketEvent(limiter: name, kind: kind())) }
    }

    func reportDenial(of permits: Int64, _ decision: RateLimitDecision) {
        report(.denied(permits: Int(permits), retryAfter: .nanoseconds(decision.waitNanoseconds)))
    }
}
