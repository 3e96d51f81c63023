// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension IdempotentOperation {
    /// How an execution ends without a value.
    enum Ending {
        /// Nothing took effect: the key becomes free.
        case release
        case unknown(IdempotencyUnknownReason)
    }

    /// What became of an ending.
    private enum Settled {
        case done(at: Timestamp)
        /// Another execution has the key.
        case lost
        case conflict(CommitAnswer.Conflict)
    }

    /// Stores the value and gives it back; a value that cannot be stored comes out in the error.
    func complete(
        _ hold: IdempotencyHold, with value: Output, recovered: Bool
    ) async throws -> IdempotentResult<Output> {
        let execution = hold.execution
        let (key, fence) = (execution.key, execution.fence)
        let outcome: IdempotencyOutcome
        do {
            outcome = kept(.value(try codec.encode(value)))
        } catch {
            emit(.storeFailed, key, fence, error)
            await giveUp(hold, .unknown(.unsettled))
            throw IdempotencyUnsettled(key: key, value: value, cause: error)
        }
        let settled: Settled
        do throws(StoreError) {
            settled = try await settle(execution) { execution throws(StoreError) in
                try await store.complete(execution, as: outcome, retention: retention, alongside: hold.changes)
            }
        } catch {
            emit(.storeFailed, key, fence, error)
            throw IdempotencyUnsettled(key: key, value: value, cause: error)
        }
        switch settled {
        case .lost:
            emit(.leaseLost, key, fence)
            throw IdempotencyLeaseLost(key: key, result: .success(value))
        case .conflict(let conflict):
            await giveUp(hold, .unknown(.unsettled))
            throw IdempotencyUnsettled(key: key, value: value, cause: IdempotencyChangeConflict(conflict: conflict))
        case .done(let now):
            if case .omitted = outcome { emit(.outputOmitted, key, fence) }
            if recovered {
                emit(.recovered, key, fence)
                return IdempotentResult(value: value, origin: .replayed(firstCompletedAt: now, age: .zero))
            }
            emit(execution.leaseUntil <= now ? .completedLate : .completed, key, fence)
            return IdempotentResult(value: value, origin: .fresh)
        }
    }

    /// What is kept of an outcome, by its size.
    func kept(_ outcome: IdempotencyOutcome) -> IdempotencyOutcome {
        switch outcome {
        case .value(let bytes) where bytes.count > maximumOutputSize: .omitted(size: bytes.count)
        case .failure(let bytes) where bytes.count > maximumOutputSize: .omitted(size: bytes.count)
        case .value, .failure, .omitted: outcome
        }
    }

    /// Stores an error that duplicates get too; what fails here is told by an event, because the caller gets the error
    /// in any case.
    func keep(_ error: any Error, _ hold: IdempotencyHold) async {
        let execution = hold.execution
        let bytes: [UInt8]?
        do {
            bytes = try errors?.encode(error)
        } catch {
            emit(.storeFailed, execution.key, execution.fence, error)
            return await giveUp(hold, .unknown(.unsettled))
        }
        guard let bytes else { return await giveUp(hold, .unknown(.failed)) }
        let outcome = kept(.failure(bytes))
        await report(execution, as: .failed) { execution throws(StoreError) in
            try await store.complete(execution, as: outcome, retention: retention, alongside: [])
        }
    }

    /// Settles an execution without a value; what fails here is told by an event, and the key then counts as unknown
    /// when the lease has passed.
    func giveUp(_ hold: IdempotencyHold, _ ending: Ending) async {
        switch ending {
        case .release:
            await report(hold.execution, as: .released) { execution throws(StoreError) in
                try await store.release(execution)
            }
        case .unknown(let reason):
            await report(hold.execution, as: .leftUnknown) { execution throws(StoreError) in
                try await store.markUnknown(execution, because: reason)
            }
        }
    }

    /// Settles an execution as an operator says: with an outcome, or with none at all; `false` if it was lost.
    func settle(
        _ execution: IdempotencyExecution, as outcome: IdempotencyOutcome?
    ) async throws(StoreError) -> Bool {
        let settled = try await settle(execution, isRelease: outcome == nil) { execution throws(StoreError) in
            guard let outcome else { return try await store.release(execution) }
            return try await store.complete(execution, as: outcome, retention: retention, alongside: [])
        }
        if case .done = settled { return true }
        return false
    }

    private func report(
        _ execution: IdempotencyExecution, as outcome: IdempotencyEvent.Outcome,
        _ body: (IdempotencyExecution) async throws(StoreError) -> IdempotencySettleAnswer
    ) async {
        let (key, fence) = (execution.key, execution.fence)
        do throws(StoreError) {
            switch try await settle(execution, isRelease: outcome == .released, body) {
            case .done: emit(outcome, key, fence)
            case .lost, .conflict: emit(.leaseLost, key, fence)
            }
        } catch {
            emit(.storeFailed, key, fence, error)
        }
    }

    /// Settles an execution under its fence; after an unknown outcome it looks once whether that is in.
    private func settle(
        _ execution: IdempotencyExecution, isRelease: Bool = false,
        _ body: (IdempotencyExecution) async throws(StoreError) -> IdempotencySettleAnswer
    ) async throws(StoreError) -> Settled {
        let standing: IdempotencyEntry?
        let failure: StoreError?
        do throws(StoreError) {
            switch try await body(execution) {
            case .settled(let now): return .done(at: now)
            case .conflict(let conflict): return .conflict(conflict)
            case .lost(let entry): (standing, failure) = (entry, nil)
            }
        } catch {
            guard case .outcomeUnknown = error else { throw error }
            do throws(StoreError) {
                (standing, failure) = (try await store.read(execution.key), error)
            } catch _ {
                throw error
            }
        }
        switch SettlementFate(of: execution, isRelease: isRelease, standing) {
        case .settled(let completedAt): return .done(at: completedAt ?? execution.leaseUntil)
        case .lost: return .lost
        case .pending:
            guard let failure else { preconditionFailure("A store refused the fence \(execution.fence) that stands there") }
            throw failure
        }
    }
}

/// What became of a settlement, judged by what stands under the key after a conflict or an unknown outcome.
enum SettlementFate: Equatable {
    /// It is in; since when, if it completed the key.
    case settled(Timestamp?)
    /// It is not in, and still can be.
    case pending
    /// Another execution has claimed the key.
    case lost

    init(of execution: IdempotencyExecution, isRelease: Bool, _ standing: IdempotencyEntry?) {
        guard let standing else {
            self = isRelease ? .settled(nil) : .lost
            return
        }
        if !isRelease, standing.settledUnder == execution.fence {
            if case .completed(_, let completedAt, _) = standing.state { self = .settled(completedAt) } else {
                self = .settled(nil)
            }
        } else {
            self = standing.execution.fence == execution.fence ? .pending : .lost
        }
    }
}
