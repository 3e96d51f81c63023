// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A moment at which a slot needs attention: it becomes claimable, or it expires.
///
/// It holds only while the slot still carries the same stamp, so a change to a record outdates all its alarms at once.
struct Alarm: Comparable {
    let at: Timestamp
    let position: UInt64
    let slot: Int
    let stamp: UInt64

    static func < (lhs: Alarm, rhs: Alarm) -> Bool {
        lhs.at == rhs.at ? lhs.position < rhs.position : lhs.at < rhs.at
    }
}

/// What a table keeps for each collection to find records by other things than their key.
struct CollectionIndex {
    /// A record in the line of its order key.
    struct Waiting: Comparable {
        let position: UInt64
        let slot: Int

        static func < (lhs: Waiting, rhs: Waiting) -> Bool { lhs.position < rhs.position }
    }

    /// The records of one order key.
    struct Line {
        /// By position; entries whose record has left the line are skipped when they come up.
        var waiting = MinHeap<Waiting>()
        /// How many records are in the line.
        var count = 0
        /// The slot of the head, the only record of the line that can be claimed.
        var head: Int?

        /// Makes the first that still waits the head.
        mutating func promoteHead(_ isWaiting: (Waiting) -> Bool) {
            while let first = waiting.least, !isWaiting(first) { _ = waiting.removeLeast() }
            head = waiting.least?.slot
        }

        /// Drops the entries of records that have left once they are the majority.
        mutating func trim(_ isWaiting: (Waiting) -> Bool) {
            guard waiting.count > 2 * count + 16 else { return }
            waiting.removeAll { !isWaiting($0) }
        }
    }

    let name: String
    /// When heads and unordered records become claimable.
    var due = MinHeap<Alarm>()
    /// When heads expire and make room for the next.
    var ends = MinHeap<Alarm>()
    var lines: [ByteText: Line] = [:]
    var byPosition = PositionIndex()
    var counts = StateCounts()
    /// How many records are in the collection.
    var count = 0

    init(name: String) { self.name = name }

    mutating func add(_ slot: Int, position: UInt64, state: String) {
        byPosition.insert(.init(position: position, slot: slot))
        counts.enter(state)
        count += 1
    }
}
