// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Promise 6: what tells, after an unknown outcome, whether a call is in.
extension IdempotencyStoreConformance {
    static let answerChecks = [
        Check("a claim that is in shows its holder, also when its lease has passed", promise: 6) { bench in
            let key = try bench.key()
            for _ in 0..<3 {
                let holder = Holder(nonce: .max, process: ProcessIdentity(host: "höst", pid: 1, instance: .max - 1))
                let execution = try await bench.acquire(key, by: holder)
                try require(try await bench.entry(key).holder, is: holder, "the holder within the lease")
                bench.advance(by: IdempotencyBench.lease)
                let entry = try await bench.entry(key)
                try require(entry.holder, is: holder, "the holder after the lease")
                let next = Holder.new()
                let other = try await bench.acquire(key, by: next, takingOver: entry)
                try require(try await bench.entry(key).holder, is: next, "the holder after a take-over")
                let extended = try await bench.extend(other, by: IdempotencyBench.lease)
                try await bench.checkpoint(extended)
                try require(try await bench.entry(key).holder, is: next, "the holder after an extend and a checkpoint")
                try require(
                    try await bench.make(.release, of: execution), is: .lost(try await bench.entry(key)), "late")
                try await bench.release(try await bench.entry(key).execution)
            }
        },
        Check("a completion that is in shows the fence that it named, and no holder", promise: 6) { bench in
            let key = try bench.key()
            let execution = try await bench.checkpoint(try await bench.acquire(key))
            try await bench.complete(execution)
            let entry = try await bench.entry(key)
            try require(entry.settledUnder, is: execution.fence, "the fence of the settlement")
            try require(entry.holder, is: nil, "the holder of a completed key")
        },
        Check("an unknown outcome that is in shows the fence that it named, also once it is taken over", promise: 6) {
            bench in
            let key = try bench.key()
            let execution = try await bench.acquire(key)
            try await bench.markUnknown(execution)
            let entry = try await bench.entry(key)
            try require(entry.settledUnder, is: execution.fence, "the fence of the settlement")
            try require(entry.holder, is: nil, "the holder of a key left unknown")
            let next = try await bench.acquire(key, takingOver: entry)
            try require(try await bench.entry(key).settledUnder, is: execution.fence, "the fence after a take-over")
            try await bench.extend(next, by: IdempotencyBench.lease).settled(by: bench)
        },
        Check("a checkpoint that is in shows the fence that it named", promise: 6) { bench in
            let key = try bench.key()
            var execution = try await bench.acquire(key)
            for _ in 0..<3 {
                let next = try await bench.checkpoint(execution)
                try require(try await bench.entry(key).settledUnder, is: execution.fence, "the fence of the checkpoint")
                execution = next
            }
            bench.advance(by: IdempotencyBench.lease)
            let entry = try await bench.entry(key)
            try await bench.acquire(key, takingOver: entry)
            try require(try await bench.entry(key).settledUnder, is: entry.settledUnder, "the fence after a take-over")
        },
        Check("the checkpoint of an execution is not taken for its settlement", promise: 6) { bench in
            let key = try bench.key()
            let execution = try await bench.checkpoint(try await bench.acquire(key))
            let settledUnder = try await bench.entry(key).settledUnder
            try require(
                settledUnder != execution.fence, "settled under \(execution.fence), which is still to be settled under")
        },
        Check("an execution that is open shows nobody's settlement under its fence", promise: 6) { bench in
            let key = try bench.key()
            var execution = try await bench.acquire(key)
            for _ in 0..<3 {
                execution = try await bench.extend(execution, by: IdempotencyBench.lease)
                try require(try await bench.entry(key).settledUnder != execution.fence, "an open execution is settled")
                try await bench.markUnknown(execution)
                execution = try await bench.acquire(key, takingOver: try await bench.entry(key))
                try require(try await bench.entry(key).settledUnder != execution.fence, "an open execution is settled")
            }
        },
    ]
}

extension IdempotencyExecution {
    /// Completes the execution, which then shows its own fence.
    fileprivate func settled(by bench: IdempotencyBench) async throws {
        try await bench.complete(self)
        try require(try await bench.entry(key).settledUnder, is: fence, "the fence of the settlement after a take-over")
    }
}
