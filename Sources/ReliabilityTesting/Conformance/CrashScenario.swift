// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import Synchronization

/// Tasks that write and look while their store crashes, what they were told before it, and what it leaves.
///
/// Each writer has three records that it only ever changes together, one of which it moves to and fro; the number of the
/// batch is the state that all three have after it.
struct CrashScenario {
    /// The names of one writer's records.
    struct Names {
        let head: RecordID
        let other: RecordID
        let places: [RecordID]

        init(_ writer: Int) {
            head = RecordID("head \(writer)", "a")
            other = RecordID("others", "\(writer)")
            places = ["even", "odd"].map { RecordID($0, "\(writer)") }
        }

        var all: [RecordID] { [head, other] + places }
    }

    /// What is left of one writer's records, read twice: when the store was opened, and when the old one was done.
    struct Left {
        let first: [Record?]
        let second: [Record?]
        let told: CrashLog.Told

        /// The batch that left the first record so; `nil` if there is no such record.
        var batch: Int? { first[0].flatMap { Int($0.state) } }
        /// Where the moved record stands.
        var places: [Record] { first[2...].compactMap(\.self) }
    }

    private static let writers = 5
    private static let readers = 4

    private let bench: ConformanceBench
    private let log = CrashLog(writers: CrashScenario.writers)
    private let random: RandomSource

    init(_ bench: ConformanceBench, seed: UInt64) {
        self.bench = bench
        random = .seeded(seed)
    }

    /// Lets everybody work until the crash, and opens the store again; `nil` where no crash can be had.
    func run() async throws -> (bench: ConformanceBench, left: [Left])? {
        guard bench.canCrash else { return nil }
        for writer in 0..<Self.writers { try await begin(writer) }
        let answers = Int(random.draw(upTo: 60)) + 1
        let seeds = (0..<Self.readers).map { _ in random.next() }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<Self.writers { group.addTask { await log.note(failureOf: { try await write(writer) }) } }
            for seed in seeds { group.addTask { await log.note(failureOf: { try await look(.seeded(seed)) }) } }
            await log.wait(for: answers)
            let told = try log.end()
            let crashed = try await bench.crashed()
            var first: [[Record?]] = []
            if let crashed { first = try await read(crashed) }
            try await group.waitForAll()
            guard let crashed else { return nil }
            let second = try await read(crashed)
            return (crashed, zip(zip(first, second), told).map { Left(first: $0.0, second: $0.1, told: $1) })
        }
    }

    private func read(_ bench: ConformanceBench) async throws -> [[Record?]] {
        var records: [[Record?]] = []
        for writer in 0..<Self.writers { records.append(try await bench.store.read(Names(writer).all).records) }
        return records
    }

    // MARK: Tasks

    private func begin(_ writer: Int) async throws {
        let names = Names(writer)
        let content = RecordContent(state: "0")
        let fences = try await bench.commit(
            .insert(names.head, content, lease: Lease(.seconds(1_000))), .insert(names.other, content),
            .insert(names.places[0], content))
        log.answered(writer, with: fences)
    }

    private func write(_ writer: Int) async throws {
        let names = Names(writer)
        var batch = 0
        while let named = log.attempt(by: writer) {
            await Task.yield()
            let (from, to) = (names.places[batch % 2], names.places[(batch + 1) % 2])
            batch += 1
            let content = RecordContent(state: "\(batch)", body: Array(repeating: UInt8(batch % 256), count: 200))
            let fences = try await bench.commit(
                .replace(names.head, expecting: named[0], with: content, lease: .keep),
                .replace(names.other, expecting: named[1], with: content, lease: .keep),
                .move(from, to: to, expecting: named[2], with: content, lease: .keep))
            try require(fences.count, is: 3, "the number of fences")
            log.answered(writer, with: fences)
        }
    }

    /// Looks at what writers are changing, in every way in which an answer can show it.
    private func look(_ random: RandomSource) async throws {
        while log.isOpen {
            // An answer need not wait for anything, and the others have to come up, too.
            await Task.yield()
            let writer = Int(random.draw(upTo: Int64(Self.writers - 1)))
            if let state = try await state(of: Names(writer).head, way: Int(random.draw(upTo: 5))) {
                log.shown(Int(state) ?? 0, of: writer)
            }
        }
    }

    private func state(of head: RecordID, way: Int) async throws -> String? {
        switch way {
        case 0: return try await bench.store.read([head]).records[0]?.state
        case 1: return try await bench.scanAll(head.collection).first?.state
        case 2: return try await bench.store.statistics(of: head.collection).counts.first { $0.value == 1 }?.key
        case 3: return try await bench.conflict(.assert(head, nil)).standing?.state
        case 4: return try await bench.claim(head).standing.first?.state
        default:
            guard
                case .lost(_, let standing) = try await bench.store.extend(
                    head, fence: Fence(rawValue: 0), lease: .seconds(1))
            else { throw Violation("an extend under no fence was answered") }
            return standing?.state
        }
    }
}
