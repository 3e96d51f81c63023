// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore

/// What every limiter of this module can do, whatever its algorithm.
///
/// There are four ways to ask a limiter, and they differ in who waits and in who gives permits back.
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
/// **`reserve` promises permits at a moment.** For a caller that waits by itself, or that knows only afterwards how much
/// it used. What was not used it gives back; see ``RateLimitReservation``.
///
/// *Not now* and *never* differ: a limit that is reached is an answer or a ``RateLimited``, which say when to try
/// again; more permits than the limiter can ever give are ``ExceedsCapacity``, which no wait can help.
///
/// **Fairness.** Those who wait are served in the order in which they came, whatever number of permits they ask for,
/// and while anybody waits `tryAcquire` is denied: nobody overtakes. Nobody is woken to see that somebody else was
/// faster. Reservations that were made behind those who wait do not move: whoever is awake a little late has its permits
/// as of the moment at which they were there, and only who sleeps past the next reservation comes after it.
///
/// Only the limiters of this module conform.
public protocol RateLimiter: Policy {
    /// The name in events and errors; of bounded cardinality, so not the name of a user.
    var name: String { get }

    /// What the limiter lets through at present.
    var limit: RateLimit { get }

    /// Takes one permit if there is one and nobody waits; never waits.
    func tryAcquire() -> RateLimitDecision

    /// Takes all of `permits` permits if they are there and nobody waits, else none; never waits.
    ///
    /// - Parameter permits: At least zero. Zero permits take nothing and are granted unless somebody waits.
    /// - Throws: ``ExceedsCapacity`` if the limiter can never give as many.
    func tryAcquire(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision

    /// Tells what ``tryAcquire()`` would answer and what the limiter holds, and takes nothing.
    func peek() -> RateLimitDecision

    /// Tells what ``tryAcquire(_:)`` would answer and what the limiter holds, and takes nothing.
    ///
    /// - Throws: ``ExceedsCapacity`` if the limiter can never give as many.
    func peek(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision

    /// Takes `permits` permits, and waits for them if that is not too long.
    ///
    /// Whoever waits is served in the order of arrival. Whether the wait fits into `within`, and ends before
    /// `Deadline.current`, is decided at the start, so a call that must be refused is refused at once. From then on only
    /// a change of the limit can refuse it; a timer that fires late is no reason to.
    ///
    /// - Parameters:
    ///   - permits: At least zero.
    ///   - within: How long the wait may be; the limiter's maximum unless given. Zero or less is not at all.
    /// - Throws: ``RateLimited`` if the wait would be too long, or if as many wait already as may;
    ///   ``ExceedsCapacity`` if the limiter can never give as many; `CancellationError` if the task is cancelled before
    ///   the permits are taken. None of them has taken anything.
    func acquire(_ permits: Int, within: Duration?) async throws

    /// Reserves `permits` permits for the earliest moment at which they can be had, behind all who came before.
    ///
    /// - Parameters:
    ///   - permits: At least zero.
    ///   - within: How far ahead the moment may be; the limiter's maximum wait unless given. It also has to be before
    ///     `Deadline.current`.
    /// - Throws: ``RateLimited`` if the moment would be too far ahead, or if as many reservations lie ahead as may wait;
    ///   ``ExceedsCapacity`` if the limiter can never give as many. Neither has taken anything.
    func reserve(_ permits: Int, within: Duration?) throws -> RateLimitReservation

    /// Takes a permit like ``acquire(_:within:)`` within the limiter's maximum wait, and runs the operation.
    ///
    /// The operation's value and error come out unchanged. A `Rejection` from it says that it did not run, so the
    /// permit is given back, as far as that cannot break the promise: what time has given back already stays with those
    /// who came later. With one permit a second and a burst of one, A takes at 0 s, B at 1 s; were A's permit given back
    /// now, C could run in the same instant as B.
    ///
    /// - Throws: what the operation throws, or what ``acquire(_:within:)`` does.
    func run<Success>(_ operation: () async throws -> Success) async throws -> Success
}

/// A limiter whose limit and mode can be changed while it runs.
package protocol AdjustableLimiter: RateLimiter {
    var mode: RateLimitMode { get nonmutating set }

    func reconfigure(_ limit: RateLimit, consumed: ConsumedPermits)
}
