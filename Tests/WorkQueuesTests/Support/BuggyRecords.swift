// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import QueueSimulation
import RecordStores
import ReliabilityTesting

/// A store of records with one bug, which sits between a queue and a right store.
struct BuggyRecords: RecordStoreWrapper {
    enum Bug: String, CaseIterable {
        case completesUnderAnyFence
        case handsOutDuringLeases
        case handsOutEarly
        case movesByCopying
        case hopesForCommits
        case deniesCommits
        case forgetsParkedKeys
        case forgetsCrashes
        case forgetsOrderKeys
        case putsOverDuplicates
        case movesBeforeCounting
        case evictsForGood
        case prolongsWhatIsLost
        case hidesWhatCrashed
        case forgetsDelays
        case commitsEffectsFirst
        case hurriesRedrives
    }

    let bug: Bug
    let base: any RecordStore

    private static let queue = "queue/jobs"

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        var changes = changes
        switch bug {
        case .completesUnderAnyFence:
            let answer = try await base.commit(changes)
            guard case .conflict(let conflict) = answer, case .delete(let id, _) = changes[0], conflict.index == 0,
                id.collection == Self.queue, let standing = conflict.standing
            else { return answer }
            changes[0] = .delete(id, expecting: standing.fence)
        case .movesByCopying: return try await commitByCopying(changes)
        case .hopesForCommits, .deniesCommits:
            do throws(StoreError) { return try await base.commit(changes) } catch {
                guard case .outcomeUnknown(let failure) = error else { throw error }
                guard bug == .hopesForCommits, case .delete = changes[0], changes.count == 1 else {
                    throw .unavailable(failure)
                }
                return .committed(.init(now: try await base.read([changes[0].id]).now, fences: []))
            }
        case .forgetsParkedKeys: changes.removeAll { $0.id.collection == "parked/jobs" }
        case .forgetsCrashes: changes = changes.map { $0.altered { if $0.state == "running" { $0.state = "ready" } } }
        case .forgetsOrderKeys: changes = changes.map { $0.altered { if $0.state == "retrying" { $0.orderKey = nil } } }
        case .putsOverDuplicates:
            let answer = try await base.commit(changes)
            guard case .conflict(let conflict) = answer, case .insert(let id, _, _) = changes[conflict.index],
                id.collection == Self.queue, let standing = conflict.standing
            else { return answer }
            _ = try await base.commit([.delete(id, expecting: standing.fence)])
        case .movesBeforeCounting:
            guard changes[0].id.collection == "redrives/jobs" else { break }
            let moves = changes.filter { !$0.id.collection.hasPrefix("redrives/") }
            guard !moves.isEmpty else { break }
            if case .conflict(let conflict) = try await base.commit(moves) { return .conflict(conflict) }
            changes.removeAll { !$0.id.collection.hasPrefix("redrives/") }
        case .evictsForGood:
            guard case .move(let id, let destination, let fence, _, _) = changes[0],
                destination.collection == "evicted/jobs"
            else { break }
            changes[0] = .delete(id, expecting: fence)
        case .forgetsDelays:
            changes = changes.map { change in
                guard change.id.collection == Self.queue else { return change }
                return change.altered { if $0.due != .unchanged { $0.due = .after(.zero) } }
            }
        case .commitsEffectsFirst:
            guard changes.count > 1, case .insert(let id, _, _) = changes[1], id.collection == "effects" else { break }
            if case .conflict(let conflict) = try await base.commit([changes.remove(at: 1)]) {
                return .conflict(conflict)
            }
        case .hurriesRedrives:
            changes = changes.map { change in
                guard change.id.collection == "redrives/jobs" else { return change }
                return change.altered { if $0.due != .never { $0.due = .after(.zero) } }
            }
        default: break
        }
        return try await base.commit(changes)
    }

    /// An item is put among the letters before it is taken from the queue.
    private func commitByCopying(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        guard case .move(let id, let destination, let fence, let content, _) = changes[0], id.collection == Self.queue
        else { return try await base.commit(changes) }
        let copied = try await base.commit([.insert(destination, content)] + changes.dropFirst())
        guard case .committed = copied else { return copied }
        return try await base.commit([.delete(id, expecting: fence)])
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        let answer = try await base.claim(request)
        guard case .due(let collection, let limit) = request.selection, collection == Self.queue else { return answer }
        switch bug {
        case .handsOutDuringLeases where answer.claimed.isEmpty:
            let page = try await base.scan(collection, state: "running", after: nil, limit: limit)
            for record in page.records { _ = try await base.extend(record.id, fence: record.fence, lease: .zero) }
            return try await base.claim(request)
        case .handsOutEarly where answer.claimed.isEmpty:
            let page = try await base.scan(collection, state: nil, after: nil, limit: limit)
            guard !page.records.isEmpty else { return answer }
            return try await base.claim(ClaimRequest(.ids(page.records.map(\.id)), lease: request.lease))
        case .hidesWhatCrashed:
            return ClaimAnswer(
                now: answer.now, claimed: answer.claimed.filter { $0.state != "running" }, nextDueIn: answer.nextDueIn)
        default: return answer
        }
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        let answer = try await base.extend(id, fence: fence, lease: lease)
        guard bug == .prolongsWhatIsLost, case .lost(let now, .some) = answer else { return answer }
        return .extended(now: now, until: now.advanced(by: lease))
    }
}

extension Change {
    fileprivate func altered(_ alter: (inout RecordContent) -> Void) -> Change {
        switch self {
        case .replace(let id, let fence, var content, let lease):
            alter(&content)
            return .replace(id, expecting: fence, with: content, lease: lease)
        case .insert(let id, var content, let lease):
            alter(&content)
            return .insert(id, content, lease: lease)
        case .move, .delete, .assert: return self
        }
    }
}

extension PlantedQueueBug {
    static let all = BuggyRecords.Bug.allCases.map { bug in
        PlantedQueueBug(bug.rawValue) { BuggyRecords(bug: bug, base: $0) }
    }
}
