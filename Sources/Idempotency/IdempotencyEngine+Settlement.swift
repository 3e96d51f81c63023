// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension IdempotencyEngine {
    /// How an execution ends.
    enum Settlement {
        case complete(IdempotencyOutcome, alongside: [Change])
        /// Nothing took effect: the key becomes free.
        case release
        case unknown(IdempotencyUnknownReason)
    }

    /// What became of a settlement.
    enum Settled {
        case done(at: Timestamp)
        /// Another execution has the key.
        case lost
        case conflict(CommitAnswer.Conflict)
    }

    /// What became of the completion with a value.
    enum Completion {
        case done(at: Timestamp)
        /// Another execution has the key.
        case lost
        /// It is not certain that the value is stored, because of that.
        case unsettled(any Error)
    }

    /// Stores an encoded value and the changes that go with it; what cannot be stored leaves the outcome unknown.
    func complete(_ hold: IdempotencyHold, _ value: [UInt8], isRecovered: Bool) async -> Completion {
        let execution = hold.execution
        let (key, fence) = (execution.key, execution.fence)
        let outcome = kept(value)
        do throws(StoreError) {
            switch try await settle(execution, .complete(outcome, alongside: hold.changes)) {
            case .lost:
                emit(.leaseLost, key, fence)
                return .lost
            case .conflict(let conflict):
                await leaveUnknown(hold, because: .unsettled)
                return .unsettled(IdempotencyChangeConflict(conflict: conflict))
            case .done(let now):
                if case .omitted = outcome { emit(.outputOmitted, key, fence) }
                let isLate = execution.leaseUntil <= now
                emit(isRecovered ? .recovered : isLate ? .completedLate : .completed, key, fence)
                return .done(at: now)
            }
        } catch {
            emit(.storeFailed, key, fence, error)
            // What the store does not take, such as changes that name a record twice, it will not take later either.
            if case .refused = error { await leaveUnknown(hold, because: .unsettled) }
            return .unsettled(error)
        }
    }

    /// A value that cannot be stored, because encoding it failed.
    func leaveUnencoded(_ hold: IdempotencyHold, _ error: any Error) async {
        emit(.storeFailed, hold.execution.key, hold.execution.fence, error)
        await leaveUnknown(hold, because: .unsettled)
    }

    /// Stores an error that duplicates get too; what fails here is told by an event, because the caller gets the error
    /// in any case.
    func keep(_ error: any Error, by codec: ErrorCodec?, _ hold: IdempotencyHold) async {
        let bytes: [UInt8]?
        do {
            bytes = try codec?.encode(error)
        } catch {
            return await leaveUnencoded(hold, error)
        }
        guard let bytes else { return await leaveUnknown(hold, because: .failed) }
        guard bytes.count <= options.maximumOutputSize else { return await leaveUnknown(hold, because: .unsettled) }
        await end(hold, .complete(.failure(bytes), alongside: []), as: .failed)
    }

    /// Settles an execution whose handler does not start.
    func giveUp(_ hold: IdempotencyHold, followsUnknown: Bool) async {
        // A checkpoint tells that an execution before this one has taken effect up to there.
        if followsUnknown || hold.execution.checkpoint != nil {
            await leaveUnknown(hold, because: .cancelled)
        } else {
            await release(hold)
        }
    }

    /// Settles an execution without a value; what fails here is told by an event, and the key then counts as unknown
    /// when the lease has passed.
    func end(_ hold: IdempotencyHold, _ settlement: Settlement, as outcome: IdempotencyEvent.Outcome) async {
        let execution = hold.execution
        let (key, fence) = (execution.key, execution.fence)
        do throws(StoreError) {
            switch try await settle(execution, settlement) {
            case .done: emit(outcome, key, fence)
            case .lost, .conflict: emit(.leaseLost, key, fence)
            }
        } catch {
            emit(.storeFailed, key, fence, error)
        }
    }

    func release(_ hold: IdempotencyHold) async { await end(hold, .release, as: .released) }

    func leaveUnknown(_ hold: IdempotencyHold, because reason: IdempotencyUnknownReason) async {
        await end(hold, .unknown(reason), as: .leftUnknown)
    }

    /// Settles an execution under its fence; after an unknown outcome it looks once whether that is in.
    func settle(
        _ execution: IdempotencyExecution, _ settlement: Settlement
    ) async throws(StoreError) -> Settled {
        let standing: IdempotencyEntry?
        let failure: StoreError?
        do throws(StoreError) {
            switch try await carryOut(settlement, execution) {
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
        var isRelease = false
        if case .release = settlement { isRelease = true }
        switch SettlementFate(of: execution, isRelease: isRelease, standing) {
        case .settled(let completedAt): return .done(at: completedAt ?? execution.leaseUntil)
        case .lost: return .lost
        case .kept(let execution): return try await settle(execution, settlement)
        case .pending:
            // Without a failure the store has refused the very fence that it then showed.
            throw failure
                ?? .unavailable(StoreFailure(operation: "settlement", subject: "\(execution.key)", code: 0))
        }
    }

    private func carryOut(
        _ settlement: Settlement, _ execution: IdempotencyExecution
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        switch settlement {
        case .complete(let outcome, let changes):
            try await store.complete(execution, as: outcome, retention: options.retention, alongside: changes)
        case .release: try await store.release(execution)
        case .unknown(let reason): try await store.markUnknown(execution, because: reason)
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
    /// It is not in, because a checkpoint is, of which that was not known; the execution has another fence now.
    case kept(IdempotencyExecution)

    init(of execution: IdempotencyExecution, isRelease: Bool, _ standing: IdempotencyEntry?) {
        guard let standing else {
            self = isRelease ? .settled(nil) : .lost
            return
        }
        if let kept = standing.continuation(of: execution) {
            self = .kept(kept)
        } else if !isRelease, standing.settledUnder == execution.fence, standing.holder == nil {
            if case .completed(_, let completedAt, _) = standing.state {
                self = .settled(completedAt)
            } else {
                self = .settled(nil)
            }
        } else if isRelease, standing.execution.attempt == 1, standing.execution.fence != execution.fence {
            // A first attempt under another fence: the key was free in between.
            self = .settled(nil)
        } else {
            // A checkpoint that is in says nothing of the settlement: somebody has claimed the key behind it.
            self = standing.execution.fence == execution.fence ? .pending : .lost
        }
    }
}
