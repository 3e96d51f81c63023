// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Testing

@testable import DeadLetters
@testable import WorkQueues

/// What is said of a commit whose outcome nobody was told, and never too much of it.
@Suite struct UncertaintyTests {
    private static let unknown = StoreError.outcomeUnknown(FailingStore.failure)

    // A read that fails says that nothing was changed, and that is of the read.
    @Test(arguments: StoreKind.all)
    func `a look that fails leaves the outcome unknown`(kind: StoreKind) async throws {
        let verbs: [(String, @Sendable (Delivery) async throws -> Void)] = [
            ("complete", { try await $0.complete() }), ("retry", { try await $0.retry(after: Declined()) }),
            ("release", { try await $0.release() }), ("dead-letter", { try await $0.deadLetter(.manual("why")) }),
        ]
        let letter = NewDeadLetter(
            id: "x", reason: .undecodable, origin: DeadLetterOrigin(source: "jobs", id: "x"), payload: [])
        for (name, verb) in verbs {
            let bench = try Bench(kind)
            let store = InterposedStore(bench.store)
            let queue = bench.queue(store: store)
            func failNext(_ collection: String) {
                bench.store.failCommits(.appliedUnknown)
                store.once(.afterCommit(collection)) { store.failReads(1) }
            }
            failNext(queue.collection)
            await #expect(throws: Self.unknown, "\(name)") { try await bench.put("a", to: queue) }
            failNext(queue.collection)
            await #expect(throws: Self.unknown, "\(name)") { try await queue.receive() }
            bench.clock.advance(by: .seconds(30))
            let delivery = try await queue.one()
            #expect(delivery.item.crashes == 1)
            failNext(queue.collection)
            await #expect(throws: Self.unknown, "\(name)") { try await verb(delivery) }
            let letters = queue.deadLetters
            failNext(letters.collection)
            await #expect(throws: Self.unknown) { try await letters.put(letter) }
            failNext(letters.collection)
            await #expect(throws: Self.unknown) { try await letters.redrive("x", to: { _ in throw Declined() }) }
            failNext(letters.collection)
            await #expect(throws: Self.unknown) { try await letters.evict("x", because: "test") }
            #expect(try await letters.evicted().letters.first?.letter.failures.count == 1)
            let redrive = Redrive(letters, to: .queue(queue), clock: bench.clock)
            try await redrive.start(RedrivePlan())
            failNext("redrives/jobs")
            await #expect(throws: Self.unknown) { try await redrive.run() }
            #expect(store.isOver)
        }
    }

    // An item that was there before says nothing of the others of the batch.
    @Test(arguments: StoreKind.all)
    func `a batch is in if every item of it stands`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", to: queue)
        let items = ["a", "b"].map { NewWorkItem(id: $0, payload: Array($0.utf8)) }
        bench.store.failCommits(.droppedUnknown)
        await #expect(throws: Self.unknown) { try await queue.enqueue(items) }
        #expect(try await queue.enqueue(items) == [.duplicate, .enqueued])
        let others = ["c", "d"].map { NewWorkItem(id: $0, payload: Array($0.utf8)) }
        bench.store.failCommits(.appliedUnknown)
        #expect(try await queue.enqueue(others) == [.enqueued, .enqueued])
        // Another one of that name.
        bench.store.failCommits(.droppedUnknown)
        let mixed = [NewWorkItem(id: "c", payload: [0]), NewWorkItem(id: "e", payload: [])]
        #expect(try await queue.enqueue(mixed) == [.duplicate, .enqueued])
        #expect(try await queue.statistics().depth == 5)
    }

    @Test(arguments: StoreKind.all)
    func `a late settlement is not taken for done because somebody else has ended the item`(
        kind: StoreKind
    ) async throws {
        let ends: [(String, @Sendable (Delivery) async throws -> Void)] = [
            ("completed", { try await $0.complete() }),
            ("dead-lettered", { try await $0.deadLetter(.manual("why")) }),
            ("going on", { _ in }), ("released", { try await $0.release() }),
        ]
        for (name, end) in ends {
            let bench = try Bench(kind)
            let queue = bench.queue()
            try await bench.put("a", to: queue)
            let late = try await queue.one()
            bench.clock.advance(by: .seconds(30))
            try await end(try await queue.one())
            bench.store.failCommits(.droppedUnknown)
            await #expect(throws: Self.unknown, "\(name)") { try await late.complete() }
            await #expect(throws: DeliveryLost.self, "\(name)") { try await late.complete() }
        }
        // Its letter tells.
        do {
            let bench = try Bench(kind)
            let queue = bench.queue()
            try await bench.put("a", to: queue)
            let late = try await queue.one()
            bench.clock.advance(by: .seconds(30))
            bench.store.failCommits(.appliedUnknown)
            #expect(try await late.deadLetter(.rejectedByHandler) == .deadLettered(.rejectedByHandler))
        }
        // Who was given it and has not begun has changed nothing.
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", to: queue)
        let late = try await queue.one()
        bench.clock.advance(by: .seconds(30))
        _ = try await queue.claim(1, .seconds(30), waitUpTo: .zero)
        bench.store.failCommits(.droppedUnknown)
        await #expect(throws: DeliveryLost.self) { try await late.complete() }
    }

    @Test(arguments: StoreKind.all)
    func `a settlement is in if the item has gone on while it was held`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let store = InterposedStore(bench.store)
        let queue = bench.queue(maximumFailures: 1, store: store)
        // Held for longer than at first.
        try await bench.put("a", to: queue)
        let done = try await queue.one()
        bench.clock.advance(by: .seconds(20))
        try await done.extend(by: .seconds(30))
        bench.clock.advance(by: .seconds(20))
        bench.store.failCommits(.appliedUnknown)
        try await done.complete()
        // A look that comes when the lease is over finds what the item says.
        try await bench.put("late", to: queue)
        let late = try await queue.one()
        bench.store.failCommits(.appliedUnknown)
        store.once(.afterCommit(queue.collection)) { bench.clock.advance(by: .seconds(60)) }
        try await late.release()
        try await queue.one().complete()
        // Given to somebody else at once, or brought back.
        let ways: [(String, @Sendable (Delivery) async throws -> Void, @Sendable () async throws -> Void)] = [
            ("b", { try await $0.release() }, { _ = try await queue.one() }),
            ("c", { try await $0.retry(after: Declined()) }, { try await self.bringBack(queue, bench) }),
        ]
        for (id, verb, then) in ways {
            try await bench.put(id, to: queue)
            let delivery = try await queue.one()
            bench.store.failCommits(.appliedUnknown)
            store.once(.afterCommit(queue.collection), then)
            try await verb(delivery)
            await #expect(throws: DeliveryLost.self) { try await verb(delivery) }
        }
    }

    private func bringBack(_ queue: WorkQueue, _ bench: Bench) async throws {
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan())
        #expect(try await redrive.run()?.redriven == 1)
    }

    // The end of the hold may be nearer than it was.
    @Test(arguments: StoreKind.all)
    func `an extension of which nothing is known leaves open for how long the item is held`(
        kind: StoreKind
    ) async throws {
        for isKnown in [true, false] {
            let bench = try Bench(kind)
            let queue = bench.queue()
            try await bench.put("a", to: queue)
            let late = try await queue.one(lease: .seconds(600))
            if isKnown {
                try await late.extend(by: .seconds(1))
            } else {
                bench.store.failExtends(.appliedUnknown)
                await #expect(throws: Self.unknown) { try await late.extend(by: .seconds(1)) }
            }
            bench.clock.advance(by: .seconds(1))
            try await queue.one().complete()
            bench.store.failCommits(.droppedUnknown)
            await #expect(throws: Self.unknown, "\(isKnown)") { try await late.complete() }
            // One that has not taken place changes nothing.
            try await bench.put("b", to: queue)
            let held = try await queue.one()
            bench.store.failExtends(.unavailable)
            await #expect(throws: StoreError.unavailable(FailingStore.failure)) {
                try await held.extend(by: .seconds(1))
            }
            bench.store.failCommits(.appliedUnknown)
            try await held.complete()
        }
    }

    // The claim of the other keeps what the start named, and has another fence.
    @Test(arguments: StoreKind.all)
    func `a start is not taken for one's own when somebody else has claimed the item since`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let store = InterposedStore(bench.store)
        let queue = bench.queue(store: store)
        try await bench.put("a", to: queue)
        bench.store.failCommits(.appliedUnknown)
        store.once(.afterCommit(queue.collection)) {
            bench.clock.advance(by: .seconds(30))
            _ = try await queue.claim(1, .seconds(30), waitUpTo: .zero)
        }
        await #expect(throws: Self.unknown) { try await queue.receive() }
        #expect(bench.takeEvents() == [])
        // And if it is only one of several, none of them is handed out.
        bench.clock.advance(by: .seconds(30))
        try await bench.put("b", to: queue)
        bench.store.failCommits(.appliedUnknown)
        store.once(.afterCommit(queue.collection)) {
            bench.clock.advance(by: .seconds(30))
            _ = try await queue.claim(1, .seconds(30), waitUpTo: .zero)
        }
        await #expect(throws: Self.unknown) { try await queue.receive(limit: 2) }
        for delivery in try await queue.receive(limit: 2) { try await delivery.complete() }
        // A look that comes late finds the lease that began with the commit.
        bench.clock.advance(by: .seconds(30))
        let now = try await store.read([queue.id("a")]).now
        bench.store.failCommits(.appliedUnknown)
        store.once(.afterCommit(queue.collection)) { bench.clock.advance(by: .seconds(10)) }
        #expect(try await queue.one().leaseUntil == now.advanced(by: .seconds(30)))
    }

    @Test(arguments: StoreKind.all)
    func `a letter that somebody else has brought back is neither evicted nor redriven`(
        kind: StoreKind
    ) async throws {
        for redrives in [true, false] {
            let bench = try Bench(kind)
            let store = InterposedStore(bench.store)
            let queue = bench.queue(maximumFailures: 1, store: store)
            try await bench.put("a", to: queue)
            try await queue.one().retry(after: Declined())
            bench.store.failCommits(.droppedUnknown)
            store.once(.beforeCommit(queue.deadLetters.collection)) {
                bench.clock.advance(by: .seconds(60))
            }
            store.once(.afterCommit(queue.deadLetters.collection)) { try await self.bringBack(queue, bench) }
            await #expect(throws: Self.unknown) {
                if redrives {
                    _ = try await queue.deadLetters.redrive("a", to: { _ in })
                } else {
                    try await queue.deadLetters.evict("a", because: "test")
                }
            }
            #expect(try await queue.names() == ["a"])
        }
    }
}
