// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

extension KeyedRateLimiter {
    /// Takes one permit of a key if there is one and nobody waits for it; never waits.
    @specialized(where Key == String)
    @specialized(where Key == Int)
    @specialized(where Key == UInt64)
    public func tryAcquire(_ key: Key) -> RateLimitDecision {
        let answer = answer(1, key)
        return answer.isPlain ? answer.decision : settled(answer, 1)
    }

    /// Takes all of `permits` permits of a key if they are there and nobody waits for it, else none; never waits.
    ///
    /// - Parameters:
    ///   - key: Whose permits they are.
    ///   - permits: At least zero. Zero permits take nothing and are granted unless somebody waits.
    /// - Throws: ``ExceedsCapacity`` if the key can never have as many.
    @specialized(where Key == String)
    @specialized(where Key == Int)
    @specialized(where Key == UInt64)
    public func tryAcquire(_ key: Key, _ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision {
        precondition(permits >= 0, "A limiter gives at least zero permits, not \(permits)")
        let answer = answer(Int64(permits), key)
        if answer.isPlain { return answer.decision }
        if answer.isExceeded, mode == .enforced {
            throw ExceedsCapacity(requested: permits, capacity: answer.decision.limit)
        }
        return settled(answer, permits)
    }

    /// What a key is answered, before it is reported.
    private struct Answer {
        var decision: RateLimitDecision
        /// Whether more was asked for than the key can ever have.
        var isExceeded = false
        /// Whether there was no room for the key.
        var isOverflowing = false

        /// Whether permits of the key were granted, and nothing more is to be done.
        var isPlain: Bool { decision.allowed && !isOverflowing }
    }

    /// Not inlined, so that its callers have nothing to prepare before they find out which type their key has.
    @inline(never)
    private func answer(_ permits: Int64, _ key: Key) -> Answer {
        switch keys {
        case .tokenBucket(let keys): keys.use { answer($0, permits, key) }
        case .log(let keys): keys.use { answer($0, permits, key) }
        case .counter(let keys): keys.use { answer($0, permits, key) }
        case .fixedWindow(let keys): keys.use { answer($0, permits, key) }
        case .leakyBucket(let keys): keys.use { answer($0, permits, key) }
        }
    }

    @inline(__always)
    private func answer<Core>(_ keys: KeyedState<Key, Core>, _ permits: Int64, _ key: Key) -> Answer {
        let now = settings.time.now()
        switch keys.attempt(permits, of: key, at: now) {
        case .granted(_, let decision), .denied(let decision): return Answer(decision: decision)
        case .exceeds(let capacity): return Answer(decision: .never(limit: capacity), isExceeded: true)
        case nil: return Answer(decision: keys.attemptOverflowing(permits, at: now), isOverflowing: true)
        }
    }

    @inline(never)
    private func settled(_ answer: Answer, _ permits: Int) -> RateLimitDecision {
        if answer.isOverflowing { settings.report(.overflowed) }
        let decision = answer.isOverflowing ? answer.decision.shared : answer.decision
        return settings.settled(decision, permits, isShadow: mode == .shadow)
    }

    /// Tells what ``tryAcquire(_:)`` would answer and what the key holds, and takes nothing.
    public func peek(_ key: Key) -> RateLimitDecision { limiter(for: key).peek() }

    /// Tells what ``tryAcquire(_:_:)`` would answer and what the key holds, and takes nothing.
    ///
    /// - Parameters:
    ///   - key: Whose permits they are.
    ///   - permits: At least zero.
    /// - Throws: ``ExceedsCapacity`` if the key can never have as many.
    public func peek(_ key: Key, _ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision {
        try limiter(for: key).peek(permits)
    }

    /// Takes `permits` permits of a key, and waits for them if that is not too long; see
    /// ``RateLimiter/acquire(_:within:)``.
    ///
    /// - Parameters:
    ///   - key: Whose permits they are.
    ///   - permits: At least zero; one unless given.
    ///   - within: How long the wait may be; the limiter's maximum unless given.
    /// - Throws: ``RateLimited``, ``ExceedsCapacity`` or `CancellationError`; none of them has taken anything.
    public func acquire(_ key: Key, _ permits: Int = 1, within: Duration? = nil) async throws {
        try Task.checkCancellation()
        precondition(permits >= 0, "A limiter gives at least zero permits, not \(permits)")
        // Permits at hand need no more than a look into the table.
        let answer = answer(Int64(permits), key)
        if answer.decision.allowed {
            _ = settled(answer, permits)
            return
        }
        try await limiter(for: key).acquire(permits, within: within)
    }

    /// Reserves `permits` permits of a key for the earliest moment at which they can be had; see
    /// ``RateLimiter/reserve(_:within:)``.
    ///
    /// - Parameters:
    ///   - key: Whose permits they are.
    ///   - permits: At least zero; one unless given.
    ///   - within: How far ahead the moment may be; the limiter's maximum wait unless given.
    /// - Throws: ``RateLimited`` or ``ExceedsCapacity``; neither has taken anything.
    public func reserve(
        _ key: Key, _ permits: Int = 1, within: Duration? = nil
    ) throws -> RateLimitReservation {
        try limiter(for: key).reserve(permits, within: within)
    }

    /// Takes a permit of a key like ``acquire(_:_:within:)``, and runs the operation; see ``RateLimiter/run(_:)``.
    ///
    /// - Throws: what the operation throws, or what ``acquire(_:_:within:)`` does.
    public func run<Success>(_ key: Key, _ operation: () async throws -> Success) async throws -> Success {
        try await limiter(for: key).run(operation)
    }
}
