// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Synchronization
import Testing

@testable import WorkQueues

/// How a consumer, a handler and a hold come to their ends.
@Suite struct ConsumerEndTests {
    @Test(arguments: StoreKind.all)
    func `a handler is cancelled when its item has been held for as long as it may be`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(longestHold: .seconds(60))
        let clock = bench.clock
        let ends = Locked<[String]>([])
        let consumer = Consumer(queue, concurrency: 1, lease: .seconds(30)) { item in
            guard item.delivery == 1 else { return }
            do {
                try await clock.sleep(for: .seconds(1_000_000))
            } catch {
                ends.withLock { $0.append("\(error) \(clock.now.offset)") }
                throw error
            }
        }
        try await bench.put("a", to: queue)
        try await with(consumer) {
            await bench.waitFor("delivered a")
            // The handler's sleep and the renewal's.
            for _ in 0..<4 {
                await clock.waitForSleepers(2)
                clock.advance(by: .seconds(10))
            }
            await bench.waitFor("heldTooLong a")
            await clock.waitForSleepers(2)
            clock.advance(by: .seconds(20) - .nanoseconds(1))
            await clock.waitForSleepers(2)
            #expect(ends.withLock { $0 } == [])
            clock.advance(by: .nanoseconds(1))
            await bench.waitFor("completed a")
        }
        #expect(ends.withLock { $0 } == ["CancellationError() \(Duration.seconds(60))"])
        #expect(
            bench.takeEvents() == ["delivered a", "heldTooLong a", "crashed a", "delivered a", "completed a"])
    }

    @Test(arguments: StoreKind.all, [true, false])
    func `what a wait finds as it is ended goes back untouched`(kind: StoreKind, cancels: Bool) async throws {
        let bench = try Bench(kind)
        let store = InterposedStore(bench.store)
        let queue = bench.queue(store: store)
        let handled = Locked(0)
        let consumer = Consumer(queue) { _ in handled.withLock { $0 += 1 } }
        let gate = Gate()
        let task = Task {
            await gate.pass()
            try await consumer.run()
        }
        // Of the two claims the second one waits.
        store.once(.beforeClaim(queue.collection)) {
            store.once(.beforeClaim(queue.collection)) {
                try await bench.put("a", to: queue)
                if cancels { task.cancel() } else { consumer.shutDown() }
                while !Task.isCancelled { await Task.yield() }
            }
        }
        gate.open()
        if cancels {
            await #expect(throws: CancellationError.self) { try await task.value }
        } else {
            try await task.value
        }
        #expect(store.isOver && handled.withLock { $0 } == 0)
        #expect(try await queue.one().item.delivery == 1)
    }

    @Test(arguments: StoreKind.all)
    func `an item that was received ahead is no younger for that`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let gate = Gate()
        try await bench.put("a", to: queue)
        try await queue.enqueue(NewWorkItem(id: "b", payload: [], timeToLive: .seconds(20)))
        try await with(Consumer(queue, concurrency: 1, prefetch: 1) { _ in await gate.pass() }) {
            await gate.waitForArrivals(1)
            bench.clock.advance(by: .seconds(20))
            gate.open()
            await bench.waitFor("deadLettered b")
        }
        #expect(try await queue.deadLetters.read("b")?.reason == .expired)
        #expect(gate.arrived == 1)
    }

    // One that nobody can read is left to its lease, and those behind it are not.
    @Test(arguments: StoreKind.all)
    func `what was received ahead goes back at the end, as far as it can be read`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let gate = Gate()
        try await bench.put("a", to: queue)
        let content = RecordContent(state: "ready", body: [1, 255], due: .after(.zero))
        _ = try await bench.store.commit([.insert(queue.id("damaged"), content)])
        try await bench.put("b", to: queue)
        let consumer = Consumer(queue, concurrency: 1, prefetch: 2) { _ in await gate.pass() }
        try await with(consumer) {
            await gate.waitForArrivals(1)
            consumer.shutDown()
            gate.open()
        }
        #expect(try await queue.names() == ["b"])
        bench.clock.advance(by: .seconds(30))
        _ = try await queue.receive(limit: 10)
        #expect(try await queue.deadLetters.read("damaged")?.reason == .undecodable)
    }

    // What is received ahead has had its pause, and a time of zero is none.
    @Test(arguments: StoreKind.all)
    func `nothing waits where there is no time to wait for`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", "b", to: queue)
        bench.clock.advance(by: .seconds(1))
        let catchUp = CatchUp(lag: .zero, pace: .perSecond(20))
        let consumer = Consumer(
            queue, concurrency: 1, prefetch: 1, catchUp: catchUp, pausedFor: { .zero }, handler: { _ in })
        try await with(consumer) {
            await bench.waitFor("completed a")
            await bench.waitFor("completed b")
        }
        #expect(bench.clock.now.offset == .seconds(1))
    }

    // Nine times in a row are bearable, and what comes between begins the count anew.
    @Test(arguments: StoreKind.all)
    func `a store that works in between has not failed in a row`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", "b", to: queue)
        let bearable = [StoreError?](repeating: .unavailable(FailingStore.failure), count: 9)
        bench.store.failClaims(bearable + [nil] + bearable)
        try await with(Consumer(queue, concurrency: 1) { _ in }) {
            for _ in 0..<18 {
                await bench.clock.waitForSleepers()
                bench.clock.advance(by: .seconds(10))
            }
            await bench.waitFor("completed b")
        }
        #expect(bench.takeEvents().filter { $0 == "receiveFailed " }.count == 18)
    }

    @Test(arguments: StoreKind.all)
    func `a store that takes no claim of this kind ends the run`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let refusal = StoreError.refused(RefusedInput(field: "limit", size: 0, allowed: 1...1))
        bench.store.failClaims(refusal)
        await #expect(throws: refusal) { try await Consumer(bench.queue()) { _ in }.run() }
    }

    private struct NeverAgain: Rejection, Permanent { var retryAfter: Duration? { nil } }

    @Test(arguments: StoreKind.all)
    func `a rejection that no attempt can mend gives the item up`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("a", to: queue)
        try await with(Consumer(queue) { _ in throw NeverAgain() }) { await bench.waitFor("deadLettered a") }
    }

    @Test func `more cannot be received ahead than one claim gives`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let queue = bench.queue()
        for start in stride(from: 0, to: 1_200, by: 300) {
            try await queue.enqueue((start..<start + 300).map { NewWorkItem(id: "\($0)", payload: []) })
        }
        let gate = Gate()
        try await with(Consumer(queue, concurrency: .max, prefetch: .max) { _ in await gate.pass() }) {
            await gate.waitForArrivals(1_200)
            gate.open()
        }
        #expect(try await queue.statistics().depth == 0)
    }
}
