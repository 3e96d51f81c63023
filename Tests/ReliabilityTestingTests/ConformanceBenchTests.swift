// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityCore
import Testing

@testable import ReliabilityTesting

/// A check of waiting claims has several tasks, of which a busy machine may let any be the last to have its turn.
@Suite struct ConformanceBenchTests {
    /// Runs a check with its tasks in one order of many; whether it came to its end.
    private func ends(
        seed: UInt64, cancelledAfter pieces: Int? = nil,
        _ check: @escaping @Sendable (ConformanceBench) async throws -> Void
    ) -> Bool {
        let executor = ManualExecutor(random: .seeded(seed))
        let suite = RecordStoreConformance(patience: .seconds(3_600)) { InMemoryRecordStore(clock: $0) }
        let run = executor.start { try await ConformanceBench.with(suite, check) }
        if let pieces {
            for _ in 0..<pieces { executor.step() }
            run.cancel()
        }
        executor.runUntilIdle()
        return run.value != nil
    }

    @Test(arguments: [false, true])
    func `a check whose claim is answered early comes to its end in any order`(isCancelled: Bool) {
        for seed in UInt64(1)...200 {
            let pieces = isCancelled ? Int(seed % 20) : nil
            let isOver = ends(seed: seed, cancelledAfter: pieces) { bench in
                _ = try await bench.answers(
                    of: [bench.waiter()],
                    once: [
                        { try await bench.insert(bench.id("a"), .due()) }, { try await bench.insert(bench.id("b")) },
                    ])
            }
            guard isOver else {
                Issue.record("seed \(seed)")
                return
            }
        }
    }

    @Test func `a claim is cancelled by its trigger in any order`() throws {
        let name = "cancelling the task of a waiting claim ends it at once with nothing"
        let check = try #require(RecordStoreConformance.checks.first { $0.name == name })
        for seed in UInt64(1)...200 {
            guard ends(seed: seed, check.body) else {
                Issue.record("seed \(seed)")
                return
            }
        }
    }

    @Test(arguments: RecordStoreConformance.checks)
    func `every check finds a good store good in whatever order its tasks run`(check: RecordStoreConformance.Check) {
        for seed in UInt64(1)...4 {
            let isOver = ends(seed: seed) { bench in
                do { try await check.body(bench) } catch { Issue.record("seed \(seed): \(error)") }
            }
            guard isOver else {
                Issue.record("seed \(seed)")
                return
            }
        }
    }
}
