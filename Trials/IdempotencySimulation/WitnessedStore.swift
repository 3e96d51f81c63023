// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityTesting
internal import Synchronization

/// The store as an operation of a process sees it, with a judge who looks on.
///
/// Once the process is gone, nothing gets out and nothing comes back.
struct WitnessedStore: IdempotencyStoreWrapper {
    let base: any IdempotencyStore
    let judge: Judge
    let process: Liveness

    private static let gone = StoreError.unavailable(StoreFailure(operation: "simulated", subject: "process", code: 0))

    private func call<Answer>(
        _ name: String, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        guard process.isAlive else { throw Self.gone }
        do throws(StoreError) {
            let answer = try await body()
            guard process.isAlive else { throw Self.gone }
            return answer
        } catch {
            if process.isAlive { judge.note("call \(CurrentCall.number) \(name): \(error)") }
            throw error
        }
    }

    func claim(_ claim: IdempotencyClaim) async throws(StoreError) -> IdempotencyClaimAnswer {
        let (number, key) = (CurrentCall.number, claim.key.number)
        let answer = try await call("claim") { () throws(StoreError) in
            let seen = judge.willClaim(number, key, takingOver: claim.predecessor?.execution.fence)
            return (seen, try await base.claim(claim))
        }
        if case .acquired(let execution) = answer.1 { judge.acquired(number, key, execution, after: answer.0) }
        return answer.1
    }

    func complete(
        _ execution: IdempotencyExecution, as outcome: IdempotencyOutcome, retention: Duration,
        alongside changes: [Change]
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        let (number, key) = (CurrentCall.number, execution.key.number)
        let (index, answer) = try await call("complete") { () throws(StoreError) in
            let index = judge.willComplete(number, key, execution.fence, outcome)
            return (
                index, try await base.complete(execution, as: outcome, retention: retention, alongside: changes)
            )
        }
        if case .settled(let at) = answer { judge.completed(key, index, at: at) }
        return answer
    }

    func release(_ execution: IdempotencyExecution) async throws(StoreError) -> IdempotencySettleAnswer {
        try await call("release") { () throws(StoreError) in
            judge.willEnd(CurrentCall.number, execution.key.number, execution.fence, isRelease: true)
            return try await base.release(execution)
        }
    }

    func markUnknown(
        _ execution: IdempotencyExecution, because reason: IdempotencyUnknownReason
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        try await call("mark unknown") { () throws(StoreError) in
            judge.willEnd(CurrentCall.number, execution.key.number, execution.fence, isRelease: false)
            return try await base.markUnknown(execution, because: reason)
        }
    }

    func extend(
        _ execution: IdempotencyExecution, by lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        let (number, key) = (CurrentCall.number, execution.key.number)
        judge.willRenew(number)
        defer { judge.hasRenewed(number) }
        let (seen, answer) = try await call("extend") { () throws(StoreError) in
            (judge.willExtend(key), try await base.extend(execution, by: lease))
        }
        switch answer {
        case .held(let held): judge.held(number, key, asking: execution.fence, held, after: seen)
        case .lost: judge.lostClaim(number)
        }
        return answer
    }

    func checkpoint(
        _ execution: IdempotencyExecution, _ checkpoint: IdempotencyCheckpoint, extendingBy lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        let (number, key) = (CurrentCall.number, execution.key.number)
        let (seen, answer) = try await call("checkpoint") { () throws(StoreError) in
            judge.willKeep(key, execution.fence, checkpoint)
            return (
                judge.willExtend(key), try await base.checkpoint(execution, checkpoint, extendingBy: lease)
            )
        }
        if case .held(let held) = answer { judge.held(number, key, asking: execution.fence, held, after: seen) }
        return answer
    }

    func read(_ key: IdempotencyKey) async throws(StoreError) -> IdempotencyEntry? {
        try await call("read") { () throws(StoreError) in try await base.read(key) }
    }

    func unresolved(
        _ operation: String, after cursor: IdempotencyCursor?, limit: Int
    ) async throws(StoreError) -> IdempotencyPage {
        try await call("list") { () throws(StoreError) in
            try await base.unresolved(operation, after: cursor, limit: limit)
        }
    }

    func purge(limit: Int) async throws(StoreError) -> Int {
        try await call("purge") { () throws(StoreError) in try await base.purge(limit: limit) }
    }
}
