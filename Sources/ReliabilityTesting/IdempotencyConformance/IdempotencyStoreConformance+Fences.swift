// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Promise 2.
extension IdempotencyStoreConformance {
    static let fenceChecks =
        [
            Check("the fences of a key grow over release, expiry, purge, take-over and checkpoint", promise: 2) {
                try await growingFences($0)
            },
            Check("an execution has the fence that a read shows", promise: 2) { bench in
                let key = try bench.key()
                let execution = try await bench.acquire(key)
                let kept = try await bench.checkpoint(execution)
                try require(try await bench.entry(key).execution.fence, is: kept.fence, "the fence after a checkpoint")
                bench.advance(by: IdempotencyBench.lease)
                let entry = try await bench.entry(key)
                try require(entry.execution.fence, is: kept.fence, "the fence after the lease")
                let next = try await bench.acquire(key, takingOver: entry)
                try require(try await bench.entry(key).execution.fence, is: next.fence, "the fence after a take-over")
            },
            Check("an extend keeps the fence, so that renewals go beside the owner's calls", promise: 2) { bench in
                let key = try bench.key()
                let execution = try await bench.acquire(key)
                let extended = try await bench.extend(execution, by: .seconds(90))
                try require(extended.fence, is: execution.fence, "the fence after an extend")
                try await bench.complete(execution)
            },
        ] + IdempotencyBench.Call.allCases.map(staleCheck)

    private static func staleCheck(_ call: IdempotencyBench.Call) -> Check {
        Check("a call to \(call.rawValue) under a stale fence changes nothing and is told what stands", promise: 2) {
            bench in
            for loss in IdempotencyBench.losses {
                let key = try bench.key(loss.name)
                let execution = try await loss.make(bench, key)
                let before = try await bench.store.read(key)
                let answer = try await bench.make(call, of: execution)
                try require(answer, is: .lost(before), "the answer for an execution that \(loss.name)")
                let after = try await bench.store.read(key)
                try require(after, is: before, "what stands after a call for an execution that \(loss.name)")
            }
        }
    }

    private static func growingFences(_ bench: IdempotencyBench) async throws {
        let key = try bench.key()
        var last: Fence?
        func note(_ execution: IdempotencyExecution, _ after: String) throws {
            if let last {
                try require(execution.fence > last, "the fence \(execution.fence) after \(after) is not above \(last)")
            }
            last = execution.fence
        }
        for round in 0..<3 {
            var execution = try await bench.acquire(key)
            try note(execution, "a release, in round \(round)")
            execution = try await bench.checkpoint(execution)
            try note(execution, "a checkpoint")
            bench.advance(by: IdempotencyBench.lease)
            execution = try await bench.acquire(key, takingOver: try await bench.entry(key))
            try note(execution, "a take-over of one that lapsed")
            try await bench.markUnknown(execution)
            execution = try await bench.acquire(key, takingOver: try await bench.entry(key))
            try note(execution, "a take-over of one left unknown")
            for isPurged in [false, true] {
                try await bench.complete(execution)
                bench.advance(by: .seconds(100_000))
                if isPurged { _ = try await bench.store.purge(limit: 1_000) }
                execution = try await bench.acquire(key)
                try note(execution, isPurged ? "a purge" : "an expiry")
            }
            try await bench.release(execution)
        }
    }
}
