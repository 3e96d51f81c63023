// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Testing

@testable import DeadLetters
@testable import WorkQueues

/// What one item does to those that were claimed with it.
@Suite struct ReceivingTests {
    @Test func `what has started gets to its handler, whatever fails after it`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let events = bench.queue()
        let queue = WorkQueue(
            "jobs", store: bench.store, maximumPayload: 1_000_000, clock: bench.clock, onEvent: events.report)
        for number in 10..<30 {
            try await queue.enqueue(NewWorkItem(id: "\(number)", payload: [UInt8](repeating: 7, count: 1_000_000)))
        }
        _ = bench.takeEvents()
        bench.store.failCommits(nil, .unavailable)
        let started = try await queue.receive(limit: 100)
        #expect(started.map(\.item.id) == (10..<19).map { "\($0)" })
        #expect(bench.takeEvents().last == "receiveFailed ")
        for delivery in started { try await delivery.complete() }
        bench.clock.advance(by: .seconds(30))
        let others = try await queue.receive(limit: 100)
        #expect(others.count == 11 && others.allSatisfy { $0.item.delivery == 1 && $0.item.crashes == 0 })
        // Where nothing has started there is nothing but the error.
        try await bench.put("x", to: queue)
        bench.store.failCommits(.unavailable)
        await #expect(throws: StoreError.unavailable(FailingStore.failure)) { try await queue.receive() }
    }

    @Test func `an item that cannot be moved stands in no other's way`() async throws {
        let bench = try Bench(StoreKind.all[0])
        // What is known of the order key would be a record more.
        let store = InMemoryRecordStore(capacity: 2, clock: bench.clock)
        let queue = bench.queue(parksOrderKeys: true, store: store)
        try await queue.enqueue(NewWorkItem(id: "a", payload: [], orderKey: "k", timeToLive: .seconds(1)))
        try await queue.enqueue(NewWorkItem(id: "b", payload: []))
        bench.clock.advance(by: .seconds(1))
        let given = try await queue.receive(limit: 10)
        #expect(given.map(\.item.id) == ["b"])
        #expect(bench.takeEvents().suffix(2) == ["settlementFailed a", "delivered b"])
        #expect(try await queue.names() == [])
        try await given[0].complete()
        bench.clock.advance(by: .seconds(30))
        #expect(try await queue.names() == [])
        #expect(try await queue.deadLetters.read("a")?.reason == .expired)
    }

    // Given by a handler, the reason of those that follow says nothing of the order.
    @Test(arguments: StoreKind.all, [true, false])
    func `a handler may give any reason`(kind: StoreKind, parks: Bool) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(parksOrderKeys: parks)
        try await bench.put("a", "b", to: queue, orderKey: "k")
        #expect(try await queue.one().deadLetter(.precedingItemParked) == .deadLettered(.precedingItemParked))
        #expect(try await queue.names() == (parks ? [] : ["b"]))
        #expect(try await queue.deadLetters.list().letters.map(\.id) == (parks ? ["a", "b"] : ["a"]))
        #expect(try await queue.resume(orderKey: "k") == (parks ? 2 : 0))
    }

    @Test(arguments: StoreKind.all)
    func `items that have passed into other hands are found in one look`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        for number in 10..<60 { try await bench.put("\(number)", to: queue) }
        let ahead = try await queue.claim(50, .seconds(30), waitUpTo: .zero)
        bench.clock.advance(by: .seconds(30))
        #expect(try await queue.receive(limit: 49).count == 49)
        _ = bench.takeEvents()
        let before = bench.store.commitCount
        let left = try await queue.start(ahead.claimed, now: ahead.now, lease: .seconds(30))
        #expect(left.map(\.item.id) == ["59"])
        #expect(bench.store.commitCount - before == 2)
        #expect(bench.takeEvents() == (10..<59).map { "lost \($0)" } + ["delivered 59"])
    }

    @Test(arguments: StoreKind.all)
    func `what a newer version has written is not looked at all the time`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let content = RecordContent(state: "ready", body: [2, 0], due: .after(.zero))
        _ = try await bench.store.commit([.insert(queue.id("newer"), content)])
        for _ in 0..<10 {
            #expect(try await queue.names(lease: .milliseconds(100)) == [])
            bench.clock.advance(by: .milliseconds(100))
        }
        #expect(bench.takeEvents() == ["unreadable newer"])
        #expect(try await queue.names(lease: .seconds(5)) == [])
        bench.clock.advance(by: .seconds(5) - .nanoseconds(1))
        #expect(try await queue.names() == [])
        bench.clock.advance(by: .nanoseconds(1))
        #expect(try await queue.names() == [])
        #expect(bench.takeEvents() == ["unreadable newer", "unreadable newer"])
    }

    @Test(arguments: StoreKind.all)
    func `what was claimed counts from its start, and goes back to its place`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", to: queue)
        bench.clock.advance(by: .seconds(1))
        try await bench.put("b", to: queue)
        let first = try await queue.claim(1, .seconds(30), waitUpTo: .zero)
        bench.clock.advance(by: .seconds(10))
        try await queue.handBack(HeldItem(first.claimed[0]))
        let claim = try await queue.claim(2, .seconds(30), waitUpTo: .zero)
        #expect(claim.claimed.map(\.id.key) == ["a", "b"])
        bench.clock.advance(by: .seconds(10))
        let delivery = try await queue.start([claim.claimed[0]], now: claim.now, lease: .seconds(30))[0]
        #expect(delivery.leaseUntil == claim.now.advanced(by: .seconds(40)))
        // And so it is held, for who looks after an outcome that is not known.
        bench.clock.advance(by: .seconds(25))
        bench.store.failCommits(.appliedUnknown)
        try await delivery.complete()
    }

    @Test func `what nobody could hold is not handed out`() async {
        await #expect(processExitsWith: .failure) {
            _ = try await WorkQueue("jobs", store: InMemoryRecordStore()).receive(lease: .zero)
        }
    }
}

extension WorkQueue {
    fileprivate func report(_ event: WorkQueueEvent) { report(event.id, event.kind) }
}
