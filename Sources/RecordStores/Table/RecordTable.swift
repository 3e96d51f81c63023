// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The records of a store, and every rule about them: the pure core of the local stores and the model of all others.
///
/// Each operation takes the store's time and is carried out at once and in full; waiting, durability and locking are
/// the business of the store around it. Lookups by key are a dictionary access, claims and expiry a heap's, and an
/// expired record that comes up in any of them is removed there and then.
package struct RecordTable: Sendable {
    /// A place for a record. Its parts are read and changed where they are: a copy of a record would count up and down
    /// the references of everything in it, which costs more than most operations.
    struct Slot {
        var record: Record
        var collection: Int
        /// The hash of the record's name.
        var hash: Int
        /// Outdates the alarms that were set before the last change; zero if no record stands here.
        var stamp: UInt64

        var orderKey: ByteText? { record.orderKey.map(ByteText.init) }

        /// A slot without a record; no record has its position.
        static let empty = Slot(
            record: Record(
                id: RecordID("", ""), fence: Fence(rawValue: 0), position: 0, state: "",
                createdAt: Timestamp(nanosecondsSince1970: 0)),
            collection: 0, hash: 0, stamp: 0)
    }

    /// Where a name leads.
    struct Place {
        let hash: Int
        /// The slot of the record; `nil` if none stands under the name.
        let slot: Int?
    }

    /// How many expired records each operation clears away beyond those that it meets.
    static let sweepPerOperation = 8

    var index = NameIndex()
    var slots: [Slot] = []
    var free: [Int] = []
    var collections: [CollectionIndex] = []
    var collectionNumbers: [ByteText: Int] = [:]
    var expiring = MinHeap<Alarm>()
    var nextStamp: UInt64 = 0
    /// Roughly how many bytes the records take that stand.
    package internal(set) var bytes = 0
    /// The latest time that any operation was carried out at; an earlier one counts as this.
    package internal(set) var now: Timestamp
    /// The fence that is given out next.
    package internal(set) var nextFence: Fence
    /// The position that is given out next.
    package internal(set) var nextPosition: UInt64
    /// How many records are taken at most; `nil` if there is no such limit.
    let capacity: Int?
    private let recordsEffects: Bool
    private var effects: [RecordEffect] = []
    private var expired: [RecordID] = []

    package init(
        now: Timestamp, nextFence: Fence = .first, nextPosition: UInt64 = 1, capacity: Int? = nil,
        recordingEffects: Bool = false
    ) {
        self.now = now
        self.capacity = capacity
        self.nextFence = nextFence
        self.nextPosition = nextPosition
        recordsEffects = recordingEffects
    }

    /// Every record, those that have expired and were not met among them.
    package var allRecords: [Record] { slots.filter { $0.stamp > 0 }.map(\.record) }

    /// The collections that have records.
    var collectionNames: [String] { collections.filter { $0.count > 0 }.map(\.name) }

    /// How many records stand in the table, expired ones that nothing has met yet among them.
    package var count: Int { index.count }

    /// What the operations since the last call did, for a journal.
    package mutating func takeEffects() -> [RecordEffect] {
        defer { effects.removeAll() }
        return effects
    }

    /// The records that have expired since the last call and were met: all that was shown depends on their absence, so
    /// a journal keeps it. Nothing that ``takeEffects()`` returns comes before it.
    package mutating func takeExpired() -> [RecordID] {
        defer { expired.removeAll() }
        return expired
    }

    mutating func note(_ effect: @autoclosure () -> RecordEffect) {
        if recordsEffects { effects.append(effect()) }
    }

    mutating func noteRecord(in slot: Int) {
        if recordsEffects { effects.append(.put(slots[slot].record)) }
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
        var passed: [Int] = []
        var next: UInt64?
        for entry in collections[number].byPosition.entries(after: position) where isTaken(entry, in: number) {
            if isExpired(entry.slot) {
                passed.append(entry.slot)
            } else if state == nil || slots[entry.slot].record.state == state {
                guard records.count < limit else {
                    next = records.last?.position
                    break
                }
                records.append(self[entry.slot])
            }
        }
        for slot in passed { expire(slot) }
        return ScanAnswer(now: now, records: records, next: next)
    }

    /// The first records of the collection of that number past a position, until they take about so many bytes; those
    /// that have expired and were not met are among them. `nil` if there is no such collection.
    package func stored(inCollection number: Int, after position: UInt64?, bytes: Int) -> [Record]? {
        guard number < collections.count else { return nil }
        var (records, size): ([Record], Int) = ([], 0)
        for entry in collections[number].byPosition.entries(after: position) where isTaken(entry, in: number) {
            guard size < bytes else { break }
            size += slots[entry.slot].record.weight
            records.append(self[entry.slot])
        }
        return records
    }

    package mutating func statistics(of collection: String, at time: Timestamp) -> CollectionStatistics {
        begin(at: time)
        sweep(limit: .max)
        guard let number = collectionNumbers[ByteText(collection)] else {
            return CollectionStatistics(now: now, counts: [:], oldestDue: nil, oldestCreated: nil)
        }
        let entries = collections[number].byPosition.entries(after: nil)
        // Nothing that has expired is left, so the first that stands counts.
        let oldest = entries.first { isTaken($0, in: number) }
        return CollectionStatistics(
            now: now, counts: collections[number].counts.byState, oldestDue: oldestDue(in: number),
            oldestCreated: oldest.map { slots[$0.slot].record.createdAt })
    }

    /// Since when the record waits that could be claimed longest, or when the first can be that nobody holds; what has
    /// expired has to be swept away before.
    private mutating func oldestDue(in number: Int) -> Timestamp? {
        guard let next = nextAlarm(\.due, in: number) else { return nil }
        // Held records come up at the end of their lease, so what has come up by now is free.
        if next.at <= now { return next.at }
        var oldest: Timestamp?
        for alarm in collections[number].due.elements where holds(alarm) && !isHeld(alarm.slot) {
            guard let due = slots[alarm.slot].record.dueAt else { continue }
            oldest = min(due, oldest ?? due)
        }
        return oldest
    }

    package mutating func purgeExpired(limit: Int, at time: Timestamp) -> Int {
        now = max(now, time)
        return sweep(limit: max(0, limit))
    }

    // MARK: Slots

    /// A copy of the record in a slot that is known to be taken.
    subscript(slot: Int) -> Record { slots[slot].record }

    /// The slot of the record of that name; an expired one is removed and counts as absent.
    mutating func live(_ id: RecordID) -> Int? { place(of: id).slot }

    mutating func place(of id: RecordID) -> Place {
        let place = storedPlace(of: id)
        guard let slot = place.slot, isExpired(slot) else { return place }
        expire(slot)
        return Place(hash: place.hash, slot: nil)
    }

    /// Where a name leads, be it to a record that has expired.
    func storedPlace(of id: RecordID) -> Place {
        let hash = NameIndex.hash(of: id)
        return Place(hash: hash, slot: index.slot(hash) { slots[$0].record.id == id })
    }

    func isExpired(_ slot: Int) -> Bool {
        guard let expiresAt = slots[slot].record.expiresAt, expiresAt <= now else { return false }
        return !isHeld(slot)
    }

    func isHeld(_ slot: Int) -> Bool {
        guard let leaseUntil = slots[slot].record.leaseUntil else { return false }
        return leaseUntil > now
    }

    /// Removes a record that has expired.
    mutating func expire(_ slot: Int) {
        if recordsEffects { expired.append(slots[slot].record.id) }
        remove(slot)
    }

    /// Whether the record that an entry by position was made for still stands there.
    func isTaken(_ entry: PositionIndex.Entry, in collection: Int) -> Bool {
        slots[entry.slot].record.position == entry.position && slots[entry.slot].collection == collection
    }

    /// Removes up to `limit` expired records, those that expired first.
    @discardableResult
    mutating func sweep(limit: Int) -> Int {
        var removed = 0
        while removed < limit, let alarm = expiring.least, alarm.at <= now {
            _ = expiring.removeLeast()
            guard holds(alarm) else { continue }
            expire(alarm.slot)
            removed += 1
        }
        return removed
    }

    /// Removes a few expired records; whether there are more.
    mutating func sweepExpired(at time: Timestamp) -> Bool {
        begin(at: time)
        while let alarm = expiring.least, !holds(alarm) { _ = expiring.removeLeast() }
        return expiring.least.map { $0.at <= now } ?? false
    }

    func holds(_ alarm: Alarm) -> Bool { slots[alarm.slot].stamp == alarm.stamp }
}
