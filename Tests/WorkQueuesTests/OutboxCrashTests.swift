// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import RecordStores
import ReliabilityTesting
import Synchronization
import Testing
import WorkQueues

/// An outbox whose processes die.
@Suite struct OutboxCrashTests {
    /// What is outside: the broker, and a consumer that remembers.
    private final class Outside: Sendable {
        private let clock: ManualClock
        private let inbox: Inbox
        private let log = Locked((published: [String](), handled: [String]()))

        init(_ clock: ManualClock) {
            self.clock = clock
            inbox = Inbox("orders", store: InMemoryRecordStore(clock: clock), clock: clock)
        }

        var published: [String] { log.withLock { $0.published } }
        var handled: [String] { log.withLock { $0.handled } }

        func publish(_ message: WorkItem) async throws {
            log.withLock { $0.published.append(message.id) }
            try await inbox.handle(messageID: message.id, consumer: "mail") { _ in
                self.log.withLock { $0.handled.append(message.id) }
            }
        }
    }

    private static let orders = ["k1", "m1", "k2"]
    /// An order of that name is there, and has been told of by nobody.
    private static let taken = "k9"

    private static func record(_ order: String) -> RecordID { RecordID("orders", order) }

    /// One process: saves the orders, each with its message, and then publishes what there is.
    ///
    /// - Returns: Whether nothing was left to do.
    private func live(_ store: MortalProcess, _ world: MortalWorld, _ outside: Outside) async throws -> Bool {
        let left = Locked(0)
        let stop = Locked<(@Sendable () -> Void)?>(nil)
        let shutDown: @Sendable () -> Void = { stop.withLock { $0 }?() }
        let outbox = WorkQueue("order-events", store: store, clock: world.clock) { event in
            guard case .completed = event.kind else { return }
            let isOver = left.withLock { left in
                left -= 1
                return left == 0
            }
            if isOver { shutDown() }
        }
        for order in Self.orders + [Self.taken] {
            let message = NewWorkItem(id: order, payload: [], orderKey: String(order.prefix(1)))
            // A conflict says that it was placed before.
            _ = try await store.commit(
                [.insert(Self.record(order), RecordContent(state: "placed"))] + outbox.changes(for: message))
        }
        let depth = try await outbox.statistics().depth
        guard depth > 0 else { return true }
        left.withLock { $0 = depth }
        let relay = OutboxRelay(outbox, concurrency: 2) { try await outside.publish($0) }
        stop.withLock { $0 = { relay.shutDown() } }
        store.atDeath(shutDown)
        // It may have died before there was anybody to tell.
        if store.isDead { shutDown() }
        try await relay.run()
        return try await outbox.statistics().depth == 0
    }

    /// The record and its message are both there, or neither is; a message that is gone was published.
    private func compare(_ store: any RecordStore, _ outside: Outside, _ death: Int) async throws {
        let outbox = WorkQueue("order-events", store: store)
        for order in Self.orders + [Self.taken] {
            let standing = try await store.read([Self.record(order), RecordID(outbox.collection, order)]).records
            let (isSaved, isWaiting) = (standing[0] != nil, standing[1] != nil)
            let isPublished = outside.published.contains(order)
            if order == Self.taken {
                #expect(isSaved && !isWaiting && !isPublished, "death \(death)")
            } else {
                #expect(isSaved == (isWaiting || isPublished), "death \(death): \(order)")
            }
        }
    }

    // Cases 97 and 98.
    @Test(arguments: MortalWorld.Kind.allCases)
    func `a record and its message are in together or not at all, wherever the process dies`(
        kind: MortalWorld.Kind
    ) async throws {
        var deaths = 0
        for (step, seed) in (1...1_000).flatMap({ step in [UInt64(1), 2, 3].map { (step, $0) } }) {
            let world = MortalWorld(kind, seed: UInt64(step) * 10 + seed)
            let outside = Outside(world.clock)
            let first = try world.open()
            _ = try await first.commit([.insert(Self.record(Self.taken), RecordContent(state: "placed"))])
            let mortal = try world.open(dyingAfter: step)
            _ = try? await live(mortal, world, outside)
            if !mortal.isDead { break }
            deaths += 1
            let heir = try world.open()
            try await compare(heir, outside, step)
            world.bury()
            #expect(try await live(heir, world, outside), "death \(step)")
            try await compare(heir, outside, step)
            #expect(Set(outside.published) == Set(Self.orders) && outside.published.count <= 5, "death \(step)")
            // Each is handled once, and those of one customer in their order.
            #expect(outside.handled.sorted() == Self.orders.sorted(), "death \(step)")
            let k = outside.handled.filter { $0.hasPrefix("k") }
            #expect(k == ["k1", "k2"], "death \(step)")
        }
        #expect(deaths > 20)
    }
}
