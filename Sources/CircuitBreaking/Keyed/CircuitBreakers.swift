// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore
internal import Synchronization

/// A circuit breaker for each key: one for each host, or for each tenant.
///
/// ```swift
/// let breakers = CircuitBreakers<String>(name: "shops", maximumKeys: 5_000)
/// let stock = try await breakers.run(for: shop.host) { try await client.stock(of: shop) }
/// ```
///
/// A key's breaker is made when the key is first asked for. ``breaker(for:)`` hands it out, with all its verbs; as long
/// as somebody holds it or one of its permits, the key keeps it.
///
/// **Bounds.** There are at most ``maximumKeys`` breakers. When another key comes, one that is *as good as new* makes
/// room: closed, with nothing counted, held by nobody, overridden by nobody and without a configuration of its own. So
/// nothing is lost, and nobody gets an open breaker closed by making up keys. Up to 64 breakers are looked at, each time
/// the next ones, so that one that can make room is found sooner or later wherever it is. If none of them is as good as
/// new the key gets what ``Overflow`` says, and looks again when it is asked for again.
///
/// A breaker becomes as good as new by time alone: by default its window is the last minute, and after ten minutes
/// without use it forgets that it was open. With a count window and no ``CircuitBreaker/Configuration/forgetAfter`` it
/// hardly ever does.
///
/// **Keys.** A key is hashed outside locks. It is compared while a lock of the registry is held, and only with a key of
/// the same hash: `==` of a type of your own does not ask the registry for anything.
public final class CircuitBreakers<Key: Hashable & Sendable>: Sendable {
    /// What a key gets while there is no room for a breaker of its own.
    public enum Overflow: Sendable, Hashable {
        /// One breaker that all such keys share. It opens when their calls taken together break its rules.
        case shared
        /// No protection: calls pass and are not counted.
        case unguarded
    }

    /// The name that errors and events carry, the same for every key: of bounded cardinality.
    public let name: String
    /// How many breakers there are at most.
    public let maximumKeys: Int
    /// What a key gets while there is no room for a breaker of its own.
    public let overflow: Overflow
    /// The breaker of the keys that have none of their own; see ``Overflow``.
    public let overflowBreaker: CircuitBreaker

    private let judge: (@Sendable (any Error) -> CircuitVerdict)?
    private let time: TimeSource
    private let randomness: RandomSource
    private let onEvent: (@Sendable (KeyedCircuitEvent<Key>) -> Void)?
    private let rules: Locked<CircuitRules>
    private let shards: [CircuitShard]
    private let total = Atomic<Int>(0)
    /// Counts the keys for which there was no room in their own shard.
    private let turn = Atomic<Int>(0)

    /// Below this number of keys there is one lock.
    private static var sharded: Int { 1_024 }

    /// Makes a registry without breakers.
    ///
    /// - Parameters:
    ///   - name: What errors and events call every breaker of it.
    ///   - configuration: That of every breaker; a value that makes no sense stops the program. By default that of
    ///     ``CircuitBreaker``, but over the last 60 s, forgetting after 10 minutes.
    ///   - maximumKeys: How many breakers there are at most; at least 1, by default 10,000. Each takes about 1 kB.
    ///   - overflow: What a key gets while there is no room; by default a breaker shared with others.
    ///   - judge: What an error says of the neighbour; see ``CircuitBreaker``.
    ///   - clock: What measures time for every breaker.
    ///   - randomness: Where the jitter of open times is drawn from; by default a generator of its own.
    ///   - onEvent: Hears of every breaker's events with their key, outside locks; see ``KeyedCircuitEvent``.
    public init(
        name: String,
        configuration: CircuitBreaker.Configuration = .init(window: .time(.seconds(60)), forgetAfter: .seconds(600)),
        maximumKeys: Int = 10_000, overflow: Overflow = .shared,
        judge: (@Sendable (any Error) -> CircuitVerdict)? = nil, clock: any Clock<Duration> = ContinuousClock(),
        randomness: RandomSource = .system, onEvent: (@Sendable (KeyedCircuitEvent<Key>) -> Void)? = nil
    ) {
        precondition(maximumKeys >= 1, "A registry has room for at least 1 key, not for \(maximumKeys)")
        do { try configuration.validate() } catch { preconditionFailure("\(error)") }
        let rules = CircuitRules(configuration)
        self.name = name
        self.maximumKeys = maximumKeys
        self.overflow = overflow
        self.judge = judge
        self.randomness = randomness
        self.onEvent = onEvent
        time = TimeSource(clock)
        self.rules = Locked(rules)
        shards = (0..<(maximumKeys < Self.sharded ? 1 : 16)).map { _ in CircuitShard() }
        overflowBreaker = CircuitBreaker(
            name: name, rules: rules, judge: judge, time: time, randomness: randomness,
            onEvent: Self.telling(onEvent, of: nil))
        if overflow == .unguarded { overflowBreaker.disable() }
    }

    /// The configuration of every breaker that has none of its own.
    public var configuration: CircuitBreaker.Configuration { rules.withLock { $0.configuration } }

    /// How many keys have a breaker of their own now.
    public var count: Int { total.load(ordering: .relaxed) }

    /// The breaker of the key, made if there is none; ``overflowBreaker`` if there is no room for one.
    ///
    /// - Complexity: O(1): the key is hashed once.
    public func breaker(for key: Key) -> CircuitBreaker {
        let hash = key.hashValue
        return find(key, hash: hash) ?? makeBreaker(for: key, hash: hash)
    }

    /// The breaker of the key if it has one of its own. Makes none.
    public func existingBreaker(for key: Key) -> CircuitBreaker? { find(key, hash: key.hashValue) }

    /// Runs the operation if the key's breaker lets it pass, and counts how it ends; see ``CircuitBreaker/run(_:)``.
    ///
    /// - Throws: what the operation throws, or ``CircuitOpen`` without running it.
    @inlinable
    public func run<Success>(for key: Key, _ operation: () async throws -> Success) async throws -> Success {
        try await breaker(for: key).run(operation)
    }

    /// What every breaker does and has counted. Each is looked at by itself, so it is not one moment for all.
    ///
    /// - Complexity: O(*n*) in the number of keys.
    public func snapshots() -> [Key: CircuitBreaker.Snapshot] {
        Dictionary(uniqueKeysWithValues: breakers().map { ($0.key, $0.breaker.snapshot) })
    }

    /// Goes on by another configuration with every breaker but those that have been given one of their own, as
    /// ``CircuitBreaker/reconfigure(_:)`` does it.
    ///
    /// If it is called by several at a time, the ``configuration`` that stays is that of every breaker.
    ///
    /// - Throws: ``InvalidCircuitConfiguration``; everything then goes on as before.
    public func reconfigure(_ configuration: CircuitBreaker.Configuration) throws(InvalidCircuitConfiguration) {
        try configuration.validate()
        let rules = self.rules.withLock { rules in
            rules = CircuitRules(configuration, version: rules.version + 1)
            return rules
        }
        // In this order a breaker that is made meanwhile either is made of the new rules or is among those below. It
        // takes the later ones of two that reach it in any order.
        for (_, breaker) in breakers() { breaker.applyUnlessOwn(rules) }
        overflowBreaker.applyUnlessOwn(rules)
    }

    private func breakers() -> [(key: Key, breaker: CircuitBreaker)] {
        shards.flatMap { shard in
            shard.slots.withLock { slots in slots.all.map { (key: Self.key($0.key), breaker: $0.breaker) } }
        }
    }

    /// By other bits of the hash than the table of a shard uses.
    private func shard(of hash: Int) -> CircuitShard { shards[(hash >> 40) & (shards.count - 1)] }

    /// The key that a table has kept.
    private static func key(_ kept: AnyObject) -> Key {
        // Tables are private to the registry, and it puts nothing but this type into them.
        unsafe unsafeDowncast(kept, to: CircuitKey<Key>.self).key
    }

    private func find(_ key: Key, hash: Int) -> CircuitBreaker? {
        shard(of: hash).slots.withLock { slots in slots.breaker(hash: hash) { Self.key($0) == key } }
    }

    /// Makes the breaker of a key, if nobody has done so meanwhile and there is room.
    private func makeBreaker(for key: Key, hash: Int) -> CircuitBreaker {
        var (made, evicted) = shard(of: hash).slots.withLock { slots -> (CircuitBreaker?, Key?) in
            if let breaker = slots.breaker(hash: hash, { Self.key($0) == key }) { return (breaker, nil) }
            if takeRoom() {
                let breaker = makeBreaker(for: key)
                slots.insert(breaker, for: CircuitKey(key), hash: hash)
                return (breaker, nil)
            }
            guard let place = slots.findFresh() else { return (nil, nil) }
            let breaker = makeBreaker(for: key)
            return (breaker, Self.key(slots.replace(place, by: breaker, for: CircuitKey(key), hash: hash)))
        }
        if made == nil {
            evicted = evictElsewhere()
            if evicted != nil { made = takeFreedRoom(for: key, hash: hash) }
        }
        if let evicted { onEvent?(KeyedCircuitEvent(key: evicted, kind: .evicted)) }
        if let made { return made }
        onEvent?(KeyedCircuitEvent(key: key, kind: .overflowed))
        return overflowBreaker
    }

    /// Takes out a breaker that can make room in the shard whose turn it is. Its room stays taken, for another key.
    private func evictElsewhere() -> Key? {
        guard shards.count > 1 else { return nil }
        let index = turn.wrappingAdd(1, ordering: .relaxed).newValue & (shards.count - 1)
        return shards[index].slots.withLock { slots in slots.findFresh().map { Self.key(slots.remove($0)) } }
    }

    /// Makes the breaker of a key for which there is room, if nobody has done so meanwhile.
    private func takeFreedRoom(for key: Key, hash: Int) -> CircuitBreaker {
        shard(of: hash).slots.withLock { slots in
            if let breaker = slots.breaker(hash: hash, { Self.key($0) == key }) {
                total.wrappingSubtract(1, ordering: .relaxed)
                return breaker
            }
            let breaker = makeBreaker(for: key)
            slots.insert(breaker, for: CircuitKey(key), hash: hash)
            return breaker
        }
    }

    /// Counts a breaker that is about to be made, if there is room for it.
    private func takeRoom() -> Bool {
        var count = total.load(ordering: .relaxed)
        while count < maximumKeys {
            let (exchanged, current) = total.weakCompareExchange(
                expected: count, desired: count + 1, ordering: .relaxed)
            if exchanged { return true }
            count = current
        }
        return false
    }

    private func makeBreaker(for key: Key) -> CircuitBreaker {
        CircuitBreaker(
            name: name, rules: rules.withLock { $0 }, judge: judge, time: time, randomness: randomness,
            onEvent: Self.telling(onEvent, of: key))
    }

    private static func telling(
        _ onEvent: (@Sendable (KeyedCircuitEvent<Key>) -> Void)?, of key: Key?
    ) -> (@Sendable (CircuitEvent) -> Void)? {
        guard let onEvent else { return nil }
        return { onEvent(KeyedCircuitEvent(key: key, kind: .breaker($0))) }
    }
}

/// A part of the keys of a registry, with a lock of its own.
private final class CircuitShard: Sendable {
    let slots = Locked(CircuitSlots())
}

/// What a breaker of ``CircuitBreakers`` did, or the registry with it.
public struct KeyedCircuitEvent<Key: Hashable & Sendable>: Sendable, Hashable {
    /// What happened.
    public enum Kind: Sendable, Hashable {
        /// The key's breaker did this; without a key, the one of the keys that overflow.
        case breaker(CircuitEvent)
        /// The key's breaker was as good as new and made room for another key.
        case evicted
        /// The key was asked for, and there was no room for a breaker of its own.
        case overflowed
    }

    /// The key it is about. It is no label for a metric: there are as many as there are hosts or tenants.
    public let key: Key?
    /// What happened.
    public let kind: Kind

    /// Makes an event.
    public init(key: Key?, kind: Kind) {
        self.key = key
        self.kind = kind
    }
}
