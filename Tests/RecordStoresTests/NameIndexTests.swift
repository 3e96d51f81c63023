// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Testing

@testable import RecordStores

@Suite struct NameIndexTests {
    /// Few different hashes, so that most slots stand in another's place, past the end of the buckets too.
    @Test(arguments: [1, 3, 17, 1_000] as [UInt64])
    func `every slot is found by its hash after any inserts and removals`(hashes: UInt64) {
        for seed in 1...5 as ClosedRange<UInt64> {
            let random = RandomSource.seeded(seed)
            var (index, expected) = (NameIndex(), [Int: Int]())
            for slot in 0..<400 {
                let hash = Int(bitPattern: UInt(random.next() % hashes)) - 2
                index.insert(slot, hash: hash)
                expected[slot] = hash
                for victim in expected.keys.sorted() where random.next() % 100 == 0 {
                    guard let hash = expected.removeValue(forKey: victim) else { continue }
                    index.remove(victim, hash: hash)
                }
            }
            #expect(index.count == expected.count, "seed \(seed)")
            for slot in 0..<400 {
                let found = index.slot(expected[slot] ?? -1) { $0 == slot }
                #expect(found == (expected[slot] == nil ? nil : slot), "seed \(seed)")
            }
        }
    }
}
