// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Promise 1, and what a claim is told.
extension IdempotencyStoreConformance {
    static let claimChecks = [
        Check("a free key is acquired by its first claim", promise: 1) { bench in
            let (key, holder) = (try bench.key(), Holder.new())
            try await bench.requireAbsent(key, "before its first claim")
            let execution = try await bench.acquire(key, 7, by: holder, for: .seconds(20))
            let expected = IdempotencyExecution(
                key: key, fence: execution.fence, attempt: 1, fingerprint: bench.fingerprint(7),
                leaseUntil: try await bench.now().advanced(by: .seconds(20)))
            try require(execution, is: expected, "the execution")
            let entry = try await bench.entry(key)
            try require(entry.execution, is: expected, "the execution that a read shows")
            try require(entry.holder, is: holder, "the holder")
            try require(entry.settledUnder, is: nil, "the fence of a settlement before there was one")
            try require(entry.state, is: .inProgress(leaseRemaining: .seconds(20)), "the state")
        },
        Check("a claim of a key in progress is told so and changes nothing", promise: 1) { bench in
            let key = try bench.key()
            let execution = try await bench.acquire(key, for: .seconds(20))
            let before = try await bench.entry(key)
            try require(
                try await bench.refused(key, number: 1, for: .seconds(90), "in progress"), is: before, "what stands")
            bench.advance(by: .seconds(5))
            let later = try await bench.refused(key, number: 1, "in progress for a while")
            try require(later.execution, is: execution, "the execution after refused claims")
            try require(later.holder, is: before.holder, "the holder after refused claims")
            try require(later.state, is: .inProgress(leaseRemaining: .seconds(15)), "the state")
        },
        Check("a claim of a completed key is told its outcome and changes nothing", promise: 1) { bench in
            let key = try bench.key()
            let at = try await bench.complete(try await bench.acquire(key), as: .value([4]))
            let before = try await bench.entry(key)
            try require(try await bench.refused(key, number: 1, "of a completed key"), is: before, "what stands")
            bench.advance(by: .seconds(5))
            let later = try await bench.refused(key, number: 1, "some time after its completion")
            try require(later.state, is: .completed(.value([4]), at: at, age: .seconds(5)), "the state")
            try require(later.execution.attempt, is: 1, "the attempt after refused claims")
        },
        Check("a claim of an unknown key that names no execution is told so and changes nothing", promise: 3) { bench in
            let (lapsed, left) = (try bench.key("lapsed"), try bench.key("left"))
            let execution = try await bench.lapsed(lapsed).execution
            try await bench.markUnknown(try await bench.acquire(left), because: .cancelled)
            for (key, reason) in [(lapsed, IdempotencyUnknownReason.leasePassed), (left, .cancelled)] {
                let before = try await bench.entry(key)
                for _ in 0..<2 {
                    let standing = try await bench.refused(key, number: 1, "of an unknown key")
                    try require(standing, is: before, "what stands")
                    try require(standing.state, is: .unknown(reason), "the state")
                }
            }
            try await bench.complete(execution)
        },
        Check("of fifty claims of a free key at once one gets it", promise: 1) { bench in
            try await oneOfFifty(bench, try bench.key(), takingOver: nil)
        },
        Check("of fifty claims that take over at once one gets the key", promise: 1) { bench in
            let key = try bench.key()
            let entry = try await bench.lapsed(key).entry
            try await oneOfFifty(bench, key, takingOver: entry)
            let left = try bench.key("left")
            try await bench.markUnknown(try await bench.acquire(left))
            try await oneOfFifty(bench, left, takingOver: try await bench.entry(left))
        },
        Check("of fifty claims of a key whose outcome has expired one gets it", promise: 1) { bench in
            let key = try bench.key()
            try await bench.complete(try await bench.acquire(key), for: .seconds(1))
            bench.advance(by: .seconds(1))
            try await oneOfFifty(bench, key, takingOver: nil)
        },
    ]

    /// Claims a key with fifty holders at once; one has to get it, and all others have to be told of that one.
    private static func oneOfFifty(
        _ bench: IdempotencyBench, _ key: IdempotencyKey, takingOver predecessor: IdempotencyEntry?
    ) async throws {
        typealias Result = (holder: Holder, answer: IdempotencyClaimAnswer)
        let results = try await withThrowingTaskGroup(of: Result.self) { group in
            for number in 0..<50 {
                group.addTask {
                    let holder = Holder.new()
                    return (holder, try await bench.claim(key, number, by: holder, takingOver: predecessor))
                }
            }
            return try await group.reduce(into: [Result]()) { $0.append($1) }
        }
        let winners = results.filter { if case .acquired = $0.answer { true } else { false } }
        try require(winners.count, is: 1, "the number of claims that got \(key)")
        let entry = try await bench.entry(key)
        try require(entry.holder, is: winners[0].holder, "the holder after fifty claims")
        try require(winners[0].answer, is: .acquired(entry.execution), "what the one that got the key was told")
        for result in results where result.holder != winners[0].holder {
            try require(result.answer, is: .standing(entry), "what another claim was told")
        }
    }
}
