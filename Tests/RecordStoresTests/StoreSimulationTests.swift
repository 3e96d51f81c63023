// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import RecordStores

@Suite struct StoreSimulationTests {
    @Test(arguments: [FileDurability.everyCommit, .interval(.seconds(1)), .operatingSystem])
    func `random stories never break a promise`(durability: FileDurability) throws {
        for seed in UInt64(1)...15 {
            var simulation = StoreSimulation(seed: seed, durability: durability)
            do {
                let summary = try simulation.live(lives: 10)
                #expect(summary.crashes >= 10)
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
    }
}
