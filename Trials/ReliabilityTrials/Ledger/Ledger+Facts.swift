// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What one answer says of one record, held against what was known when its operation was begun.
extension Ledger {
    /// Takes in that a record was shown, or shown to be absent.
    mutating func see(_ sighting: Sighting, since base: [RecordID: Known]) throws(Violation) {
        let id = sighting.id
        guard let version = sighting.version else { return try seeAbsence(of: id, since: base) }
        if let before = base[id] {
            if let gone = before.goneThrough, version.fence <= gone {
                throw .resurrected(id, deletedThrough: gone, found: version)
            }
            if version.fence < before.latest { throw missing(id, before.latest, found: version) }
        }
        if let same = versions[version.fence] {
            guard same.id == id else { throw .reusedFence(version.fence, id, earlier: same.id) }
            guard same.number == version.number else { throw .otherContent(id, version, before: same.number) }
        } else {
            guard isWritten(version.number, in: id) else { throw .neverWritten(id, version) }
            versions[version.fence] = KnownVersion(id: id, number: version.number, isAcknowledged: false)
        }
        note(version, of: id)
    }

    /// Takes in that an operation gave the record a new fence.
    mutating func give(_ version: Version, to id: RecordID, since base: [RecordID: Known]) throws(Violation) {
        if let same = versions[version.fence], same.isAcknowledged || same.id != id || same.number != version.number {
            throw .reusedFence(version.fence, id, earlier: same.id)
        }
        if let before = base[id], version.fence <= before.latest {
            throw .fenceDidNotGrow(id, version.fence, after: before.latest)
        }
        versions[version.fence] = KnownVersion(id: id, number: version.number, isAcknowledged: true)
        note(version, of: id)
    }

    mutating func noteGone(_ id: RecordID, through fence: Fence) {
        var known = known[id] ?? Known(latest: fence)
        known.latest = max(known.latest, fence)
        known.goneThrough = max(known.goneThrough ?? fence, fence)
        self.known[id] = known
    }

    /// Whether an operation that may be in has written that number into the record.
    func isWritten(_ number: UInt64, in id: RecordID) -> Bool {
        if carried[id] == number { return true }
        guard let attempt = attempts[number], attempt.state != .refused else { return false }
        return attempt.steps.contains { $0.writes && $0.id == id }
    }

    /// Both twins of a key, where an answer has both, were there with one number, or neither was.
    func compareTwins(_ sightings: [Sighting]) throws(Violation) {
        for left in sightings where left.id.collection == Self.twins.left {
            let other = RecordID(Self.twins.right, left.id.key)
            guard let right = sightings.first(where: { $0.id == other }) else { continue }
            guard left.version?.number == right.version?.number else { throw .unequalTwins(left, right) }
        }
    }

    /// How a version that is known to have been there is missing.
    func missing(_ id: RecordID, _ fence: Fence, found: Version?) -> Violation {
        guard let version = versions[fence] else {
            return .senseless("\(id) was named with fence \(fence), which was never reported")
        }
        let expected = Version(fence: fence, number: version.number)
        return version.isAcknowledged
            ? .lost(id, acknowledged: expected, found: found) : .takenBack(id, shown: expected, found: found)
    }

    private mutating func seeAbsence(of id: RecordID, since base: [RecordID: Known]) throws(Violation) {
        guard let before = base[id], !before.isGone else { return }
        let isDeleted = (deletions[id] ?? []).contains { deletion in
            deletion.expecting >= before.latest && attempts[deletion.number]?.state != .refused
        }
        guard isDeleted else { throw missing(id, before.latest, found: nil) }
        noteGone(id, through: before.latest)
    }

    private mutating func note(_ version: Version, of id: RecordID) {
        known[id, default: Known(latest: version.fence)].latest = max(
            known[id]?.latest ?? version.fence, version.fence)
        seen[id, default: []].insert(version.number)
    }
}
