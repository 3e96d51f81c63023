// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Testing

@testable import DeadLetters
@testable import WorkQueues

@Suite struct ParkedKeyTests {
    // Its letters are what it says; so they are counted.
    @Test(arguments: StoreKind.all, [[UInt8](), [0], [9, 0, 0, 0, 0, 0, 0, 0, 0, 0]])
    func `a key of which nothing can be read stays parked until its last letter has gone`(
        kind: StoreKind, bytes: [UInt8]
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1, parksOrderKeys: true)
        let letters = queue.deadLetters
        try await bench.put("a", "b", "c", to: queue, orderKey: "k")
        try await bench.put("x", to: queue, orderKey: "x")
        for delivery in try await queue.receive(limit: 2) { try await delivery.retry(after: Declined()) }
        #expect(try await queue.names() == [])
        func damage() async throws {
            let record = try #require(try await bench.store.read([RecordID("parked/jobs", "k")]).records[0])
            let content = RecordContent(state: "parked", body: bytes)
            _ = try await bench.store.commit([.replace(record.id, expecting: record.fence, with: content, lease: .end)])
        }
        for (id, left) in [("a", 2), ("b", 1), ("c", 0)] {
            try await damage()
            guard case .redriven = try await letters.redrive(id, to: { _ in }) else {
                Issue.record("\(id) is the first")
                return
            }
            #expect(try await letters.parkedKeys(["k"])["k"]?.letters == left)
            let next = "after \(id)"
            try await bench.put(next, to: queue, orderKey: "k")
            if left > 0 {
                #expect(try await queue.names() == [])
                #expect(try await letters.read(next)?.reason == .precedingItemParked)
                // It goes again, so that the count is that of the others.
                try await damage()
                #expect(try await letters.parkedKeys(["k"])["k"]?.letters == left + 1)
                let record = try #require(try await bench.store.read([letters.id(next)]).records[0])
                let key = try #require(try await letters.change(leaving: record))
                _ = try await bench.store.commit([.delete(record.id, expecting: record.fence), key])
            } else {
                #expect(try await queue.names() == [next])
            }
        }
    }

    @Test(arguments: StoreKind.all)
    func `resuming a key ends when its first letter is held, and goes on when it was only looked at`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let store = InterposedStore(bench.store)
        let queue = bench.queue(maximumFailures: 1, parksOrderKeys: true, store: store)
        try await bench.put("a", "b", to: queue, orderKey: "k")
        try await queue.one().retry(after: Declined())
        #expect(try await queue.names() == [])
        let first = queue.deadLetters.id("a")
        func claim(_ lease: Duration) async throws {
            _ = try await bench.store.claim(ClaimRequest(.ids([first]), lease: Lease(lease)))
        }
        try await claim(.seconds(30))
        #expect(try await queue.resume(orderKey: "k") == 0)
        bench.clock.advance(by: .seconds(30))
        let base = bench.store
        store.once(.beforeCommit("parked/jobs")) {
            _ = try await base.claim(ClaimRequest(.ids([first]), lease: Lease(.zero)))
        }
        #expect(try await queue.resume(orderKey: "k") == 2)
        #expect(store.isOver)
    }

    @Test(arguments: StoreKind.all)
    func `a letter of a key of which nothing is known leaves nothing behind`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let letters = bench.queue().deadLetters
        let letter = NewDeadLetter(
            id: "a", reason: .expired, origin: DeadLetterOrigin(source: "jobs", id: "a"), payload: [])
        guard case .insert(let id, var content, _) = try letters.change(for: letter) else {
            Issue.record("a letter is put")
            return
        }
        content.orderKey = "k"
        _ = try await bench.store.commit([.insert(id, content)])
        #expect(try await letters.evict("a", because: "test") == .evicted)
        #expect(try await bench.store.statistics(of: "parked/jobs").counts == [:])
    }

    @Test(arguments: StoreKind.all)
    func `an eviction goes on when another letter of the key comes meanwhile`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let store = InterposedStore(bench.store)
        let queue = bench.queue(maximumFailures: 1, parksOrderKeys: true, store: store)
        try await bench.put("a", "b", to: queue, orderKey: "k")
        try await queue.one().retry(after: Declined())
        store.once(.beforeCommit("dead-letters/jobs")) { _ = try await queue.receive() }
        #expect(try await queue.deadLetters.evict("a", because: "test") == .evicted)
        #expect(store.isOver)
        #expect(try await queue.deadLetters.parkedKeys(["k"])["k"]?.letters == 1)
    }

    @Test(arguments: StoreKind.all)
    func `letters of a queue that parks nothing can go in any order`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1)
        try await bench.put("a", "b", to: queue, orderKey: "k")
        for _ in 0..<2 { try await queue.one().retry(after: Declined()) }
        #expect(try await queue.evict("b", because: "test") == .evicted)
        #expect(try await queue.deadLetters.list().letters.map(\.id) == ["a"])
    }
}
