// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Retrying
import Synchronization
import Testing

@testable import WorkQueues

@Suite struct DeliveryTests {
    // Case 49.
    @Test(arguments: StoreKind.all)
    func `an item that is not settled comes again after its lease, as a crash`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", to: queue)
        #expect(try await queue.one().item.delivery == 1)
        bench.clock.advance(by: .milliseconds(29_999))
        #expect(try await queue.names() == [])
        bench.clock.advance(by: .milliseconds(1))
        let again = try await queue.one()
        #expect(again.item.delivery == 2 && again.item.crashes == 1 && again.item.failures == 0)
        #expect(bench.takeEvents() == ["delivered a", "crashed a", "delivered a"])
    }

    // Case 56: who comes late after somebody else was given the item changes nothing. Late alone, it still may.
    @Test(arguments: StoreKind.all)
    func `every verb is fenced`(kind: StoreKind) async throws {
        let verbs: [(String, @Sendable (Delivery) async throws -> Void)] = [
            ("complete", { try await $0.complete() }), ("retry", { try await $0.retry(after: Declined()) }),
            ("release", { try await $0.release() }), ("snooze", { try await $0.release(after: .seconds(5)) }),
            ("extend", { try await $0.extend(by: .seconds(30)) }),
            ("dead-letter", { try await $0.deadLetter(.manual("why")) }),
        ]
        for (name, verb) in verbs {
            let bench = try Bench(kind)
            let queue = bench.queue()
            try await bench.put("a", to: queue)
            let first = try await queue.one()
            bench.clock.advance(by: .seconds(30))
            let second = try await queue.one()
            _ = bench.takeEvents()
            await #expect(throws: DeliveryLost(id: "a"), "\(name)") { try await verb(first) }
            #expect(bench.takeEvents() == ["lost a"], "\(name)")
            bench.clock.advance(by: .seconds(31))
            try await verb(second)
            if name != "extend" {
                await #expect(throws: DeliveryLost(id: "a"), "\(name), settled twice") { try await verb(second) }
            }
        }
    }

    @Test(arguments: StoreKind.all)
    func `a failure waits for its back-off, and the last one goes to the dead letters`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(
            maximumFailures: 3, backoff: .linear(initial: .seconds(1), increment: .seconds(4), jitter: .none))
        try await bench.put("a", to: queue)
        var position: UInt64?
        for wait in [1, 5] {
            let delivery = try await queue.one()
            position = delivery.item.position
            #expect(try await delivery.retry(after: Declined()) == .retries(after: .seconds(wait)))
            bench.clock.advance(by: .seconds(wait) - .nanoseconds(1))
            #expect(try await queue.names() == [])
            bench.clock.advance(by: .nanoseconds(1))
        }
        let last = try await queue.one()
        #expect(last.item.failures == 2 && last.item.history.count == 2 && last.item.delivery == 3)
        #expect(try await last.retry(after: Declined()) == .deadLettered(.attemptsExhausted))
        #expect(try await queue.statistics().depth == 0)
        let letter = try #require(try await queue.deadLetters.read("a"))
        #expect(letter.reason == .attemptsExhausted && letter.payload == Array("a".utf8))
        #expect(letter.position == position && letter.origin.position == position)
        #expect(letter.origin.source == "jobs" && letter.origin.id == "a" && letter.redriveCount == 0)
        #expect(letter.failures.count == 3 && letter.failures.last?.errorType.hasSuffix("Declined") == true)
        #expect(letter.enqueuedAt == last.item.enqueuedAt)
        #expect(letter.deadLetteredAt == last.item.enqueuedAt.advanced(by: .seconds(6)))
        #expect(
            bench.takeEvents()
                == ["delivered a", "failed a", "delivered a", "failed a", "delivered a", "deadLettered a"])
    }

    @Test(arguments: StoreKind.all)
    func `a chain of listed delays ends at the dead letters`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(
            maximumFailures: 100, backoff: .listed([.seconds(1), .seconds(5), .seconds(30)]))
        try await bench.put("a", to: queue)
        for wait in [1, 5, 30] {
            #expect(try await queue.one().retry(after: Declined()) == .retries(after: .seconds(wait)))
            bench.clock.advance(by: .seconds(wait))
        }
        #expect(try await queue.one().retry(after: Declined()) == .deadLettered(.attemptsExhausted))
    }

    // Cases 53, 55 and 79.
    @Test(arguments: StoreKind.all)
    func `what counts as a failure is a failure alone`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 2, maximumCrashes: 2)
        try await bench.put("a", to: queue)
        for _ in 0..<100 { try await queue.one().release() }
        for _ in 0..<10 {
            try await queue.one().release(after: .seconds(60))
            bench.clock.advance(by: .seconds(60))
        }
        let delivery = try await queue.one()
        #expect(delivery.item.failures == 0 && delivery.item.crashes == 0 && delivery.item.delivery == 111)
        let advised = Overloaded(retryAfter: .seconds(77))
        #expect(try await delivery.retry(after: advised, delay: .seconds(20)) == .retries(after: .seconds(77)))
        bench.clock.advance(by: .seconds(77))
        #expect(try await queue.one().retry(after: Unprocessable()) == .deadLettered(.nonRetryable))
        #expect(try await queue.deadLetters.read("a")?.failures.count == 2)
    }

    @Test(arguments: StoreKind.all)
    func `an item that goes back stands where it stood`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let delays = Locked<[Duration]>([])
        let queue = WorkQueue("jobs", store: bench.store, backoff: .constant(.zero), clock: bench.clock) { event in
            if case .released(let delay, _) = event.kind { delays.withLock { $0.append(delay) } }
        }
        try await bench.put("a", to: queue)
        try await queue.one().release()
        #expect(try await queue.statistics().ready == 1)
        try await queue.one().retry(after: Declined())
        try await queue.one().release(after: .seconds(-5))
        #expect(try await queue.statistics().retrying == 1)
        try await queue.one().release(after: .seconds(5))
        #expect(delays.withLock { $0 } == [.zero, .zero, .seconds(5)])
    }

    @Test(arguments: StoreKind.all)
    func `a crash loop ends at the dead letters, and failures are counted apart`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 5, maximumCrashes: 2)
        try await bench.put("a", "b", to: queue)
        for round in 1...2 {
            let deliveries = try await queue.receive(limit: 2)
            #expect(deliveries.map(\.item.crashes) == [round - 1, 0])
            try await deliveries[1].release(after: .seconds(30))
            bench.clock.advance(by: .seconds(30))
        }
        _ = bench.takeEvents()
        #expect(try await queue.names() == ["b"])
        #expect(bench.takeEvents() == ["crashed a", "deadLettered a", "delivered b"])
        #expect(try await queue.deadLetters.read("a")?.reason == .crashLoop)
        #expect(try await queue.deadLetters.read("a")?.failures.count == 0)
    }

    @Test(arguments: StoreKind.all)
    func `an item past its time goes to the dead letters instead of to a handler`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await queue.enqueue(NewWorkItem(id: "a", payload: [], timeToLive: .seconds(60)))
        try await queue.enqueue(NewWorkItem(id: "b", payload: [], timeToLive: .seconds(61)))
        bench.clock.advance(by: .seconds(60))
        #expect(try await queue.names() == ["b"])
        #expect(try await queue.deadLetters.read("a")?.reason == .expired)
    }

    // Cases 50 and 59.
    @Test(arguments: StoreKind.all)
    func `nothing comes early, and nobody holds an item longer than allowed`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(longestHold: .seconds(100))
        try await queue.enqueue(NewWorkItem(id: "a", payload: [], delay: .seconds(10)))
        bench.clock.advance(by: .seconds(10) - .nanoseconds(1))
        #expect(try await queue.names() == [])
        bench.clock.advance(by: .nanoseconds(1))
        let delivery = try await queue.one()
        bench.clock.advance(by: .seconds(25))
        #expect(try await delivery.extend(by: .seconds(75)) == delivery.leaseUntil.advanced(by: .seconds(70)))
        await #expect(throws: DeliveryHeldTooLong(id: "a", limit: .seconds(100))) {
            try await delivery.extend(by: .seconds(75) + .nanoseconds(1))
        }
        bench.clock.advance(by: .seconds(74))
        #expect(try await queue.names() == [])
        bench.clock.advance(by: .seconds(1))
        #expect(try await queue.names() == ["a"])
    }

    // Case 58.
    @Test(arguments: StoreKind.all)
    func `a failing head blocks its own key alone, until it is set aside`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 2)
        try await bench.put("k1", "k2", "k3", to: queue, orderKey: "k")
        try await bench.put("m1", to: queue, orderKey: "m")
        try await bench.put("free", to: queue)
        let first = try await queue.receive(limit: 10)
        #expect(first.map(\.item.id) == ["k1", "m1", "free"])
        try await first[0].retry(after: Declined())
        #expect(try await queue.names() == [])
        bench.clock.advance(by: .seconds(10))
        let head = try await queue.one()
        #expect(head.item.id == "k1")
        try await head.retry(after: Declined())
        let next = try await queue.one()
        #expect(next.item.id == "k2")
        try await next.complete()
        #expect(try await queue.names() == ["k3"])
    }

    @Test(arguments: StoreKind.all)
    func `a completion takes other records with it, or leaves everything as it was`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", "b", to: queue)
        let record = Change.insert(RecordID("sent", "1"), RecordContent(state: "sent"))
        let deliveries = try await queue.receive(limit: 2)
        try await deliveries[0].complete(alsoCommit: [record])
        let error = await #expect(throws: DeliveryConflict.self) {
            try await deliveries[1].complete(alsoCommit: [record])
        }
        #expect(error?.conflict.index == 1)
        try await deliveries[1].complete()
        #expect(try await queue.statistics().depth == 0)
    }

    @Test(arguments: StoreKind.all)
    func `after an unknown outcome one look tells what has become of the item`(kind: StoreKind) async throws {
        let verbs: [(String, @Sendable (Delivery) async throws -> Void)] = [
            ("complete", { try await $0.complete() }), ("retry", { try await $0.retry(after: Declined()) }),
            ("release", { try await $0.release() }), ("dead-letter", { try await $0.deadLetter(.manual("why")) }),
            (
                "alongside",
                {
                    try await $0.complete(
                        alsoCommit: [.insert(RecordID("sent", "1"), RecordContent(state: "sent"))])
                }
            ),
        ]
        for (name, verb) in verbs {
            let bench = try Bench(kind)
            let queue = bench.queue()
            try await bench.put("a", to: queue)
            let delivery = try await queue.one()
            bench.store.failCommits(.droppedUnknown, .appliedUnknown)
            await #expect(throws: StoreError.outcomeUnknown(FailingStore.failure), "\(name)") {
                try await verb(delivery)
            }
            try await verb(delivery)
            let depth = try await queue.statistics().depth
            #expect(depth == (["retry", "release"].contains(name) ? 1 : 0), "\(name)")
        }
        // A start that is in is no crash, whatever the store has said of it.
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", to: queue)
        bench.store.failCommits(.appliedUnknown)
        try await queue.one().release()
        bench.store.failCommits(.droppedUnknown)
        await #expect(throws: StoreError.self) { try await queue.receive() }
        bench.clock.advance(by: .seconds(30))
        let delivery = try await queue.one()
        #expect(delivery.item.crashes == 0 && delivery.item.delivery == 2)
    }

    @Test(arguments: StoreKind.all)
    func `a late completion with others is not taken for done because its item is gone`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", to: queue)
        let late = try await queue.one()
        bench.clock.advance(by: .seconds(30))
        try await queue.one().complete()
        bench.store.failCommits(.droppedUnknown)
        await #expect(throws: StoreError.outcomeUnknown(FailingStore.failure)) {
            try await late.complete(alsoCommit: [.insert(RecordID("sent", "1"), RecordContent(state: "sent"))])
        }
    }

    @Test(arguments: StoreKind.all)
    func `a letter of the same name is in nobody's way`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", to: queue)
        try await queue.deadLetters.put(
            NewDeadLetter(id: "a", reason: .manual("other"), origin: .init(source: "x", id: "a"), payload: [9]))
        try await queue.one().deadLetter(.rejectedByHandler)
        let letters = try await queue.deadLetters.list().letters
        #expect(letters.count == 2 && letters.allSatisfy { $0.origin.id == "a" })
        #expect(try await queue.deadLetters.read("a")?.payload == [9])
        #expect(try await queue.statistics().depth == 0)
    }

    @Test func `items are started in as many commits as their bytes take`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let queue = WorkQueue("jobs", store: bench.store, maximumPayload: 1_000_000, clock: bench.clock)
        for number in 0..<30 {
            try await queue.enqueue(NewWorkItem(id: "\(number)", payload: [UInt8](repeating: 7, count: 1_000_000)))
        }
        #expect(try await queue.names() == (0..<30).map { "\($0)" })
    }

    @Test(arguments: StoreKind.all)
    func `bytes that nobody can read go to the dead letters as they came, and those of a newer version wait`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        for (id, body) in [("damaged", [1, 255, 255]), ("newer", [2, 0]), ("empty", [])] as [(String, [UInt8])] {
            let content = RecordContent(state: "ready", body: body, due: .after(.zero))
            _ = try await bench.store.commit([.insert(RecordID(queue.collection, id), content)])
        }
        #expect(try await queue.names() == [])
        let letter = try #require(try await queue.deadLetters.read("damaged"))
        #expect(letter.reason == .undecodable && letter.payload == [1, 255, 255])
        #expect(try await queue.deadLetters.read("empty")?.reason == .undecodable)
        #expect(bench.takeEvents().contains("unreadable newer"))
        #expect(try await bench.store.read([RecordID(queue.collection, "newer")]).records[0]?.body == [2, 0])
    }

    @Test(arguments: StoreKind.all)
    func `a wait ends with the commit or the time that makes an item due`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        async let waiting = queue.receive(waitUpTo: .seconds(1_000))
        await bench.clock.waitForSleepers()
        try await queue.enqueue(NewWorkItem(id: "a", payload: []))
        #expect(try await waiting.map(\.item.id) == ["a"])

        try await queue.enqueue(NewWorkItem(id: "b", payload: [], delay: .seconds(5)))
        async let delayed = queue.receive(waitUpTo: .seconds(1_000))
        await bench.clock.waitForSleepers()
        bench.clock.advance(by: .seconds(5))
        #expect(try await delayed.map(\.item.id) == ["b"])
        let cancelled = Task { try await queue.receive(waitUpTo: .seconds(1_000)) }
        await bench.clock.waitForSleepers()
        cancelled.cancel()
        #expect(try await cancelled.value.isEmpty)
        bench.clock.advance(by: .seconds(5))
        async let nothing = queue.receive(waitUpTo: .seconds(3))
        await bench.clock.waitForSleepers()
        bench.clock.advance(by: .seconds(3))
        #expect(try await nothing.isEmpty)
    }

    @Test(arguments: StoreKind.all)
    func `statistics work without anybody who receives`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        #expect(try await queue.statistics() == .init(ready: 0, retrying: 0, running: 0, lag: .zero, oldestAge: nil))
        try await bench.put("a", "b", "c", to: queue)
        try await queue.receive(limit: 1)[0].retry(after: Declined())
        _ = try await queue.receive(limit: 1)
        bench.clock.advance(by: .seconds(5))
        let statistics = try await queue.statistics()
        #expect(
            statistics
                == .init(ready: 1, retrying: 1, running: 1, lag: .seconds(5), oldestAge: .seconds(5)))
        #expect(statistics.depth == 3)
    }

    // Case 61.
    @Test(arguments: StoreKind.all)
    func `two that receive are never given the same item`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let count = 2_000
        for start in stride(from: 0, to: count, by: 200) {
            try await queue.enqueue((start..<start + 200).map { NewWorkItem(id: "\($0)", payload: []) })
        }
        let seen = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var seen: [String] = []
                    while case let deliveries = try await queue.receive(limit: 7), !deliveries.isEmpty {
                        seen += deliveries.map(\.item.id)
                        for delivery in deliveries { try await delivery.complete() }
                    }
                    return seen
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(seen.count == count && Set(seen).count == count)
    }
}
