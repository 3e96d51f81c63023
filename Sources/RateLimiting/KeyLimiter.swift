// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// One key of a ``KeyedRateLimiter``, as a limiter: for a `Pipeline`, or one of the limits of a
/// ``CompositeRateLimiter``.
///
/// ```swift
/// try await limiter.limiter(for: "acme").run { try await provider.send(message) }
/// ```
///
/// It is a view of the limiter that it is from and holds nothing by itself, so it can be kept or made for each call. A
/// call that finds no room for the key asks what all such keys share, and gives back and waits there; the next call looks
/// for room again.
public struct KeyLimiter<Key: Hashable & Sendable>: RateLimiter {
    /// The key.
    public let key: Key

    private let view: any LimiterAccess

    var access: any LimiterAccess { view.forNewCall }

    init(_ key: Key, _ access: any LimiterAccess) {
        self.key = key
        view = access
    }

    /// The name of the limiter that it is from.
    public var name: String { access.settings.name }

    /// What the key may have at present.
    public var limit: RateLimit { access.limit }

    /// Takes one permit if there is one and nobody waits; never waits.
    public func tryAcquire() -> RateLimitDecision { access.answer() }

    /// Takes all of `permits` permits if they are there and nobody waits, else none; never waits.
    ///
    /// - Parameter permits: At least zero. Zero permits take nothing and are granted unless somebody waits.
    /// - Throws: ``ExceedsCapacity`` if the key can never have as many.
    public func tryAcquire(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision { try access.answer(permits) }

    /// Tells what ``tryAcquire()`` would answer and what the key holds, and takes nothing.
    public func peek() -> RateLimitDecision { access.look() }

    /// Tells what ``tryAcquire(_:)`` would answer and what the key holds, and takes nothing.
    ///
    /// - Throws: ``ExceedsCapacity`` if the key can never have as many.
    public func peek(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision { try access.look(permits) }

    /// Takes `permits` permits, and waits for them if that is not too long; see ``RateLimiter/acquire(_:within:)``.
    ///
    /// - Parameters:
    ///   - permits: At least zero; one unless given.
    ///   - within: How long the wait may be; the limiter's maximum unless given. Zero or less is not at all.
    /// - Throws: ``RateLimited``, ``ExceedsCapacity`` or `CancellationError`; none of them has taken anything.
    public func acquire(_ permits: Int = 1, within: Duration? = nil) async throws {
        _ = try await access.take(permits, within: within)
    }

    /// Reserves `permits` permits for the earliest moment at which they can be had, behind all who came before; see
    /// ``RateLimiter/reserve(_:within:)``.
    ///
    /// - Parameters:
    ///   - permits: At least zero; one unless given.
    ///   - within: How far ahead the moment may be; the limiter's maximum wait unless given.
    /// - Throws: ``RateLimited`` or ``ExceedsCapacity``; neither has taken anything.
    public func reserve(_ permits: Int = 1, within: Duration? = nil) throws -> RateLimitReservation {
        try access.reserved(permits, within: within)
    }

    /// Takes a permit like ``acquire(_:within:)``, and runs the operation; see ``RateLimiter/run(_:)``.
    ///
    /// - Throws: what the operation throws, or what ``acquire(_:within:)`` does.
    public func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
        let access = access
        let grant = try await access.take(1, within: nil)
        do {
            return try await operation()
        } catch {
            if error is any Rejection, let grant { access.giveBack(grant) }
            throw error
        }
    }

    /// The name of the limiter and what the key may have, in one line; the key is not in it.
    public var summary: String { access.settings.summary("KeyedRateLimiter", limit) }
}

/// A limiter that is a view of one key.
protocol KeyView {
    var access: any LimiterAccess { get }
}

extension KeyLimiter: KeyView {}
