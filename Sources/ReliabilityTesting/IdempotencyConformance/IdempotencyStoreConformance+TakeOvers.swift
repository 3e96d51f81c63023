// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Promise 3: nobody gets the key of an unknown execution without naming it.
extension IdempotencyStoreConformance {
    static let takeOverChecks = [
        Check("a claim that names the unknown execution takes it over", promise: 3) { bench in
            let (lapsed, left) = (try bench.key("lapsed"), try bench.key("left"))
            try await bench.lapsed(lapsed, 5)
            try await bench.markUnknown(try await bench.acquire(left, 5))
            for key in [lapsed, left] {
                let before = try await bench.entry(key)
                let holder = Holder.new()
                let execution = try await bench.acquire(key, 6, by: holder, for: .seconds(7), takingOver: before)
                let fence = before.execution.fence
                try require(execution.fence > fence, "the fence \(execution.fence) is not above \(fence)")
                let expected = IdempotencyExecution(
                    key: key, fence: execution.fence, attempt: 2, fingerprint: bench.fingerprint(5),
                    leaseUntil: try await bench.now().advanced(by: .seconds(7)))
                try require(execution, is: expected, "the execution that took over")
                let entry = try await bench.entry(key)
                try require(entry.execution, is: expected, "the execution that a read shows")
                try require(entry.holder, is: holder, "the holder")
                try require(entry.state, is: .inProgress(leaseRemaining: .seconds(7)), "the state")
            }
        },
        Check("the fingerprint of the first claim is kept over take-overs") { bench in
            let key = try bench.key()
            var entry = try await bench.lapsed(key, 1).entry
            for number in 2...4 {
                let execution = try await bench.acquire(key, number, takingOver: entry)
                try require(execution.fingerprint, is: bench.fingerprint(1), "the fingerprint after a take-over")
                if number == 3 {
                    try await bench.markUnknown(execution)
                } else {
                    bench.advance(by: IdempotencyBench.lease)
                }
                entry = try await bench.entry(key)
                try require(entry.execution.fingerprint, is: bench.fingerprint(1), "the fingerprint that a read shows")
            }
        },
        Check("attempts count the claims that got the key since it was free") { bench in
            let key = try bench.key()
            for life in 0..<2 {
                var execution = try await bench.acquire(key)
                for attempt in 1...3 {
                    try require(execution.attempt, is: attempt, "the attempt in life \(life)")
                    try await bench.refused(key, "in progress")
                    execution = try await bench.extend(execution, by: IdempotencyBench.lease)
                    execution = try await bench.checkpoint(execution)
                    bench.advance(by: IdempotencyBench.lease)
                    let entry = try await bench.refused(key, "that names nothing")
                    try require(entry.execution.attempt, is: attempt, "the attempt that a read shows")
                    execution = try await bench.acquire(key, takingOver: entry)
                }
                try await bench.release(execution)
            }
        },
        Check("a claim that names another execution than the one that stands gets nothing", promise: 3) { bench in
            for passing in passings {
                let key = try bench.key(passing.name)
                let named = try await passed(bench, key, passing)
                guard let before = try await bench.store.read(key) else { continue }
                let after = try await bench.refused(
                    key, number: 8, takingOver: named, "naming one that \(passing.name)")
                try require(after.execution.fingerprint, is: before.execution.fingerprint, "the fingerprint")
                try require(after.execution.checkpoint, is: before.execution.checkpoint, "the checkpoint")
                if case (.unknown, .unknown) = (before.state, after.state) { continue }
                try require(after.state, is: before.state, "the state, the named one \(passing.name),")
            }
        },
        Check("a claim that names another execution than the one that stands changes nothing", promise: 2) { bench in
            for passing in passings {
                let key = try bench.key(passing.name)
                let named = try await passed(bench, key, passing)
                let before = try await bench.store.read(key)
                _ = try await bench.claim(key, 8, takingOver: named)
                let after = try await bench.store.read(key)
                try require(after, is: before, "what stands, the named one \(passing.name),")
            }
        },
        Check("a claim that names one that is gone is told that the key is free, and leaves it free") { bench in
            for passing in passings {
                let key = try bench.key(passing.name)
                let named = try await passed(bench, key, passing)
                guard try await bench.store.read(key) == nil else { continue }
                let answer = try await bench.claim(key, takingOver: named)
                try require(answer, is: .absent, "a claim naming one that \(passing.name)")
                try await bench.requireAbsent(key, "after a claim that named one that is gone")
                try require(try await bench.acquire(key).attempt, is: 1, "the attempt of the next claim")
            }
        },
        Check("a claim that names one whose late owner has completed it is told the outcome", promise: 3) { bench in
            let key = try bench.key()
            let (execution, entry) = try await bench.lapsed(key)
            let at = try await bench.complete(execution, as: .value([7]))
            let standing = try await bench.refused(key, takingOver: entry, "after a late completion")
            try require(standing.state, is: .completed(.value([7]), at: at, age: .zero), "the state")
        },
        Check("a claim in vain keeps a completed key no longer than its retention", promise: 4) { bench in
            let key = try bench.key()
            let (execution, entry) = try await bench.lapsed(key)
            try await bench.complete(execution, for: .seconds(10))
            let standing = try await bench.refused(
                key, for: .seconds(500), takingOver: entry, "after a late completion")
            try require(standing.holder, is: nil, "the holder of a completed key")
            bench.advance(by: .seconds(10))
            try await bench.requireAbsent(key, "after its retention")
        },
        Check("a claim that names one that is still in progress gets nothing", promise: 3) { bench in
            let key = try bench.key()
            let execution = try await bench.acquire(key, for: .seconds(10))
            let early = try await bench.entry(key)
            try require(try await bench.refused(key, takingOver: early, "in progress"), is: early, "what stands")
            bench.advance(by: .seconds(10))
            let lapsed = try await bench.entry(key)
            _ = try await bench.extend(execution, by: .seconds(10))
            let extended = try await bench.refused(key, takingOver: lapsed, "extended since it was looked at")
            try require(extended.state, is: .inProgress(leaseRemaining: .seconds(10)), "the state")
            bench.advance(by: .seconds(10))
            let again = try await bench.entry(key)
            try require(try await bench.acquire(key, takingOver: again).attempt, is: 2, "the attempt")
        },
        Check("an execution that took over and lapsed is unknown because its lease passed", promise: 3) { bench in
            let key = try bench.key()
            try await bench.markUnknown(try await bench.acquire(key), because: .declared)
            try await bench.acquire(key, takingOver: try await bench.entry(key))
            bench.advance(by: IdempotencyBench.lease)
            try await bench.requireState(key, .unknown(.leasePassed), "after two executions")
        },
    ]

    /// What became of an execution since it was looked at when it had lapsed.
    private struct Passing: Sendable {
        let name: String
        let make: @Sendable (IdempotencyBench, IdempotencyExecution, IdempotencyEntry) async throws -> Void
    }

    /// The entry of an execution that lapsed, as it was before that became of it.
    private static func passed(
        _ bench: IdempotencyBench, _ key: IdempotencyKey, _ passing: Passing
    ) async throws -> IdempotencyEntry {
        let (execution, entry) = try await bench.lapsed(key, 3)
        try await passing.make(bench, execution, entry)
        return entry
    }

    private static let passings = [
        Passing(name: "was taken over") { bench, _, entry in
            try await bench.acquire(entry.key, takingOver: entry)
        },
        Passing(name: "was taken over by one that lapsed") { bench, _, entry in
            try await bench.checkpoint(try await bench.acquire(entry.key, takingOver: entry))
            bench.advance(by: IdempotencyBench.lease)
        },
        Passing(name: "was taken over by one that was left unknown") { bench, _, entry in
            try await bench.markUnknown(try await bench.acquire(entry.key, takingOver: entry))
        },
        Passing(name: "was taken over by one that was completed") { bench, _, entry in
            try await bench.complete(try await bench.acquire(entry.key, takingOver: entry))
        },
        Passing(name: "was taken over by one that was released") { bench, _, entry in
            try await bench.release(try await bench.acquire(entry.key, takingOver: entry))
        },
        Passing(name: "was released") { bench, execution, _ in try await bench.release(execution) },
        Passing(name: "was released, its key claimed anew") { bench, execution, entry in
            try await bench.release(execution)
            try await bench.acquire(entry.key, 4)
        },
        Passing(name: "was released, its key claimed by one that lapsed") { bench, execution, entry in
            try await bench.release(execution)
            try await bench.lapsed(entry.key, 4)
        },
        Passing(name: "was released, its key claimed and left unknown") { bench, execution, entry in
            try await bench.release(execution)
            try await bench.markUnknown(try await bench.acquire(entry.key, 4))
        },
        Passing(name: "was completed") { bench, execution, _ in try await bench.complete(execution) },
        Passing(name: "was completed, and its outcome has expired") { bench, execution, _ in
            try await bench.complete(execution, for: .seconds(5))
            bench.advance(by: .seconds(5))
        },
        Passing(name: "was completed, its outcome has expired, its key claimed by one that lapsed") {
            bench, execution, entry in
            try await bench.complete(execution, for: .seconds(5))
            bench.advance(by: .seconds(5))
            try await bench.lapsed(entry.key, 4)
        },
        Passing(name: "kept a checkpoint") { bench, execution, _ in try await bench.checkpoint(execution) },
    ]
}
