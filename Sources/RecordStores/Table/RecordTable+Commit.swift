// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Batches: looked at as a whole, then carried out as a whole.
extension RecordTable {
    package mutating func commit(_ changes: [Change], at time: Timestamp) throws(StoreError) -> CommitAnswer {
        try Self.check(changes)
        return try commit(checked: changes, at: time)
    }

    /// Commits a batch that ``check(_:)`` has let through.
    mutating func commit(checked changes: [Change], at time: Timestamp) throws(StoreError) -> CommitAnswer {
        begin(at: time)
        var places: [(id: HashedID, slot: Int?)] = []
        places.reserveCapacity(changes.count)
        for index in changes.indices {
            let id = HashedID(changes[index].id)
            let slot = live(id)
            guard allows(changes[index], at: slot) else {
                return .conflict(.init(now: now, index: index, standing: slot.map { self[$0] }))
            }
            if let destination = changes[index].destination, let slot = live(destination) {
                return .conflict(.init(now: now, index: index, standing: self[slot]))
            }
            places.append((id, slot))
        }
        try checkCapacity(for: changes)
        var fences: [Fence] = []
        fences.reserveCapacity(changes.count)
        // Each record is in one change at most, so none of them moves another one's record out of its slot.
        for index in changes.indices {
            if let fence = apply(changes[index], of: places[index].id, at: places[index].slot) { fences.append(fence) }
        }
        return .committed(.init(now: now, fences: fences))
    }

    /// Throws if the batch exceeds a limit, or names a record twice.
    static func check(_ changes: [Change]) throws(StoreError) {
        try RecordLimits.check("changes", changes.count, RecordLimits.changes)
        var size = 0
        for change in changes {
            try RecordLimits.check(change.id)
            if let destination = change.destination { try RecordLimits.check(destination) }
            switch change {
            case .insert(_, let content, let lease):
                try RecordLimits.check(content)
                if let lease { try RecordLimits.check(lease) }
                size += content.body.count + RecordLimits.size(ofHeaders: content)
            case .replace(_, _, let content, _), .move(_, _, _, let content, _):
                try RecordLimits.check(content)
                size += content.body.count + RecordLimits.size(ofHeaders: content)
            case .delete, .assert:
                break
            }
        }
        try RecordLimits.check("batch", size, RecordLimits.batch)
        guard changes.count > 1 || changes[0].destination != nil else { return }
        try RecordLimits.checkDistinct(
            "changes of one record", changes.map(\.id) + changes.compactMap(\.destination))
    }

    /// Throws if the batch would leave more records than the table takes.
    private mutating func checkCapacity(for changes: [Change]) throws(StoreError) {
        guard let capacity else { return }
        let growth = changes.reduce(0) { $0 + $1.growth }
        if growth > capacity - count { sweep(limit: .max) }
        guard growth <= 0 || growth <= capacity - count else {
            throw .full(StoreFailure(operation: "insert", subject: "a store of at most \(capacity) records", code: 0))
        }
    }

    private func allows(_ change: Change, at slot: Int?) -> Bool {
        var standing: Fence?
        if let slot { standing = slots[slot].record.fence }
        return switch change {
        case .insert: standing == nil
        case .replace(_, let expected, _, _), .move(_, _, let expected, _, _), .delete(_, let expected):
            standing == expected
        case .assert(_, let expected): standing == expected
        }
    }

    /// Carries out one change that is allowed; returns the record's new fence if it got one.
    private mutating func apply(_ change: Change, of id: HashedID, at slot: Int?) -> Fence? {
        switch change {
        case .insert(_, let content, let lease):
            return insert(id, content, lease)
        case .replace(_, let expected, let content, let lease):
            guard let slot else { return nil }
            return replace(slot, expecting: expected, content, lease)
        case .move(_, let destination, let expected, let content, let lease):
            guard let slot else { return nil }
            return move(slot, to: HashedID(destination), expecting: expected, content, lease)
        case .delete:
            guard let slot else { return nil }
            remove(slot)
            note(.remove(id.id))
            return nil
        case .assert:
            return nil
        }
    }

    private mutating func insert(_ id: HashedID, _ content: RecordContent, _ lease: Lease?) -> Fence {
        let record = Record(
            id: id.id, fence: takeFence(), holder: lease?.holder, leaseUntil: lease.map { end(of: $0.duration) },
            dueAt: point(content.due, keeping: nil), position: nextPosition, orderKey: content.orderKey,
            expiresAt: point(content.expires, keeping: nil), state: content.state, claims: lease == nil ? 0 : 1,
            createdAt: now, headers: content.headers, body: content.body)
        nextPosition += 1
        noteRecord(in: add(record, as: id))
        return record.fence
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
        _ slot: Int, to id: HashedID, expecting expected: Fence, _ content: RecordContent, _ lease: LeaseChange
    ) -> Fence {
        let old = self[slot]
        let hold = hold(slot, after: lease)
        let record = Record(
            id: id.id, fence: takeFence(), changedUnder: expected, holder: hold.holder, leaseUntil: hold.until,
            dueAt: point(content.due, keeping: old.dueAt), position: old.position, orderKey: content.orderKey,
            expiresAt: point(content.expires, keeping: old.expiresAt), state: content.state, claims: old.claims,
            createdAt: old.createdAt, headers: content.headers, body: content.body)
        remove(slot)
        note(.remove(old.id))
        noteRecord(in: add(record, as: id))
        return record.fence
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
