// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How many bytes effects take in a journal at most, so that room can be asked for before anything is changed.
enum FrameBytes {
    /// What every record and effect has beside names and content, in all encodings.
    static let fixed = 192 + RecordLimits.host.upperBound
    /// The longest name of a record.
    static let name = RecordLimits.collection.upperBound + RecordLimits.key.upperBound
    /// A claim of one record.
    static let hold = 2 * (fixed + name)
    /// The expired records that every operation may clear away.
    static let sweep = 64 + RecordTable.sweepPerOperation * (fixed + name)
}

extension RecordID {
    /// The most that an effect takes which says nothing but the name.
    var frameBytes: Int { FrameBytes.fixed + collection.utf8.count + key.utf8.count }
}

extension Change {
    /// The most that the change takes, and the removal of what had expired under its names.
    var frameBytes: Int {
        switch self {
        case .insert(let id, let content, _): 2 * id.frameBytes + content.frameBytes
        case .replace(let id, _, let content, _): 2 * id.frameBytes + content.frameBytes
        case .move(let id, let destination, _, let content, _):
            2 * (id.frameBytes + destination.frameBytes) + content.frameBytes
        case .delete(let id, _): 2 * id.frameBytes
        case .assert(let id, _): id.frameBytes
        }
    }
}

extension RecordContent {
    fileprivate var frameBytes: Int {
        body.count + RecordLimits.size(of: headers) + 10 * headers.count + state.utf8.count
            + (orderKey?.utf8.count ?? 0) + FrameBytes.fixed
    }
}

extension ClaimRequest.Selection {
    /// The most that a claim takes; what asks for more than the limits allow is refused before it needs any room.
    var frameBytes: Int {
        let count =
            switch self {
            case .ids(let ids): ids.count
            case .due(_, let limit): limit
            }
        return FrameBytes.sweep + min(max(0, count), RecordLimits.page.upperBound) * FrameBytes.hold
    }
}
