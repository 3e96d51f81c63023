// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How a table keeps its indexes in step with its records.
extension RecordTable {
    /// Puts a record into a free slot and all indexes.
    mutating func add(_ record: Record) {
        let number = collectionNumber(record.id.collection)
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(nil) }
        nextStamp &+= 1
        slots[slot] = Slot(record: record, collection: number, stamp: nextStamp)
        index[record.id] = slot
        collections[number].byPosition.insert(.init(position: record.position, slot: slot))
        collections[number].counts[record.state, default: 0] += 1
        join(slot)
        setAlarms(slot)
    }

    /// Changes a record in place, and every index with it.
    mutating func update(_ slot: Int, to record: Record) {
        let old = self[slot]
        guard let number = slots[slot]?.collection else { return }
        if old.state != record.state {
            leaveState(old.state, of: number)
            collections[number].counts[record.state, default: 0] += 1
        }
        let moves = old.orderKey.map(ByteText.init) != record.orderKey.map(ByteText.init)
        if moves { leave(slot) }
        self[slot] = record
        if moves { join(slot) }
        setAlarms(slot)
    }

    /// Takes a record out of the table; the next of its order key becomes the head.
    mutating func remove(_ slot: Int) {
        guard let number = slots[slot]?.collection else { return }
        let record = self[slot]
        leave(slot)
        slots[slot] = nil
        index[record.id] = nil
        free.append(slot)
        leaveState(record.state, of: number)
        // A copy for the length of the call: the closure may not look at the table while its index is changed.
        let slots = slots
        collections[number].byPosition.noteDeath { entry in
            slots[entry.slot].map { $0.collection == number && $0.record.position == entry.position } ?? false
        }
    }

    private mutating func collectionNumber(_ name: String) -> Int {
        let key = ByteText(name)
        if let number = collectionNumbers[key] { return number }
        collections.append(CollectionIndex(name: name))
        collectionNumbers[key] = collections.count - 1
        return collections.count - 1
    }

    private mutating func leaveState(_ state: String, of number: Int) {
        let left = (collections[number].counts[state] ?? 1) - 1
        collections[number].counts[state] = left > 0 ? left : nil
    }

    // MARK: Order keys

    /// Whether nobody stands before the record: it has no order key, or is the head of it.
    func isHead(_ slot: Int) -> Bool {
        guard let content = slots[slot], let key = content.orderKey else { return true }
        return collections[content.collection].lines[key]?.head == slot
    }

    /// Puts a record with an order key into its line, at its position.
    private mutating func join(_ slot: Int) {
        guard let content = slots[slot], let key = content.orderKey else { return }
        let position = content.record.position
        var line = collections[content.collection].lines.removeValue(forKey: key) ?? .init()
        line.waiting.insert(.init(position: position, slot: slot))
        line.count += 1
        let head = line.head
        if head.map({ position < self[$0].position }) ?? true { line.head = slot }
        collections[content.collection].lines[key] = line
        // The former head now stands behind this one.
        if line.head == slot, let head { setAlarms(head) }
    }

    /// Takes a record out of the line of its order key; the next one becomes the head.
    private mutating func leave(_ slot: Int) {
        guard let content = slots[slot], let key = content.orderKey,
            var line = collections[content.collection].lines.removeValue(forKey: key)
        else { return }
        line.count -= 1
        guard line.count > 0 else { return }
        let wasHead = line.head == slot
        let slots = slots
        func isWaiting(_ entry: CollectionIndex.Waiting) -> Bool {
            guard entry.slot != slot, let other = slots[entry.slot], other.collection == content.collection else {
                return false
            }
            return other.record.position == entry.position && other.orderKey == key
        }
        if wasHead { line.promoteHead(isWaiting) }
        line.trim(isWaiting)
        collections[content.collection].lines[key] = line
        if wasHead, let head = line.head { setAlarms(head) }
    }

    // MARK: Alarms

    /// Outdates the alarms of a slot and sets those that its record calls for now.
    mutating func setAlarms(_ slot: Int) {
        nextStamp &+= 1
        slots[slot]?.stamp = nextStamp
        guard let content = slots[slot] else { return }
        let record = content.record
        let heldUntil = record.leaseUntil
        func alarm(at time: Timestamp) -> Alarm {
            let at = heldUntil.map { max($0, time) } ?? time
            return Alarm(at: at, position: record.position, slot: slot, stamp: content.stamp)
        }
        if let expiresAt = record.expiresAt {
            expiring.insert(alarm(at: expiresAt))
            Self.trim(&expiring, slots)
        }
        guard isHead(slot) else { return }
        var times = [record.dueAt]
        // A head that expires makes room for the next, which only a claim of due records would notice.
        if record.orderKey != nil { times.append(record.expiresAt) }
        guard let first = times.compactMap({ $0 }).min() else { return }
        collections[content.collection].due.insert(alarm(at: first))
        Self.trim(&collections[content.collection].due, slots)
    }

    /// Drops outdated alarms once they are the majority of all that there could be.
    private static func trim(_ alarms: inout MinHeap<Alarm>, _ slots: [Slot?]) {
        guard alarms.count > 2 * slots.count + 64 else { return }
        alarms.removeAll { slots[$0.slot]?.stamp != $0.stamp }
    }

    /// The next alarm of a collection that still holds; outdated ones before it are dropped.
    mutating func nextAlarm(in number: Int) -> Alarm? {
        while let alarm = collections[number].due.least {
            if holds(alarm) { return alarm }
            _ = collections[number].due.removeLeast()
        }
        return nil
    }
}
