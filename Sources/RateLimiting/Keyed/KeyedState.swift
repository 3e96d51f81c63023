// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Synchronization

/// Whether a limiter only watches, for all who have to know.
final class ShadowSwitch: Sendable {
    let isOn: Atomic<Bool>

    init(_ mode: RateLimitMode) { isOn = Atomic(mode == .shadow) }
}

/// Keys in shards that each have a lock.
///
/// The shards stand side by side in memory of their own, so that a call counts no references to them: two of those cost
/// as much as a lock.
///
/// Unchecked, because of the pointer to them. It is set when the object is made and released with it, never leaves it,
/// and all that it points to is under the locks.
@safe
final class KeyedState<Key: Hashable & Sendable, Core: LimitCore>: @unchecked Sendable {
    private struct Shard: ~Copyable {
        let keys: Locked<KeyShard<Key, Core>>
        /// Keeps the next lock off the cache lines of this one.
        private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)

        init(_ core: Core) { keys = Locked(KeyShard(core)) }
    }

    /// What limit a key has.
    enum Limits: Sendable {
        case same(RateLimit)
        case lookup(@Sendable (Key) -> RateLimit)

        func limit(of key: Key) -> RateLimit {
            switch self {
            case .same(let limit): limit
            case .lookup(let limit): limit(key)
            }
        }
    }

    let settings: LimiterSettings
    let maximumKeys: Int
    let shadow: ShadowSwitch
    private let limits: Locked<(limits: Limits, epoch: Int)>
    private let shards: UnsafeMutablePointer<Shard>
    private let shardCount: Int
    /// How far a hash is moved to the right to tell the shard.
    private let shift: Int
    private let count = Atomic<Int>(0)
    /// What all keys share for which there is no room.
    let overflow: Locked<LimiterState<Core>>

    /// So many keys at least are meant for a shard, so that the shards fill alike.
    private static var keysOfShard: Int { 1_024 }
    private static var mostShards: Int { 64 }

    /// Above those of all keys, so that what somebody holds of a key that was forgotten since is taken for nothing here.
    private static var firstOverflowID: Int { 1 << 62 }

    init(
        _ limits: Limits, maximumKeys: Int, overflow: RateLimit, _ shadow: ShadowSwitch, _ settings: LimiterSettings
    ) {
        self.settings = settings
        self.maximumKeys = maximumKeys
        self.limits = Locked((limits, 0))
        let shared = Core(overflow)
        self.overflow = Locked(LimiterState(shared, base: shared.fresh, lastID: Self.firstOverflowID))
        self.shadow = shadow
        var size = 1
        while size < Self.mostShards, size * 2 * Self.keysOfShard <= maximumKeys { size *= 2 }
        shardCount = size
        shift = Int.bitWidth - size.trailingZeroBitCount
        unsafe shards = .allocate(capacity: size)
        for index in 0..<size { unsafe (shards + index).initialize(to: Shard(Core(.zero))) }
    }

    deinit {
        unsafe shards.deinitialize(count: shardCount)
        unsafe shards.deallocate()
    }

    @inline(__always)
    private func withShard<Result: Sendable>(
        _ index: Int, _ body: (inout KeyShard<Key, Core>) -> Result
    ) -> Result {
        unsafe shards[index].keys.withLock { body(&$0) }
    }

    /// A key's hash, taken once a call: its upper bits tell the shard, its lower ones the slot.
    struct Place: Sendable {
        let shard: Int
        let tag: UInt32
    }

    @inline(__always)
    func place(of key: Key) -> Place {
        let hash = key.hashValue
        // A shift by all bits gives zero.
        return Place(
            shard: Int(truncatingIfNeeded: UInt(bitPattern: hash) >> shift), tag: KeyTable<Key, Core.State>.tag(hash))
    }

    /// Takes permits of a key, which is put in if it is new; `nil` if there is no room for it.
    @inline(__always)
    func attempt(_ permits: Int64, of key: Key, at now: Int64) -> LimiterState<Core>.Answer? {
        let place = place(of: key)
        let answer = withShard(place.shard) { $0.take(permits, of: key, tag: place.tag, at: now) }
        if let answer { return answer }
        return attemptAsNew(permits, of: key, place, at: now)
    }

    @inline(never)
    private func attemptAsNew(
        _ permits: Int64, of key: Key, _ place: Place, at now: Int64
    ) -> LimiterState<Core>.Answer? {
        withKey(key, place, at: now) { $0.take(permits, of: key, tag: place.tag, at: now) }
    }

    /// Takes permits of those that all keys share for which there is no room.
    func attemptOverflowing(_ permits: Int64, at now: Int64) -> RateLimitDecision {
        switch overflow.withLock({ $0.take(permits, at: now) }) {
        case .granted(_, let decision), .denied(let decision): return decision
        case .exceeds(let capacity): return .never(limit: capacity)
        }
    }

    /// Works on the shard of a key after the key was put in, if it is new; `nil` if there is no room for it.
    func withKey<Result: Sendable>(
        _ key: Key, _ place: Place, at now: Int64, _ body: (inout KeyShard<Key, Core>) -> Result?
    ) -> Result? {
        var known: (limit: RateLimit, epoch: Int)?
        while true {
            let step = withShard(place.shard) { keys -> Step<Result> in
                if !keys.contains(key, tag: place.tag) {
                    guard let known, known.epoch == keys.epoch else { return .lookUp(epoch: keys.epoch) }
                    guard makeRoom(in: &keys, at: now) else { return .done(nil) }
                    let removed = keys.insert(key, tag: place.tag, known.limit, at: now)
                    if removed > 0 { count.subtract(removed, ordering: .relaxed) }
                }
                return .done(body(&keys))
            }
            switch step {
            case .done(let result): return result
            // Whoever looks a limit up does so outside the lock.
            case .lookUp(let epoch): known = (limits.withLock { $0.limits }.limit(of: key), epoch)
            }
        }
    }

    /// Works on all that is known of a key; `nil` if the key is not there.
    func withPresentKey<Result: Sendable>(
        _ key: Key, _ place: Place, _ body: (inout LimiterState<Core>) -> Result
    ) -> Result? {
        withShard(place.shard) { $0.withState(of: key, tag: place.tag, body) }
    }

    private enum Step<Result: Sendable>: Sendable {
        case done(Result?)
        case lookUp(epoch: Int)
    }

    /// Looks at all that is known of a key without putting it in.
    func readKey<Result: Sendable>(
        _ key: Key, _ place: Place, at now: Int64, _ body: (inout LimiterState<Core>, _ isShared: Bool) -> Result
    ) -> Result {
        let (known, hasRoom) = withShard(place.shard) { keys in
            let known = keys.withState(of: key, tag: place.tag) { body(&$0, false) }
            return (known, known == nil && (keyCount < maximumKeys || keys.hasDispensable(at: now)))
        }
        if let known { return known }
        guard hasRoom else { return overflow.withLock { body(&$0, true) } }
        var state = LimiterState(Core(limits.withLock { $0.limits }.limit(of: key)))
        return body(&state, false)
    }

    /// Counts one key more, in the place of another if there are as many as may be. Requires the shard's lock.
    private func makeRoom(in keys: inout KeyShard<Key, Core>, at now: Int64) -> Bool {
        if count.add(1, ordering: .relaxed).newValue <= maximumKeys { return true }
        count.subtract(1, ordering: .relaxed)
        return keys.removeOne(at: now)
    }

    /// How many keys there are.
    var keyCount: Int { min(count.load(ordering: .relaxed), maximumKeys) }

    func removeFresh() -> Int {
        var removed = 0
        for shard in 0..<shardCount {
            let now = settings.time.now()
            let ofShard = withShard(shard) { $0.removeFresh(at: now) }
            count.subtract(ofShard, ordering: .relaxed)
            removed += ofShard
        }
        return removed
    }

    /// Gives all keys a limit from now on, or else those that are found when they are looked up anew. Of changes at one
    /// time the one that began last is that of all keys.
    func change(to limit: RateLimit?, _ consumed: ConsumedPermits) {
        let (old, limits, epoch) = self.limits.withLock { present in
            let old = present.limits
            if let limit { present.limits = .same(limit) }
            present.epoch += 1
            return (old, present.limits, present.epoch)
        }
        for shard in 0..<shardCount {
            guard let keys = withShard(shard, { $0.keysToChange(in: epoch) }) else { continue }
            let known = Dictionary(uniqueKeysWithValues: keys.map { ($0, limits.limit(of: $0)) })
            let now = settings.time.now()
            let turns = withShard(shard) { keys in
                keys.change(in: epoch, at: now, consumed, to: { known[$0] }) { answer, permits in
                    refusal(of: settings.name, Int(permits), answer)
                }
            }
            for turn in turns { turn.resume() }
        }
        if let limit, case .same(let old) = old { settings.report(.reconfigured(from: old, to: limit)) }
    }
}
