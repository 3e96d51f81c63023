// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore
internal import Synchronization

/// Lets so many operations through in a period, and a burst of them at once. The limiter to begin with.
///
/// ```swift
/// let limiter = TokenBucket(.perSecond(20), name: "mail provider", maximumWait: .seconds(2))
/// ```
///
/// One limiter is meant to be shared: make it once for the thing that it protects, not once a request. The ways to ask
/// it, and how they differ, are those of every ``RateLimiter``.
///
/// **The promise.** In any interval whatever, no more than `burst + interval × permits / period` permits are granted.
/// There are no windows, so there is no boundary at which the limit could be had twice. See ``RateLimit`` for the
/// precision.
///
/// **Waits** are exact to the nanosecond, from both sides: denied at any moment before, allowed at that moment.
///
/// **Cost.** ``tryAcquire()`` is a reading of the clock and one compare-and-swap of one word; a denial stores nothing,
/// locks nothing and allocates nothing. A lock is taken while anybody waits, while reservations lie ahead or could still
/// be given back, while permits that were given back are remembered, and from the first ``reconfigure(_:consumed:)`` on. A key of a
/// ``KeyedRateLimiter`` takes 16 bytes.
///
/// **State.** The limiter starts full and forgets everything with the process. Its clock should only move forward, as
/// `ContinuousClock` does, also while the machine sleeps; a clock that steps back gives no permit twice, and no new
/// ones until it is back where it was. The algorithm is the generic cell rate algorithm (ITU-T I.371), which is the
/// token bucket kept as one moment. A limiter works for about 18 years; from then on it no longer refills.
public final class TokenBucket: AdjustableLimiter {
    let settings: LimiterSettings
    let gcra: GCRA

    /// The theoretical arrival time, in ticks, or `elsewhere`. It stands alone, no other memory is published by it, so
    /// its accesses are relaxed; at zero, the moment of making, the bucket is full.
    let tat = Atomic<Int64>(0)
    /// What the word holds while the state is under the lock. A swap that began before finds another word than it
    /// expects, so nothing is ever granted past the lock.
    static let elsewhere: Int64 = -1
    let state: Locked<LimiterState<GCRA>>
    let shadow: Atomic<Bool>

    /// Makes a limiter that is full.
    ///
    /// - Parameters:
    ///   - limit: The rate and the burst.
    ///   - name: The name in events and errors; empty unless given.
    ///   - maximumWait: How long `run` and `acquire` wait at most; zero, which is not at all, unless given.
    ///   - maximumWaiters: How many may wait at the same time, and how many reservations may lie ahead; 1,000 unless
    ///     given. The next is refused at once.
    ///   - jitter: The most by which the head of the line sleeps longer than it must, drawn evenly, so that many
    ///     processes do not wake at one instant; zero unless given. Those behind it wait for it too.
    ///   - mode: Whether the limit is enforced; it is unless given.
    ///   - clock: Where time comes from.
    ///   - randomness: Where the jitter is drawn from; a generator of its own unless given.
    ///   - onEvent: Called for every ``RateLimitEvent``, in the task that caused it and outside locks.
    public init(
        _ limit: RateLimit, name: String = "", maximumWait: Duration = .zero, maximumWaiters: Int = 1_000,
        jitter: Duration = .zero, mode: RateLimitMode = .enforced, clock: any Clock<Duration> = ContinuousClock(),
        randomness: RandomSource? = nil, onEvent: (@Sendable (RateLimitEvent) -> Void)? = nil
    ) {
        settings = LimiterSettings(
            name: name, maximumWait: maximumWait, maximumWaiters: maximumWaiters, jitter: jitter, clock: clock,
            randomness: randomness, onEvent: onEvent)
        gcra = GCRA(limit)
        state = Locked(LimiterState(gcra))
        shadow = Atomic(mode == .shadow)
    }

    /// The name in events and errors; of bounded cardinality, so not the name of a user.
    public var name: String { settings.name }

    /// What the limiter lets through at present.
    public var limit: RateLimit { state.withLock { $0.core.limit } }

    /// How long ``run(_:)`` waits at most, and ``acquire(_:within:)`` unless told otherwise.
    public var maximumWait: Duration { settings.maximumWait }

    /// How many may wait at the same time, and how many reservations may lie ahead.
    public var maximumWaiters: Int { settings.maximumWaiters }

    /// Whether what is over the limit is refused, or let through and reported.
    public var mode: RateLimitMode {
        get { isShadow ? .shadow : .enforced }
        set { shadow.store(newValue == .shadow, ordering: .relaxed) }
    }

    /// Takes one permit if there is one and nobody waits; never waits.
    public func tryAcquire() -> RateLimitDecision {
        switch attempt(1, at: settings.time.now()) {
        case .granted(_, let decision), .denied(let decision): settled(decision, 1)
        case .exceeds(let capacity): settled(.never(limit: capacity), 1)
        }
    }

    /// Takes all of `permits` permits if they are there and nobody waits, else none; never waits.
    ///
    /// - Parameter permits: At least zero. Zero permits take nothing and are granted unless somebody waits.
    /// - Throws: ``ExceedsCapacity`` if the limiter can never hold as many.
    public func tryAcquire(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision {
        switch attempt(Self.checked(permits), at: settings.time.now()) {
        case .granted(_, let decision), .denied(let decision): settled(decision, permits)
        case .exceeds(let capacity): try exceeding(permits, capacity)
        }
    }

    /// Tells what ``tryAcquire()`` would answer and what the limiter holds, and takes nothing.
    public func peek() -> RateLimitDecision { look() }

    /// Tells what ``tryAcquire(_:)`` would answer and what the limiter holds, and takes nothing.
    ///
    /// - Throws: ``ExceedsCapacity`` if the limiter can never hold as many.
    public func peek(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision { try look(permits) }

    /// Takes `permits` permits, and waits for them if that is not too long; see ``RateLimiter/acquire(_:within:)``.
    ///
    /// - Parameters:
    ///   - permits: At least zero; one unless given.
    ///   - within: How long the wait may be; the limiter's ``maximumWait`` unless given. Zero or less is not at all.
    /// - Throws: ``RateLimited``, ``ExceedsCapacity`` or `CancellationError`; none of them has taken anything.
    public func acquire(_ permits: Int = 1, within: Duration? = nil) async throws {
        _ = try await take(Self.checked(permits), within: within)
    }

    /// Reserves `permits` permits for the earliest moment at which they can be had, behind all who came before; see
    /// ``RateLimiter/reserve(_:within:)``.
    ///
    /// - Parameters:
    ///   - permits: At least zero; one unless given.
    ///   - within: How far ahead the moment may be; the limiter's ``maximumWait`` unless given.
    /// - Throws: ``RateLimited`` or ``ExceedsCapacity``; neither has taken anything.
    public func reserve(_ permits: Int = 1, within: Duration? = nil) throws -> RateLimitReservation {
        try reserved(permits, within: within)
    }

    /// Changes the limit from now on.
    ///
    /// Reservations keep their moments. Those who wait stay in line and are served under the new limit; whoever can no
    /// longer be served in time is refused at once. What was granted before cannot be given back any more. Reservations
    /// that are more than the new limit lets through leave nothing until it has made up for them; a bucket makes up for
    /// no more than 4.5 years.
    ///
    /// - Parameters:
    ///   - limit: The new limit.
    ///   - consumed: What becomes of the permits that are in use; they stay in use unless given.
    public func reconfigure(_ limit: RateLimit, consumed: ConsumedPermits = .keep) { change(to: limit, consumed) }

    /// Takes a permit like ``acquire(_:within:)`` within ``maximumWait``, and runs the operation; see
    /// ``RateLimiter/run(_:)``.
    ///
    /// - Throws: what the operation throws, or what ``acquire(_:within:)`` does.
    public func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
        let grant = try await take(1, within: nil)
        do {
            return try await operation()
        } catch {
            if error is any Rejection, let grant { giveBackAtOnce(grant) }
            throw error
        }
    }

    /// The name and the settings in one line.
    public var summary: String { settings.summary("TokenBucket", limit) }
}

extension TokenBucket: LimiterAccess {
    var lockOwner: ObjectIdentifier { ObjectIdentifier(self) }
    var isShadow: Bool { shadow.load(ordering: .relaxed) }

    /// Takes the state from the word under the lock, and puts it back if nothing but the word is to be known.
    func withState<Result: Sendable>(_ body: (inout LimiterState<GCRA>) -> Result) -> Result {
        state.withLock { state in
            let word = tat.exchange(Self.elsewhere, ordering: .relaxed)
            if word != Self.elsewhere { state.base = BucketState(tat: word) }
            defer {
                let isWord = state.isQuiet && state.generation == 0 && state.base.gaps == nil
                if isWord { tat.store(state.base.tat, ordering: .relaxed) }
            }
            return body(&state)
        }
    }

    /// Takes permits if they are there and nobody waits.
    @inline(__always)
    func attempt(_ permits: Int64, at now: Int64) -> LimiterState<GCRA>.Answer {
        var before = tat.load(ordering: .relaxed)
        while before != Self.elsewhere, permits <= gcra.capacity {
            let step = gcra.step(from: before, at: now, permits: permits)
            guard step.decision.allowed else { return .denied(step.decision) }
            let (exchanged, current) = tat.weakCompareExchange(
                expected: before, desired: step.tat, ordering: .relaxed)
            if exchanged {
                return .granted(Grant(permits: permits, mark: gcra.mark(of: permits, before: step.tat)), step.decision)
            }
            before = current
        }
        return attemptUnderLock(permits, at: now)
    }

    @inline(never)
    private func attemptUnderLock(_ permits: Int64, at now: Int64) -> LimiterState<GCRA>.Answer {
        withState { $0.take(permits, at: now) }
    }

    /// Takes permits, waiting for them; inlined, so that permits at hand cost no further async call.
    @inline(__always)
    func take(_ permits: Int64, within limit: Duration?) async throws -> Grant? {
        try Task.checkCancellation()
        let now = settings.time.now()
        switch attempt(permits, at: now) {
        case .granted(let grant, _): return grant
        case .denied(let decision): return try await wait(permits, denied: decision, at: now, within: limit)
        case .exceeds(let capacity): return try exceeded(Int(permits), capacity)
        }
    }

    /// Gives permits back; without the lock if nothing has changed since they were taken.
    ///
    /// Every grant moves the word forward, so the word after a grant stands there again only if every later grant was
    /// given back too.
    private func giveBackAtOnce(_ grant: Grant) {
        let after = grant.mark + gcra.interval * grant.permits
        guard grant.generation == 0,
            tat.compareExchange(expected: after, desired: grant.mark, ordering: .relaxed).exchanged
        else { return giveBack(grant) }
        settings.report(.refunded(permits: Int(grant.permits)))
    }
}
