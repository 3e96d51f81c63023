// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore
internal import Synchronization

/// Lets operations through one after another at an even pace; who comes sooner waits in a bounded queue.
///
/// ```swift
/// let pacer = LeakyBucket(.perSecond(50), queue: 200, name: "legacy system")
/// try await pacer.acquire()
/// ```
///
/// There is one outlet. A call of `n` permits goes through when it is free, and keeps it for `n` times the time between
/// two permits. After a pause nothing has been saved up: there is no burst.
///
/// **The promise.** After a grant of `n` permits there is no other for `n × period / permits`. So any interval sees at
/// most `interval × permits / period` permits and one more grant. See ``RateLimit`` for the precision.
///
/// **The queue** is the line of those who wait, first come, first served. Who finds it full is refused at once, and so is
/// who could not be served within ``maximumWait``. What the system wakes late starts late, and so does what is behind
/// it: the pace is never made up for by two that start together. But reservations do not move: who waits before one is
/// counted as if it had been on time. Where a little of that is welcome, a ``TokenBucket``
/// with a burst of a few makes up for it.
///
/// **Waits** are exact to the nanosecond, from both sides.
///
/// **Memory.** 16 bytes, whatever the limit.
///
/// **State.** The limiter starts empty and forgets everything with the process. A clock that steps back gives no permit
/// twice, and no new ones until it is back where it was. The algorithm is the leaky bucket as a queue (J. Turner, "New
/// directions in communications", 1986), kept as the moment at which the outlet is free.
///
/// The ways to ask it, and how they differ, are those of every ``RateLimiter``.
public final class LeakyBucket: AdjustableLimiter {
    let settings: LimiterSettings
    private let state: Locked<LimiterState<Pacing>>
    private let shadow: Atomic<Bool>

    /// Makes a limiter that has granted nothing.
    ///
    /// - Parameters:
    ///   - limit: The pace. Its burst is not let through at once: it is the most that one call may ask for.
    ///   - queue: How many may wait at the same time, and how many reservations may lie ahead; 1,000 unless given.
    ///   - name: The name in events and errors; empty unless given.
    ///   - maximumWait: How long `run` and `acquire` wait at most; as long as the queue takes unless given.
    ///   - jitter: The most by which the head of the line sleeps longer than it must, drawn evenly, so that many
    ///     processes do not wake at one instant; zero unless given. Those behind it wait for it too.
    ///   - mode: Whether the limit is enforced; it is unless given.
    ///   - clock: Where time comes from.
    ///   - randomness: Where the jitter is drawn from; a generator of its own unless given.
    ///   - onEvent: Called for every ``RateLimitEvent``, in the task that caused it and outside locks.
    public init(
        _ limit: RateLimit, queue: Int = 1_000, name: String = "", maximumWait: Duration? = nil,
        jitter: Duration = .zero, mode: RateLimitMode = .enforced, clock: any Clock<Duration> = ContinuousClock(),
        randomness: RandomSource? = nil, onEvent: (@Sendable (RateLimitEvent) -> Void)? = nil
    ) {
        settings = LimiterSettings(
            name: name, maximumWait: maximumWait ?? .longest, maximumWaiters: queue, jitter: jitter, clock: clock,
            randomness: randomness, onEvent: onEvent)
        state = Locked(LimiterState(Pacing(limit)))
        shadow = Atomic(mode == .shadow)
    }

    /// The name in events and errors; of bounded cardinality, so not the name of a user.
    public var name: String { settings.name }

    /// What the limiter lets through at present.
    public var limit: RateLimit { state.withLock { $0.core.limit } }

    /// How long ``run(_:)`` waits at most, and ``acquire(_:within:)`` unless told otherwise.
    public var maximumWait: Duration { settings.maximumWait }

    /// How many may wait at the same time, and how many reservations may lie ahead.
    public var queue: Int { settings.maximumWaiters }

    /// Whether what is over the limit is refused, or let through and reported.
    public var mode: RateLimitMode {
        get { isShadow ? .shadow : .enforced }
        set { shadow.store(newValue == .shadow, ordering: .relaxed) }
    }

    /// Takes one permit if there is one and nobody waits; never waits.
    public func tryAcquire() -> RateLimitDecision { answer() }

    /// Takes all of `permits` permits if they are there and nobody waits, else none; never waits.
    ///
    /// - Parameter permits: At least zero. Zero permits take nothing and are granted unless somebody waits.
    /// - Throws: ``ExceedsCapacity`` if the limiter can never give as many.
    public func tryAcquire(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision { try answer(permits) }

    /// Tells what ``tryAcquire()`` would answer and what the limiter holds, and takes nothing.
    public func peek() -> RateLimitDecision { look() }

    /// Tells what ``tryAcquire(_:)`` would answer and what the limiter holds, and takes nothing.
    ///
    /// - Throws: ``ExceedsCapacity`` if the limiter can never give as many.
    public func peek(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision { try look(permits) }

    /// Takes `permits` permits, and waits for them if that is not too long; see ``RateLimiter/acquire(_:within:)``.
    ///
    /// - Parameters:
    ///   - permits: At least zero; one unless given.
    ///   - within: How long the wait may be; the limiter's ``maximumWait`` unless given. Zero or less is not at all.
    /// - Throws: ``RateLimited``, ``ExceedsCapacity`` or `CancellationError`; none of them has taken anything.
    public func acquire(_ permits: Int = 1, within: Duration? = nil) async throws {
        _ = try await take(permits, within: within)
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

    /// Changes the limit from now on; see ``TokenBucket/reconfigure(_:consumed:)``.
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
            if error is any Rejection, let grant { giveBack(grant) }
            throw error
        }
    }

    /// The name and the settings in one line.
    public var summary: String { settings.summary("LeakyBucket", limit) }
}

extension LeakyBucket: LimiterAccess {
    var lockOwner: ObjectIdentifier { ObjectIdentifier(self) }
    var isShadow: Bool { shadow.load(ordering: .relaxed) }

    func withState<Result: Sendable>(_ body: (inout LimiterState<Pacing>) -> Result) -> Result {
        state.withLock { body(&$0) }
    }
}
