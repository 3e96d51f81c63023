// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What became of a saga that was taken up.
public struct RecoveredSaga: Hashable, Sendable {
    /// The saga.
    public let sagaID: String
    /// What became of it.
    public let outcome: SagaOutcome
}

extension SagaCoordinator {
    /// Takes up sagas that are due and that nobody holds, one after the other, until there are none or the limit is
    /// reached.
    ///
    /// Due are sagas whose coordinator died, lost its lease or was cancelled, and those whose compensation is to be
    /// called again by now. A saga of a definition that is not given is marked as blocked, reported and left alone;
    /// give all definitions and versions that have sagas at once.
    ///
    /// - Throws: ``/RecordStores/StoreError``; `CancellationError` if the task was cancelled.
    public func recover<each Input>(
        _ definition: repeat SagaDefinition<each Input>, limit: Int = 100
    ) async throws -> [RecoveredSaga] {
        var plans: [SagaPlan] = []
        repeat plans.append((each definition).plan)
        var recovered: [RecoveredSaga] = []
        for _ in 0..<limit {
            try Task.checkCancellation()
            let claim = try await store.claim(ClaimRequest(.due(collection: headers, limit: 1), lease: Lease(lease)))
            guard let record = claim.claimed.first else { break }
            guard let outcome = try await takeUp(record, plans) else { continue }
            recovered.append(RecoveredSaga(sagaID: record.id.key, outcome: outcome))
        }
        return recovered
    }

    /// Takes up sagas as they become due, for ever: after a crash, after a lost lease, after a back-off.
    ///
    /// Cancelling ends it: sagas that go forward are let go where they stand, compensations run to their end. What
    /// becomes of each saga is told by events.
    ///
    /// - Parameters:
    ///   - definition: All definitions and versions that have sagas; one that is not given blocks its sagas.
    ///   - concurrency: How many sagas are driven at once; at least 1, by default 16.
    /// - Throws: `CancellationError` when it was cancelled; ``/RecordStores/StoreError`` when nothing can be claimed
    ///   any more.
    public func run<each Input>(_ definition: repeat SagaDefinition<each Input>, concurrency: Int = 16) async throws {
        precondition(concurrency >= 1, "At least one saga is driven at a time, not \(concurrency)")
        var plans: [SagaPlan] = []
        repeat plans.append((each definition).plan)
        precondition(!plans.isEmpty, "Without a definition every saga would be blocked")
        let known = plans
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<concurrency { group.addTask { try await self.work(known) } }
            try await group.waitForAll()
        }
        try Task.checkCancellation()
    }

    private func work(_ plans: [SagaPlan]) async throws {
        let due = ClaimRequest.Selection.due(collection: headers, limit: 1)
        while !Task.isCancelled {
            // The store wakes the claim; the bound merely keeps a forgotten one from waiting for ever.
            let claim = try await store.claim(ClaimRequest(due, lease: Lease(lease), waitUpTo: .seconds(60)))
            guard let record = claim.claimed.first else { continue }
            do {
                _ = try await takeUp(record, plans)
            } catch let error as StoreError {
                report(.storeFailed(error), record.id.key, nil)
            } catch is CancellationError {
                // It was let go; the loop ends.
                continue
            }
        }
    }

    /// Drives a saga that has just been claimed; `nil` if none of the definitions is its own.
    func takeUp(_ record: Record, _ plans: [SagaPlan]) async throws -> SagaOutcome? {
        let id = record.id.key
        guard let header = try? SagaHeader(record), let kept = try await readable(id, header.shape) else {
            return try await block(record, nil)
        }
        guard let plan = plans.first(where: { $0.shape == header.shape }),
            let steps = try? plan.bind(header.input)
        else { return try await block(record, header.shape) }
        if let outcome = header.phase.outcome {
            // It was finished before the claim came through.
            _ = try await store.commit([giveBack(record, state: record.state, due: .unchanged)])
            return outcome
        }
        var run = SagaRun(
            id: record.id, header: header, steps: steps, holder: record.holder,
            state: SagaState(steps: plan.traits, phase: header.phase), fence: record.fence)
        run.kept = kept
        let turn = try await settle(run.state.resume(), &run) { _ in [.resumed] }
        if let end = turn.end { return end }
        return try await drive(&run, turn.next)
    }

    /// The outcomes kept of a saga, or `nil` if this version of the package cannot read them.
    private func readable(_ sagaID: String, _ shape: SagaShape) async throws -> [SagaRun.Kept]? {
        do {
            return try await outcomes(sagaID, shape)
        } catch is UnreadableSaga {
            return nil
        }
    }

    /// Leaves a saga alone whose definition is not known here, and looks at it again after a lease.
    private func block(_ record: Record, _ shape: SagaShape?) async throws(StoreError) -> SagaOutcome? {
        let change = giveBack(record, state: SagaStatus.State.blocked.rawValue, due: .after(lease))
        if case .committed = try await store.commit([change]) { report(.blocked(shape), record.id.key, shape) }
        return nil
    }

    /// Ends the hold and leaves the body as it is.
    private func giveBack(_ record: Record, state: String, due: RecordContent.When) -> Change {
        .replace(
            record.id, expecting: record.fence,
            with: RecordContent(
                state: state, body: record.body, headers: record.headers, orderKey: record.orderKey, due: due,
                expires: .unchanged),
            lease: .end)
    }
}
