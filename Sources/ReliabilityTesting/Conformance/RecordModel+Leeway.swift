// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What the promises leave to a store, besides the numbers that it chooses.
extension RecordModel {
    /// Whether a claim may give that time: where records expire it may be too early, since a look then finds the next,
    /// and it is never too late.
    func allows(nextDueIn next: Duration?, in name: String) -> Bool {
        let exact = nextDueIn(name)
        guard next != exact else { return true }
        guard let next, next > .zero, exact != .zero, collection(name).contains(where: { $0.expiresAt != nil }) else {
            return false
        }
        return exact.map { next < $0 } ?? true
    }

    /// Whether those may be a page after a position, if `rest` is all that pages from there on can show: one that is
    /// not full may lead on, also to an empty one, and no page leads past a record that it does not show.
    static func allows(
        _ page: ScanAnswer, of rest: [Record], after position: UInt64?, limit: Int, isExact: Bool = false
    ) -> Bool {
        let count = page.records.count
        guard count <= limit, page.records == Array(rest.prefix(count)) else { return false }
        guard let next = page.next else { return count == rest.count }
        if isExact, count < limit || next != page.records[count - 1].position { return false }
        let last = page.records.last?.position
        guard position.map({ next > $0 }) ?? true, last.map({ next >= $0 }) ?? true else { return false }
        return count == rest.count || next < rest[count].position
    }

    /// What statistics may give as `oldestDue`: a record that will have expired when it is due may count or not, and
    /// where nothing can be claimed now a head that is held may count with the end of its lease.
    func oldestDue(_ name: String, isExact: Bool = false) -> [Timestamp?] {
        let heads = collection(name).filter { isHead($0, at: now) }
        let free = heads.filter { !$0.isHeld(at: now) }
        let isNow = free.compactMap(since).contains { $0 <= now }
        return (isNow || isExact ? [free] : [free, heads]).flatMap { records in
            let lasting = records.filter { record in since(record).map { !record.isExpired(at: $0) } ?? false }
            return [records.compactMap(since).min(), lasting.compactMap(since).min()]
        }
    }

    /// Whether a claim of due records may hand out those, in that order: one that is made while others work may pass
    /// over some.
    func allows(claimed ids: [RecordID], in name: String, limit: Int, passesOver: Bool) -> Bool {
        let due = due(in: name, at: now).map(\.id)
        guard passesOver else { return ids == Array(due.prefix(limit)) }
        var rest = due[...]
        return ids.count <= limit
            && ids.allSatisfy { id in
                guard let index = rest.firstIndex(of: id) else { return false }
                rest = rest[(index + 1)...]
                return true
            }
    }
}
