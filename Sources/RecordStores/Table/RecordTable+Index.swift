// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How a table keeps its indexes in step with its records.
extension RecordTable {
    /// Puts a record into a free slot and all indexes; returns the slot.
    @discardableResult
    mutating func add(_ record: consuming Record, hash: Int) -> Int {
        let number = collectionNumber(record.id.collection)
        let slot = put(Slot(record: record, collection: number, hash: hash, stamp: nextStamp))
        index.insert(slot, hash: hash)
        collections[number].add(slot, position: slots[slot].record.position, state: slots[slot].record.state)
        bytes += slots[slot].record.weight
        join(slot)
        setAlarms(slot)
        return slot
    }

    private mutating func put(_ content: consuming Slot) -> Int {
        guard let slot = free.popLast() else {
            slots.append(content)
            return slots.count - 1
        }
        slots[slot] = content
        return slot
    }

    /// Puts other content and another hold into a record, and brings every index in step.
    mutating func update(_ slot: Int, to record: Record) {
        change(slot, state: record.state, orderKey: record.orderKey) { $0 = record }
    }

    /// Changes a record in place, and every index with it; `body` sees to it that it gets this state and order key.
    mutating func change(_ slot: Int, state: String, orderKey: String?, _ body: (inout Record) -> Void) {
        let number = slots[slot].collection
        if slots[slot].record.state != state {
            collections[number].counts.leave(slots[slot].record.state)
            collections[number].counts.enter(state)
        }
        let moves = slots[slot].orderKey != orderKey.map(ByteText.init)
        if moves { leave(slot) }
        bytes -= slots[slot].record.weight
        body(&slots[slot].record)
        bytes += slots[slot].record.weight
        if moves { join(slot) }
        setAlarms(slot)
    }

    /// Gives a record to a holder under a new fence.
    mutating func hold(_ slot: Int, _ fence: Fence, _ holder: Holder, until: Timestamp, claims: Int) {
        slots[slot].record.fence = fence
        slots[slot].record.holder = holder
        slots[slot].record.leaseUntil = until
        slots[slot].record.claims = claims
        setAlarms(slot)
    }

    /// Lets the hold on a record end at another time.
    mutating func moveLeaseEnd(_ slot: Int, to until: Timestamp) {
        slots[slot].record.leaseUntil = until
        setAlarms(slot)
    }

    /// Takes a record out of the table; the next of its order key becomes the head.
    mutating func remove(_ slot: Int) {
        let number = slots[slot].collection
        leave(slot)
        index.remove(slot, hash: slots[slot].hash)
        collections[number].counts.leave(slots[slot].record.state)
        bytes -= slots[slot].record.weight
        slots[slot] = .empty
        free.append(slot)
        collections[number].count -= 1
        // A copy for the length of the call: the closure may not look at the table while its index is changed.
        let slots = slots
        collections[number].byPosition.noteDeath { entry in
            slots[entry.slot].collection == number && slots[entry.slot].record.position == entry.position
        }
    }

    private mutating func collectionNumber(_ name: String) -> Int {
        // Most stores have a few collections, and the first serves most of the calls.
        if !collections.isEmpty, collections[0].name.hasBytes(of: name) { return 0 }
        let key = ByteText(name)
        if let number = collectionNumbers[key] { return number }
        collections.append(CollectionIndex(name: name))
        collectionNumbers[key] = collections.count - 1
        return collections.count - 1
    }

    // MARK: Order keys

    /// Whether nobody stands before the record: it has no order key, or is the head of it.
    func isHead(_ slot: Int) -> Bool {
        guard let key = slots[slot].orderKey else { return true }
        return collections[slots[slot].collection].lines[key]?.head == slot
    }

    /// Puts a record with an order key into its line, at its position.
    private mutating func join(_ slot: Int) {
        guard let key = slots[slot].orderKey else { return }
        let (position, number) = (slots[slot].record.position, slots[slot].collection)
        var line = collections[number].lines.removeValue(forKey: key) ?? .init()
        line.waiting.insert(.init(position: position, slot: slot))
        line.count += 1
        let head = line.head
        if head.map({ position < slots[$0].record.position }) ?? true { line.head = slot }
        collections[number].lines[key] = line
        // The former head now stands behind this one.
        if line.head == slot, let head { setAlarms(head) }
    }

    /// Takes a record out of the line of its order key; the next one becomes the head.
    private mutating func leave(_ slot: Int) {
        let number = slots[slot].collection
        guard let key = slots[slot].orderKey, var line = collections[number].lines.removeValue(forKey: key) else {
            return
        }
        line.count -= 1
        guard line.count > 0 else { return }
        let wasHead = line.head == slot
        let slots = slots
        func isWaiting(_ entry: CollectionIndex.Waiting) -> Bool {
            entry.slot != slot && slots[entry.slot].collection == number
                && slots[entry.slot].record.position == entry.position && slots[entry.slot].orderKey == key
        }
        if wasHead { line.promoteHead(isWaiting) }
        line.trim(isWaiting)
        collections[number].lines[key] = line
        if wasHead, let head = line.head { setAlarms(head) }
    }

    // MARK: Alarms

    /// Outdates the alarms of a slot and sets those that its record calls for now.
    mutating func setAlarms(_ slot: Int) {
        nextStamp &+= 1
        slots[slot].stamp = nextStamp
        let (dueAt, expiresAt) = (slots[slot].record.dueAt, slots[slot].record.expiresAt)
        if let expiresAt {
            expiring.insert(alarm(slot, at: expiresAt))
            Self.trim(&expiring, of: index.count, slots)
        }
        guard dueAt != nil || expiresAt != nil, isHead(slot) else { return }
        let number = slots[slot].collection
        if let dueAt {
            collections[number].due.insert(alarm(slot, at: dueAt))
            Self.trim(&collections[number].due, of: collections[number].count, slots)
        }
        if let expiresAt, slots[slot].record.orderKey != nil {
            collections[number].ends.insert(alarm(slot, at: expiresAt))
            Self.trim(&collections[number].ends, of: collections[number].count, slots)
        }
    }

    /// An alarm for the slot as it is now: at that time, but not while the record is held.
    private func alarm(_ slot: Int, at time: Timestamp) -> Alarm {
        let at = slots[slot].record.leaseUntil.map { max($0, time) } ?? time
        return Alarm(at: at, position: slots[slot].record.position, slot: slot, stamp: slots[slot].stamp)
    }

    /// Drops outdated alarms once they outnumber the records that alarms can be set for.
    private static func trim(_ alarms: inout MinHeap<Alarm>, of records: Int, _ slots: [Slot]) {
        guard alarms.count > 2 * records + 64 else { return }
        alarms.removeAll { slots[$0.slot].stamp != $0.stamp }
    }

    /// The next alarm of a collection that still holds; outdated ones before it are dropped.
    mutating func nextAlarm(_ kind: WritableKeyPath<CollectionIndex, MinHeap<Alarm>>, in number: Int) -> Alarm? {
        while let alarm = collections[number][keyPath: kind].least {
            if holds(alarm) { return alarm }
            _ = collections[number][keyPath: kind].removeLeast()
        }
        return nil
    }

    /// Removes the heads of a collection that have expired, and those that come after them and have too.
    mutating func removeExpiredHeads(in number: Int) {
        while let alarm = nextAlarm(\.ends, in: number), alarm.at <= now { expire(alarm.slot) }
    }
}

extension Record {
    /// Roughly how many bytes the record takes in a journal.
    var weight: Int { body.count + id.key.utf8.count + RecordLimits.size(of: headers) + 160 }
}
