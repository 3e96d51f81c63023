// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

extension IdempotencyStoreConformance {
    static let outcomeChecks = [
        Check("a value is replayed byte by byte") { bench in try await replay(bench, samples.map { .value($0) }) },
        Check("a kept failure is replayed as one, byte by byte") { bench in
            try await replay(bench, samples.map { .failure($0) })
        },
        Check("the longest outcome that an operation may keep is replayed byte by byte") { bench in
            let size = IdempotentOperation<[UInt8]>.allowedOutputSize.upperBound
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13) }
            try await replay(bench, [.value(bytes), .failure(bytes)])
        },
        Check("an outcome that was too large to be kept is told with its size") { bench in
            try await replay(bench, [0, 1, 262_145, 5_000_000_000].map { .omitted(size: $0) })
        },
        Check("each reason of an unknown outcome is kept") { bench in
            for reason in IdempotencyUnknownReason.allCases {
                let key = try bench.key("\(reason)")
                try await bench.markUnknown(try await bench.acquire(key), because: reason)
                bench.advance(by: .seconds(1_000))
                try await bench.requireState(key, .unknown(reason), "of a key left unknown")
            }
        },
        Check("a completion is told when it was and how long ago", promise: 7) { bench in
            let key = try bench.key()
            let execution = try await bench.acquire(key)
            bench.advance(by: .nanoseconds(5_000_000_001))
            let at = try await bench.complete(execution, as: .value([]))
            let passed = execution.leaseUntil.duration(to: at)
            try require(passed, is: .nanoseconds(5_000_000_001) - IdempotencyBench.lease, "the time of the answer")
            for _ in 0..<3 {
                let age = at.duration(to: try await bench.now())
                try await bench.requireState(key, .completed(.value([]), at: at, age: age), "of a completed key")
                bench.advance(by: .nanoseconds(700_000_000_007))
            }
        },
        Check("a settled key tells its attempt and fingerprint, and nobody holds it") { bench in
            let (completed, left) = (try bench.key("completed"), try bench.key("left"))
            for key in [completed, left] { try await bench.markUnknown(try await bench.acquire(key, 3)) }
            let execution = try await bench.acquire(completed, 4, takingOver: try await bench.entry(completed))
            try await bench.complete(execution)
            for (key, attempt) in [(completed, 2), (left, 1)] {
                let entry = try await bench.entry(key)
                try require(entry.execution.attempt, is: attempt, "the attempt of \(key)")
                try require(entry.execution.fingerprint, is: bench.fingerprint(3), "the fingerprint of \(key)")
                try require(entry.holder, is: nil, "the holder of \(key)")
            }
        },
        Check("fingerprints of every form come back as they were") { bench in
            let texts = [
                "none", bench.fingerprint(1).description, "v1:hmac-sha256:k.1:" + String(repeating: "0a", count: 32),
                "v2:7:00ff", "v9:blake3:" + String(repeating: "~", count: 480),
            ]
            for (number, text) in texts.enumerated() {
                guard let fingerprint = StoredFingerprint(text) else { throw Violation("\(text) is no fingerprint") }
                let key = try bench.key("\(number)")
                let claim = IdempotencyClaim(
                    key: key, fingerprint: fingerprint, holder: .new(), lease: IdempotencyBench.lease)
                guard case .acquired(let execution) = try await bench.store.claim(claim) else {
                    throw Violation("a free key was not acquired")
                }
                try require(execution.fingerprint, is: fingerprint, "the fingerprint of the answer")
                try require(try await bench.entry(key).execution.fingerprint, is: fingerprint, "the fingerprint read")
            }
        },
    ]

    private static func replay(_ bench: IdempotencyBench, _ outcomes: [IdempotencyOutcome]) async throws {
        for (number, outcome) in outcomes.enumerated() {
            let key = try bench.key("\(number)")
            let at = try await bench.complete(try await bench.acquire(key), as: outcome)
            for entry in [try await bench.entry(key), try await bench.refused(key, "of a completed key")] {
                try require(
                    entry.state == .completed(outcome, at: at, age: .zero), "outcome \(number) came back otherwise")
            }
        }
    }
}
