// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension IdempotentOperation {
    /// Stores the value and gives it back; a value that cannot be stored comes out in the error.
    func complete(
        _ execution: IdempotentExecution, with value: Output, recovered: Bool
    ) async throws -> IdempotentResult<Output> {
        let (key, fence) = (execution.context.key, execution.context.fence)
        let output: [UInt8]
        do {
            output = try codec.encode(value)
        } catch {
            emit(.storeFailed, key, fence, error)
            await giveUp(execution, .unknown)
            throw IdempotencyUnsettled(key: key, value: value, cause: error)
        }
        do {
            guard let now = try await settle(execution, .complete(output)) else {
                emit(.leaseLost, key, fence)
                throw IdempotencyLeaseLost(key: key, value: value)
            }
            if recovered {
                emit(.recovered, key, fence)
                return IdempotentResult(value: value, origin: .replayed(firstCompletedAt: now, age: .zero))
            }
            let isLate = execution.leaseUntil.map { $0 <= now } ?? false
            emit(isLate ? .completedLate : .completed, key, fence)
            return IdempotentResult(value: value, origin: .fresh)
        } catch let error as StoreError {
            emit(.storeFailed, key, fence, error)
            throw IdempotencyUnsettled(key: key, value: value, cause: error)
        }
    }

    /// Settles an execution without a value; what fails here is told by an event, because the caller already has an
    /// error of its own, and the key then counts as unknown when the lease has passed.
    func giveUp(_ execution: IdempotentExecution, _ kind: FailureKind) async {
        let (key, fence) = (execution.context.key, execution.context.fence)
        let releases = kind == .notApplied && !execution.followsUnknown
        do throws(StoreError) {
            if try await settle(execution, releases ? .release : .leaveUnknown) == nil {
                emit(.leaseLost, key, fence)
            } else {
                emit(releases ? .released : .leftUnknown, key, fence)
            }
        } catch {
            emit(.storeFailed, key, fence, error)
        }
    }

    /// Settles an execution under its fence and says when by the store's time; `nil` if another execution has claimed
    /// the key.
    func settle(
        _ execution: IdempotentExecution, _ settlement: KeySettlement
    ) async throws(StoreError) -> Timestamp? {
        let (id, fence) = (execution.context.key.recordID, execution.context.fence)
        let change = settlement.change(
            of: id, expecting: fence, fingerprint: execution.fingerprint, retention: retention)
        let standing: Record?
        let now: Timestamp
        let failure: StoreError?
        do throws(StoreError) {
            switch try await store.commit([change]) {
            case .committed(let committed):
                return committed.now
            case .conflict(let conflict):
                (standing, now, failure) = (conflict.standing, conflict.now, nil)
            }
        } catch {
            guard case .outcomeUnknown = error, let answer = try? await store.read([id]) else { throw error }
            (standing, now, failure) = (answer.records.first ?? nil, answer.now, error)
        }
        switch settlement.fate(under: fence, standing: standing) {
        case .settled: return now
        case .lost: return nil
        case .pending:
            guard let failure else { preconditionFailure("A store refused the fence \(fence) that stands there") }
            throw failure
        }
    }
}
