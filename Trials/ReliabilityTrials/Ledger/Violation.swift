// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// A promise of the store that was not kept, or a report that makes no sense.
enum Violation: Error, Hashable, CustomStringConvertible {
    /// A version was acknowledged, and what stands or was shown later is older, or nothing.
    case lost(RecordID, acknowledged: Version, found: Version?)
    /// A version was shown in an answer, and what stands or was shown later is older, or nothing.
    case takenBack(RecordID, shown: Version, found: Version?)
    /// A record was acknowledged or shown to be deleted, and stands again.
    case resurrected(RecordID, deletedThrough: Fence, found: Version)
    /// A part of a batch is in, and a part is not.
    case halfBatch(UInt64, done: [RecordID], missing: [RecordID])
    /// Two records that are always written together carry different numbers.
    case unequalTwins(Sighting, Sighting)
    /// A fence was given a second time.
    case reusedFence(Fence, RecordID, earlier: RecordID)
    /// A record's new fence is not above the ones before.
    case fenceDidNotGrow(RecordID, Fence, after: Fence)
    /// A change under a fence that was no longer the record's was let through.
    case staleAccepted(RecordID, expecting: Fence, standing: Fence)
    /// A content that no operation that may be in has written there.
    case neverWritten(RecordID, Version)
    /// The same version with another content.
    case otherContent(RecordID, Version, before: UInt64)
    /// A replaced record does not name the fence that the replace named.
    case wrongChangedUnder(RecordID, Version, named: Fence?)
    /// The store answered an operation that began after it had failed.
    case answeredAfterFailure(UInt64)
    /// The child reported something that cannot be.
    case senseless(String)

    var description: String {
        switch self {
        case .lost(let id, let acknowledged, let found):
            "an acknowledged commit is lost: \(id) was \(text(acknowledged)) and is \(text(found))"
        case .takenBack(let id, let shown, let found):
            "an answer was taken back: \(id) was shown as \(text(shown)) and is \(text(found))"
        case .resurrected(let id, let fence, let found):
            "a deleted record is back: \(id) was gone through fence \(fence) and is \(text(found))"
        case .halfBatch(let number, let done, let missing):
            "half of batch \(number) is in: \(list(done)) but not \(list(missing))"
        case .unequalTwins(let one, let other):
            "half of a batch is in: \(one.id) is \(text(one.version)), \(other.id) is \(text(other.version))"
        case .reusedFence(let fence, let id, let earlier):
            "fence \(fence) of \(id) had been given before, to \(earlier)"
        case .fenceDidNotGrow(let id, let fence, let before): "fence \(fence) of \(id) comes after \(before)"
        case .staleAccepted(let id, let expecting, let standing):
            "a change of \(id) under fence \(expecting) was let through after it had \(standing)"
        case .neverWritten(let id, let version): "\(id) is \(text(version)), which nothing that may be in has written"
        case .otherContent(let id, let version, let before):
            "\(id) is \(text(version)), and with that fence it had number \(before)"
        case .wrongChangedUnder(let id, let version, let named):
            "\(id) is \(text(version)), which says that it was changed under \(named.map { "\($0)" } ?? "no fence")"
        case .answeredAfterFailure(let number): "operation \(number) began after the store had failed and was answered"
        case .senseless(let what): "the child's report makes no sense: \(what)"
        }
    }
}

private func text(_ version: Version?) -> String {
    version.map { "number \($0.number) under fence \($0.fence)" } ?? "absent"
}

private func list(_ ids: [RecordID]) -> String { ids.map(\.description).joined(separator: ", ") }
