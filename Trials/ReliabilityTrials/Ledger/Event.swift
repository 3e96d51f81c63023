// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What a child reports, in the order in which it happened for each of its callers.
///
/// Every operation has a number of its own, over all lives of a directory. An attempt is reported before it is handed
/// to the store, and an answer before anybody acts on it.
enum Event: Hashable {
    /// The directory is open; one ``stands(_:)`` for each record follows, then ``whole``.
    case opened(lastEnd: String)
    /// A record of the whole content, listed while nobody else used the store.
    case stands(Standing)
    /// The listing is complete.
    case whole
    /// A batch is about to be handed over; what it writes carries the operation's number.
    case attempt(UInt64, [Step])
    /// The batch is in; a fence for each insert and replace.
    case committed(UInt64, [Fence])
    /// The batch is not in, because of what one of its changes found.
    case conflict(UInt64, Sighting)
    /// A read or a page is about to be asked for.
    case asking(UInt64)
    /// What the read or the page showed.
    case answered(UInt64, [Sighting])
    /// A claim is about to be handed over.
    case claiming(UInt64)
    /// What the claim got, with the fences it gave.
    case claimed(UInt64, [Sighting])
    /// An operation ended with an error.
    case failed(UInt64, ReportedError)
    /// The directory could not be opened.
    case notOpened(ReportedError)
    /// The store wrote its live records into a snapshot.
    case compacted
    /// The store told of a failure on its own, not in an answer.
    case told(ReportedError)
    /// The trial, not the child: the disk has begun to lose its power.
    case powerCut
    /// The store was closed without an error.
    case closed
    /// The store could not be closed as it should.
    case notClosed(ReportedError)
}

/// One change of a batch. A move is a delete and an insert: for what stands where, there is no difference.
enum Step: Hashable {
    case insert(RecordID)
    case replace(RecordID, expecting: Fence)
    case delete(RecordID, expecting: Fence)

    var id: RecordID {
        switch self {
        case .insert(let id), .replace(let id, _), .delete(let id, _): id
        }
    }

    /// Whether the record then carries the batch's number.
    var writes: Bool {
        switch self {
        case .insert, .replace: true
        case .delete: false
        }
    }
}

/// A record at one moment: its fence, and the number of the operation that wrote its content.
struct Version: Hashable {
    let fence: Fence
    let number: UInt64
}

/// What an answer said of a record; no version where none stood.
struct Sighting: Hashable {
    let id: RecordID
    let version: Version?
}

/// A record of a listing of everything.
struct Standing: Hashable {
    let id: RecordID
    let version: Version
    let changedUnder: Fence?
}

/// An error as the child met it.
struct ReportedError: Hashable {
    enum Kind: String {
        // Of an operation.
        case refused, closed, full, unavailable, outcomeUnknown
        // Of an opening.
        case inUse, damaged, missing, occupied, unsupportedFormat, failed
        // Of neither.
        case compactionFailed
    }

    let kind: Kind
    /// The process that has the directory open, where that is the reason and known.
    var pid: Int32?
    /// The file that the error names, empty where it names none. Blanks in it are not kept.
    var subject = ""
    /// What the error says for people.
    var text = ""

    /// Whether it is certain that the operation changed nothing.
    var isNotApplied: Bool { kind != .outcomeUnknown }

    /// Whether the store is out of use until it is opened again.
    var endsTheStore: Bool { kind == .unavailable || kind == .outcomeUnknown }
}
