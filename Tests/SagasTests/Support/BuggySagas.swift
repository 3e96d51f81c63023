// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import SagaSimulation

@testable import Sagas

/// A store of sagas with one bug, which sits between a coordinator and a right store.
struct BuggySagas: RecordStoreWrapper {
    enum Bug: String, CaseIterable {
        case writesUnderAnyFence
        case overlooksMail
        case dropsMail
        case hopesForCommits
        case forgetsDoubts
        case forgetsCompensations
        case forgetsDeadlines
        case forgetsEvents
        case endsWaitsEarly
        case writesAnotherHistory
        case forgetsFailures
        case takesWhatIsHeld
    }

    let bug: Bug
    let base: any RecordStore

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        var changes = changes
        // What coordinators decide begins with the header, what people ask for with the mailbox.
        guard changes[0].id.collection.hasPrefix("sagas/") || bug == .dropsMail else {
            return try await base.commit(changes)
        }
        switch bug {
        case .writesUnderAnyFence:
            let answer = try await base.commit(changes)
            guard case .conflict(let conflict) = answer, conflict.index == 0, let standing = conflict.standing,
                case .replace(let id, _, let content, let lease) = changes[0]
            else { return answer }
            changes[0] = .replace(id, expecting: standing.fence, with: content, lease: lease)
        case .overlooksMail:
            if case .assert = changes[changes.count - 1], changes.count > 1 { changes.removeLast() }
        case .dropsMail where changes[0].id.collection.hasPrefix("saga-mail/"):
            return try await pretend(changes)
        case .hopesForCommits:
            do throws(StoreError) { return try await base.commit(changes) } catch {
                guard case .outcomeUnknown = error else { throw error }
                return try await pretend(changes)
            }
        case .forgetsDoubts, .forgetsCompensations, .forgetsDeadlines, .forgetsEvents, .endsWaitsEarly,
            .forgetsFailures:
            changes = changes.map { $0.altered(alter) }
        case .writesAnotherHistory:
            changes = changes.map { $0.withoutFailures }
        case .dropsMail, .takesWhatIsHeld:
            break
        }
        return try await base.commit(changes)
    }

    /// Says that the changes are in.
    private func pretend(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let fences = changes.compactMap { change -> Fence? in
            switch change {
            case .insert, .replace, .move: Fence(rawValue: 1)
            case .delete, .assert: nil
            }
        }
        return .committed(.init(now: try await base.read([changes[0].id]).now, fences: fences))
    }

    private func alter(_ header: inout SagaHeader) {
        var position = header.position
        switch bug {
        case .forgetsDeadlines: header.deadline = nil
        case .forgetsEvents: position.received = []
        case .forgetsCompensations:
            guard case .backward = position.course else { return }
            for index in position.branches.indices { position.branches[index].branch.activity = .done }
        case .forgetsDoubts:
            for index in position.branches.indices {
                position.branches[index].branch.mayHaveEffect = false
                if position.branches[index].branch.activity == .calling {
                    position.branches[index].branch.activity = .idle
                }
            }
        case .endsWaitsEarly:
            for index in position.branches.indices {
                guard case .waiting(let until) = position.branches[index].branch.activity else { continue }
                position.branches[index].branch.activity = .waiting(until: until.advanced(by: .seconds(-4)))
            }
        case .forgetsFailures:
            for index in position.branches.indices where position.branches[index].branch.wakesAt != nil {
                position.branches[index].branch.attempts = 1
            }
        default: return
        }
        header.position = position
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        let answer = try await base.claim(request)
        guard bug == .takesWhatIsHeld, answer.claimed.isEmpty, case .due(let collection, let limit) = request.selection
        else { return answer }
        // Whoever holds one is let go on with what it has.
        let page = try await base.scan(collection, state: "running", after: nil, limit: limit)
        return ClaimAnswer(now: page.now, claimed: page.records.filter { $0.isHeld(at: page.now) })
    }
}

extension Change {
    /// The change with another header, if it writes one.
    fileprivate func altered(_ alter: (inout SagaHeader) -> Void) -> Change {
        guard case .replace(let id, let fence, var content, let lease) = self, id.collection.hasPrefix("sagas/"),
            content.state != SagaStatus.State.blocked.rawValue, var header = try? SagaHeader(decoding: content.body)
        else { return self }
        alter(&header)
        content.body = header.encoded
        return .replace(id, expecting: fence, with: content, lease: lease)
    }

    /// What failed is said to have taken no effect.
    fileprivate var withoutFailures: Change {
        guard case .insert(let id, var content, let lease) = self, id.collection.hasPrefix("saga-log/"),
            let entry = try? SagaEntry(decoding: content.body), entry.kind == .failed
        else { return self }
        content.body = SagaEntry(kind: .notApplied, step: entry.step, attempts: entry.attempts).encoded
        return .insert(id, content, lease: lease)
    }
}

extension PlantedSagaBug {
    static let all =
        BuggySagas.Bug.allCases.map { bug in
            PlantedSagaBug(bug.rawValue) { BuggySagas(bug: bug, base: $0) }
        } + [
            PlantedSagaBug("changesKeys", participant: .changesKeys),
            PlantedSagaBug("undoesNothing", participant: .undoesNothing),
            PlantedSagaBug("forgetsKeys", participant: .forgetsKeys),
            PlantedSagaBug("probesNothing", participant: .probesNothing),
            PlantedSagaBug("changesOutputs", participant: .changesOutputs),
        ]
}
