// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import CircuitBreaking
import Idempotency
import ReliabilityTesting
import Retrying
import Synchronization
import Testing

@testable import WorkQueues

@Suite struct ConsumerTests {
    @Test(arguments: StoreKind.all)
    func `items are handled side by side, never more than allowed`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let gate = Gate()
        let running = Locked((now: 0, most: 0))
        let consumer = Consumer(queue, concurrency: 3) { _ in
            running.withLock { running in
                running.now += 1
                running.most = max(running.most, running.now)
            }
            await gate.pass()
            running.withLock { $0.now -= 1 }
        }
        try await bench.put("a", "b", "c", "d", "e", to: queue)
        try await with(consumer) { () async throws in
            await gate.waitForArrivals(3)
            #expect(gate.arrived == 3)
            #expect(
                try await queue.statistics() == .init(ready: 2, retrying: 0, running: 3, lag: .zero, oldestAge: .zero))
            gate.open()
            for id in ["a", "b", "c", "d", "e"] { await bench.waitFor("completed \(id)") }
            // What comes while it waits is handled too.
            try await queue.enqueue(NewWorkItem(id: "f", payload: []))
            await bench.waitFor("completed f")
        }
        #expect(running.withLock { $0.most } == 3)
        #expect(try await queue.statistics().depth == 0)
    }

    @Test(arguments: StoreKind.all)
    func `what a handler throws or says decides about its item`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 2)
        let consumer = Consumer(queue, decode: { $0.id }) { id, context in
            switch id {
            case "fails": throw Declined()
            case "permanent": throw Unprocessable()
            case "rejected": throw Busy(retryAfter: .seconds(40))
            case "rejected silently": throw Busy(retryAfter: nil)
            case "verdict": return .deadLetter(.rejectedByHandler)
            case "snoozes": return .release(after: .seconds(50))
            case "retries": return .retry(after: Declined(), delay: .seconds(60))
            default: return .complete
            }
        }
        let names = ["fails", "permanent", "rejected", "rejected silently", "verdict", "snoozes", "retries", "fine"]
        for name in names { try await bench.put(name, to: queue) }
        try await with(consumer) { () async throws in
            for event in [
                "failed fails", "deadLettered permanent", "released rejected", "released rejected silently",
                "deadLettered verdict", "released snoozes", "failed retries", "completed fine",
            ] { await bench.waitFor(event) }
        }
        let records = try await bench.store.scan(queue.collection, state: nil, after: nil, limit: 100)
        var waits: [String: Duration] = [:]
        for record in records.records { waits[record.id.key] = records.now.duration(to: try #require(record.dueAt)) }
        #expect(
            waits == [
                "fails": .seconds(10), "rejected": .seconds(40), "rejected silently": .seconds(1),
                "snoozes": .seconds(50), "retries": .seconds(60),
            ])
        #expect(try await queue.statistics().retrying == 2)
        #expect(try await queue.deadLetters.list().letters.map(\.reason) == [.nonRetryable, .rejectedByHandler])
        bench.clock.advance(by: .seconds(10))
        let second = Consumer(queue) { _ in throw Declined() }
        try await with(second) { await bench.waitFor("deadLettered fails") }
        #expect(try await queue.deadLetters.read("fails")?.reason == .attemptsExhausted)
    }

    @Test(arguments: StoreKind.all)
    func `a trailing closure that returns nothing completes its items`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let handled = Locked<[String]>([])
        let consumer = Consumer(queue, decode: { $0.id }) { id, context in
            let item = context.item
            handled.withLock { $0.append("\(id) \(item.delivery)") }
        }
        try await bench.put("a", to: queue)
        try await with(consumer) { await bench.waitFor("completed a") }
        #expect(handled.withLock { $0 } == ["a 1"])
    }

    // Case 62.
    @Test(arguments: StoreKind.all)
    func `what cannot be decoded goes to the dead letters at once, as it came`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let consumer = Consumer(
            queue,
            decode: { item in
                guard item.payload == [1] else { throw Declined() }
                return 1
            }, handler: { _, _ in })
        try await queue.enqueue(NewWorkItem(id: "bad", payload: [255, 0]))
        try await queue.enqueue(NewWorkItem(id: "good", payload: [1]))
        try await with(consumer) { () async throws in
            await bench.waitFor("deadLettered bad")
            await bench.waitFor("completed good")
        }
        let letter = try #require(try await queue.deadLetters.read("bad"))
        #expect(letter.reason == .undecodable && letter.payload == [255, 0] && letter.failures.count == 1)
    }

    @Test(arguments: StoreKind.all)
    func `a lease is renewed while its handler runs`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let gate = Gate()
        let consumer = Consumer(queue, concurrency: 1, lease: .seconds(30)) { _ in await gate.pass() }
        try await bench.put("a", to: queue)
        try await with(consumer) { () async throws in
            await gate.waitForArrivals(1)
            for _ in 0..<20 {
                await bench.clock.waitForSleepers()
                bench.clock.advance(by: .seconds(10))
            }
            #expect(try await queue.names() == [])
            gate.open()
            await bench.waitFor("completed a")
        }
        #expect(bench.takeEvents() == ["delivered a", "completed a"])
    }

    @Test(arguments: StoreKind.all)
    func `a handler that has lost its item is cancelled and settles nothing`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let gate = Gate()
        let clock = bench.clock
        let consumer = Consumer(queue, concurrency: 1, lease: .seconds(30)) { _ in
            await gate.pass()
            try await clock.sleep(for: .seconds(1_000_000))
        }
        try await bench.put("a", to: queue)
        try await with(consumer) { () async throws in
            await gate.waitForArrivals(1)
            bench.store.failsToExtend = true
            for wait in [10, 20] {
                await bench.clock.waitForSleepers()
                _ = bench.takeEvents()
                bench.clock.advance(by: .seconds(wait))
                await bench.waitFor("renewalFailed a")
            }
            let other = try await queue.one()
            bench.store.failsToExtend = false
            gate.open()
            // The handler's sleep and the renewal's.
            await bench.clock.waitForSleepers(2)
            bench.clock.advance(by: .seconds(10))
            await bench.waitFor("lost a")
            consumer.shutDown()
            try await other.complete()
        }
        #expect(bench.takeEvents().filter { $0 == "failed a" || $0 == "released a" } == [])
        #expect(try await queue.statistics().depth == 0)
    }

    @Test(arguments: StoreKind.all)
    func `shutting down drains, cancelling gives back without a count`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1)
        let gate = Gate()
        try await bench.put("a", "b", to: queue)
        let draining = Consumer(queue, concurrency: 1) { _ in await gate.pass() }
        try await with(draining) {
            await gate.waitForArrivals(1)
            draining.shutDown()
            gate.open()
        }
        #expect(gate.arrived == 1)
        #expect(bench.takeEvents() == ["delivered a", "completed a"])
        // For good.
        try await draining.run()
        #expect(try await queue.statistics().ready == 1)

        let clock = bench.clock
        let cancelled = Consumer(queue, concurrency: 1) { _ in try await clock.sleep(for: .seconds(1_000)) }
        let task = Task { try await cancelled.run() }
        await bench.waitFor("delivered b")
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(bench.takeEvents() == ["delivered b", "released b"])
        let again = try await queue.one()
        #expect(again.item.failures == 0 && again.item.crashes == 0 && again.item.delivery == 2)
    }

    // Case 64.
    @Test(arguments: StoreKind.all)
    func `what is received ahead counts for nothing until a handler has it`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumCrashes: 1)
        let gate = Gate()
        try await bench.put("a", "b", "c", "d", to: queue)
        let consumer = Consumer(queue, concurrency: 1, prefetch: 2) { _ in await gate.pass() }
        try await with(consumer) { () async throws in
            await gate.waitForArrivals(1)
            // Three are held, and one of them is started.
            #expect(try await queue.names() == ["d"])
            consumer.shutDown()
            gate.open()
        }
        #expect(gate.arrived == 1)
        let given = try await queue.receive(limit: 10)
        #expect(given.map(\.item.id) == ["b", "c"] && given.allSatisfy { $0.item.delivery == 1 })
        for delivery in given { try await delivery.release() }

        // The same where the process is gone instead.
        _ = try await queue.claim(10, .seconds(30), waitUpTo: .zero)
        bench.clock.advance(by: .seconds(30))
        let survivors = try await queue.receive(limit: 10)
        #expect(Set(survivors.map(\.item.id)) == ["b", "c"])
        #expect(survivors.allSatisfy { $0.item.delivery == 2 && $0.item.crashes == 0 })
        #expect(try await queue.deadLetters.read("d")?.reason == .crashLoop)
    }

    @Test(arguments: StoreKind.all)
    func `an open circuit pauses receiving and burns no attempts`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 2, backoff: .constant(.zero))
        let breaker = CircuitBreaker(name: "mail", clock: bench.clock)
        let calls = Locked(0)
        breaker.isolate(for: .seconds(60))
        let consumer = Consumer(
            queue, concurrency: 2, pausedFor: { breaker.peek()?.retryAfter },
            handler: { _ in try await breaker.run { calls.withLock { $0 += 1 } } })
        try await bench.put("a", "b", to: queue)
        try await with(consumer) { () async throws in
            await bench.clock.waitForSleepers()
            #expect(try await queue.statistics().ready == 2)
            #expect(bench.takeEvents() == [])
            bench.clock.advance(by: .seconds(60))
            await bench.waitFor("completed a")
            await bench.waitFor("completed b")
        }
        #expect(calls.withLock { $0 } == 2)
    }

    // Cases 76, 104 and 106.
    @Test(arguments: StoreKind.all)
    func `a handler behind an inbox acts once for each message, whichever item brings it`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let inbox = Inbox("mails", store: bench.store, clock: bench.clock)
        let acts = Locked([String]())
        let failsOnce = Locked(true)
        let consumer = Consumer(
            queue, decode: { String(decoding: $0.payload, as: UTF8.self) }, concurrency: 1,
            handler: { message, _ in
                try await inbox.handle(messageID: message, consumer: "sender") { _ in
                    if failsOnce.withLock({ once in
                        defer { once = false }
                        return once
                    }) {
                        throw Declined()
                    }
                    acts.withLock { $0.append(message) }
                }
            })
        for (id, message) in [("1", "hello"), ("2", "hello"), ("3", "bye")] {
            try await queue.enqueue(NewWorkItem(id: id, payload: Array(message.utf8)))
        }
        try await with(consumer) { () async throws in
            await bench.waitFor("failed 1")
            await bench.waitFor("completed 3")
            bench.clock.advance(by: .seconds(10))
            await bench.waitFor("completed 1")
        }
        #expect(acts.withLock { $0 } == ["hello", "bye"])

        // A message that is being handled elsewhere waits without a count.
        let gate = Gate()
        async let elsewhere = inbox.handle(messageID: "slow", consumer: "sender") { _ in await gate.pass() }
        await gate.waitForArrivals(1)
        let second = Consumer(queue, decode: { String(decoding: $0.payload, as: UTF8.self) }) { message, _ in
            try await inbox.handle(messageID: message, consumer: "sender") { _ in }
        }
        try await queue.enqueue(NewWorkItem(id: "4", payload: Array("slow".utf8)))
        try await with(second) { await bench.waitFor("released 4") }
        gate.open()
        #expect(try await elsewhere == .handled)
        #expect(try await queue.statistics().retrying == 0)
    }

    @Test(arguments: StoreKind.all)
    func `other records go with the completion, and their conflict is a failure`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let consumer = Consumer(queue, decode: { $0.id }, concurrency: 1) { _, context in
            context.alsoCommit([.insert(RecordID("sent", "1"), RecordContent(state: "sent"))])
        }
        try await bench.put("a", "b", to: queue)
        try await with(consumer) { () async throws in
            await bench.waitFor("completed a")
            await bench.waitFor("failed b")
        }
        #expect(try await bench.store.read([RecordID("sent", "1")]).records[0]?.state == "sent")
    }

    @Test(arguments: StoreKind.all)
    func `a store that fails for a while is asked again, one that is closed ends the run`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", to: queue)
        bench.store.failClaims(.unavailable(FailingStore.failure), .full(FailingStore.failure))
        try await with(Consumer(queue) { _ in }) {
            for _ in 0..<2 {
                await bench.clock.waitForSleepers()
                bench.clock.advance(by: .seconds(10))
            }
            await bench.waitFor("completed a")
        }
        #expect(bench.takeEvents().prefix(2) == ["receiveFailed ", "receiveFailed "])

        for _ in 0..<10 { bench.store.failClaims(.unavailable(FailingStore.failure)) }
        let patient = Task { try await Consumer(queue) { _ in }.run() }
        for _ in 0..<9 {
            await bench.clock.waitForSleepers()
            bench.clock.advance(by: .seconds(10))
        }
        await #expect(throws: StoreError.unavailable(FailingStore.failure)) { try await patient.value }

        try await bench.store.close()
        await #expect(throws: StoreError.closed) { try await Consumer(queue) { _ in }.run() }
    }

    // Case 77.
    @Test(arguments: StoreKind.all)
    func `an item that cannot be settled is told of and comes again`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", to: queue)
        // The start passes.
        bench.store.failCommits(nil, .unavailable)
        try await with(Consumer(queue) { _ in throw Unprocessable() }) { await bench.waitFor("settlementFailed a") }
        #expect(try await queue.deadLetters.statistics().depth == 0)
        bench.clock.advance(by: .seconds(30))
        #expect(try await queue.one().item.crashes == 1)
    }
}
