// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A hash table from keys to what a limiter knows of each, with the state beside its key: a call looks at two or three
/// places in memory, however many keys there are.
///
/// It is open addressing with linear probing; removals move back what follows, so nothing is left behind by keys that
/// come and go. A slot has 32 bits of its key's hash, so the table grows without hashing a key again. It is filled to
/// three quarters at most, and to three eighths after it has grown.
struct KeyTable<Key: Hashable & Sendable, State: Sendable>: Sendable {
    struct Slot: Sendable {
        /// Zero in a slot that is free.
        fileprivate var hash: UInt32
        /// What the owner of the table knows the key's limit by.
        var plan: UInt32
        var state: State
        fileprivate(set) var key: Key?
    }

    private var slots: [Slot]
    private let free: Slot
    private(set) var count = 0
    /// Where the search for keys that need not be kept goes on.
    private var hand = 0

    private static var leastSlots: Int { 8 }

    /// - Parameter filler: The state that free slots have.
    init(filler: State) {
        free = Slot(hash: 0, plan: 0, state: filler, key: nil)
        slots = []
    }

    /// The part of a hash that a slot has.
    @inline(__always)
    static func tag(_ hash: Int) -> UInt32 { max(1, UInt32(truncatingIfNeeded: hash)) }

    /// Where a key is; `nil` if it is not in the table.
    @inline(__always)
    func index(of key: Key, tag: UInt32) -> Int? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        var index = Int(tag) & mask
        while true {
            let hash = slots[index].hash
            if hash == tag, slots[index].key == key { return index }
            if hash == 0 { return nil }
            index = (index + 1) & mask
        }
    }

    subscript(index: Int) -> Slot {
        @inline(__always) _read { yield slots[index] }
        @inline(__always) _modify { yield &slots[index] }
    }

    /// Whether there is room for one more without growing.
    var hasRoom: Bool { (count + 1) * 4 <= slots.count * 3 }

    /// Grows unless there is room for many more, after it was seen to that no key is in the table in vain. So that is
    /// seen to only once for many keys.
    mutating func growIfHalfFull() {
        if count * 2 >= slots.count { resize(to: max(Self.leastSlots, slots.count * 2)) }
    }

    /// Adds a key that is not in the table, growing it if it must.
    mutating func insert(_ key: Key, tag: UInt32, plan: UInt32, _ state: State) {
        if !hasRoom { resize(to: max(Self.leastSlots, slots.count * 2)) }
        count += 1
        place(Slot(hash: tag, plan: plan, state: state, key: key))
    }

    private mutating func place(_ slot: Slot) {
        let mask = slots.count - 1
        var index = Int(slot.hash) & mask
        while slots[index].hash != 0 { index = (index + 1) & mask }
        slots[index] = slot
    }

    private mutating func resize(to size: Int) {
        let old = slots
        slots = Array(repeating: free, count: size)
        hand = 0
        for slot in old where slot.hash != 0 { place(slot) }
    }

    /// Takes a key out, and moves back those that it stood in the way of.
    mutating func remove(at index: Int) {
        let mask = slots.count - 1
        var hole = index
        var next = (index + 1) & mask
        while slots[next].hash != 0 {
            let home = Int(slots[next].hash) & mask
            // It may move back as far as its home.
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = free
        count -= 1
    }

    /// Looks at the next slots, and takes out the first key that need not be kept.
    mutating func removeOne(lookingAt limit: Int, where isDispensable: (Slot) -> Bool) -> Slot? {
        for _ in 0..<min(limit, slots.count) {
            let slot = slots[hand]
            if slot.hash != 0, isDispensable(slot) {
                remove(at: hand)
                return slot
            }
            hand = (hand + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Whether `removeOne` would find a key.
    func containsOne(lookingAt limit: Int, where isDispensable: (Slot) -> Bool) -> Bool {
        (0..<min(limit, slots.count)).contains { offset in
            let slot = slots[(hand + offset) & (slots.count - 1)]
            return slot.hash != 0 && isDispensable(slot)
        }
    }

    /// Takes out all keys that need not be kept, and returns them.
    mutating func removeAll(where isDispensable: (Slot) -> Bool) -> [Slot] {
        var removed: [Slot] = []
        var index = 0
        // A removal moves keys back to where the walk is, or within what it has passed.
        while index < slots.count {
            let slot = slots[index]
            if slot.hash != 0, isDispensable(slot) {
                remove(at: index)
                removed.append(slot)
            } else {
                index += 1
            }
        }
        return removed
    }

    /// Gives back memory if the keys would do with half of it.
    mutating func shrink() {
        var size = slots.count
        while size > Self.leastSlots, (count + 1) * 4 <= size / 2 * 3 { size /= 2 }
        if count == 0 { size = 0 }
        if size < slots.count { resize(to: size) }
    }

    /// All keys, and where they are.
    var places: [(index: Int, key: Key)] {
        slots.indices.compactMap { index in slots[index].key.map { (index, $0) } }
    }

    var keys: [Key] { slots.compactMap(\.key) }
}
