// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Testing

@Suite struct RecordStoreConformanceTests {
    @Test func `the sentences of the checks are all different, and their promises exist`() {
        let checks = RecordStoreConformance.checks
        #expect(Set(checks.map(\.name)).count == checks.count)
        #expect(Set(checks.compactMap(\.promise)) == Set(1...10))
    }

    @Test(arguments: PlantedBug.all) func `a planted bug is found by the check that is about it`(
        bug: PlantedBug
    ) async throws {
        // Only the checks named here run, so the little patience can only be used up by the bug.
        let conformance = bug.conformance(patience: .milliseconds(50))
        for name in bug.checks {
            let check = try #require(RecordStoreConformance.checks.first { $0.name == name }, "\(name)")
            let failure = await #expect(throws: ConformanceFailure.self, "\(name)") { try await conformance.run(check) }
            #expect(failure?.findings.map(\.check) == [name])
            #expect(failure?.findings.map(\.promise) == [check.promise])
        }
    }

    @Test(arguments: PlantedBug.all.filter(\.showsInHistories)) func `random histories find a planted bug`(
        bug: PlantedBug
    ) async throws {
        let check = try #require(RecordStoreConformance.checks.last)
        let conformance = bug.conformance(seed: 100)
        let failure = await #expect(throws: ConformanceFailure.self) { try await conformance.run(check) }
        #expect(failure?.findings.first?.seen.hasPrefix("seed 1") == true)
    }

    @Test func `a run tells everything that failed, and nothing else`() async throws {
        let bug = try #require(PlantedBug.all.first { $0.description == "long bodies are cut" })
        let conformance = bug.conformance()
        let failure = await #expect(throws: ConformanceFailure.self) { try await conformance.run() }
        #expect(failure?.findings.map(\.check) == bug.checks)
        #expect(
            failure?.description.hasPrefix("\(bug.checks[0]): body is not as an insert put it\n\(bug.checks[1]): ")
                == true)
    }

    @Test func `a store that is altered in nothing passes`() async throws {
        try await RecordStoreConformance { AlteredStore(InMemoryRecordStore(clock: $0)) }.run()
    }

    @Test(arguments: PlantedCrashBug.all)
    func `a planted bug that a crash shows is found by the check that is about it`(
        bug: PlantedCrashBug
    ) async throws {
        for name in bug.checks {
            let check = try #require(RecordStoreConformance.checks.first { $0.name == name }, "\(name)")
            let failure = await #expect(throws: ConformanceFailure.self, "\(name)") {
                try await SeededExecutor(seed: 1).run { try await bug.conformance.run(check) }
            }
            #expect(failure?.findings.map(\.check) == [name])
        }
    }

    @Test func `every promise has a planted bug that breaks it`() {
        let names = Set(PlantedBug.all.flatMap(\.checks) + PlantedCrashBug.all.flatMap(\.checks))
        let found = RecordStoreConformance.checks.filter { names.contains($0.name) }
        #expect(found.count == names.count)
        #expect(Set(found.compactMap(\.promise)) == Set(1...10))
    }

    /// What a store may do otherwise that the suite was told of.
    @Test(arguments: [
        (TwoTableStore.Kind.right, RecordStoreConformance.Leeway()), (.isShared, .sharedByProcesses),
        (.timeGoesBack, .timeGoesBack),
    ]) func `a store passes that survives crashes in its own way`(
        kind: TwoTableStore.Kind, leeway: RecordStoreConformance.Leeway
    ) async throws {
        try await PlantedCrashBug.conformance(kind, leeway: leeway).run()
    }

    @Test func `a leeway that was not asked for is not given`() async throws {
        let lease =
            "opening a store after a crash ends the leases of processes that are gone, where one at a time has it"
        for (kind, leeway, name) in [
            (.right, .sharedByProcesses, lease), (.isShared, [], lease),
            (.timeGoesBack, [], "a clock that is set back loses nothing and reuses no fence"),
        ] as [(TwoTableStore.Kind, RecordStoreConformance.Leeway, String)] {
            let check = try #require(RecordStoreConformance.checks.first { $0.name == name })
            let conformance = PlantedCrashBug.conformance(kind, leeway: leeway)
            await #expect(throws: ConformanceFailure.self, "\(kind)") { try await conformance.run(check) }
        }
    }

    @Test func `what the protocol leaves to every store passes, and not where a store does exactly as the local ones`()
        async throws
    {
        let conformance = RecordStoreConformance { AlteredStore.loose(InMemoryRecordStore(clock: $0)) }
        try await conformance.run()
        for name in [
            "changes between two pages lose and repeat nothing else",
            "statistics tell since when the record that could be claimed longest waits",
            "calls that overlap are answered as if each took effect at one moment between its call and its return",
            "random histories go as in the model that the promises describe",
        ] {
            let check = try #require(RecordStoreConformance.checks.first { $0.name == name })
            await #expect(throws: ConformanceFailure.self, "\(name)") { try await conformance.exactly.run(check) }
        }
    }

    @Test func `reopening passes where the data stays, and is found where it does not`() async throws {
        let names = [
            "what stands before a store is opened again stands after it",
            "fences and positions go on growing when a store is opened again, also over deletes",
            "leases and order stand when the same process opens a store again",
            "time does not go back when a store is opened again",
            "random histories go as in the model that the promises describe",
        ]
        let checks = RecordStoreConformance.checks.filter { names.contains($0.name) }
        #expect(checks.count == names.count)
        let make: RecordStoreConformance.MakeStore = { AlteredStore(InMemoryRecordStore(clock: $0)) }
        let keeping = RecordStoreConformance(makeStore: make, reopen: { store, _ in store })
        let losing = RecordStoreConformance(
            makeStore: make,
            reopen: { _, clock in
                clock.set(to: .init(offset: .zero))
                return InMemoryRecordStore(clock: clock)
            })
        for check in checks {
            try await keeping.run(check)
            await #expect(throws: ConformanceFailure.self, "\(check)") { try await losing.run(check) }
        }
    }
}
