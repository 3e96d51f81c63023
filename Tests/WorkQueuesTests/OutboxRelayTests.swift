// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting
import Retrying
import Synchronization
import Testing

@testable import WorkQueues

@Suite struct OutboxRelayTests {
    private func with(_ relays: [OutboxRelay], _ body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for relay in relays { group.addTask { try await relay.run() } }
            let result: Result<Void, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            for relay in relays { relay.shutDown() }
            try await group.waitForAll()
            try result.get()
        }
    }

    // Cases 98 and 101: published, and gone before that is marked; a message that is committed late is published too.
    @Test(arguments: StoreKind.all)
    func `a message is published again under its own name, which an inbox recognises`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let outbox = bench.queue(parksOrderKeys: true)
        let inbox = Inbox("orders", store: bench.store, clock: bench.clock)
        let published = Locked([String]())
        let handled = Locked([String]())
        let relay = OutboxRelay(outbox) { message in
            published.withLock { $0.append(message.id) }
            try await inbox.handle(messageID: message.id, consumer: "mail") { _ in
                handled.withLock { $0.append(message.id) }
            }
        }
        try await bench.put("a", to: outbox)
        // The start is in, and then the inbox's two commits; the mark is not.
        bench.store.failCommits(nil, nil, nil, .unavailable)
        try await with([relay]) {
            await bench.waitFor("settlementFailed a")
            try await outbox.enqueue(NewWorkItem(id: "b", payload: []))
            await bench.waitFor("completed b")
        }
        bench.clock.advance(by: .seconds(30))
        let next = OutboxRelay(outbox) { message in
            published.withLock { $0.append(message.id) }
            try await inbox.handle(messageID: message.id, consumer: "mail") { _ in
                handled.withLock { $0.append(message.id) }
            }
        }
        try await with([next]) { await bench.waitFor("completed a") }
        #expect(published.withLock { $0 } == ["a", "b", "a"])
        #expect(handled.withLock { $0 } == ["a", "b"])
    }

    // Cases 100 and 107.
    @Test(arguments: StoreKind.all)
    func `a poison head parks its own key alone, and more relays do not try it more often`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let outbox = bench.queue(maximumFailures: 5, backoff: .constant(.seconds(10)), parksOrderKeys: true)
        let tries = Locked([Duration]())
        let began = bench.clock.now
        let clock = bench.clock
        func relay() -> OutboxRelay {
            OutboxRelay(outbox) { message in
                guard message.id == "k1" else { return }
                tries.withLock { $0.append(began.duration(to: clock.now)) }
                throw Declined()
            }
        }
        try await bench.put("k1", "k2", to: outbox, orderKey: "k")
        try await with([relay(), relay(), relay()]) {
            for round in 0..<5 {
                await bench.waitFor(round < 4 ? "failed k1" : "deadLettered k1")
                let other = "other\(round)"
                try await outbox.enqueue(NewWorkItem(id: other, payload: [], orderKey: "m"))
                await bench.waitFor("completed \(other)")
                #expect(try await outbox.statistics().lag == .zero)
                if round == 4 { break }
                _ = bench.takeEvents()
                // The relays wait for what comes due next.
                await bench.clock.waitForSleepers(3)
                bench.clock.advance(by: .seconds(10))
            }
            await bench.waitFor("deadLettered k2")
        }
        #expect(tries.withLock { $0 } == [0, 10, 20, 30, 40].map { .seconds($0) })
    }

    // Case 103.
    @Test(arguments: StoreKind.all)
    func `the lag grows while no relay runs, and is zero when nothing is due`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let outbox = bench.queue(parksOrderKeys: true)
        #expect(try await outbox.statistics().lag == .zero)
        try await bench.put("a", to: outbox)
        for second in 1...3 {
            bench.clock.advance(by: .seconds(1))
            #expect(try await outbox.statistics().lag == .seconds(second))
        }
        try await with([OutboxRelay(outbox) { _ in }]) { await bench.waitFor("completed a") }
        try await outbox.enqueue(NewWorkItem(id: "later", payload: [], delay: .seconds(60)))
        #expect(try await outbox.statistics().lag == .zero)
    }

    @Test(arguments: StoreKind.all)
    func `a backlog goes out at the pace of catching up`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let outbox = bench.queue(parksOrderKeys: true)
        let count = 300
        try await outbox.enqueue((0..<count).map { NewWorkItem(id: "\($0)", payload: []) })
        bench.clock.advance(by: .seconds(31))
        let began = bench.clock.now
        let clock = bench.clock
        let times = Locked([Duration]())
        let relay = OutboxRelay(
            outbox, concurrency: 1_000, catchUp: CatchUp(lag: .seconds(30), pace: .perSecond(100))
        ) { _ in times.withLock { $0.append(began.duration(to: clock.now)) } }
        try await with([relay]) {
            let driver = Task {
                while !Task.isCancelled {
                    await clock.waitForSleepers()
                    // Leases are renewed at their own pace; only what is due within a second matters here.
                    if let wake = clock.nextWake, wake <= .seconds(1) { clock.advance(by: wake) }
                    await Task.yield()
                }
            }
            for id in 0..<count { await bench.waitFor("completed \(id)") }
            driver.cancel()
            await driver.value
        }
        let sorted = times.withLock { $0.sorted() }
        #expect(sorted.count == count)
        for (index, later) in sorted.enumerated() where index >= 110 {
            #expect(later - sorted[index - 110] >= .seconds(1), "message \(index)")
        }
    }

    @Test func `who is behind keeps to the pace, who is not goes as fast as can be`() {
        var state = CatchUpState(CatchUp(lag: .seconds(30), pace: .perSecond(100)))
        // Nothing is known yet.
        #expect(state.limit == 10 && state.pause(now: 0) == .zero)
        state.received(10, dueFor: .seconds(31), now: 0)
        #expect(state.limit == 10 && state.pause(now: 0) == .milliseconds(100))
        #expect(state.pause(now: 60_000_000) == .milliseconds(40) && state.pause(now: 200_000_000) == .zero)
        state.received(5, dueFor: .seconds(31), now: 40_000_000)
        #expect(state.pause(now: 100_000_000) == .milliseconds(50))
        state.received(10, dueFor: .seconds(30), now: 300_000_000)
        #expect(state.limit == .max && state.pause(now: 300_000_000) == .zero)
        state.received(10, dueFor: .seconds(31), now: 300_000_000)
        #expect(state.limit == 10 && state.pause(now: 300_000_000) == .milliseconds(200))
    }
}
