// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Testing

@testable import CircuitBreaking

@Suite struct CircuitSlotsTests {
    private static func key(_ kept: AnyObject) -> Int? { (kept as? CircuitKey<Int>)?.key }

    /// With few different hashes keys lie far from the buckets that they want, and gaps matter.
    @Test(arguments: [1, 3, 16, 1_000_000])
    func `every key is found and no other, while keys come, replace others and go`(hashes: Int) {
        for seed in UInt64(1)...20 {
            var random = RandomSource.seeded(seed)
            var slots = CircuitSlots()
            /// The keys in the order of their places.
            var present: [(key: Int, breaker: CircuitBreaker)] = []
            func hash(_ key: Int) -> Int { (key &* 7_919) % hashes &* (key % 2 == 0 ? 1 : -1) }
            for key in 0..<200 {
                let breaker = CircuitBreaker(name: "\(key)")
                if present.isEmpty || (present.count < 60 && Bool.random(using: &random)) {
                    slots.insert(breaker, for: CircuitKey(key), hash: hash(key))
                    present.append((key, breaker))
                } else {
                    let place = Int.random(in: 0..<present.count, using: &random)
                    let previous = slots.replace(place, by: breaker, for: CircuitKey(key), hash: hash(key))
                    #expect(Self.key(previous) == present[place].key)
                    present[place] = (key, breaker)
                }
                if present.count > 1, Int.random(in: 0..<4, using: &random) == 0 {
                    let place = Int.random(in: 0..<present.count, using: &random)
                    #expect(Self.key(slots.remove(place)) == present[place].key)
                    present.swapAt(place, present.count - 1)
                    present.removeLast()
                }
                let expected = Dictionary(uniqueKeysWithValues: present.map { ($0.key, ObjectIdentifier($0.breaker)) })
                for other in 0...key {
                    let found = slots.breaker(hash: hash(other)) { Self.key($0) == other }
                    guard found.map(ObjectIdentifier.init) == expected[other] else {
                        Issue.record("seed \(seed), after \(key): \(other) is \(found == nil ? "lost" : "wrong")")
                        return
                    }
                }
                #expect(slots.all.map { Self.key($0.key) } == present.map(\.key))
            }
        }
    }

    @Test func `a breaker is found once it is nobody's and as good as new`() throws {
        var slots = CircuitSlots()
        #expect(slots.findFresh() == nil)
        var held = (0..<5).map { CircuitBreaker(name: "\($0)") }
        for (number, breaker) in held.enumerated() { slots.insert(breaker, for: CircuitKey(number), hash: number) }
        #expect(slots.findFresh() == nil)
        try held[1].acquire().fail()
        held.removeSubrange(1...2)
        #expect(slots.findFresh() == 2)
        #expect(held.count == 3)
        // The last one takes the place, and the hand goes round among those that are left.
        #expect(Self.key(slots.remove(2)) == 2)
        #expect(slots.findFresh() == nil)
        for _ in 0..<3 { _ = slots.remove(0) }
        #expect(slots.findFresh() == nil)
        #expect(Self.key(slots.remove(0)) != nil && slots.findFresh() == nil && slots.all.isEmpty)
        #expect(held.count == 3)
    }
}
