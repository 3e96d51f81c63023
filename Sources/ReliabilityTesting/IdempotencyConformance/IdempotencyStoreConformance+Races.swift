// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Promises 1, 2 and 3 where calls meet.
extension IdempotencyStoreConformance {
    static let raceChecks =
        [
            Check("of fifty settlements of an execution at once one is in", promise: 2) { bench in
                for round in 0..<4 {
                    let key = try bench.key("\(round)")
                    let execution = try await bench.acquire(key)
                    let done = try await withThrowingTaskGroup(of: IdempotencyBench.Call?.self) { group in
                        for number in 0..<50 {
                            let call = [IdempotencyBench.Call.complete, .release, .markUnknown][(number + round) % 3]
                            group.addTask { try await bench.make(call, of: execution) == .done ? call : nil }
                        }
                        return try await group.reduce(into: [IdempotencyBench.Call]()) { $0 += [$1].compactMap(\.self) }
                    }
                    try require(done.count, is: 1, "the number of settlements that are in")
                    switch (done[0], try await bench.store.read(key)?.state) {
                    case (.complete, .completed), (.release, nil), (.markUnknown, .unknown): break
                    case (let call, let state):
                        throw Violation("after a call to \(call.rawValue) the state is \(state.debugDescription)")
                    }
                }
            },
            Check("claims of a key that is released again and again never hold it together", promise: 1) { bench in
                let key = try bench.key()
                let fences = try await withThrowingTaskGroup(of: [Fence].self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            var fences: [Fence] = []
                            for _ in 0..<20 {
                                guard case .acquired(let execution) = try await bench.claim(key) else { continue }
                                fences.append(execution.fence)
                                try require(execution.attempt, is: 1, "the attempt")
                                try await bench.release(try await bench.extend(execution, by: .seconds(5)))
                            }
                            return fences
                        }
                    }
                    return try await group.reduce(into: [Fence]()) { $0 += $1 }
                }
                try require(!fences.isEmpty, "no claim got the key")
                try require(Set(fences).count, is: fences.count, "the number of fences that are different")
                try await bench.requireAbsent(key, "after every execution was released")
            },
        ] + IdempotencyBench.Call.allCases.map(raceCheck)

    /// A late call and a take-over at once: one of them gets its way and the other is told.
    private static func raceCheck(_ call: IdempotencyBench.Call) -> Check {
        Check("of a late call to \(call.rawValue) and a take-over at once, what is in rules the other out", promise: 3)
        {
            bench in
            for round in 0..<20 {
                let key = try bench.key("\(round)")
                let (execution, entry) = try await bench.lapsed(key)
                let (late, claim) = try await race(bench, call, execution, entry, lateIsFirst: round % 2 == 0)
                switch (call, late, claim) {
                case (_, .lost, .acquired(let next)):
                    try await bench.complete(next)
                case (.complete, .done, .standing(let standing)):
                    guard case .completed = standing.state else { throw Violation("a completion shows as \(standing)") }
                case (.release, .done, .absent): break
                case (.extend, .done, .standing(let standing)), (.checkpoint, .done, .standing(let standing)):
                    guard case .inProgress = standing.state else { throw Violation("an extend shows as \(standing)") }
                case (.markUnknown, .done, .acquired(let next)):
                    // The execution that was named is still the one that stands there.
                    try await bench.complete(next)
                case (.markUnknown, .done, .standing(let standing)):
                    guard case .unknown = standing.state else {
                        throw Violation("an unknown outcome shows as \(standing)")
                    }
                case (_, let late, let claim):
                    throw Violation("the late call was answered \(late), the take-over \(claim)")
                }
            }
        }
    }

    /// Starts both calls, either of them first.
    private static func race(
        _ bench: IdempotencyBench, _ call: IdempotencyBench.Call, _ execution: IdempotencyExecution,
        _ entry: IdempotencyEntry, lateIsFirst: Bool
    ) async throws -> (late: IdempotencyBench.Answer, claim: IdempotencyClaimAnswer) {
        if lateIsFirst {
            async let late = bench.make(call, of: execution)
            async let claim = bench.claim(entry.key, takingOver: entry)
            return (try await late, try await claim)
        }
        async let claim = bench.claim(entry.key, takingOver: entry)
        async let late = bench.make(call, of: execution)
        return (try await late, try await claim)
    }
}
