// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore
internal import Synchronization

/// Lets at most so many operations through in every window of a length, wherever it begins: exact, at the price of
/// remembering each of them.
///
/// ```swift
/// let limiter = SlidingWindowLog(.per(.seconds(3_600), 5), name: "password reset")
/// ```
///
/// **The promise.** In no interval of the limit's period, wherever it begins, are more than its permits granted; of the
/// two ends of the interval one belongs to it. There is no error. All permits can be used at once, and come back one by
/// one, each a period after it was taken.
///
/// **Waits** are exact to the nanosecond, from both sides.
///
/// **Memory.** 16 bytes for each grant of the last period, and up to as many again: the limit's permits bound it. Grants
/// at the same nanosecond share an entry; a denial is not remembered, so an attacker cannot make the log longer. That is
/// for small limits over long periods. A large limit takes less room in a ``TokenBucket``, which lets a burst and a
/// period's permits into one period, or in a ``SlidingWindowCounter``, which estimates.
///
/// **State.** The limiter starts empty and forgets everything with the process. A clock that steps back gives no permit
/// twice, and no new ones until it is back where it was. The algorithm is the sliding log, the definition that the
/// others approximate.
///
/// The ways to ask it, and how they differ, are those of every ``RateLimiter``.
public final class SlidingWindowLog: AdjustableLimiter {
    let settings: LimiterSettings
    private let state: Locked<LimiterState<SlidingLog>>
    private let shadow: Atomic<Bool>

    /// Makes a limiter that has granted nothing.
    ///
    /// - Parameters:
    ///   - limit: The permits in a window and its length; the burst means nothing here.
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
        state = Locked(LimiterState(SlidingLog(limit)))
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
    /// The log stays, as far back as the old period reached. With ``ConsumedPermits/scale`` the permits in it become the
    /// same share of the new limit, rounded up.
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
    public var summary: String { settings.summary("SlidingWindowLog", limit) }
}

extension SlidingWindowLog: LimiterAccess {
    var lockOwner: ObjectIdentifier { ObjectIdentifier(self) }
    var isShadow: Bool { shadow.load(ordering: .relaxed) }

    func withState<Result: Sendable>(_ body: (inout LimiterState<SlidingLog>) -> Result) -> Result {
        state.withLock { body(&$0) }
    }
}
