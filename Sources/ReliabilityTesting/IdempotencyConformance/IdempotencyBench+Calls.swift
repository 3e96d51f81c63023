// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

extension IdempotencyBench {
    /// The calls that name an execution.
    enum Call: String, CaseIterable, Sendable {
        case complete, release, markUnknown = "mark unknown", extend, checkpoint
    }

    /// What such a call was answered.
    enum Answer: Equatable {
        case done
        case lost(IdempotencyEntry?)
    }

    /// Makes the call, with arguments of no account.
    ///
    /// Who is refused must not be shown the execution as it was before: open, under the fence that is refused.
    func make(_ call: Call, of execution: IdempotencyExecution) async throws -> Answer {
        let answer = try await answer(to: call, of: execution)
        if case .lost(let standing?) = answer, standing.execution.fence == execution.fence {
            try require(
                standing.settledUnder == execution.fence,
                "a call to \(call.rawValue) is refused and shown \(execution.fence), its own fence, as open")
        }
        return answer
    }

    private func answer(to call: Call, of execution: IdempotencyExecution) async throws -> Answer {
        switch call {
        case .complete:
            let outcome = IdempotencyOutcome.value([9])
            return try answer(
                try await store.complete(execution, as: outcome, retention: Self.retention, alongside: []))
        case .release: return try answer(try await store.release(execution))
        case .markUnknown: return try answer(try await store.markUnknown(execution, because: .declared))
        case .extend: return answer(try await store.extend(execution, by: Self.lease))
        case .checkpoint:
            let checkpoint = try IdempotencyCheckpoint("called", [9])
            return answer(try await store.checkpoint(execution, checkpoint, extendingBy: Self.lease))
        }
    }

    private func answer(_ answer: IdempotencySettleAnswer) throws -> Answer {
        switch answer {
        case .settled: return .done
        case .lost(let entry): return .lost(entry)
        case .conflict(let conflict): throw Violation("a call without changes met the conflict \(conflict)")
        }
    }

    private func answer(_ answer: IdempotencyHoldAnswer) -> Answer {
        switch answer {
        case .held: .done
        case .lost(let entry): .lost(entry)
        }
    }

    /// One way in which an execution comes to have a stale fence.
    struct Loss: Sendable {
        /// What happened to the execution.
        let name: String
        /// Lets it happen under a key; returns the execution as its owner last knew it.
        let make: @Sendable (IdempotencyBench, IdempotencyKey) async throws -> IdempotencyExecution

        init(
            _ name: String,
            _ make: @escaping @Sendable (IdempotencyBench, IdempotencyKey) async throws -> IdempotencyExecution
        ) {
            self.name = name
            self.make = make
        }
    }

    /// Lets an execution lapse and another one take its key over.
    func replaced(
        _ key: IdempotencyKey
    ) async throws -> (old: IdempotencyExecution, new: IdempotencyExecution) {
        let (old, entry) = try await lapsed(key)
        return (old, try await acquire(key, takingOver: entry))
    }

    static let losses = [
        Loss("was taken over") { bench, key in try await bench.replaced(key).old },
        Loss("was taken over by one that lapsed") { bench, key in
            let old = try await bench.replaced(key).old
            bench.advance(by: lease)
            return old
        },
        Loss("was taken over by one that was completed") { bench, key in
            let (old, new) = try await bench.replaced(key)
            try await bench.complete(new)
            return old
        },
        Loss("was taken over by one that was left unknown") { bench, key in
            let (old, new) = try await bench.replaced(key)
            try await bench.markUnknown(new)
            return old
        },
        Loss("was taken over by one that was released") { bench, key in
            let (old, new) = try await bench.replaced(key)
            try await bench.release(new)
            return old
        },
        Loss("was released") { bench, key in
            let old = try await bench.acquire(key)
            try await bench.release(old)
            return old
        },
        Loss("was released, and its key claimed anew") { bench, key in
            let old = try await bench.acquire(key)
            try await bench.release(old)
            try await bench.acquire(key)
            return old
        },
        Loss("was completed") { bench, key in
            let old = try await bench.acquire(key)
            try await bench.complete(old)
            return old
        },
        Loss("was completed, and its outcome has expired") { bench, key in
            let old = try await bench.acquire(key)
            try await bench.complete(old, for: .seconds(10))
            bench.advance(by: .seconds(10))
            return old
        },
        Loss("was completed, its outcome has expired and its key was claimed anew") { bench, key in
            let old = try await bench.acquire(key)
            try await bench.complete(old, for: .seconds(10))
            bench.advance(by: .seconds(10))
            try await bench.acquire(key)
            return old
        },
        Loss("was left unknown") { bench, key in
            let old = try await bench.acquire(key)
            try await bench.markUnknown(old)
            return old
        },
        Loss("was left unknown and taken over") { bench, key in
            let old = try await bench.acquire(key)
            try await bench.markUnknown(old)
            try await bench.acquire(key, takingOver: try await bench.entry(key))
            return old
        },
        Loss("was given another fence by its checkpoint") { bench, key in
            let old = try await bench.acquire(key)
            try await bench.checkpoint(old)
            return old
        },
    ]
}
