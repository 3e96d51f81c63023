// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaCoordinator {
    /// Writes the saga's phase, and a step's outcome with it, under the fence that this coordinator holds.
    ///
    /// A phase that is final gives the saga and its outcomes their expiry, unless it is stuck.
    ///
    /// - Returns: Whether it is in and nobody else holds the saga; if not, this coordinator lost it.
    func persist(
        _ run: inout SagaRun, _ outcome: SagaStepOutcome?, due: RecordContent.When, lease: LeaseChange
    ) async throws(StoreError) -> Bool {
        let expires = expiry(of: run.state.phase)
        var changes = [
            Change.replace(
                run.id, expecting: run.fence, with: run.header.content(due: due, expires: expires), lease: lease)
        ]
        var written: [(RecordID, SagaStepOutcome)] = []
        if let outcome {
            written.append((outcomeID(run.id.key, outcome.step, outcome.direction), outcome))
            changes.append(.insert(written[0].0, outcome.content(expires: expires)))
        }
        if expires != .never {
            for kept in run.kept {
                changes.append(
                    .replace(kept.id, expecting: kept.fence, with: kept.outcome.content(expires: expires), lease: .keep)
                )
            }
        }
        let fences: [Fence]
        do throws(StoreError) {
            switch try await store.commit(changes) {
            case .committed(let committed): fences = committed.fences
            case .conflict(let conflict):
                guard conflict.index > 0 else { return false }
                // The header is ours, so nobody but somebody outside the coordinator can have touched the outcome.
                throw .unavailable(
                    StoreFailure(operation: "settle", subject: changes[conflict.index].id.description, code: 0))
            }
        } catch {
            guard case .outcomeUnknown = error else { throw error }
            guard let found = try await lookUp(changes.map(\.id), &run, lease, error) else { return false }
            fences = found
        }
        run.fence = fences[0]
        for (index, (id, outcome)) in written.enumerated() {
            run.kept.append(SagaRun.Kept(id: id, fence: fences[index + 1], outcome: outcome))
        }
        return true
    }

    /// Looks once whether a commit with an unknown outcome is in; the fences of its records, or `nil` if the saga is
    /// lost.
    private func lookUp(
        _ ids: [RecordID], _ run: inout SagaRun, _ lease: LeaseChange, _ error: StoreError
    ) async throws(StoreError) -> [Fence]? {
        let records = try await store.read(ids).records
        guard let header = records[0], header.fence != run.fence else { throw error }
        guard header.changedUnder == run.fence else { return nil }
        // The change is in. If it kept the hold, somebody may have claimed the saga since.
        guard lease == .end || header.holder == run.holder else { return nil }
        return records.compactMap { $0?.fence }
    }

    private func expiry(of phase: SagaState.Phase) -> RecordContent.When {
        switch phase {
        case .running, .probing, .compensating, .stuck: .never
        case .completed, .compensated: .after(retention)
        }
    }

    func outcomeID(_ sagaID: String, _ step: String, _ direction: SagaDirection) -> RecordID {
        RecordID(steps, "\(sagaID)/\(step)/\(direction.rawValue)")
    }

    /// The outcomes that are kept of a saga, in the order in which they were written.
    func outcomes(_ sagaID: String, _ shape: SagaShape) async throws -> [SagaRun.Kept] {
        let ids = shape.steps.flatMap { step in
            [outcomeID(sagaID, step, .forward), outcomeID(sagaID, step, .compensation)]
        }
        let records = try await store.read(ids).records.compactMap { $0 }.sorted { $0.position < $1.position }
        return try records.map { record in
            guard let outcome = try? SagaStepOutcome(decoding: record.body) else {
                throw UnreadableSaga(sagaID: sagaID)
            }
            return SagaRun.Kept(id: record.id, fence: record.fence, outcome: outcome)
        }
    }
}
