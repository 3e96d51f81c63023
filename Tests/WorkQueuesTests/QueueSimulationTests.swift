// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import QueueSimulation
import Testing

@Suite struct QueueSimulationTests {
    @Test func `random stories break no promise`() throws {
        var summary = QueueStory.Summary()
        for seed in UInt64(1)...150 { summary += try QueueStory.tell(seed: seed) }
        #expect(summary.missing == [])
        #expect(summary.completed > 1_500 && summary.crashesOfItems > 500 && summary.redriven > 500)
    }

    @Test func `a seed gives the same story each time`() throws {
        for seed in UInt64(200)...203 {
            let (first, second) = (try QueueStory.tell(seed: seed), try QueueStory.tell(seed: seed))
            #expect(first == second, "seed \(seed)")
        }
    }

    @Test(arguments: [true, false])
    func `a death at any commit loses nothing and doubles nothing`(parks: Bool) throws {
        #expect(try QueueStory.dieEverywhere(parks: parks) > 30)
    }

    @Test func `ten thousand items of fifty keys are done in order by two consumers that die`() throws {
        let summary = try QueueStory.consume(items: 10_000, keys: 50, seed: 1)
        #expect(summary.items == 10_000 && summary.completed == 10_000)
        #expect(summary.deaths >= 10 && summary.crashesOfItems >= 10)
    }

    @Test(arguments: PlantedQueueBug.all)
    func `the model finds a planted bug`(bug: PlantedQueueBug) {
        let found = (UInt64(1)...1_000).first { QueueStory.shows(bug, seed: $0) != nil }
        #expect(found != nil)
    }
}
