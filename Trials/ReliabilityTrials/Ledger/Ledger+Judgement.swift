// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// The judgement over everything that stands, after the store was opened and before anybody used it.
extension Ledger {
    /// Holds a listing of everything against what was acknowledged, shown and attempted, and begins a new life with it.
    mutating func judge(_ listing: [Standing]) throws(Violation) {
        var standing: [RecordID: Standing] = [:]
        for entry in listing {
            guard standing.updateValue(entry, forKey: entry.id) == nil else {
                throw .senseless("\(entry.id) is listed twice")
            }
        }
        // Batches first: half a batch says more than the record that is missing.
        for (number, attempt) in attempts.sorted(by: { $0.key < $1.key }) where attempt.state == .open {
            try checkWhole(number, attempt, in: standing)
        }
        let base = known
        for entry in listing {
            try checkOrigin(of: entry)
            try see(Sighting(id: entry.id, version: entry.version), since: base)
        }
        for id in base.keys where standing[id] == nil { try see(Sighting(id: id, version: nil), since: base) }
        try compareTwins(listing.map { Sighting(id: $0.id, version: $0.version) } + absentTwins(of: standing))
        begin(with: standing)
    }

    /// A version that nobody was told of is the work of an open operation, and says so where it can.
    private func checkOrigin(of entry: Standing) throws(Violation) {
        guard versions[entry.version.fence] == nil, let attempt = attempts[entry.version.number] else {
            if versions[entry.version.fence] == nil, carried[entry.id] == entry.version.number, openClaims.isEmpty {
                throw .neverWritten(entry.id, entry.version)
            }
            return
        }
        for case .replace(entry.id, let expected) in attempt.steps where entry.changedUnder != expected {
            throw .wrongChangedUnder(entry.id, entry.version, named: entry.changedUnder)
        }
        // Its own fence was reported, so this one is a claim's.
        if seen[entry.id]?.contains(entry.version.number) ?? false, openClaims.isEmpty {
            throw .neverWritten(entry.id, entry.version)
        }
    }

    private func checkWhole(
        _ number: UInt64, _ attempt: Attempt, in standing: [RecordID: Standing]
    ) throws(Violation) {
        var done: [RecordID] = []
        var missing: [RecordID] = []
        for step in attempt.steps {
            switch isDone(step, of: number, in: standing) {
            case true?: done.append(step.id)
            case false?: missing.append(step.id)
            case nil: break
            }
        }
        guard done.isEmpty || missing.isEmpty else { throw .halfBatch(number, done: done, missing: missing) }
    }

    /// Whether a step of an open batch is in; `nil` where that cannot be told.
    private func isDone(_ step: Step, of number: UInt64, in standing: [RecordID: Standing]) -> Bool? {
        switch step {
        case .insert(let id), .replace(let id, _):
            // Whoever changed it after that had seen it: its fence was shown.
            if seen[id]?.contains(number) ?? false || standing[id]?.version.number == number { return true }
            return numbersAfterCut?.contains(number) ?? false ? nil : false
        case .delete(let id, let expected):
            let isAlone = (deletions[id] ?? []).allSatisfy { deletion in
                deletion.number == number || deletion.expecting < expected
                    || attempts[deletion.number]?.state == .refused
            }
            if let gone = known[id]?.goneThrough, gone >= expected { return isAlone ? true : nil }
            guard let found = standing[id] else { return isAlone ? true : nil }
            if found.version.fence <= expected { return false }
            // The same content under a later fence: it was claimed.
            if found.version.number == versions[expected]?.number { return false }
            let isInserted = attempts[found.version.number]?.steps.contains(.insert(id)) ?? false
            return isInserted ? (isAlone ? true : nil) : false
        }
    }

    /// The twins of records that stand, where they are missing.
    private func absentTwins(of standing: [RecordID: Standing]) -> [Sighting] {
        standing.keys.compactMap { id in
            let other =
                switch id.collection {
                case Self.twins.left: RecordID(Self.twins.right, id.key)
                case Self.twins.right: RecordID(Self.twins.left, id.key)
                default: RecordID?.none
                }
            return other.flatMap { standing[$0] == nil ? Sighting(id: $0, version: nil) : nil }
        }
    }

    /// What stands is all there is; what was open and is not in never will be.
    private mutating func begin(with standing: [RecordID: Standing]) {
        carried = standing.mapValues(\.version.number)
        attempts = [:]
        deletions = [:]
        seen = [:]
        openClaims = []
        begun = [:]
        numbersAfterCut = nil
        judged += 1
    }
}
