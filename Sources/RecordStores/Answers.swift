// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The records that a read found.
public struct ReadAnswer: Hashable, Sendable {
    /// The store's time of the answer.
    public let now: Timestamp
    /// One entry for each identifier asked for, in that order; `nil` where no record stands.
    public let records: [Record?]

    /// An answer from its parts.
    public init(now: Timestamp, records: [Record?]) {
        self.now = now
        self.records = records
    }
}

/// What became of a batch.
public enum CommitAnswer: Hashable, Sendable {
    /// Every change is in.
    case committed(Committed)
    /// No change is in, because one did not find what it expected.
    indirect case conflict(Conflict)

    /// A batch that is in.
    public struct Committed: Hashable, Sendable {
        /// The store's time of the commit.
        public let now: Timestamp
        /// The records' new fences, one for each insert, replace and move of the batch, in their order.
        public let fences: [Fence]

        /// An answer from its parts.
        public init(now: Timestamp, fences: [Fence]) {
            self.now = now
            self.fences = fences
        }
    }

    /// The first change that did not find what it expected.
    public struct Conflict: Hashable, Sendable {
        /// The store's time of the answer.
        public let now: Timestamp
        /// Which change of the batch, counted from zero.
        public let index: Int
        /// What stands there, for a move whose new name is taken the record that has it; `nil` if nothing does.
        public let standing: Record?

        /// An answer from its parts.
        public init(now: Timestamp, index: Int, standing: Record?) {
            self.now = now
            self.index = index
            self.standing = standing
        }
    }
}

/// What to claim, and for how long.
public struct ClaimRequest: Hashable, Sendable {
    /// Which records are wanted.
    public enum Selection: Hashable, Sendable {
        /// These records, each named once, whether or not they are due.
        case ids([RecordID])
        /// Records of a collection that are due, the longest due first, at most `limit`. A store that processes share
        /// may pass over one that another call is changing at that moment, and hands out fewer where their bodies
        /// exceed 16 MiB; ``ClaimAnswer/nextDueIn`` is then zero.
        case due(collection: String, limit: Int)
    }

    /// Which records are wanted.
    public var selection: Selection
    /// The hold to put on each.
    public var lease: Lease
    /// How long to wait until something is due; by default not at all. Cancelling the task ends the wait at once.
    public var waitUpTo: Duration

    /// A claim of the records that `selection` names.
    public init(_ selection: Selection, lease: Lease, waitUpTo: Duration = .zero) {
        self.selection = selection
        self.lease = lease
        self.waitUpTo = waitUpTo
    }
}

/// What a claim got.
public struct ClaimAnswer: Hashable, Sendable {
    /// The store's time of the answer.
    public let now: Timestamp
    /// The records that the caller now holds, with their new fences.
    public let claimed: [Record]
    /// The records asked for by name that stand there and could not be had: held, or behind the head of their order.
    public let standing: [Record]
    /// When the next record of the collection can be claimed, zero if one can be at once; `nil` if none is in sight or
    /// the claim was by name. Too early at times where records expire or are being changed, never too late: look again
    /// then.
    public let nextDueIn: Duration?

    /// An answer from its parts.
    public init(now: Timestamp, claimed: [Record], standing: [Record] = [], nextDueIn: Duration? = nil) {
        self.now = now
        self.claimed = claimed
        self.standing = standing
        self.nextDueIn = nextDueIn
    }
}

/// What became of a wish to hold a record longer.
public enum ExtendAnswer: Hashable, Sendable {
    /// The hold now ends at `until`; the fence stays.
    case extended(now: Timestamp, until: Timestamp)
    /// The record is gone, or somebody else has changed or claimed it; `standing` is what stands there.
    case lost(now: Timestamp, standing: Record?)
}

/// One page of a collection.
///
/// A page may hold fewer records than were asked for though more follow; ``next`` alone tells. A store that processes
/// share may show a new record at a position that a scan has already passed.
public struct ScanAnswer: Hashable, Sendable {
    /// The store's time of the answer.
    public let now: Timestamp
    /// The records, by position.
    public let records: [Record]
    /// Pass it as `after` to get the next page; `nil` on the last one.
    public let next: UInt64?

    /// An answer from its parts.
    public init(now: Timestamp, records: [Record], next: UInt64?) {
        self.now = now
        self.records = records
        self.next = next
    }
}

/// What a collection holds, for people and metrics.
public struct CollectionStatistics: Hashable, Sendable {
    /// The store's time of the answer.
    public let now: Timestamp
    /// How many records stand in each state.
    public let counts: [String: Int]
    /// Since when the record that has been claimable longest waits. If none is claimable now, when the next may be; a
    /// held record may then count with the end of its lease. `nil` if none is in sight.
    public let oldestDue: Timestamp?
    /// When the record with the lowest position was inserted; `nil` if there is none.
    public let oldestCreated: Timestamp?

    /// Statistics from their parts.
    public init(now: Timestamp, counts: [String: Int], oldestDue: Timestamp?, oldestCreated: Timestamp?) {
        self.now = now
        self.counts = counts
        self.oldestDue = oldestDue
        self.oldestCreated = oldestCreated
    }
}
