// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Promise 4.
extension IdempotencyStoreConformance {
    /// As long as nobody waits; the store's time has room for it.
    private static let ages = Duration.seconds(86_400 * 365 * 50)

    static let retentionChecks = [
        Check("a completed key stands to the last nanosecond of its retention and is absent after it", promise: 4) {
            bench in
            let key = try bench.key()
            try await bench.complete(try await bench.acquire(key), for: .seconds(10))
            bench.advance(by: .nanoseconds(9_999_999_999))
            let entry = try await bench.refused(key, "a nanosecond before the retention ends")
            guard case .completed(_, _, .nanoseconds(9_999_999_999)) = entry.state else {
                throw Violation("a nanosecond before the retention ends the state is \(entry.state)")
            }
            bench.advance(by: .nanoseconds(1))
            try await bench.requireAbsent(key, "at the end of its retention")
            try require(try await bench.claim(key, takingOver: entry), is: .absent, "a claim that names it")
            try await bench.acquire(key)
        },
        Check("retention counts from the completion", promise: 4) { bench in
            for waited in [0, 50, 100_000] as [Int64] {
                let key = try bench.key("\(waited)")
                let execution = try await bench.acquire(key)
                bench.advance(by: .seconds(waited))
                try await bench.complete(execution, for: .seconds(10))
                bench.advance(by: .nanoseconds(9_999_999_999))
                _ = try await bench.entry(key)
                bench.advance(by: .nanoseconds(1))
                try await bench.requireAbsent(key, "though its retention is over, after a wait of \(waited) seconds")
            }
        },
        Check("keys in progress never expire", promise: 4) { bench in
            let (long, lapsed) = (try bench.key("long"), try bench.key("lapsed"))
            let execution = try await bench.acquire(long, for: ages + .seconds(1))
            try await bench.acquire(lapsed)
            bench.advance(by: ages)
            try await bench.requireState(long, .inProgress(leaseRemaining: .seconds(1)), "after fifty years")
            try await bench.requireState(lapsed, .unknown(.leasePassed), "after fifty years")
            try await bench.complete(execution)
        },
        Check("unknown keys never expire, also those that were left so after a checkpoint", promise: 4) { bench in
            let key = try bench.key()
            let execution = try await bench.checkpoint(try await bench.acquire(key))
            try await bench.markUnknown(execution, because: .cancelled)
            let before = try await bench.entry(key)
            bench.advance(by: ages)
            try require(try await bench.entry(key), is: before, "an unknown key after fifty years")
        },
        Check("a key that is claimed after its outcome has expired knows nothing of before", promise: 4) { bench in
            let key = try bench.key()
            let old = try await bench.replaced(key)
            try await bench.complete(try await bench.checkpoint(old.new), for: .seconds(10))
            bench.advance(by: .seconds(10))
            let execution = try await bench.acquire(key, 9, for: .seconds(20))
            let expected = IdempotencyExecution(
                key: key, fence: execution.fence, attempt: 1, fingerprint: bench.fingerprint(9),
                leaseUntil: try await bench.now().advanced(by: .seconds(20)))
            try require(execution, is: expected, "the execution")
            let entry = try await bench.entry(key)
            try require(entry.execution, is: expected, "the execution that a read shows")
            try require(entry.settledUnder, is: nil, "the fence of the last settlement")
            bench.advance(by: ages)
            try await bench.requireState(key, .unknown(.leasePassed), "after fifty years")
        },
        Check("a purge takes at most its limit and nothing but what has expired", promise: 4) { bench in
            try await purge(bench)
        },
        Check("an expired key is as absent before a purge as after it", promise: 4) { bench in
            for isPurged in [false, true] {
                let key = try bench.key("\(isPurged)")
                let execution = try await bench.acquire(key)
                try await bench.complete(execution, for: .seconds(10))
                bench.advance(by: .seconds(100_000))
                if isPurged { _ = try await bench.store.purge(limit: 1_000) }
                try await bench.requireAbsent(key, "after its retention")
                try require(try await bench.listed(), is: [], "what is listed")
                for call in IdempotencyBench.Call.allCases {
                    let answer = try await bench.make(call, of: execution)
                    try require(answer, is: .lost(nil), "a call to \(call.rawValue)")
                }
                try await bench.release(try await bench.acquire(key))
            }
        },
    ]

    private static func purge(_ bench: IdempotencyBench) async throws {
        for number in 0..<7 {
            try await bench.complete(try await bench.acquire(try bench.key("expired \(number)")), for: .seconds(10))
        }
        let names = ["in progress", "lapsed", "unknown", "completed", "taken over"]
        let keys = try names.map { try bench.key($0) }
        try await bench.acquire(keys[0], for: .seconds(1_000_000))
        try await bench.acquire(keys[1], for: .seconds(5))
        try await bench.markUnknown(try await bench.acquire(keys[2]))
        try await bench.complete(try await bench.acquire(keys[3]), for: .seconds(1_000_000))
        try await bench.markUnknown(try await bench.acquire(keys[4]))
        try await bench.acquire(keys[4], takingOver: try await bench.entry(keys[4]))
        bench.advance(by: .seconds(100_000))
        var before: [IdempotencyEntry] = []
        for key in keys { before.append(try await bench.entry(key)) }
        var taken: [Int] = []
        while taken.count < 8, taken.last != 0 { taken.append(try await bench.store.purge(limit: 2)) }
        let total = taken.reduce(0, +)
        try require(taken.allSatisfy { (0...2).contains($0) }, "purges of at most 2 took \(taken)")
        try require(total <= 7, "purges took \(taken), of 7 that had expired")
        for entry in before {
            try require(
                try await bench.entry(entry.key), is: entry, "\(entry.key.key) after purges of what has expired")
        }
    }
}
