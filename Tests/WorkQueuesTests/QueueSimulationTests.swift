// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import QueueSimulation
import RecordStores
import Testing

@Suite struct QueueSimulationTests {
    @Test func `random stories break no promise`() throws {
        var summary = QueueStory.Summary()
        for seed in UInt64(1)...150 { summary += try QueueStory.tell(seed: seed) }
        #expect(summary.missing == [] && summary.inFiles > 30)
        #expect(summary.completed > 1_500 && summary.crashesOfItems > 500 && summary.redriven > 500)
    }

    @Test func `a seed gives the same story each time`() throws {
        for (seed, inFiles) in zip(UInt64(200)...205, [false, true, false, true, false, true]) {
            let first = try QueueStory.tell(seed: seed, inFiles: inFiles)
            let second = try QueueStory.tell(seed: seed, inFiles: inFiles)
            #expect(first == second, "seed \(seed)")
        }
    }

    @Test(arguments: [true, false], [true, false])
    func `a death at any commit loses nothing and doubles nothing`(parks: Bool, inFiles: Bool) throws {
        #expect(try QueueStory.dieEverywhere(parks: parks, inFiles: inFiles) > (inFiles ? 150 : 50))
    }

    @Test(arguments: [false, true])
    func `ten thousand items of fifty keys are done in order by two consumers that die`(inFiles: Bool) throws {
        let summary = try QueueStory.consume(items: 10_000, keys: 50, inFiles: inFiles, seed: 1)
        #expect(summary.items == 10_000 && summary.completed == 10_000)
        #expect(summary.deaths >= 10 && summary.crashesOfItems >= 10)
    }

    @Test(arguments: PlantedQueueBug.all, [false, true])
    func `the model finds a planted bug`(bug: PlantedQueueBug, inFiles: Bool) {
        let found = (UInt64(1)...1_000).first { QueueStory.shows(bug, seed: $0, inFiles: inFiles) != nil }
        #expect(found != nil)
    }

    @Test func `the model finds a store that forgets what it has answered`() {
        let bug = PlantedQueueBug("forgetsWithoutPower", durability: .operatingSystem) { $0 }
        let found = (UInt64(1)...100).first { QueueStory.shows(bug, seed: $0, inFiles: true) != nil }
        #expect(found != nil)
    }
}
