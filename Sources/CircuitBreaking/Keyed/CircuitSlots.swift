// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A key in a form that the table can keep without knowing its type.
final class CircuitKey<Key: Hashable & Sendable>: Sendable {
    let key: Key

    init(_ key: Key) { self.key = key }
}

/// The breakers of some keys, and a hand that goes round to find one that can make room.
///
/// The table is an open one with linear probing over hashes that the caller has computed. It knows nothing of the type
/// of the keys, so that the compiler knows everything of its own: a generic one, which is not specialised across
/// modules, takes three times as long to find a breaker.
struct CircuitSlots {
    // One entry a breaker, in the order in which the places were taken.
    private var keys: [AnyObject] = []
    private var hashes: [Int] = []
    private var breakers: [CircuitBreaker] = []
    /// For each bucket the place of its breaker, or -1. At most half of the buckets are taken.
    private var buckets: [Int32] = Array(repeating: -1, count: 8)
    private var hand = 0

    /// How many breakers are looked at for one that is as good as new.
    private static let looks = 32

    var all: [(key: AnyObject, breaker: CircuitBreaker)] { Array(zip(keys, breakers)) }

    /// The breaker of the key with the hash that the closure knows.
    func breaker(hash: Int, _ isKey: (AnyObject) -> Bool) -> CircuitBreaker? {
        var bucket = hash & (buckets.count - 1)
        while buckets[bucket] >= 0 {
            let place = Int(buckets[bucket])
            if hashes[place] == hash, isKey(keys[place]) { return breakers[place] }
            bucket = (bucket + 1) & (buckets.count - 1)
        }
        return nil
    }

    /// Adds a key that is not there.
    mutating func insert(_ breaker: CircuitBreaker, for key: AnyObject, hash: Int) {
        keys.append(key)
        hashes.append(hash)
        breakers.append(breaker)
        if 2 * keys.count > buckets.count {
            buckets = Array(repeating: -1, count: 2 * buckets.count)
            for place in keys.indices { enter(place) }
        } else {
            enter(keys.count - 1)
        }
    }

    /// The place of a breaker that nobody holds and that is as good as new.
    ///
    /// Whoever uses a breaker holds it, be it for the length of a call or in a permit, and only this structure, under
    /// its lock, hands out one that nobody holds. So nobody can begin to use it before it is replaced.
    mutating func findFresh() -> Int? {
        for _ in 0..<min(Self.looks, keys.count) {
            let place = hand
            hand = hand + 1 == keys.count ? 0 : hand + 1
            if isKnownUniquelyReferenced(&breakers[place]), breakers[place].isFresh { return place }
        }
        return nil
    }

    /// Gives the place to a key that is not there; returns the one that had it.
    mutating func replace(_ place: Int, by breaker: CircuitBreaker, for key: AnyObject, hash: Int) -> AnyObject {
        let previous = keys[place]
        leave(place)
        keys[place] = key
        hashes[place] = hash
        breakers[place] = breaker
        enter(place)
        return previous
    }

    /// Takes out the breaker at the place; returns its key.
    mutating func remove(_ place: Int) -> AnyObject {
        let removed = keys[place]
        leave(place)
        let last = keys.count - 1
        if place < last { buckets[bucket(of: last)] = Int32(place) }
        keys.swapAt(place, last)
        hashes.swapAt(place, last)
        breakers.swapAt(place, last)
        keys.removeLast()
        hashes.removeLast()
        breakers.removeLast()
        if hand == last { hand = 0 }
        return removed
    }

    private func bucket(of place: Int) -> Int {
        var bucket = hashes[place] & (buckets.count - 1)
        while buckets[bucket] != Int32(place) { bucket = (bucket + 1) & (buckets.count - 1) }
        return bucket
    }

    /// Takes the first free bucket from the one of the hash on.
    private mutating func enter(_ place: Int) {
        var bucket = hashes[place] & (buckets.count - 1)
        while buckets[bucket] >= 0 { bucket = (bucket + 1) & (buckets.count - 1) }
        buckets[bucket] = Int32(place)
    }

    /// Frees the bucket of the place, and moves those behind it up that would not be found across the gap.
    private mutating func leave(_ place: Int) {
        let mask = buckets.count - 1
        var gap = bucket(of: place)
        var bucket = (gap + 1) & mask
        while buckets[bucket] >= 0 {
            let wanted = hashes[Int(buckets[bucket])] & mask
            // How far it lies behind the bucket it wants, and behind the gap.
            if (bucket - wanted) & mask >= (bucket - gap) & mask {
                buckets[gap] = buckets[bucket]
                gap = bucket
            }
            bucket = (bucket + 1) & mask
        }
        buckets[gap] = -1
    }
}
