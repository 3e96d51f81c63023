// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore
internal import Synchronization

/// How a ``KeyedRateLimiter`` limits each of its keys; each case is as the limiter of its name promises.
public enum RateLimitAlgorithm: Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// As ``TokenBucket``.
    case tokenBucket
    /// As ``SlidingWindowLog``.
    case slidingWindowLog
    /// As ``SlidingWindowCounter``.
    case slidingWindowCounter
    /// As ``FixedWindow``.
    case fixedWindow
    /// As ``LeakyBucket``.
    case leakyBucket

    /// The algorithm in words, such as "token bucket".
    public var description: String {
        switch self {
        case .tokenBucket: "token bucket"
        case .slidingWindowLog: "sliding window log"
        case .slidingWindowCounter: "sliding window counter"
        case .fixedWindow: "fixed window"
        case .leakyBucket: "leaky bucket"
        }
    }
}

/// A limit for each of many keys: tenants, users, addresses. Bounded in memory, whoever offers the keys.
///
/// ```swift
/// let limiter = KeyedRateLimiter<String>(name: "api", maximumKeys: 200_000) { tenant in plans.limit(of: tenant) }
///
/// let decision = limiter.tryAcquire(request.tenant)
/// guard decision.allowed else { return tooManyRequests(decision) }
/// ```
///
/// A key needs no preparation: it is there from its first call on, as if it had never been used, and is forgotten when
/// that is true again. The ways to ask are those of every ``RateLimiter``, with a key; ``limiter(for:)`` is the limiter
/// of one key, for pipelines and for a ``CompositeRateLimiter``.
///
/// **Memory.** There are never more than `maximumKeys` keys. When another comes, one is forgotten that is as good as new,
/// so nobody notices. A key that is in use is never forgotten: that would give it all its permits anew, and whoever
/// offers enough keys could have that done. If there is none to forget among those that a call has time to look at, the
/// new key shares one limit with all others there is no room for, `overflow`, which lets nothing through unless given.
/// So an attacker who offers ten million keys gets what the bound lets him have, and a key that was there before is
/// limited as ever. Choose `maximumKeys` well above the number of keys that are in use within the time in which one
/// becomes as good as new.
///
/// A key takes its own size, its state, and 8 bytes, in a table that is between three eighths and three quarters full as
/// it grows: with `String` keys and a token bucket about 90 bytes beside the text. Memory that idle keys had is used
/// again for others, and given back by ``removeFresh()``.
///
/// **Limits** are looked up once, when a key comes, not on every call; ``refreshLimits(consumed:)`` looks them all up
/// anew. The lookup runs outside locks and should be quick.
///
/// **Cost.** A call hashes the key once, takes one of up to 64 locks, and allocates nothing. Each specialized for keys of
/// the types `String`, `Int` and `UInt64`; others take about twice as long.
public final class KeyedRateLimiter<Key: Hashable & Sendable>: Sendable {
    enum Keys {
        case tokenBucket(Uncounted<KeyedState<Key, GCRA>>)
        case log(Uncounted<KeyedState<Key, SlidingLog>>)
        case counter(Uncounted<KeyedState<Key, SlidingCount>>)
        case fixedWindow(Uncounted<KeyedState<Key, FixedWindowCount>>)
        case leakyBucket(Uncounted<KeyedState<Key, Pacing>>)
    }

    let keys: Keys
    /// Keeps the keys alive, to which the others are references that are not counted.
    private let owner: any AnyObject & Sendable
    let settings: LimiterSettings
    let shadow: ShadowSwitch

    /// Makes a limiter that has no keys, with a limit for each that may come.
    ///
    /// - Parameters:
    ///   - limit: What each key may have.
    ///   - algorithm: How a key is limited; by a token bucket unless given.
    ///   - name: The name in events and errors; empty unless given.
    ///   - maximumKeys: The most keys that there are at one time; 100,000 unless given.
    ///   - overflow: What all keys share for which there is no room; nothing unless given.
    ///   - maximumWait: How long `run` and `acquire` wait at most; zero, which is not at all, unless given.
    ///   - maximumWaiters: How many may wait for one key at the same time, and how many reservations may lie ahead of
    ///     it; 1,000 unless given. The next is refused at once.
    ///   - jitter: The most by which the head of a line sleeps longer than it must, drawn evenly; zero unless given.
    ///   - mode: Whether the limits are enforced; they are unless given.
    ///   - clock: Where time comes from.
    ///   - randomness: Where the jitter is drawn from; a generator of its own unless given.
    ///   - onEvent: Called for every ``RateLimitEvent``, in the task that caused it and outside locks.
    public convenience init(
        _ limit: RateLimit, algorithm: RateLimitAlgorithm = .tokenBucket, name: String = "",
        maximumKeys: Int = 100_000, overflow: RateLimit = .zero, maximumWait: Duration = .zero,
        maximumWaiters: Int = 1_000, jitter: Duration = .zero, mode: RateLimitMode = .enforced,
        clock: any Clock<Duration> = ContinuousClock(), randomness: RandomSource? = nil,
        onEvent: (@Sendable (RateLimitEvent) -> Void)? = nil
    ) {
        self.init(
            limit: limit, lookup: nil, algorithm, maximumKeys, overflow, mode,
            LimiterSettings(
                name: name, maximumWait: maximumWait, maximumWaiters: maximumWaiters, jitter: jitter, clock: clock,
                randomness: randomness, onEvent: onEvent))
    }

    /// Makes a limiter that has no keys, with a limit for each that is looked up when it comes.
    ///
    /// - Parameters:
    ///   - algorithm: How a key is limited; by a token bucket unless given.
    ///   - name: The name in events and errors; empty unless given.
    ///   - maximumKeys: The most keys that there are at one time; 100,000 unless given.
    ///   - overflow: What all keys share for which there is no room; nothing unless given.
    ///   - maximumWait: How long `run` and `acquire` wait at most; zero, which is not at all, unless given.
    ///   - maximumWaiters: How many may wait for one key at the same time, and how many reservations may lie ahead of
    ///     it; 1,000 unless given. The next is refused at once.
    ///   - jitter: The most by which the head of a line sleeps longer than it must, drawn evenly; zero unless given.
    ///   - mode: Whether the limits are enforced; they are unless given.
    ///   - clock: Where time comes from.
    ///   - randomness: Where the jitter is drawn from; a generator of its own unless given.
    ///   - onEvent: Called for every ``RateLimitEvent``, in the task that caused it and outside locks.
    ///   - limits: The limit of a key. Called outside locks, when a key comes that is not there. Where its numbers come
    ///     from a configuration, make it with ``RateLimit/init(validating:per:burst:)``.
    public convenience init(
        algorithm: RateLimitAlgorithm = .tokenBucket, name: String = "", maximumKeys: Int = 100_000,
        overflow: RateLimit = .zero, maximumWait: Duration = .zero, maximumWaiters: Int = 1_000,
        jitter: Duration = .zero, mode: RateLimitMode = .enforced, clock: any Clock<Duration> = ContinuousClock(),
        randomness: RandomSource? = nil, onEvent: (@Sendable (RateLimitEvent) -> Void)? = nil,
        limits: @escaping @Sendable (Key) -> RateLimit
    ) {
        self.init(
            limit: .zero, lookup: limits, algorithm, maximumKeys, overflow, mode,
            LimiterSettings(
                name: name, maximumWait: maximumWait, maximumWaiters: maximumWaiters, jitter: jitter, clock: clock,
                randomness: randomness, onEvent: onEvent))
    }

    private init(
        limit: RateLimit, lookup: (@Sendable (Key) -> RateLimit)?, _ algorithm: RateLimitAlgorithm,
        _ maximumKeys: Int, _ overflow: RateLimit, _ mode: RateLimitMode, _ settings: LimiterSettings
    ) {
        precondition(maximumKeys > 0, "A limiter keeps at least one key, not \(maximumKeys)")
        self.settings = settings
        let shadow = ShadowSwitch(mode)
        self.shadow = shadow
        func make<Core>(_ core: Core.Type) -> KeyedState<Key, Core> {
            KeyedState(
                lookup.map { .lookup($0) } ?? .same(limit), maximumKeys: maximumKeys, overflow: overflow, shadow,
                settings)
        }
        switch algorithm {
        case .tokenBucket: (keys, owner) = Self.keeping(make(GCRA.self)) { .tokenBucket($0) }
        case .slidingWindowLog: (keys, owner) = Self.keeping(make(SlidingLog.self)) { .log($0) }
        case .slidingWindowCounter: (keys, owner) = Self.keeping(make(SlidingCount.self)) { .counter($0) }
        case .fixedWindow: (keys, owner) = Self.keeping(make(FixedWindowCount.self)) { .fixedWindow($0) }
        case .leakyBucket: (keys, owner) = Self.keeping(make(Pacing.self)) { .leakyBucket($0) }
        }
    }

    private static func keeping<Core>(
        _ state: KeyedState<Key, Core>, as keys: (Uncounted<KeyedState<Key, Core>>) -> Keys
    ) -> (Keys, any AnyObject & Sendable) {
        (keys(Uncounted(state)), state)
    }

    /// The name in events and errors.
    public var name: String { settings.name }

    /// Whether what is over the limits is refused, or let through and reported.
    public var mode: RateLimitMode {
        get { shadow.isOn.load(ordering: .relaxed) ? .shadow : .enforced }
        set { shadow.isOn.store(newValue == .shadow, ordering: .relaxed) }
    }

    /// The limiter of one key.
    ///
    /// It is a view: to make one costs nothing to speak of, and any number of them are one limiter.
    public func limiter(for key: Key) -> KeyLimiter<Key> {
        switch keys {
        case .tokenBucket(let keys): keys.use { KeyLimiter(key, KeyAccess($0, key)) }
        case .log(let keys): keys.use { KeyLimiter(key, KeyAccess($0, key)) }
        case .counter(let keys): keys.use { KeyLimiter(key, KeyAccess($0, key)) }
        case .fixedWindow(let keys): keys.use { KeyLimiter(key, KeyAccess($0, key)) }
        case .leakyBucket(let keys): keys.use { KeyLimiter(key, KeyAccess($0, key)) }
        }
    }

    /// How many keys there are now; at most `maximumKeys`.
    public var keyCount: Int {
        switch keys {
        case .tokenBucket(let keys): keys.use { $0.keyCount }
        case .log(let keys): keys.use { $0.keyCount }
        case .counter(let keys): keys.use { $0.keyCount }
        case .fixedWindow(let keys): keys.use { $0.keyCount }
        case .leakyBucket(let keys): keys.use { $0.keyCount }
        }
    }

    /// Forgets all keys that are as good as new, and gives back the memory that they had.
    ///
    /// It changes no answer, and there is no need to call it: keys are forgotten when the place is needed. It takes one
    /// lock after the other, each for the time of its keys.
    ///
    /// - Returns: How many keys were forgotten.
    @discardableResult
    public func removeFresh() -> Int {
        switch keys {
        case .tokenBucket(let keys): keys.use { $0.removeFresh() }
        case .log(let keys): keys.use { $0.removeFresh() }
        case .counter(let keys): keys.use { $0.removeFresh() }
        case .fixedWindow(let keys): keys.use { $0.removeFresh() }
        case .leakyBucket(let keys): keys.use { $0.removeFresh() }
        }
    }

    /// Gives every key, those that are there and those that will come, this limit from now on.
    ///
    /// What is known of a key is carried over as by ``TokenBucket/reconfigure(_:consumed:)``.
    ///
    /// - Parameters:
    ///   - limit: The limit of each key; a lookup is not asked any more.
    ///   - consumed: What becomes of the permits that are in use; they stay in use unless given.
    public func reconfigure(_ limit: RateLimit, consumed: ConsumedPermits = .keep) { change(to: limit, consumed) }

    /// Looks up the limits of all keys that are there anew, and gives them what is found from now on.
    ///
    /// What is known of a key is carried over as by ``TokenBucket/reconfigure(_:consumed:)``. It takes one lock after the
    /// other, each for the time of its keys; the lookup is called outside locks.
    ///
    /// - Parameter consumed: What becomes of the permits that are in use; they stay in use unless given.
    public func refreshLimits(consumed: ConsumedPermits = .keep) { change(to: nil, consumed) }

    private func change(to limit: RateLimit?, _ consumed: ConsumedPermits) {
        switch keys {
        case .tokenBucket(let keys): keys.use { $0.change(to: limit, consumed) }
        case .log(let keys): keys.use { $0.change(to: limit, consumed) }
        case .counter(let keys): keys.use { $0.change(to: limit, consumed) }
        case .fixedWindow(let keys): keys.use { $0.change(to: limit, consumed) }
        case .leakyBucket(let keys): keys.use { $0.change(to: limit, consumed) }
        }
    }
}
