// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import RecordStores
import ReliabilityTesting
import Retrying
import Synchronization
import Testing

@testable import DeadLetters
@testable import WorkQueues

/// Worked cases of dead letters that every store has to agree with, all through a queue.
@Suite struct DeadLetterCaseTests {
    private struct Attempt: Error, CustomStringConvertible {
        let number: Int
        let length: Int
        var description: String { "attempt \(number) " + String(repeating: "x", count: length) }
    }

    /// Puts letters of the queue as fast as a store takes them.
    private func putLetters(_ count: Int, in queue: WorkQueue) async throws {
        for start in stride(from: 0, to: count, by: 250) {
            let changes = try (start..<min(count, start + 250)).map { number in
                let id = "\(number)"
                return try queue.deadLetters.change(
                    for: NewDeadLetter(
                        id: id, reason: .attemptsExhausted, origin: DeadLetterOrigin(source: "jobs", id: id),
                        payload: Array(id.utf8)))
            }
            _ = try await queue.store.commit(changes)
        }
    }

    /// Runs a redrive on virtual time, and `then` after each step of the clock.
    private func run(
        _ redrive: Redrive, on clock: ManualClock, then: @escaping @Sendable () async throws -> Void = {}
    ) async throws -> RedriveProgress? {
        try await withThrowingTaskGroup(of: RedriveProgress??.self) { group in
            group.addTask { .some(try await redrive.run()) }
            group.addTask {
                while !Task.isCancelled {
                    await clock.waitForSleepers()
                    clock.advance(by: clock.nextWake ?? .zero)
                    try await then()
                }
                return nil
            }
            defer { group.cancelAll() }
            return try #require(try await group.next() ?? nil)
        }
    }

    // Cases 67 and 68.
    @Test(arguments: StoreKind.all, [0, 1_000_000])
    func `of fifty attempts the first and the last nine are kept, however much they say`(
        kind: StoreKind, length: Int
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 50, backoff: .constant(.zero))
        let payload = [UInt8](repeating: 7, count: 262_144)
        try await queue.enqueue(NewWorkItem(id: "a", payload: payload))
        for number in 1...50 { try await queue.one().retry(after: Attempt(number: number, length: length)) }
        let letter = try #require(try await queue.deadLetters.read("a"))
        #expect(letter.failures.count == 50 && letter.payload == payload)
        let kept = letter.failures.kept.map { $0.message.split(separator: " ").prefix(2).joined(separator: " ") }
        #expect(kept == ([1] + Array(42...50)).map { "attempt \($0)" })
        #expect(letter.failures.kept.allSatisfy { $0.message.utf8.count <= 1_024 })
        let record = try #require(try await bench.store.read([queue.deadLetters.id("a")]).records[0])
        #expect(record.body.count < payload.count + 16_384)
    }

    // Case 71.
    @Test(arguments: StoreKind.all)
    func `one redrive of a queue at a time, running, paused or left behind`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let (queue, other) = (bench.queue(), bench.queue("others"))
        try await putLetters(4, in: queue)
        try await other.deadLetters.put(
            NewDeadLetter(id: "x", reason: .expired, origin: .init(source: "others", id: "x"), payload: []))
        let first = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        let second = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await first.start(RedrivePlan(filter: DeadLetterFilter(reason: "attemptsExhausted")))
        // What the other asks for does not matter.
        let plan = RedrivePlan(filter: DeadLetterFilter(reason: "expired"))
        await #expect(throws: RedriveActive.self) { try await second.start(plan) }
        try await first.pause()
        await #expect(throws: RedriveActive.self) { try await second.start(plan) }
        try await second.resume()
        let elsewhere = Redrive(other.deadLetters, to: .queue(other), clock: bench.clock)
        try await elsewhere.start(RedrivePlan())
        #expect(try await elsewhere.run()?.redriven == 1)
        #expect(try await run(second, on: bench.clock)?.redriven == 4)
        try await second.start(plan)
        #expect(try await second.run()?.redriven == 0)
    }

    // Case 76.
    @Test(arguments: StoreKind.all)
    func `an item that had taken effect before it became a letter comes back and completes without another`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumCrashes: 1)
        let inbox = Inbox("jobs", store: bench.store, clock: bench.clock)
        let effects = Locked([String]())
        let consumer = { @Sendable in
            Consumer(queue, decode: { $0.id }) { id, _ in
                try await inbox.handle(messageID: id, consumer: "sender") { _ in effects.withLock { $0.append(id) } }
            }
        }
        func consume(until event: String) async throws {
            let running = consumer()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await running.run() }
                await bench.waitFor(event)
                running.shutDown()
                try await group.waitForAll()
            }
        }
        try await bench.put("a", to: queue)
        // The start and the inbox's two commits pass, the completion does not.
        bench.store.failCommits(nil, nil, nil, .unavailable)
        try await consume(until: "settlementFailed a")
        bench.clock.advance(by: .seconds(30))
        #expect(try await queue.names() == [])
        #expect(try await queue.deadLetters.read("a")?.reason == .crashLoop)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan())
        #expect(try await redrive.run()?.redriven == 1)
        try await consume(until: "completed a")
        #expect(effects.withLock { $0 } == ["a"])
        #expect(try await queue.statistics().depth == 0)
    }

    // Case 77: the letter and the item's end are one commit, so an item is never in both places and never in neither.
    @Test(arguments: StoreKind.all)
    func `an item that cannot become a letter stays, and does later`(kind: StoreKind) async throws {
        for fault in [FailingStore.Fault.unavailable, .droppedUnknown] {
            let bench = try Bench(kind)
            let queue = bench.queue(maximumFailures: 1)
            try await bench.put("a", to: queue)
            let delivery = try await queue.one()
            bench.store.failCommits(fault)
            await #expect(throws: StoreError.self) { try await delivery.retry(after: Declined()) }
            #expect(try await queue.statistics().depth == 1)
            #expect(try await queue.deadLetters.statistics().depth == 0)
            // Nothing has been counted, and whoever has it may try again.
            #expect(try await delivery.retry(after: Declined()) == .deadLettered(.attemptsExhausted))
            #expect(try await queue.statistics().depth == 0)
            #expect(try await queue.deadLetters.read("a")?.failures.count == 1)
        }
    }

    // Case 80.
    @Test(arguments: StoreKind.all)
    func `what is put while letters come back is done at once`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await putLetters(200, in: queue)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(20)))
        let done = Locked([String]())
        let rounds = Locked(0)
        let progress = try await run(redrive, on: bench.clock) {
            let round = rounds.withLock { rounds in
                rounds += 1
                return rounds
            }
            let item = NewWorkItem(id: "new\(round)", payload: [])
            guard try await queue.enqueue(item) == .enqueued else { return }
            for delivery in try await queue.receive(limit: 100) {
                try await delivery.complete()
                done.withLock { $0.append(delivery.item.id) }
            }
            #expect(done.withLock { $0.contains(item.id) }, "round \(round)")
        }
        #expect(progress?.redriven == 200)
        for delivery in try await queue.receive(limit: 100) {
            try await delivery.complete()
            done.withLock { $0.append(delivery.item.id) }
        }
        let all = done.withLock { $0 }
        #expect(Set(all).count == all.count && all.count == 200 + rounds.withLock { $0 })
        #expect(rounds.withLock { $0 } >= 90)
    }
}
