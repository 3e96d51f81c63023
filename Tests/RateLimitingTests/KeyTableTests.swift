// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import RateLimiting
import ReliabilityTesting
import Testing

@Suite struct KeyTableTests {
    typealias Table = KeyTable<Int, Int>

    /// A tag that many keys share, so that they stand in each other's way.
    private static func tag(_ key: Int, _ spread: Int) -> UInt32 { Table.tag(key % spread * 3) }

    @Test(arguments: (0..<40).map { UInt64($0) &* 31 &+ 1 })
    func `a table holds what a dictionary holds, however its keys collide`(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let spread = Int.random(in: 1...40, using: &random)
        var table = Table(filler: 0)
        var model: [Int: Int] = [:]
        for step in 0..<1_500 {
            let key = Int.random(in: 0..<80, using: &random)
            let tag = Self.tag(key, spread)
            let index = table.index(of: key, tag: tag)
            try #require(index.map { table[$0].state } == model[key], "seed \(seed), step \(step), key \(key)")
            switch (Int.random(in: 0..<10, using: &random), index) {
            case (0..<4, nil):
                table.insert(key, tag: tag, plan: 1, step)
                model[key] = step
            case (4..<6, let index?):
                table[index].state = step
                model[key] = step
            case (6..<8, let index?):
                table.remove(at: index)
                model[key] = nil
            case (8, _):
                let removed = table.removeOne(lookingAt: 3) { $0.state.isMultiple(of: 2) }
                if let removed {
                    let key = try #require(removed.key)
                    try #require(model[key] == removed.state && removed.state.isMultiple(of: 2))
                    model[key] = nil
                }
            case (9, _) where step.isMultiple(of: 5):
                let removed = table.removeAll { $0.state.isMultiple(of: 3) }
                try #require(Set(removed.compactMap(\.key)) == Set(model.filter { $0.value.isMultiple(of: 3) }.keys))
                model = model.filter { !$0.value.isMultiple(of: 3) }
                table.shrink()
            default:
                break
            }
            try #require(table.count == model.count)
        }
        #expect(Set(table.keys) == Set(model.keys))
        for (index, key) in table.places { #expect(table[index].state == model[key]) }
        for key in 0..<80 {
            #expect(table.index(of: key, tag: Self.tag(key, spread)).map { table[$0].state } == model[key])
        }
    }

    @Test func `the search for a key to take out goes round the table and finds each`() {
        var table = Table(filler: 0)
        for key in 0..<20 { table.insert(key, tag: Self.tag(key, 100), plan: 0, key) }
        #expect(!table.containsOne(lookingAt: 64) { $0.state == 99 })
        #expect(table.containsOne(lookingAt: 64) { $0.state == 7 })
        var removed: Set<Int> = []
        for _ in 0..<200 {
            if let slot = table.removeOne(lookingAt: 4, where: { _ in true }) { removed.insert(slot.state) }
        }
        #expect(removed == Set(0..<20) && table.count == 0)
        table.shrink()
        #expect(table.index(of: 1, tag: 3) == nil && !table.hasRoom)
    }

    @Test func `a search looks at no more slots than it may`() {
        var table = Table(filler: 0)
        #expect(!table.containsOne(lookingAt: 4) { _ in true })
        for key in 0..<40 { table.insert(key, tag: Self.tag(key, 100), plan: 0, key) }
        var looks = 0
        func look(_ slot: Table.Slot) -> Bool {
            looks += 1
            return false
        }
        #expect(table.removeOne(lookingAt: 4, where: look) == nil && !table.containsOne(lookingAt: 4, where: look))
        #expect(looks <= 8)
        // All are looked at once, also if more may be.
        looks = 0
        #expect(!table.containsOne(lookingAt: 1_000, where: look))
        #expect(looks == 40)
    }

    @Test func `where keys come as others go, the table is looked through once for many of them`() {
        var shard = KeyShard<Int, GCRA>(GCRA(.zero))
        let limit = RateLimit.perSecond(1)
        var looks = 0
        for key in 0..<20_000 {
            // A key is as good as new after a second, and may go a minute later.
            let now = Int64(key) * 61_000_000
            if shard.insert(key, tag: KeyTable<Int, BucketState>.tag(key), limit, at: now) > 0 { looks += 1 }
            _ = shard.take(1, of: key, tag: KeyTable<Int, BucketState>.tag(key), at: now)
        }
        #expect(shard.count < 4_000)
        #expect((1...60).contains(looks))
    }

    @Test func `limits are kept once each, and forgotten with their last key`() {
        var plans = PlanTable<GCRA>()
        let first = plans.join(.perSecond(1))
        let second = plans.join(.perSecond(2))
        #expect(plans.join(.perSecond(1)) == first && first != second)
        let generation = plans[first].generation
        plans.leave(first)
        #expect(plans.join(.perSecond(1)) == first && plans[first].generation == generation)
        plans.leave(first)
        plans.leave(first)
        // The place is used again, and what was granted under the old limit is told from it.
        #expect(plans.join(.perSecond(3)) == first)
        #expect(plans[first].core.limit == .perSecond(3) && plans[first].generation > plans[second].generation)
        #expect(plans.join(.perSecond(1)) != first)
    }
}
