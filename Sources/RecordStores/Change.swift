// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What an insert or a replace puts into a record.
public struct RecordContent: Hashable, Sendable {
    /// A point in time, as a caller may give it: relative to the store's present.
    public enum When: Hashable, Sendable {
        /// Not at all.
        case never
        /// That long after the commit; negative counts as zero.
        case after(Duration)
        /// As it stands in the record that is replaced; on an insert, not at all.
        case unchanged
    }

    /// A short ASCII label for people and queries, 1 to 32 bytes.
    public var state: String
    /// Opaque pairs that travel with the record, at most 16 KiB in all.
    public var headers: [String: String]
    /// The module's own bytes, at most 1 MiB.
    public var body: [UInt8]
    /// Records of one collection with the same order key are handed out in the order of their positions; at most 255
    /// bytes.
    public var orderKey: String?
    /// When the record may be claimed as due; by default never, so that it can be claimed by its name alone.
    public var due: When
    /// When the record becomes absent to every operation; by default never.
    public var expires: When
}

extension RecordContent {
    /// Content with everything but state and body at its default.
    public init(
        state: String, body: [UInt8] = [], headers: [String: String] = [:], orderKey: String? = nil,
        due: When = .never, expires: When = .never
    ) {
        // As in a record: the initializer of the members makes no copy.
        self.init(state: state, headers: headers, body: body, orderKey: orderKey, due: due, expires: expires)
    }
}

/// A hold that a caller asks for.
public struct Lease: Hashable, Sendable {
    /// Who will hold the record.
    public var holder: Holder
    /// For how long; at least zero, and a lease of zero has ended at once.
    public var duration: Duration

    /// A hold by `holder`, by default a new holding of this process.
    public init(_ duration: Duration, holder: Holder = .new()) {
        self.duration = duration
        self.holder = holder
    }
}

/// What a replace does to the hold on its record.
public enum LeaseChange: Hashable, Sendable {
    /// The hold and its end stay as they are.
    case keep
    /// The hold stays and now ends that long after the commit.
    case extend(Duration)
    /// Nobody holds the record any more.
    case end
}

/// One change of a batch.
public enum Change: Hashable, Sendable {
    /// Puts a new record where none stands, held at once if a lease is given.
    case insert(RecordID, RecordContent, lease: Lease? = nil)
    /// Gives the record new content and a new fence, if it still has the expected one.
    case replace(RecordID, expecting: Fence, with: RecordContent, lease: LeaseChange)
    /// Gives the record another name, new content and a new fence, if it still has the expected one and nothing stands
    /// under the other name. Its position and what it counts stay, so it keeps its place wherever it goes.
    case move(RecordID, to: RecordID, expecting: Fence, with: RecordContent, lease: LeaseChange)
    /// Removes the record, if it still has the expected fence.
    case delete(RecordID, expecting: Fence)
    /// Changes nothing, and lets the batch through only if the record still has that fence, or if none stands there.
    case assert(RecordID, Fence?)

    /// The record that the change is about; of a move, the name that the record has before it.
    public var id: RecordID {
        switch self {
        case .insert(let id, _, _), .replace(let id, _, _, _), .move(let id, _, _, _, _), .delete(let id, _),
            .assert(let id, _):
            id
        }
    }

    /// The name that a move gives to its record; `nil` for every other change.
    public var destination: RecordID? {
        if case .move(_, let destination, _, _, _) = self { destination } else { nil }
    }

    /// The fence that the record has to have; `nil` if none may stand there.
    var expected: Fence? {
        switch self {
        case .insert: nil
        case .replace(_, let fence, _, _), .move(_, _, let fence, _, _), .delete(_, let fence): fence
        case .assert(_, let fence): fence
        }
    }

    /// How many more records stand after the change than before it.
    var growth: Int {
        switch self {
        case .insert: 1
        case .replace, .move, .assert: 0
        case .delete: -1
        }
    }
}
