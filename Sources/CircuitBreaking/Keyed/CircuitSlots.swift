// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The breakers of some keys, and a hand that goes round to find one that can make room.
struct CircuitSlots<Key: Hashable & Sendable>: Sendable {
    private struct Slot {
        var key: Key
        var breaker: CircuitBreaker
    }

    private var places: [Key: Int] = [:]
    private var slots: [Slot] = []
    private var hand = 0

    /// How many breakers are looked at for one that is as good as new.
    private static var looks: Int { 32 }

    var all: [(key: Key, breaker: CircuitBreaker)] { slots.map { ($0.key, $0.breaker) } }

    func breaker(for key: Key) -> CircuitBreaker? { places[key].map { slots[$0].breaker } }

    mutating func insert(_ breaker: CircuitBreaker, for key: Key) {
        places[key] = slots.count
        slots.append(Slot(key: key, breaker: breaker))
    }

    /// The place of a breaker that nobody holds and that is as good as new.
    ///
    /// Whoever uses a breaker holds it, be it for the length of a call or in a permit, and only this structure, under
    /// its lock, hands out one that nobody holds. So nobody can begin to use it before it is replaced.
    mutating func findFresh() -> Int? {
        for _ in 0..<min(Self.looks, slots.count) {
            let place = hand
            hand = hand + 1 == slots.count ? 0 : hand + 1
            if isKnownUniquelyReferenced(&slots[place].breaker), slots[place].breaker.isFresh { return place }
        }
        return nil
    }

    /// Gives the place to another key; returns the one that had it.
    mutating func replace(_ place: Int, by breaker: CircuitBreaker, for key: Key) -> Key {
        let previous = slots[place].key
        places[previous] = nil
        places[key] = place
        slots[place] = Slot(key: key, breaker: breaker)
        return previous
    }
}
