// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The records of a store, and every rule about them: the pure core of the local stores and the model of all others.
///
/// Each operation takes the store's time and is carried out at once and in full; waiting, durability and locking are
/// the business of the store around it. Lookups by key are a dictionary access, claims and expiry a heap's, and an
/// expired record that comes up in any of them is removed there and then.
package struct RecordTable {
    struct Slot {
        var record: Record
        let collection: Int
        /// Outdates the alarms that were set before the last change.
        var stamp: UInt64

        var orderKey: ByteText? { record.orderKey.map(ByteText.init) }
    }

    /// How many expired records each operation clears away beyond those that it meets.
    static let sweepPerOperation = 8

    var index: [RecordID: Int] = [:]
    var slots: [Slot?] = []
    var free: [Int] = []
    var collections: [CollectionIndex] = []
    var collectionNumbers: [ByteText: Int] = [:]
    var expiring = MinHeap<Alarm>()
    var nextStamp: UInt64 = 0
    /// The latest time that any operation was carried out at; an earlier one counts as this.
    package internal(set) var now: Timestamp
    /// The fence that is given out next.
    package internal(set) var nextFence: Fence
    /// The position that is given out next.
    package internal(set) var nextPosition: UInt64
    private let recordsEffects: Bool
    private var effects: [RecordEffect] = []

    package init(
        now: Timestamp, nextFence: Fence = .first, nextPosition: UInt64 = 1, recordingEffects: Bool = false
    ) {
        self.now = now
        self.nextFence = nextFence
        self.nextPosition = nextPosition
        recordsEffects = recordingEffects
    }

    /// How many records stand in the table, expired ones that nothing has met yet among them.
    package var count: Int { index.count }

    /// What the operations since the last call did, for a journal.
    package mutating func takeEffects() -> [RecordEffect] {
        defer { effects.removeAll() }
        return effects
    }

    mutating func note(_ effect: @autoclosure () -> RecordEffect) {
        if recordsEffects { effects.append(effect()) }
    }

    /// Starts an operation: time does not go back, and a few expired records are cleared away.
    mutating func begin(at time: Timestamp) {
        now = max(now, time)
        sweep(limit: Self.sweepPerOperation)
    }

    mutating func takeFence() -> Fence {
        defer { nextFence = nextFence.next }
        return nextFence
    }

    // MARK: Reading

    package mutating func read(_ ids: [RecordID], at time: Timestamp) throws(StoreError) -> ReadAnswer {
        try RecordLimits.check("identifiers", ids.count, RecordLimits.page)
        begin(at: time)
        return ReadAnswer(now: now, records: ids.map { id in live(id).map { self[$0] } })
    }

    package mutating func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int, at time: Timestamp
    ) throws(StoreError) -> ScanAnswer {
        try RecordLimits.check("limit", limit, RecordLimits.page)
        begin(at: time)
        guard let number = collectionNumbers[ByteText(collection)] else {
            return ScanAnswer(now: now, records: [], next: nil)
        }
        var records: [Record] = []
        for entry in collections[number].byPosition.entries(after: position) {
            guard let record = record(of: entry, in: number), state == nil || record.state == state else { continue }
            guard records.count < limit else {
                return ScanAnswer(now: now, records: records, next: records.last?.position)
            }
            records.append(record)
        }
        return ScanAnswer(now: now, records: records, next: nil)
    }

    package mutating func statistics(of collection: String, at time: Timestamp) -> CollectionStatistics {
        begin(at: time)
        sweep(limit: .max)
        guard let number = collectionNumbers[ByteText(collection)] else {
            return CollectionStatistics(now: now, counts: [:], oldestDue: nil, oldestCreated: nil)
        }
        let entries = collections[number].byPosition.entries(after: nil)
        let oldest = entries.first { record(of: $0, in: number) != nil }.flatMap { record(of: $0, in: number) }
        return CollectionStatistics(
            now: now, counts: collections[number].counts, oldestDue: oldestDue(in: number),
            oldestCreated: oldest?.createdAt)
    }

    /// Since when the record waits that could be claimed longest, or when the first can be that nobody holds; what has
    /// expired has to be swept away before.
    private mutating func oldestDue(in number: Int) -> Timestamp? {
        guard let next = nextAlarm(in: number) else { return nil }
        // Held records come up at the end of their lease, so what has come up by now is free.
        if next.at <= now { return next.at }
        var oldest: Timestamp?
        for alarm in collections[number].due.elements where holds(alarm) && !self[alarm.slot].isHeld(at: now) {
            guard let due = self[alarm.slot].dueAt else { continue }
            oldest = min(due, oldest ?? due)
        }
        return oldest
    }

    package mutating func purgeExpired(limit: Int, at time: Timestamp) -> Int {
        now = max(now, time)
        return sweep(limit: max(0, limit))
    }

    // MARK: Slots

    /// The record in a slot that is known to be taken.
    subscript(slot: Int) -> Record {
        get {
            guard let content = slots[slot] else { preconditionFailure("Slot \(slot) is empty") }
            return content.record
        }
        set { slots[slot]?.record = newValue }
    }

    /// The slot of the record of that name; an expired one is removed and counts as absent.
    mutating func live(_ id: RecordID) -> Int? {
        guard let slot = index[id] else { return nil }
        guard self[slot].isExpired(at: now) else { return slot }
        remove(slot)
        return nil
    }

    /// The record that an entry by position stands for, unless it has gone or expired.
    private func record(of entry: PositionIndex.Entry, in collection: Int) -> Record? {
        guard let slot = slots[entry.slot], slot.collection == collection, slot.record.position == entry.position,
            !slot.record.isExpired(at: now)
        else { return nil }
        return slot.record
    }

    /// Removes up to `limit` expired records, those that expired first.
    @discardableResult
    mutating func sweep(limit: Int) -> Int {
        var removed = 0
        while removed < limit, let alarm = expiring.least, alarm.at <= now {
            _ = expiring.removeLeast()
            guard holds(alarm) else { continue }
            remove(alarm.slot)
            removed += 1
        }
        return removed
    }

    func holds(_ alarm: Alarm) -> Bool { slots[alarm.slot]?.stamp == alarm.stamp }
}
