// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The slots of a collection by position.
///
/// Positions are given out in rising order, so an insert nearly always appends. A removed slot is forgotten lazily: the
/// owner reports it, and entries that no longer hold are dropped when they are the majority.
struct PositionIndex {
    struct Entry {
        let position: UInt64
        let slot: Int
    }

    /// By position; those before ``first`` have died.
    private var entries: [Entry] = []
    private var first = 0
    private var dead = 0

    /// Adds the entry of a record, in the place of one that its position had before and that has died.
    mutating func insert(_ entry: Entry) {
        guard let last = entries.last, last.position >= entry.position else { return entries.append(entry) }
        let index = firstIndex(after: entry.position)
        if index > 0, entries[index - 1].position == entry.position {
            entries[index - 1] = entry
            first = min(first, index - 1)
            dead -= 1
        } else {
            entries.insert(entry, at: index)
            first = min(first, index)
        }
    }

    /// The entry of a position, which may have died.
    func entry(at position: UInt64) -> Entry? {
        guard let last = entries.last, last.position >= position else { return nil }
        let index = firstIndex(after: position) - 1
        guard index >= entries.startIndex, entries[index].position == position else { return nil }
        return entries[index]
    }

    /// Notes that one entry has died; `isLive` tells which ones have not.
    mutating func noteDeath(isLive: (Entry) -> Bool) {
        dead += 1
        while first < entries.count, !isLive(entries[first]) { first += 1 }
        guard dead > 32, dead > entries.count / 2 else { return }
        entries = entries.filter(isLive)
        (first, dead) = (0, 0)
    }

    /// The entries from the first one past `position` on, dead ones among them.
    func entries(after position: UInt64?) -> ArraySlice<Entry> {
        entries[max(first, position.map(firstIndex(after:)) ?? 0)...]
    }

    private func firstIndex(after position: UInt64) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = low + (high - low) / 2
            if entries[middle].position <= position { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
