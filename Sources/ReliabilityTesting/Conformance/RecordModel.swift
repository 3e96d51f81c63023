// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// The promises in their slowest and most obvious form: a list of records that is searched from end to end.
///
/// It knows everything about a store except the numbers that a store is free to choose: fences and positions are taken
/// from the store's answers, which the caller checks for being new and growing.
struct RecordModel {
    /// The records that stand, in no particular order.
    private(set) var records: [Record] = []
    private(set) var now: Timestamp

    init(now: Timestamp) { self.now = now }

    /// Lets time pass: what has expired is gone for good, since time does not go back.
    mutating func begin(at time: Timestamp) {
        now = max(now, time)
        records.removeAll { $0.isExpired(at: now) }
    }

    func find(_ id: RecordID) -> Record? { records.first { $0.id == id } }

    func collection(_ name: String) -> [Record] {
        records.filter { $0.id.collection == name }.sorted { $0.position < $1.position }
    }

    // MARK: Commits

    /// The first change that does not find what it expects.
    func conflict(of changes: [Change]) -> (index: Int, standing: Record?)? {
        for (index, change) in changes.enumerated() {
            let standing = find(change.id)
            let isExpected =
                switch change {
                case .insert: standing == nil
                case .replace(_, let fence, _, _), .move(_, _, let fence, _, _), .delete(_, let fence):
                    standing?.fence == fence
                case .assert(_, let fence): standing?.fence == fence
                }
            if !isExpected { return (index, standing) }
            if let taken = change.destination.flatMap(find) { return (index, taken) }
        }
        return nil
    }

    /// Carries out changes without a conflict. A record that is inserted without a position cannot be seen, because it
    /// expires at once.
    mutating func apply(_ changes: [Change], fences: [Fence], positions: [RecordID: UInt64]) {
        var fences = fences[...]
        for change in changes {
            switch change {
            case .insert(let id, let content, let lease):
                let fence = fences.removeFirst()
                guard let position = positions[id] else { continue }
                records.append(
                    Record(
                        id: id, fence: fence, holder: lease?.holder, leaseUntil: lease.map { point($0.duration) },
                        dueAt: point(content.due, keeping: nil), position: position, orderKey: content.orderKey,
                        expiresAt: point(content.expires, keeping: nil), state: content.state,
                        claims: lease == nil ? 0 : 1, createdAt: now, headers: content.headers, body: content.body))
            case .replace(let id, let expected, let content, let lease):
                let fence = fences.removeFirst()
                guard let old = find(id) else { continue }
                let new = replacing(old, expected, fence, content, lease)
                update(id) { $0 = new }
            case .move(let id, let destination, let expected, let content, let lease):
                let fence = fences.removeFirst()
                guard let old = find(id) else { continue }
                let new = replacing(old, expected, fence, content, lease)
                records.removeAll { $0.id == id }
                records.append(renamed(new, to: destination))
            case .delete(let id, _):
                records.removeAll { $0.id == id }
            case .assert:
                break
            }
        }
    }

    private func replacing(
        _ old: Record, _ expected: Fence, _ fence: Fence, _ content: RecordContent, _ lease: LeaseChange
    ) -> Record {
        var record = old
        record.fence = fence
        record.changedUnder = expected
        record.state = content.state
        record.body = content.body
        record.headers = content.headers
        record.orderKey = content.orderKey
        record.dueAt = point(content.due, keeping: record.dueAt)
        record.expiresAt = point(content.expires, keeping: record.expiresAt)
        switch lease {
        case .keep: break
        case .extend(let duration): record.leaseUntil = point(duration)
        case .end: (record.holder, record.leaseUntil) = (nil, nil)
        }
        return record
    }

    private func renamed(_ record: Record, to id: RecordID) -> Record {
        Record(
            id: id, fence: record.fence, changedUnder: record.changedUnder, holder: record.holder,
            leaseUntil: record.leaseUntil, dueAt: record.dueAt, position: record.position,
            orderKey: record.orderKey, expiresAt: record.expiresAt, state: record.state, claims: record.claims,
            createdAt: record.createdAt, headers: record.headers, body: record.body)
    }

    /// Changes the record of that name in its place.
    private mutating func update(_ id: RecordID, _ change: (inout Record) -> Void) {
        for index in records.indices where records[index].id == id { change(&records[index]) }
    }

    private func point(_ duration: Duration) -> Timestamp { now.advanced(by: max(.zero, duration)) }

    private func point(_ when: RecordContent.When, keeping old: Timestamp?) -> Timestamp? {
        switch when {
        case .never: nil
        case .after(let duration): point(duration)
        case .unchanged: old
        }
    }

    // MARK: Holds

    /// Whether the record can be claimed at `time`, if nothing but time changes until then.
    func isClaimable(_ record: Record, at time: Timestamp) -> Bool {
        !record.isExpired(at: time) && !record.isHeld(at: time) && isHead(record, at: time)
    }

    /// Whether no record stands before it in the line of its order key.
    func isHead(_ record: Record, at time: Timestamp) -> Bool {
        !records.contains { other in
            record.orderKey != nil && other.orderKey == record.orderKey && other.id.collection == record.id.collection
                && other.position < record.position && !other.isExpired(at: time)
        }
    }

    /// Since when the record has been due and not held.
    func since(_ record: Record) -> Timestamp? {
        record.dueAt.map { max($0, record.leaseUntil ?? $0) }
    }

    /// What a claim of due records may take, in the order in which it takes it.
    func due(in name: String, at time: Timestamp) -> [Record] {
        collection(name).compactMap { record in since(record).map { (record, $0) } }
            .filter { $0.1 <= time && isClaimable($0.0, at: time) }
            .sorted { ($0.1, $0.0.position) < ($1.1, $1.0.position) }.map(\.0)
    }

    mutating func hold(_ id: RecordID, _ lease: Lease, _ fence: Fence) {
        let until = point(lease.duration)
        update(id) { record in
            record.fence = fence
            record.holder = lease.holder
            record.leaseUntil = until
            record.claims += 1
        }
    }

    mutating func extend(_ id: RecordID, _ fence: Fence, lease: Duration) -> ExtendAnswer {
        guard let record = find(id), record.fence == fence, record.holder != nil else {
            return .lost(now: now, standing: find(id))
        }
        let until = point(lease)
        update(id) { $0.leaseUntil = until }
        return .extended(now: now, until: until)
    }

    /// How long until something of the collection can be claimed as due: looked for at each moment at which anything
    /// becomes due, free or absent.
    func nextDueIn(_ name: String) -> Duration? {
        let moments = collection(name).flatMap { [$0.dueAt, $0.leaseUntil, $0.expiresAt] }.compactMap(\.self)
        return ([now] + moments.filter { $0 > now }.sorted()).first { !due(in: name, at: $0).isEmpty }
            .map { now.duration(to: $0) }
    }

    // MARK: Statistics

    func counts(_ name: String) -> [String: Int] {
        collection(name).reduce(into: [:]) { $0[$1.state, default: 0] += 1 }
    }

    /// When the first by position was inserted.
    func oldestCreated(_ name: String) -> Timestamp? { collection(name).first?.createdAt }

    // MARK: Crashes

    /// Ends the holds on those records, in the way that an opening has left in those that it found. One that is not
    /// found has expired.
    mutating func endLeases(of ids: Set<RecordID>, as found: [Record]) {
        for id in ids {
            let left = found.first { $0.id == id }
            update(id) { ($0.holder, $0.leaseUntil) = (left?.holder, left?.leaseUntil) }
        }
    }
}
