// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Retrying
import Testing

@testable import WorkQueues

/// Worked cases that every store has to agree with, beside those in the suites of the types.
@Suite struct QueueCaseTests {
    // Case 52: the item is gone from the queue in the commit in which it becomes a letter.
    @Test(arguments: StoreKind.all, [true, false])
    func `the twentieth failure or crash of twenty sets an item aside, and none before it`(
        kind: StoreKind, crashes: Bool
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 20, maximumCrashes: 20)
        try await bench.put("a", to: queue)
        for round in 1...20 {
            let delivery = try await queue.one()
            #expect(delivery.item.failures == (crashes ? 0 : round - 1))
            #expect(delivery.item.crashes == (crashes ? round - 1 : 0))
            #expect(try await queue.deadLetters.read("a") == nil, "round \(round)")
            if !crashes {
                let fate = try await delivery.retry(after: Declined())
                #expect(fate == (round < 20 ? .retries(after: .seconds(10)) : .deadLettered(.attemptsExhausted)))
            }
            bench.clock.advance(by: .seconds(30))
            #expect(try await queue.statistics().depth == (round < 20 || crashes ? 1 : 0))
        }
        // A crash shows when the item would be handed out again.
        #expect(try await queue.names() == [])
        #expect(try await queue.statistics().depth == 0)
        let letter = try #require(try await queue.deadLetters.read("a"))
        #expect(letter.reason == (crashes ? .crashLoop : .attemptsExhausted))
        #expect(letter.failures.count == (crashes ? 0 : 20))
    }

    // Case 53.
    @Test(arguments: StoreKind.all)
    func `an item that goes back a hundred times is ready as on the first day`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 20, maximumCrashes: 20)
        try await bench.put("a", to: queue)
        for _ in 0..<100 { try await queue.one().release() }
        let statistics = try await queue.statistics()
        #expect(statistics.ready == 1 && statistics.retrying == 0 && statistics.running == 0)
        let item = try await queue.one().item
        #expect(item.delivery == 101 && item.failures == 0 && item.crashes == 0)
    }

    // Case 59: the clock of the next process may be behind, and a store's time never goes back.
    @Test(arguments: StoreKind.all, [.zero, .seconds(-3_600)] as [Duration])
    func `a delay of ten seconds outlives a restart, and not by less than a hundredth is anything early`(
        kind: StoreKind, off: Duration
    ) async throws {
        let clock = ManualClock()
        let stores = try Restarts(kind, clock)
        func queue() -> WorkQueue {
            WorkQueue("jobs", store: stores.store, backoff: .constant(.seconds(10)), clock: clock)
        }
        try await queue().enqueue([
            NewWorkItem(id: "delayed", payload: [], delay: .seconds(10)), NewWorkItem(id: "failed", payload: []),
            NewWorkItem(id: "snoozed", payload: []),
        ])
        let hands = try await queue().receive(limit: 3)
        #expect(hands.map(\.item.id) == ["failed", "snoozed"])
        try await hands[0].retry(after: Declined())
        try await hands[1].release(after: .seconds(10))
        try await stores.restart(wallClockIsOff: off)
        clock.advance(by: .seconds(10) - .milliseconds(10))
        #expect(try await queue().names() == [])
        clock.advance(by: .milliseconds(10))
        #expect(Set(try await queue().names()) == ["delayed", "failed", "snoozed"])
    }

    // Case 49, across a restart: the next process need not wait for the leases of one that is gone.
    @Test(arguments: StoreKind.all)
    func `what a process had in hand when it ended comes again as a crash`(kind: StoreKind) async throws {
        let clock = ManualClock()
        let stores = try Restarts(kind, clock)
        func queue() -> WorkQueue { WorkQueue("jobs", store: stores.store, clock: clock) }
        try await queue().enqueue(NewWorkItem(id: "a", payload: []))
        let late = try await queue().one(lease: .seconds(30))
        try await stores.restart()
        if kind.description == "in memory" { clock.advance(by: .seconds(30)) }
        let next = try await queue().one()
        #expect(next.item.delivery == 2 && next.item.crashes == 1 && next.item.failures == 0)
        #expect(next.fence > late.fence)
    }

    // Case 61.
    @Test(arguments: StoreKind.all)
    func `of ten thousand items none is handed to both of two workers`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let count = 10_000
        for start in stride(from: 0, to: count, by: 250) {
            try await queue.enqueue((start..<start + 250).map { NewWorkItem(id: "\($0)", payload: []) })
        }
        let seen = try await withThrowingTaskGroup(of: [WorkItem].self) { workers in
            for _ in 0..<2 {
                workers.addTask {
                    var seen: [WorkItem] = []
                    while case let deliveries = try await queue.receive(limit: 100), !deliveries.isEmpty {
                        seen += deliveries.map(\.item)
                        try await withThrowingTaskGroup(of: Void.self) { handlers in
                            for delivery in deliveries { handlers.addTask { try await delivery.complete() } }
                            try await handlers.waitForAll()
                        }
                    }
                    return seen
                }
            }
            return try await workers.reduce(into: []) { $0 += $1 }
        }
        #expect(seen.count == count && Set(seen.map(\.id)).count == count)
        #expect(seen.allSatisfy { $0.delivery == 1 })
        #expect(try await queue.statistics().depth == 0)
    }

    // Case 65.
    @Test(arguments: StoreKind.all)
    func `a queue of a hundred refuses the next item until one is done`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumDepth: 100)
        try await queue.enqueue((0..<100).map { NewWorkItem(id: "\($0)", payload: []) })
        let full = WorkQueueFull(queue: "jobs", depth: 100, limit: 100)
        await #expect(throws: full) { try await queue.enqueue(NewWorkItem(id: "100", payload: [])) }
        // One that is held or waits after a failure takes its place as before.
        let hands = try await queue.receive(limit: 2)
        try await hands[0].retry(after: Declined())
        await #expect(throws: full) { try await queue.enqueue(NewWorkItem(id: "100", payload: [])) }
        try await hands[1].complete()
        #expect(try await queue.enqueue(NewWorkItem(id: "100", payload: [])) == .enqueued)
        await #expect(throws: full) { try await queue.enqueue(NewWorkItem(id: "101", payload: [])) }
    }
}
