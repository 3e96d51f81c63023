// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import IdempotencySimulation
import Testing

@Suite struct IdempotencySimulationTests {
    @Test func `random stories break no promise`() throws {
        var summary = IdempotencyStory.Summary()
        for seed in UInt64(1)...12 { summary += try IdempotencyStory.tell(seed: seed) }
        #expect(summary.runs > 30 && summary.crashes > 20 && summary.processCrashes > 20)
        #expect(summary.deliveries > 100 && summary.outstayed > 0)
    }

    @Test func `a seed gives the same story each time`() throws {
        for seed in UInt64(20)...23 {
            let (first, second) = (try IdempotencyStory.tell(seed: seed), try IdempotencyStory.tell(seed: seed))
            #expect(first == second, "seed \(seed)")
        }
    }

    /// Each search begins shortly before the first story that shows the bug.
    @Test(arguments: PlantedBug.all)
    func `the judge finds a planted bug`(bug: PlantedBug) {
        let first = PlantedBug.rare[bug.description] ?? 1
        let found = (first..<first + 400).first { IdempotencyStory.shows(bug, seed: $0) != nil }
        #expect(found != nil)
    }
}
