// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What is known of a directory's records over all lives of its store, and the judge of every answer and of what stands
/// after a crash.
///
/// A fence that was acknowledged or shown is a fact for ever: nothing older may stand or be shown to whoever asks from
/// then on. What was attempted and not answered may be in or not, as a whole. Anything else is a ``Violation``.
///
/// It relies on fences growing per record, on every number being written by one operation, and on callers naming only
/// fences that were answered and reported before.
struct Ledger {
    /// The two collections whose records of one key are always written together.
    static let twins = (left: "left", right: "right")

    /// What is known of one record.
    struct Known {
        /// The highest fence that is known to have been the record's.
        var latest: Fence
        /// The highest fence that is known to have been deleted.
        var goneThrough: Fence?

        var isGone: Bool { goneThrough.map { $0 >= latest } ?? false }
    }

    struct KnownVersion {
        let id: RecordID
        let number: UInt64
        /// Whether the operation that got this fence was answered; others may have been shown it before.
        var isAcknowledged: Bool
    }

    struct Attempt {
        enum State { case open, done, refused }
        let steps: [Step]
        var state = State.open
    }

    /// An operation that was begun and not yet answered.
    struct Begun {
        /// What was known then: the answer may not be older.
        let known: [RecordID: Known]
        let isAfterFailure: Bool
    }

    var known: [RecordID: Known] = [:]
    /// Every fence that was ever reported.
    var versions: [Fence: KnownVersion] = [:]

    // Of the present life, from one listing to the next.
    var attempts: [UInt64: Attempt] = [:]
    /// The attempted deletes of each record, by the operation's number.
    var deletions: [RecordID: [(number: UInt64, expecting: Fence)]] = [:]
    /// The numbers that were acknowledged or shown in each record.
    var seen: [RecordID: Set<UInt64>] = [:]
    /// What stood in each record at the last listing.
    var carried: [RecordID: UInt64] = [:]
    /// Claims that may have given fences nobody was told.
    var openClaims: Set<UInt64> = []
    var begun: [UInt64: Begun] = [:]
    /// The listing that is being reported; `nil` outside of one.
    var listing: [Standing]?
    var hasFailed = false
    /// The numbers in answers that came after the disk had begun to lose its power; `nil` while it has power.
    var numbersAfterCut: Set<UInt64>?

    /// The first number that no operation has had.
    private(set) var nextNumber: UInt64 = 1
    /// How many batches, claims among them, were answered as done.
    private(set) var acknowledged = 0
    /// How many listings were judged.
    var judged = 0

    /// Takes the next event of the child, or of the inspection after its death.
    mutating func take(_ event: Event) throws(Violation) {
        switch event {
        case .opened:
            listing = []
            hasFailed = false
        case .powerCut: numbersAfterCut = []
        case .stands(let standing):
            guard listing != nil else { throw .senseless("a record is listed outside of a listing") }
            listing?.append(standing)
        case .whole:
            guard let listing else { throw .senseless("a listing ends that was not begun") }
            self.listing = nil
            try judge(listing)
        case .attempt(let number, let steps):
            begin(number)
            attempts[number] = Attempt(steps: steps)
            for case .delete(let id, let expected) in steps { deletions[id, default: []].append((number, expected)) }
        case .asking(let number): begin(number)
        case .claiming(let number):
            begin(number)
            openClaims.insert(number)
        case .committed(let number, _), .conflict(let number, _), .answered(let number, _), .claimed(let number, _):
            let base = try end(number)
            if numbersAfterCut == nil {
                try take(answer: event, to: number, since: base)
            } else {
                takeUnproven(event)
            }
        case .failed(let number, let error):
            begun[number] = nil
            if error.isNotApplied {
                openClaims.remove(number)
                attempts[number]?.state = .refused
            }
            if error.endsTheStore { hasFailed = true }
        case .notOpened, .closed, .notClosed, .compacted, .told:
            break
        }
    }

    private mutating func take(
        answer: Event, to number: UInt64, since base: [RecordID: Known]
    ) throws(Violation) {
        switch answer {
        case .committed(_, let fences): try commit(number, fences, since: base)
        case .conflict(_, let sighting):
            try settle(number, .refused)
            try see(sighting, since: base)
        case .answered(_, let sightings):
            for sighting in sightings { try see(sighting, since: base) }
            try compareTwins(sightings)
        case .claimed(_, let sightings): try claim(number, sightings, since: base)
        default: throw .senseless("\(answer.line) is no answer")
        }
    }

    /// Takes an answer that came after the cut had begun: it says what is in the store's memory, and proves no more.
    ///
    /// A sync that is under way during the cut may be told to have succeeded though nothing has reached the disk. A
    /// machine that has lost its power would not have told anybody.
    private mutating func takeUnproven(_ answer: Event) {
        switch answer {
        case .committed(let number, _): numbersAfterCut?.insert(number)
        case .conflict(let number, let sighting):
            attempts[number]?.state = .refused
            numbersAfterCut?.formUnion([sighting].compactMap(\.version?.number))
        case .answered(_, let sightings), .claimed(_, let sightings):
            numbersAfterCut?.formUnion(sightings.compactMap(\.version?.number))
        default: break
        }
    }

    private mutating func begin(_ number: UInt64) {
        begun[number] = Begun(known: known, isAfterFailure: hasFailed)
        nextNumber = max(nextNumber, number + 1)
    }

    /// What was known when the operation that is now answered was begun.
    private mutating func end(_ number: UInt64) throws(Violation) -> [RecordID: Known] {
        guard let operation = begun.removeValue(forKey: number) else {
            throw .senseless("operation \(number) is answered without having been begun")
        }
        guard !operation.isAfterFailure else { throw .answeredAfterFailure(number) }
        return operation.known
    }

    private mutating func settle(_ number: UInt64, _ state: Attempt.State) throws(Violation) {
        guard attempts[number]?.state == .open else { throw .senseless("operation \(number) is no open batch") }
        attempts[number]?.state = state
    }

    private mutating func commit(
        _ number: UInt64, _ fences: [Fence], since base: [RecordID: Known]
    ) throws(Violation) {
        try settle(number, .done)
        acknowledged += 1
        let steps = attempts[number]?.steps ?? []
        guard fences.count == steps.filter(\.writes).count else {
            throw .senseless("batch \(number) got \(fences.count) fences")
        }
        var rest = fences[...]
        for step in steps {
            switch step {
            case .insert(let id): try see(Sighting(id: id, version: nil), since: base)
            case .replace(let id, let expected), .delete(let id, let expected):
                if let before = base[id], max(before.latest, before.goneThrough?.next ?? before.latest) > expected {
                    throw .staleAccepted(id, expecting: expected, standing: before.latest)
                }
            }
            if step.writes, let fence = rest.popFirst() {
                try give(Version(fence: fence, number: number), to: step.id, since: base)
            } else if case .delete(let id, let expected) = step {
                noteGone(id, through: expected)
            }
        }
    }

    private mutating func claim(
        _ number: UInt64, _ sightings: [Sighting], since base: [RecordID: Known]
    ) throws(Violation) {
        openClaims.remove(number)
        if !sightings.isEmpty { acknowledged += 1 }
        for sighting in sightings {
            guard let version = sighting.version else {
                throw .senseless("claim \(number) got a record that is absent")
            }
            guard isWritten(version.number, in: sighting.id) else { throw .neverWritten(sighting.id, version) }
            try give(version, to: sighting.id, since: base)
        }
    }
}
