// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What a cancelled task may count on: only the wait of a claim ends early.
extension RecordStoreConformance {
    static let cancellationChecks = [
        Check("a cancelled task's operations are carried out and answered") { bench in
            let (a, b) = (bench.id("a"), bench.id("b"))
            try await bench.insert(b, .due(expires: .after(.seconds(100))))
            try await cancelled {
                let fence = try await bench.insert(a, .due(order: "k"))
                try require(try await bench.record(a).fence, is: fence, "what a cancelled task reads")
                let held = try await bench.hold(a)
                guard case .extended = try await bench.store.extend(a, fence: held.fence, lease: .seconds(9)) else {
                    throw Violation("a cancelled task's extend was not carried out")
                }
                try await bench.replace(a, held.fence, with: .due(order: "k"), lease: .end)
                try await bench.requireDue(["b", "a"], "to a cancelled task")
                try require(try await bench.scanAll().count, is: 2, "the number of records that a cancelled task sees")
                let statistics = try await bench.store.statistics(of: ConformanceBench.collection)
                try require(statistics.counts["due"], is: 2, "the count that a cancelled task sees")
                _ = try await bench.store.purgeExpired(limit: 1)
                let fenceOfB = try await bench.record(b).fence
                try await bench.delete(b, fenceOfB)
            }
            try require(try await bench.record(a).claims, is: 2, "claims after a cancelled task's two")
            try await bench.requireAbsent(b, "though a cancelled task deleted it")
        },
        Check("a cancelled task's batch is in as a whole or meets its conflict") { bench in
            let ids = (0..<50).map { bench.id("\($0)") }
            for round in 0..<2 {
                let answer = try await cancelled { try await bench.store.commit(ids.map { .insert($0, .plain) }) }
                switch (round, answer) {
                case (0, .committed(let committed)): try require(committed.fences.count, is: 50, "the number of fences")
                case (1, .conflict(let conflict)): try require(conflict.index, is: 0, "the index of the conflict")
                default: throw Violation("in round \(round) a cancelled task was answered \(answer)")
                }
                try require(try await bench.scanAll().map(\.id), is: ids, "what stands")
            }
        },
        Check("a claim in a cancelled task takes what is there and does not wait", promise: 10) { bench in
            let waiter = bench.waiter()
            let first = try await cancelled { await waiter() }.get()
            try require(first.claimed, are: [], "what a cancelled claim gets where nothing is due")
            try await bench.insert(bench.id("a"), .due())
            let second = try await cancelled { await waiter() }.get()
            try require(second.claimed.map(\.id.key), is: ["a"], "what a cancelled claim gets where something is due")
        },
        Check("cancelling the task of a waiting claim ends it at once with nothing", promise: 10) { bench in
            try await bench.insert(bench.id("a"), .due(after: .seconds(100)))
            let before = try await bench.record(bench.id("a"))
            let trigger = ManualClock()
            let waiter = bench.waiter()
            let answers = try await bench.answers(
                of: [{ await cancelled(by: trigger, waiter) }], once: [{ trigger.advance(by: .seconds(1)) }])
            try require(try answers[0].get().claimed, are: [], "what a waiting claim gets when it is cancelled")
            try require(try await bench.record(bench.id("a")), is: before, "the record")
            bench.advance(by: .seconds(100))
            try await bench.requireDue(["a"], "after a claim that waited for it was cancelled")
        },
    ]

    /// Runs the operation in a task that is cancelled before it starts.
    static func cancelled<Success: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Success
    ) async throws -> Success {
        try await withThrowingTaskGroup(of: Success.self) { group in
            group.cancelAll()
            group.addTask { try await operation() }
            guard let result = try await group.next() else { throw Violation("a task came to nothing") }
            return result
        }
    }

    /// Runs the operation in a task that is cancelled when `trigger` moves.
    private static func cancelled(
        by trigger: ManualClock, _ operation: @escaping ConformanceBench.Waiter
    ) async -> Result<ClaimAnswer, StoreError> {
        await withTaskGroup(of: Result<ClaimAnswer, StoreError>?.self) { group in
            group.addTask { await operation() }
            group.addTask {
                // At once if the trigger has moved before this had its turn.
                try? await trigger.sleep(until: ManualClock.Instant(offset: .nanoseconds(1)), tolerance: nil)
                return nil
            }
            var answer: Result<ClaimAnswer, StoreError>?
            while let result = await group.next() {
                answer = answer ?? result
                group.cancelAll()
            }
            return answer ?? .failure(.closed)
        }
    }
}
