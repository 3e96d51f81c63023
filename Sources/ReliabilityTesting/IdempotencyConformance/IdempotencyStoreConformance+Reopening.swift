// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// What stands after a store was closed and opened again, and after a crash.
extension IdempotencyStoreConformance {
    private typealias Opening = @Sendable (IdempotencyBench) async throws -> IdempotencyBench?

    static let reopeningChecks =
        checks(after: "a reopening", promise: nil) { try await $0.reopened() }
        + checks(after: "a crash", promise: 5) { try await $0.crashed() }

    private static func checks(after event: String, promise: Int?, _ open: @escaping Opening) -> [Check] {
        [
            Check("completed and unknown keys and checkpoints stand after \(event)", promise: promise ?? 4) { bench in
                try await settled(bench, open)
            },
            Check("what the last answer before \(event) said stands after it", promise: promise ?? 5) { bench in
                try await lastAnswers(bench, open)
            },
            Check("a fence from before \(event) is never given again", promise: promise ?? 2) { bench in
                try await fences(bench, open)
            },
            Check(
                "an execution from before \(event) can be settled, and nobody else has its key", promise: promise ?? 3
            ) {
                bench in try await late(bench, open)
            },
            Check("what was released, purged or lost before \(event) does not come back", promise: promise ?? 2) {
                bench in
                try await gone(bench, open)
            },
        ]
    }

    private static func settled(_ bench: IdempotencyBench, _ open: Opening) async throws {
        let names = ["value", "failure", "omitted", "unknown", "lapsed", "taken over"]
        let keys = try names.map { try bench.key($0) }
        let outcomes: [IdempotencyOutcome] = [.value(samples[3]), .failure([1]), .omitted(size: 300_000)]
        for (key, outcome) in zip(keys, outcomes) {
            try await bench.complete(try await bench.acquire(key, 1), as: outcome)
        }
        try await bench.markUnknown(
            try await bench.checkpoint(try await bench.acquire(keys[3], 1), "kept", [1]), because: .cancelled)
        try await bench.checkpoint(try await bench.acquire(keys[4], 1), "begun", samples[3])
        bench.advance(by: IdempotencyBench.lease)
        try await bench.checkpoint(try await bench.replaced(keys[5]).new, "later")
        bench.advance(by: IdempotencyBench.lease)
        var before: [IdempotencyEntry] = []
        for key in keys { before.append(try await bench.entry(key)) }
        guard let next = try await open(bench) else { return }
        // Its time may be an earlier one, at which leases still ran.
        next.advance(by: .seconds(1_000))
        for entry in before {
            let after = try await next.entry(entry.key)
            try require(after.execution, is: entry.execution, "the execution of \(entry.key)")
            try require(after.settledUnder, is: entry.settledUnder, "the fence of the settlement of \(entry.key)")
            switch (after.state, entry.state) {
            case (.completed(let outcome, let at, _), .completed(let expected, let then, _)):
                try require(outcome, is: expected, "the outcome of \(entry.key)")
                try require(at, is: then, "the time of the completion of \(entry.key)")
            case (let state, let expected): try require(state, is: expected, "the state of \(entry.key)")
            }
        }
        try require(try await next.listed().map(\.key.key).sorted(), is: names[3...].sorted(), "the keys listed")
        next.advance(by: .seconds(100_000))
        for key in keys[..<3] { try await next.requireAbsent(key, "after its retention") }
        for key in keys[3...] { try await next.acquire(key, takingOver: try await next.entry(key)) }
    }

    /// After each call nothing more is asked of the store.
    private static func lastAnswers(_ bench: IdempotencyBench, _ open: Opening) async throws {
        var bench = bench
        for call in IdempotencyBench.Call.allCases {
            let key = try bench.key(call.rawValue)
            let execution = try await bench.acquire(key, for: .seconds(500_000))
            _ = try await bench.make(call, of: execution)
            guard let next = try await open(bench) else { return }
            let entry = try await next.store.read(key)
            switch (call, entry?.state) {
            case (.complete, .completed(.value([9]), _, _)), (.release, nil), (.markUnknown, .unknown(.declared)),
                (.extend, .inProgress), (.extend, .unknown(.leasePassed)):
                break
            case (.checkpoint, _):
                try require(entry?.execution.checkpoint?.name, is: "called", "the checkpoint that was kept last")
            case (_, let state):
                throw Violation("after a last call to \(call.rawValue) the state is \(state.debugDescription)")
            }
            bench = next
        }
        let key = try bench.key("claimed")
        let holder = Holder.new()
        let execution = try await bench.acquire(key, by: holder, for: .seconds(500_000))
        guard let next = try await open(bench) else { return }
        let entry = try await next.entry(key)
        try require(entry.execution.fence, is: execution.fence, "the fence of a last claim")
        try require(entry.holder, is: holder, "the holder of a last claim")
    }

    private static func fences(_ bench: IdempotencyBench, _ open: Opening) async throws {
        var bench = bench
        let keys = try ["open", "completed", "released"].map { try bench.key($0) }
        var last = [Fence](repeating: Fence(rawValue: 0), count: keys.count)
        for round in 0..<3 {
            for (number, key) in keys.enumerated() {
                let standing = try await bench.store.read(key)
                let execution = try await bench.acquire(key, takingOver: standing)
                try require(
                    execution.fence > last[number],
                    "the fence \(execution.fence) of \(key) in round \(round) is not above \(last[number])")
                last[number] = execution.fence
                switch number {
                case 0: last[number] = try await bench.checkpoint(execution).fence
                case 1: try await bench.complete(execution, for: .seconds(1))
                default: try await bench.release(execution)
                }
            }
            // The fences that were given last are those of keys that are gone.
            for _ in 0..<10 {
                let execution = try await bench.acquire(keys[2])
                last[2] = execution.fence
                try await bench.release(execution)
            }
            bench.advance(by: .seconds(100_000))
            if round != 1 { _ = try await bench.store.purge(limit: 1_000) }
            guard let next = try await open(bench) else { return }
            // Its time may have begun again at some moment before.
            next.advance(by: .seconds(200_000))
            bench = next
        }
    }

    private static func late(_ bench: IdempotencyBench, _ open: Opening) async throws {
        var bench = bench
        for call in IdempotencyBench.Call.allCases {
            let key = try bench.key(call.rawValue)
            let execution = try await bench.acquire(key, for: .seconds(500_000))
            guard let next = try await open(bench) else { return }
            let standing = try await next.refused(key, "that names nothing")
            switch standing.state {
            case .inProgress, .unknown(.leasePassed): break
            case .completed, .unknown, .unreadable: throw Violation("an open execution is \(standing.state)")
            }
            try require(standing.execution.fence, is: execution.fence, "the fence of an open execution")
            try require(try await next.make(call, of: execution), is: .done, "the answer to a call to \(call.rawValue)")
            bench = next
        }
    }

    private static func gone(_ bench: IdempotencyBench, _ open: Opening) async throws {
        let (released, purged, lost) = (try bench.key("released"), try bench.key("purged"), try bench.key("lost"))
        let executions = [try await bench.acquire(released), try await bench.acquire(purged)]
        try await bench.release(executions[0])
        try await bench.complete(executions[1], for: .seconds(1))
        bench.advance(by: .seconds(100_000))
        _ = try await bench.store.purge(limit: 1_000)
        let old = try await bench.replaced(lost).old
        guard let next = try await open(bench) else { return }
        for (key, execution) in zip([released, purged], executions) {
            if key == released { try await next.requireAbsent(key, "after it was released") }
            try require(try await next.make(.markUnknown, of: execution) != .done, "a stale call for \(key) was taken")
        }
        let standing = try await next.entry(lost)
        try require(standing.execution.attempt, is: 2, "the attempt of an execution that took over")
        try require(try await next.make(.complete, of: old), is: .lost(standing), "the answer to the one before it")
    }
}
