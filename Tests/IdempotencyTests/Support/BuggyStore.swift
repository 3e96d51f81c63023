// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import IdempotencySimulation
import ReliabilityTesting

/// A store of keys with one bug, which sits between an operation and a right store.
struct BuggyStore: IdempotencyStoreWrapper {
    enum Bug: CaseIterable {
        case completesUnderAnyFence
        case claimsDuringLeases
        case marksUnknownAsFree
        case freesWhatWasCancelled
        case shutsOutLateOwners
        case replaysToAnyFingerprint
        case leasesNeverPass
        case forgetsCheckpoints
        case commitsChangesBefore
        case takesOverFromAnybody
        case hopesForCompletions
        case prolongsWhatIsLost
        case forgetsOutcomes
        case hidesUnknownKeys
        case marksMessagesFirst
        case marksForAllConsumers
        case checkpointsUnderAnyFence
        case refusesLateCheckpoints
    }

    let bug: Bug
    let records: RecordIdempotencyStore<LinkedRecords>

    var base: any IdempotencyStore { records }

    func claim(_ claim: IdempotencyClaim) async throws(StoreError) -> IdempotencyClaimAnswer {
        if bug == .marksForAllConsumers, let entry = try await mark(ofAnotherConsumer: claim.key) {
            return .standing(entry.altered(key: claim.key))
        }
        let answer = try await base.claim(claim)
        if bug == .marksMessagesFirst, claim.key.isOfMessage, case .acquired(let execution) = answer {
            _ = try await base.complete(execution, as: .value([]), retention: .seconds(86_400), alongside: [])
        }
        guard case .standing(let entry) = answer else { return answer }
        switch (bug, entry.state) {
        case (.claimsDuringLeases, .inProgress):
            _ = try await base.release(entry.execution)
            return try await base.claim(
                IdempotencyClaim(
                    key: claim.key, fingerprint: claim.fingerprint, holder: claim.holder, lease: claim.lease))
        case (.shutsOutLateOwners, .unknown(.leasePassed)):
            _ = try await base.markUnknown(entry.execution, because: .leasePassed)
            return try await base.read(claim.key).map { .standing($0) } ?? .absent
        case (.replaysToAnyFingerprint, .completed):
            return .standing(entry.altered(fingerprint: claim.fingerprint))
        case (.leasesNeverPass, .unknown(.leasePassed)):
            return .standing(entry.altered(state: .inProgress(leaseRemaining: .seconds(1))))
        case (.takesOverFromAnybody, .unknown) where claim.predecessor != nil:
            return try await base.claim(
                IdempotencyClaim(
                    key: claim.key, fingerprint: claim.fingerprint, holder: claim.holder, lease: claim.lease,
                    takingOver: entry))
        default: return answer
        }
    }

    private func mark(ofAnotherConsumer key: IdempotencyKey) async throws(StoreError) -> IdempotencyEntry? {
        guard key.isOfMessage, key.tenant == "mail",
            let other = try? IdempotencyKey(tenant: "stock", operation: key.operation, key: key.key),
            let entry = try await base.read(other), case .completed = entry.state
        else { return nil }
        return entry
    }

    func complete(
        _ execution: IdempotencyExecution, as outcome: IdempotencyOutcome, retention: Duration,
        alongside changes: [Change]
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        switch bug {
        case .commitsChangesBefore where !changes.isEmpty:
            if case .conflict(let conflict) = try await records.records.commit(changes) { return .conflict(conflict) }
            return try await base.complete(execution, as: outcome, retention: retention, alongside: [])
        case .forgetsOutcomes:
            return try await base.complete(execution, as: outcome, retention: .seconds(20), alongside: changes)
        case .hopesForCompletions:
            do throws(StoreError) {
                return try await base.complete(execution, as: outcome, retention: retention, alongside: changes)
            } catch {
                guard case .outcomeUnknown = error else { throw error }
                return .settled(at: execution.leaseUntil)
            }
        case .completesUnderAnyFence:
            let answer = try await base.complete(execution, as: outcome, retention: retention, alongside: changes)
            guard case .lost(let entry?) = answer else { return answer }
            return try await base.complete(entry.execution, as: outcome, retention: retention, alongside: changes)
        default: return try await base.complete(execution, as: outcome, retention: retention, alongside: changes)
        }
    }

    func markUnknown(
        _ execution: IdempotencyExecution, because reason: IdempotencyUnknownReason
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        let isFreed = bug == .marksUnknownAsFree || bug == .freesWhatWasCancelled && reason == .cancelled
        return isFreed ? try await base.release(execution) : try await base.markUnknown(execution, because: reason)
    }

    func extend(
        _ execution: IdempotencyExecution, by lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        let answer = try await base.extend(execution, by: lease)
        guard bug == .prolongsWhatIsLost, case .lost(.some) = answer else { return answer }
        return .held(execution)
    }

    func checkpoint(
        _ execution: IdempotencyExecution, _ checkpoint: IdempotencyCheckpoint, extendingBy lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        switch bug {
        case .forgetsCheckpoints: return try await base.extend(execution, by: lease)
        case .refusesLateCheckpoints:
            let entry = try await base.read(execution.key)
            if case .unknown(.leasePassed)? = entry?.state { return .lost(entry) }
        case .checkpointsUnderAnyFence:
            let answer = try await base.checkpoint(execution, checkpoint, extendingBy: lease)
            guard case .lost(let entry?) = answer, case .inProgress = entry.state else { return answer }
            return try await base.checkpoint(entry.execution, checkpoint, extendingBy: lease)
        default: break
        }
        return try await base.checkpoint(execution, checkpoint, extendingBy: lease)
    }

    func unresolved(
        _ operation: String, after cursor: IdempotencyCursor?, limit: Int
    ) async throws(StoreError) -> IdempotencyPage {
        let page = try await base.unresolved(operation, after: cursor, limit: limit)
        guard bug == .hidesUnknownKeys else { return page }
        // Only those that were left so are listed, and not those whose owner is gone.
        let entries = page.entries.filter { if case .unknown(.leasePassed) = $0.state { false } else { true } }
        return IdempotencyPage(entries: entries, next: page.next)
    }
}

extension IdempotencyEntry {
    fileprivate func altered(
        key other: IdempotencyKey? = nil, fingerprint: StoredFingerprint? = nil, state: State? = nil
    ) -> IdempotencyEntry {
        IdempotencyEntry(
            execution: IdempotencyExecution(
                key: other ?? key, fence: execution.fence, attempt: execution.attempt,
                fingerprint: fingerprint ?? execution.fingerprint, checkpoint: execution.checkpoint,
                leaseUntil: execution.leaseUntil),
            holder: holder, settledUnder: settledUnder, incarnation: incarnation, state: state ?? self.state)
    }
}

extension IdempotencyKey {
    fileprivate var isOfMessage: Bool { operation.hasPrefix("inbox/") }
}

extension PlantedBug {
    /// Where the search for bugs begins that few stories show.
    static let rare: [String: UInt64] = ["takesOverFromAnybody": 100]

    static let all =
        BuggyStore.Bug.allCases.map { bug in
            PlantedBug("\(bug)", wrap: { BuggyStore(bug: bug, records: $0) })
        } + [
            PlantedBug("answers before the sync", durability: .operatingSystem),
            PlantedBug(
                "a service that starts frees what is in progress",
                atStart: { store in
                    for entry in try await store.unresolved("charge", after: IdempotencyCursor("progress:"), limit: 9)
                        .entries
                    {
                        _ = try await store.release(entry.execution)
                    }
                }),
        ]
}
