// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Batches: looked at as a whole, then carried out as a whole.
extension RecordTable {
    package mutating func commit(_ changes: [Change], at time: Timestamp) throws(StoreError) -> CommitAnswer {
        guard changes.count == 1 else {
            try Self.check(changes)
            return try commit(checked: changes, at: time)
        }
        // Checked and carried out as one copy: to copy a change counts all that is in it.
        let change = changes[0]
        _ = try Self.check(change)
        begin(at: time)
        return try commit(change)
    }

    /// Commits a batch that ``check(_:)`` has let through.
    mutating func commit(checked changes: [Change], at time: Timestamp) throws(StoreError) -> CommitAnswer {
        begin(at: time)
        guard changes.count > 1 else { return try commit(changes[0]) }
        var places: [Place] = []
        places.reserveCapacity(changes.count)
        for index in changes.indices {
            let place = place(of: changes[index].id)
            if let conflict = conflict(of: changes[index], at: place, index: index) { return conflict }
            places.append(place)
        }
        try checkCapacity(for: changes.reduce(0) { $0 + $1.growth })
        var fences: [Fence] = []
        fences.reserveCapacity(changes.count)
        // Each record is in one change at most, so none of them moves another one's record out of its slot.
        for index in changes.indices {
            if let fence = apply(changes[index], at: places[index]) { fences.append(fence) }
        }
        return .committed(.init(now: now, fences: fences))
    }

    /// Commits a batch of one change, as most are.
    private mutating func commit(_ change: consuming Change) throws(StoreError) -> CommitAnswer {
        let place = place(of: change.id)
        if let conflict = conflict(of: change, at: place, index: 0) { return conflict }
        try checkCapacity(for: change.growth)
        let fence = apply(change, at: place)
        return .committed(.init(now: now, fences: fence.map { [$0] } ?? []))
    }

    /// The answer if the change does not find what it expects; `nil` if it does.
    private mutating func conflict(of change: borrowing Change, at place: Place, index: Int) -> CommitAnswer? {
        guard fence(at: place.slot) == change.expected else { return conflict(index, with: place.slot) }
        guard let destination = change.destination, let slot = live(destination) else { return nil }
        return conflict(index, with: slot)
    }

    private func fence(at slot: Int?) -> Fence? {
        guard let slot else { return nil }
        return slots[slot].record.fence
    }

    @inline(never)
    private func conflict(_ index: Int, with slot: Int?) -> CommitAnswer {
        .conflict(.init(now: now, index: index, standing: slot.map { self[$0] }))
    }

    /// Throws if the batch exceeds a limit, or names a record twice.
    static func check(_ changes: [Change]) throws(StoreError) {
        try RecordLimits.check("changes", changes.count, RecordLimits.changes)
        var size = 0
        for change in changes { size += try check(change) }
        try RecordLimits.check("batch", size, RecordLimits.batch)
        guard changes.count > 1 else { return }
        try RecordLimits.checkDistinct(
            "changes of one record", changes.map(\.id) + changes.compactMap(\.destination))
    }

    /// Throws if the change exceeds a limit; returns how many bytes its content counts for.
    private static func check(_ change: borrowing Change) throws(StoreError) -> Int {
        switch change {
        case .insert(let id, let content, let lease):
            try RecordLimits.check(id)
            if let lease { try RecordLimits.check(lease.holder) }
            return try RecordLimits.check(content)
        case .replace(let id, _, let content, _):
            try RecordLimits.check(id)
            return try RecordLimits.check(content)
        case .move(let id, let destination, _, let content, _):
            try RecordLimits.check(id)
            try RecordLimits.check(destination)
            if id == destination { try RecordLimits.check("changes of one record", 2, 1...1) }
            return try RecordLimits.check(content)
        case .delete(let id, _), .assert(let id, _):
            try RecordLimits.check(id)
            return 0
        }
    }

    /// Throws if so many more records would be more than the table takes.
    private mutating func checkCapacity(for growth: Int) throws(StoreError) {
        guard let capacity else { return }
        if growth > capacity - count { sweep(limit: .max) }
        guard growth <= 0 || growth <= capacity - count else {
            throw .full(StoreFailure(operation: "insert", subject: "a store of at most \(capacity) records", code: 0))
        }
    }

    /// Carries out one change that is allowed; returns the record's new fence if it got one.
    private mutating func apply(_ change: consuming Change, at place: Place) -> Fence? {
        switch consume change {
        case .insert(let id, let content, let lease):
            return insert(id, hash: place.hash, content, lease)
        case .replace(_, let expected, let content, let lease):
            guard let slot = place.slot else { return nil }
            return replace(slot, expecting: expected, content, lease)
        case .move(_, let destination, let expected, let content, let lease):
            guard let slot = place.slot else { return nil }
            return move(slot, to: destination, expecting: expected, content, lease)
        case .delete(let id, _):
            guard let slot = place.slot else { return nil }
            remove(slot)
            note(.remove(id))
            return nil
        case .assert:
            return nil
        }
    }

    private mutating func insert(
        _ id: RecordID, hash: Int, _ content: RecordContent, _ lease: Lease?
    ) -> Fence {
        let fence = takeFence()
        var hold: (holder: Holder?, until: Timestamp?, claims: Int) = (nil, nil, 0)
        if let lease { hold = (lease.holder, end(of: lease.duration), 1) }
        let slot = add(
            Record(
                id: id, fence: fence, holder: hold.holder, leaseUntil: hold.until,
                dueAt: point(content.due, keeping: nil), position: nextPosition, orderKey: content.orderKey,
                expiresAt: point(content.expires, keeping: nil), state: content.state, claims: hold.claims,
                createdAt: now, headers: content.headers, body: content.body), hash: hash)
        nextPosition += 1
        noteRecord(in: slot)
        return fence
    }

    private mutating func replace(
        _ slot: Int, expecting expected: Fence, _ content: RecordContent, _ lease: LeaseChange
    ) -> Fence {
        let fence = takeFence()
        let standing = (due: slots[slot].record.dueAt, expires: slots[slot].record.expiresAt)
        let dueAt = point(content.due, keeping: standing.due)
        let expiresAt = point(content.expires, keeping: standing.expires)
        let hold = hold(slot, after: lease)
        change(slot, state: content.state, orderKey: content.orderKey) { record in
            record.fence = fence
            record.changedUnder = expected
            record.state = content.state
            record.body = content.body
            record.headers = content.headers
            record.orderKey = content.orderKey
            record.dueAt = dueAt
            record.expiresAt = expiresAt
            record.holder = hold.holder
            record.leaseUntil = hold.until
        }
        noteRecord(in: slot)
        return fence
    }

    /// Takes the record away under its name and puts it back under the other one.
    private mutating func move(
        _ slot: Int, to id: RecordID, expecting expected: Fence, _ content: RecordContent, _ lease: LeaseChange
    ) -> Fence {
        let old = self[slot]
        let hold = hold(slot, after: lease)
        let fence = takeFence()
        let record = Record(
            id: id, fence: fence, changedUnder: expected, holder: hold.holder, leaseUntil: hold.until,
            dueAt: point(content.due, keeping: old.dueAt), position: old.position, orderKey: content.orderKey,
            expiresAt: point(content.expires, keeping: old.expiresAt), state: content.state, claims: old.claims,
            createdAt: old.createdAt, headers: content.headers, body: content.body)
        remove(slot)
        note(.remove(old.id))
        noteRecord(in: add(record, hash: NameIndex.hash(of: id)))
        return fence
    }

    /// Who holds the record after a change of the hold, and until when.
    private func hold(_ slot: Int, after change: LeaseChange) -> (holder: Holder?, until: Timestamp?) {
        let (holder, until) = (slots[slot].record.holder, slots[slot].record.leaseUntil)
        switch change {
        case .keep: return (holder, until)
        // A record that nobody holds has no hold to extend.
        case .extend(let duration): return (holder, holder == nil ? until : end(of: duration))
        case .end: return (nil, nil)
        }
    }

    private func point(_ when: RecordContent.When, keeping present: Timestamp?) -> Timestamp? {
        switch when {
        case .never: nil
        case .after(let duration): end(of: duration)
        case .unchanged: present
        }
    }

    /// The time that lies `duration` ahead; a negative duration counts as none.
    func end(of duration: Duration) -> Timestamp { now.advanced(by: max(.zero, duration)) }
}
