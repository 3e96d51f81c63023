// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import SagaSimulation
import Testing

@Suite struct SagaSimulationTests {
    @Test func `random stories break no promise`() throws {
        var summary = SagaStory.Summary()
        for seed in UInt64(1)...400 { summary += try SagaStory.tell(seed: seed) }
        for result in ["completed", "compensated", "outcomeUnknown", "attemptsExhausted"] {
            #expect(summary.results[result, default: 0] > 10, "\(result)")
        }
        #expect(summary.effects > 1_000 && summary.undone > 200 && summary.takenOver > 100)
    }

    @Test func `a seed gives the same story each time`() throws {
        for seed in UInt64(500)...510 {
            let (first, second) = (try SagaStory.tell(seed: seed), try SagaStory.tell(seed: seed))
            #expect(first == second, "seed \(seed)")
        }
    }

    @Test(arguments: PlantedSagaBug.all)
    func `the model finds a planted bug`(bug: PlantedSagaBug) {
        let found = (UInt64(1)...1_000).lazy.compactMap { seed in SagaStory.shows(bug, seed: seed) }.first
        #expect(found != nil)
    }
}
