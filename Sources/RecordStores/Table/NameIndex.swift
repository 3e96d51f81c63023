// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The slots of a table's records by the hashes of their names.
///
/// Open addressing with linear probing. A bucket holds a hash and a slot; the name itself stands in the slot alone. So
/// names are compared only where whole hashes are equal, and growing and removing never read one.
struct NameIndex {
    private struct Bucket {
        var hash: Int
        var slot: Int

        var isFree: Bool { slot < 0 }

        static let free = Bucket(hash: 0, slot: -1)
    }

    /// A power of two in number, of which a third at least is free.
    private var buckets = [Bucket](repeating: .free, count: 16)
    private(set) var count = 0

    private var mask: Int { buckets.count - 1 }

    /// The hash of a name; it holds for the life of the process.
    static func hash(of id: RecordID) -> Int {
        var hasher = Hasher()
        hasher.combine(utf8: id.collection)
        hasher.combine(utf8: id.key)
        return hasher.finalize()
    }

    /// The slot with that hash for which `isNamed` holds.
    func slot(_ hash: Int, where isNamed: (Int) -> Bool) -> Int? {
        var place = hash & mask
        while !buckets[place].isFree {
            if buckets[place].hash == hash, isNamed(buckets[place].slot) { return buckets[place].slot }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Adds a slot that is not in the index.
    mutating func insert(_ slot: Int, hash: Int) {
        if 3 * (count + 1) > 2 * buckets.count { grow() }
        put(Bucket(hash: hash, slot: slot))
        count += 1
    }

    /// Removes a slot that is in the index, and moves those back that its bucket had kept from their place.
    mutating func remove(_ slot: Int, hash: Int) {
        var gap = hash & mask
        while buckets[gap].slot != slot {
            precondition(!buckets[gap].isFree, "The slot \(slot) is not in the index of names")
            gap = (gap + 1) & mask
        }
        var next = (gap + 1) & mask
        while !buckets[next].isFree {
            let displacement = (next - buckets[next].hash) & mask
            if displacement >= (next - gap) & mask {
                buckets[gap] = buckets[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        buckets[gap] = .free
        count -= 1
    }

    private mutating func grow() {
        let old = buckets
        buckets = [Bucket](repeating: .free, count: 2 * old.count)
        for bucket in old where !bucket.isFree { put(bucket) }
    }

    private mutating func put(_ bucket: Bucket) {
        var place = bucket.hash & mask
        while !buckets[place].isFree { place = (place + 1) & mask }
        buckets[place] = bucket
    }
}
