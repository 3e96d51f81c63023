// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import RecordStores

@Suite struct StoreSimulationTests {
    private static let durabilities = [FileDurability.everyCommit, .interval(.seconds(1)), .operatingSystem]

    @Test(arguments: durabilities)
    func `random stories never break a promise`(durability: FileDurability) throws {
        for seed in UInt64(1)...6 {
            let committer: FileCommitter = seed % 2 == 0 ? .caller : .ownThread
            var simulation = StoreSimulation(seed: seed, durability: durability, committer: committer)
            do {
                let summary = try simulation.live(.init(10))
                #expect(summary.crashes >= 10)
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
    }

    @Test(arguments: durabilities, [FileCommitter.ownThread, .caller])
    func `short scripts survive crashes and failures anywhere`(
        durability: FileDurability, committer: FileCommitter
    ) throws {
        var counts = StoreEnumeration.Counts()
        for (phase, script) in StoreScript.all.enumerated() {
            var enumeration = try StoreEnumeration(
                script, durability: durability, committer: committer, bounds: .sample, phase: phase)
            try enumeration.crashEverywhere()
            try enumeration.failEverywhere()
            counts += enumeration.counts
        }
        #expect(counts.crashes > 2_000 && counts.nestedCrashes > 200 && counts.faults > 100 && counts.openings > 2_000)
    }

    @Test(arguments: durabilities, [FileCommitter.ownThread, .caller])
    func `a full disk loses nothing and lets what stands be worked on`(
        durability: FileDurability, committer: FileCommitter
    ) throws {
        var enumeration = try FullDiskEnumeration(durability: durability, committer: committer, outcomes: 15)
        try enumeration.fill(spare: stride(from: 3_000, to: 3_001, by: 1), isFullBefore: true)
        try enumeration.fill(spare: stride(from: 9_000, to: 9_001, by: 1), isFullBefore: false)
        #expect(enumeration.counts.faults == 2 && enumeration.counts.openings > 20)
    }
}
