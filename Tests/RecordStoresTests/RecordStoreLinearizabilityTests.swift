// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import RecordStores
@testable import ReliabilityTesting

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Every answer of the local stores, however many tasks ask at once, is one that the table gives in some order.
///
/// `RELIABILITY_SEEDS=2000 swift test --filter RecordStoreLinearizabilityTests` looks at more histories.
@Suite(.timeLimit(.minutes(10))) struct RecordStoreLinearizabilityTests {
    private static let seeds: ClosedRange<UInt64> = {
        let wish = unsafe getenv("RELIABILITY_SEEDS").flatMap { text in unsafe UInt64(String(cString: text)) }
        return 1...max(1, wish ?? 15)
    }()

    private static let kinds =
        StoreKind.all + [
            StoreKind(description: "in files, written by callers") { clock, directory in
                try FileRecordStore(directory: directory.path + "/store", committer: .caller, clock: clock)
            }
        ]

    @Test(arguments: kinds) func `calls of many tasks at once have an order that explains every answer`(
        kind: StoreKind
    ) async throws {
        var figures = HistoryFigures()
        for seed in Self.seeds {
            let (clock, directory) = (ManualClock(), try TemporaryDirectory())
            let store = try kind.make(clock, directory)
            let history = try await history(of: store, clock, seed: seed)
            try await store.close()
            #expect(history.errors.isEmpty, "seed \(seed)")
            figures.add(history, try explanation(of: history, seed: seed))
        }
        // What never overlaps proves nothing.
        #expect(figures.overlapping * 2 > figures.calls, "\(figures)")
        #expect(figures.reordered > 0, "\(figures)")
    }

    @Test func `so they have when one thread runs the tasks in turns, and there the seed alone tells the course`()
        async throws
    {
        var figures = [HistoryFigures(), HistoryFigures()]
        for seed in Self.seeds {
            for run in figures.indices {
                let history = try await SeededExecutor(seed: seed).run {
                    let clock = ManualClock()
                    return try await self.history(of: InMemoryRecordStore(clock: clock), clock, seed: seed)
                }
                figures[run].add(try #require(history), try explanation(of: #require(history), seed: seed))
            }
        }
        #expect(figures[0] == figures[1])
        #expect(figures[0].isVaried, "\(figures[0])")
    }

    @Test(arguments: PlantedRace.all) func `a planted race is found`(race: PlantedRace) async throws {
        var found: NotLinearizable?
        for seed in 1...UInt64(20) where found == nil {
            let history = try await SeededExecutor(seed: seed).run {
                let clock = ManualClock()
                return try await self.history(of: race.makeStore(clock), clock, seed: seed)
            }
            found = refutation(of: try #require(history))
        }
        #expect(found != nil)
    }

    @Test(arguments: PlantedRace.all) func `a planted race is found by the conformance suite`(
        race: PlantedRace
    ) async throws {
        let check = try #require(RecordStoreConformance.linearizabilityChecks.first)
        let failure = await #expect(throws: ConformanceFailure.self) {
            try await SeededExecutor(seed: 1).run {
                try await RecordStoreConformance { race.makeStore($0) }.run(check)
            }
        }
        #expect(failure?.findings.first?.seen.hasPrefix("seed ") == true)
    }

    @Test(arguments: PlantedRace.all) func `a planted race does not show as long as one task calls`(
        race: PlantedRace
    ) async throws {
        for seed in 1...UInt64(8) {
            let clock = ManualClock()
            _ = try explanation(
                of: try await history(of: race.makeStore(clock), clock, seed: seed, tasks: 1), seed: seed)
        }
    }

    /// Of a history that is right, one answer is made to say something else in one place.
    @Test(arguments: AnswerAlteration.all) func `an answer that is altered has no explanation`(
        alteration: AnswerAlteration
    ) async throws {
        var altered = 0
        for seed in 1...UInt64(100) where altered < 2 {
            let history = try await SeededExecutor(seed: seed).run {
                let clock = ManualClock()
                return try await self.history(of: InMemoryRecordStore(clock: clock), clock, seed: seed)
            }
            let (start, calls) = (try #require(history).start, try #require(history).calls)
            guard let wrong = alteration.alterFirst(of: calls) else { continue }
            altered += 1
            #expect(throws: NotLinearizable.self, "seed \(seed)") {
                try linearize(wrong, from: RecordTableModel(now: start))
            }
            guard alteration.isRuledOutByPromises else { continue }
            #expect(throws: (any Error).self, "seed \(seed)") {
                try linearize(wrong, from: NumberedRecordModel(now: start, numbers: GivenNumbers(wrong)))
            }
        }
        #expect(altered == 2)
    }

    /// A write or sync that fails leaves the calls that wait for it without an outcome. Opened again, the store shows
    /// for each of them that it took effect or did not, and everything else is as it was answered.
    @Test(arguments: [FaultyFileSystem.Kind.write, .sync]) func `calls of unknown outcome took effect or did not`(
        kind: FaultyFileSystem.Kind
    ) async throws {
        var unknown = 0
        for seed in Self.seeds {
            let (clock, directory) = (ManualClock(), try TemporaryDirectory())
            let path = directory.path + "/store"
            // The store is made without a fault, which then hits one of the calls.
            let files = FaultyFileSystem()
            try await FileRecordStore(directory: path, clock: clock, fileSystem: files).close()
            let fault = FaultyFileSystem.Fault(kind: kind, at: 3 + Int(seed % 23), code: EIO)
            let committer: FileCommitter = seed % 2 == 0 ? .caller : .ownThread
            let failing = try FileRecordStore(
                directory: path, committer: committer, clock: clock, fileSystem: FaultyFileSystem(fault))
            var history = try await StoreHistory(of: failing, seed: seed)
            for _ in 0..<3 { await history.round(calls: 5, on: failing) }
            try? await failing.close()
            unknown += history.calls.count { $0.answer == nil }
            let store = try FileRecordStore(directory: path, clock: clock)
            try await history.resume(on: store)
            await history.run(rounds: 2, calls: 5, on: store, clock)
            try await store.close()
            #expect(history.errors.isEmpty, "seed \(seed)")
            _ = try explanation(of: history, seed: seed)
        }
        #expect(unknown > 0)
    }

    private func history(
        of store: any RecordStore, _ clock: ManualClock, seed: UInt64, tasks: Int = 4
    ) async throws -> StoreHistory {
        var history = try await StoreHistory(of: store, seed: seed, tasks: tasks)
        await history.run(rounds: 5, calls: 5, on: store, clock)
        return history
    }

    private func refutation(of history: StoreHistory) -> NotLinearizable? {
        do {
            _ = try linearize(history.calls, from: RecordTableModel(now: history.start))
            return nil
        } catch {
            return error
        }
    }

    private func explanation(of history: StoreHistory, seed: UInt64) throws -> [Int] {
        do {
            return try linearize(history.calls, from: RecordTableModel(now: history.start)).order
        } catch {
            Issue.record("seed \(seed): \(error)")
            throw error
        }
    }
}
