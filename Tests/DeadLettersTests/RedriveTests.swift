// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import DeadLetters
import RecordStores
import ReliabilityTesting
import Testing

@Suite struct RedriveTests {
    typealias Bench = RecordDeadLetterQueueTests.Bench

    @Test(arguments: StoreKind.all)
    func `a letter that its handler takes is removed, and one that is not there is said to be`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        try await bench.queue.put(bench.letter())
        guard case .redriven = try await bench.queue.redrive("a", to: { #expect($0.payload == [1, 2, 3]) }) else {
            Issue.record("the handler took it")
            return
        }
        #expect(try await bench.queue.read("a") == nil)
        guard case .notFound = try await bench.queue.redrive("a", to: { _ in }) else {
            Issue.record("it is gone")
            return
        }
        #expect(bench.takeEvents() == ["put a", "redriveStarted a", "redriven a"])
    }

    @Test(arguments: StoreKind.all)
    func `a letter that fails again stays the same letter with one failure more`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        try await queue.put(bench.letter())
        try await queue.put(bench.letter("b"))
        let before = try #require(try await queue.read("a"))
        for count in 1...12 {
            bench.clock.advance(by: .seconds(10))
            let outcome = try await queue.redrive("a") { letter in
                #expect(letter.redriveCount == count)
                throw Declined()
            }
            guard case .failed(let letter, let error) = outcome, error is Declined else {
                Issue.record("\(outcome)")
                return
            }
            #expect(letter == (try await queue.read("a")))
            #expect(letter.redriveCount == count)
            #expect(letter.failures.count == count + 1)
            #expect(letter.failures.kept.count == min(count + 1, 10))
            #expect(letter.failures.last?.errorType == "DeadLettersTests.Declined")
            #expect(letter.lastFailureAt == before.deadLetteredAt.advanced(by: .seconds(10 * count)))
            #expect(letter.firstFailureAt == before.firstFailureAt)
            #expect(letter.deadLetteredAt == before.deadLetteredAt)
            #expect(letter.position == before.position)
            #expect(letter.reason == before.reason)
        }
        #expect(try await queue.list().letters.map(\.id) == ["a", "b"])
        #expect(bench.takeEvents().suffix(2) == ["redriveStarted a", "redriveFailed a"])
    }

    @Test(arguments: StoreKind.all)
    func `one redrive at a time holds a letter`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        try await queue.put(bench.letter())
        _ = try await queue.redrive("a", lease: .seconds(30)) { _ in
            bench.clock.advance(by: .seconds(10))
            guard case .held(let rest) = try await queue.redrive("a", to: { _ in Issue.record("it is held") }) else {
                Issue.record("it is held")
                return
            }
            #expect(rest == .seconds(20))
        }
        #expect(try await queue.read("a") == nil)
    }

    @Test(arguments: StoreKind.all, [true, false])
    func `a redrive that outlived its lease changes nothing`(kind: StoreKind, succeeds: Bool) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        try await queue.put(bench.letter())
        var standing: DeadLetter?
        let outcome = try await queue.redrive("a", lease: .seconds(30)) { _ in
            bench.clock.advance(by: .seconds(30))
            _ = try await queue.redrive("a") { _ in throw Declined() }
            standing = try await queue.read("a")
            if !succeeds { throw Declined() }
        }
        guard case .lost = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(standing?.redriveCount == 2)
        #expect(try await queue.read("a") == standing)
    }

    @Test(arguments: StoreKind.all)
    func `a rejection adds no failure, and the letter can be had at once`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        try await bench.queue.put(bench.letter())
        guard case .rejected(let rejection) = try await bench.queue.redrive("a", to: { _ in throw Busy() }) else {
            Issue.record("the handler did not run")
            return
        }
        #expect(rejection.retryAfter == .seconds(1))
        let letter = try #require(try await bench.queue.read("a"))
        #expect(letter.failures.count == 1 && letter.redriveCount == 1)
        guard case .redriven = try await bench.queue.redrive("a", to: { _ in }) else {
            Issue.record("nobody holds it")
            return
        }
    }

    @Test(arguments: StoreKind.all)
    func `a cancelled redrive leaves the letter, counted and without a failure`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        try await queue.put(bench.letter())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) {
                    try await queue.redrive("a") { _ in try await bench.clock.sleep(for: .seconds(5)) }
                }
            }
            await bench.clock.waitForSleepers()
            group.cancelAll()
        }
        let letter = try #require(try await queue.read("a"))
        #expect(letter.redriveCount == 1 && letter.failures.count == 1)
        guard case .redriven = try await queue.redrive("a", to: { _ in }) else {
            Issue.record("nobody holds it")
            return
        }
        #expect(
            bench.takeEvents() == [
                "put a", "redriveStarted a", "redriveInterrupted a", "redriveStarted a", "redriven a",
            ])
    }

    @Test(arguments: StoreKind.all, [(true, true), (true, false), (false, true), (false, false)])
    func `after an unknown outcome a settlement looks once`(
        kind: StoreKind, _ row: (succeeds: Bool, applied: Bool)
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        try await queue.put(bench.letter())
        func redrive() async throws -> RedriveOutcome {
            try await queue.redrive("a") { _ in
                bench.store.failNextCommit(applied: row.applied)
                if !row.succeeds { throw Declined() }
            }
        }
        if !row.applied {
            await #expect(throws: StoreError.self) { try await redrive() }
            #expect(try await queue.read("a")?.redriveCount == 1)
        } else if row.succeeds {
            guard case .redriven = try await redrive() else {
                Issue.record("the removal is in")
                return
            }
        } else {
            guard case .failed = try await redrive() else {
                Issue.record("the failure is in")
                return
            }
            #expect(try await queue.read("a")?.failures.count == 2)
        }
    }

    @Test(arguments: StoreKind.all)
    func `what another redrive has taken over is not taken for one's own change`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        try await queue.put(bench.letter())
        let outcome = try await queue.redrive("a", lease: .seconds(30)) { _ in
            bench.store.failNextCommit(applied: false) {
                bench.clock.advance(by: .seconds(30))
                _ = try await bench.store.claim(
                    ClaimRequest(.ids([RecordID(queue.collection, "a")]), lease: Lease(.seconds(30))))
            }
            throw Declined()
        }
        guard case .lost = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try await queue.read("a")?.failures.count == 1)
    }
}
