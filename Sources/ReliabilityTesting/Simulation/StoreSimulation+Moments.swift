// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore

/// What an opening may find.
extension StoreSimulation {
    /// Compares what an opening has found with what may have been left.
    mutating func check(_ opened: FileRecordStore) throws(Violation) {
        let table = opened.tableInMemory
        let records = table.allRecords
        // What is not found by its position is in no scan and no snapshot.
        let placed = (0..<Self.collections.count).reduce(0) { count, number in
            count + (table.stored(inCollection: number, after: nil, bytes: .max)?.count ?? 0)
        }
        guard placed == records.count else {
            throw violation("\(records.count) records stand, and \(placed) of them are found by their positions")
        }
        let possible = moments.filter { $0.sequence >= shownThrough && fits(records, $0, at: table.now) }
        guard let last = possible.last else {
            let nearest = moments.last(where: { fits(records, $0, at: table.now) }).map { "as at frame \($0.sequence)" }
            throw violation(
                "opened, the store is \(nearest ?? strangeness(records)), and answers showed frame \(shownThrough)")
        }
        if let given = fences.max(), table.nextFence <= given {
            throw violation("the next fence is \(table.nextFence), and \(given) was given out")
        }
        if table.nextPosition <= lastPosition {
            throw violation("the next position is \(table.nextPosition), and \(lastPosition) was given out")
        }
        note("found as at frame \(last.sequence)")
        beginMoments(records, from: possible, sequence: opened.journalInMemory.lastSequence)
    }

    /// What was found is what may be found again: with the leases that this opening ended as they were, until that is
    /// on the medium.
    private mutating func beginMoments(_ found: [Record], from possible: [Moment], sequence: UInt64) {
        let records = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
        moments = []
        for moment in possible {
            var before = records
            for id in before.keys { before[id]?.leaseUntil = moment.records[id]?.leaseUntil }
            if !moments.contains(where: { $0.records == before }) {
                moments.append(Moment(sequence: 0, records: before))
            }
        }
        moments.append(Moment(sequence: sequence, records: records))
        shownThrough = 0
        safeThrough = 0
        answers = []
    }

    /// Whether records that an opening found are those of a moment: leases of others have ended, and what has expired may
    /// be gone.
    private func fits(_ found: [Record], _ moment: Moment, at now: Timestamp) -> Bool {
        var rest = moment.records
        for record in found {
            guard let expected = rest.removeValue(forKey: record.id) else { return false }
            var normal = record
            if expected.isHeld(at: now), expected.holder?.process != process {
                guard !record.isHeld(at: now) else { return false }
                normal.leaseUntil = expected.leaseUntil
            }
            guard normal == expected else { return false }
        }
        return rest.values.allSatisfy { record in
            record.expiresAt.map { $0 <= now } ?? false
        }
    }

    /// In what records are unlike those of every moment.
    private func strangeness(_ found: [Record]) -> String {
        let found = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
        let differences = moments.suffix(3).map { moment in
            let ids = Set(found.keys).union(moment.records.keys).filter { found[$0] != moment.records[$0] }
            let lines = ids.map { "\(describe(found[$0])) for \(describe(moment.records[$0]))" }
            return "frame \(moment.sequence): \(lines.joined(separator: ", "))"
        }
        return "unlike at any moment (\(differences.joined(separator: "; ")))"
    }

    private func describe(_ record: Record?) -> String {
        guard var record else { return "nothing" }
        let count = record.body.count
        record.body = Array(record.body.prefix(1))
        return "\(record), \(count) bytes"
    }

    /// More than the names of all records take that expire at once.
    private static let roomForExpiry = 12_288

    /// Notes what is in memory now.
    mutating func lookAtMemory() {
        guard let store else { return }
        let journal = store.journalInMemory
        let last = moments.count - 1
        guard journal.lastSequence == moments[last].sequence else {
            moments.append(Moment(of: store))
            return
        }
        // What has expired is gone for good, unless the journal has no room for saying so.
        guard store.tableInMemory.count < moments[last].records.count, journal.room >= Self.roomForExpiry else {
            return
        }
        let standing = Set(store.tableInMemory.allRecords.map(\.id))
        moments[last].records = moments[last].records.filter { standing.contains($0.key) }
    }
}
