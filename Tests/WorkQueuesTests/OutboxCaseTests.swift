// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import WorkQueues

/// Worked cases of outboxes that every store has to agree with, and crashes at every moment.
@Suite struct OutboxCaseTests {
    private static func order(_ number: Int) -> Change {
        .insert(RecordID("orders", "\(number)"), RecordContent(state: "paid"))
    }

    private static func message(_ number: Int, key: String? = nil) -> NewWorkItem {
        NewWorkItem(id: "paid-\(number)", payload: [UInt8(number)], orderKey: key)
    }

    /// Runs a relay until the event has come.
    private func relay(
        _ outbox: WorkQueue, _ bench: Bench, until event: String, publish: @escaping @Sendable (WorkItem) -> Void
    ) async throws {
        let relay = OutboxRelay(outbox) { message in publish(message) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await relay.run() }
            await bench.waitFor(event)
            relay.shutDown()
            try await group.waitForAll()
        }
    }

    // Cases 97 and 101.
    @Test(arguments: StoreKind.all)
    func `what is committed is published, however late, and what is not never is`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let outbox = bench.queue(parksOrderKeys: true)
        let published = Locked([String]())
        let publish: @Sendable (WorkItem) -> Void = { message in published.withLock { $0.append(message.id) } }
        // All are made before the first is committed.
        let changes = try (1...8).map { number in
            try [Self.order(number)] + outbox.changes(for: Self.message(number, key: "k"))
        }
        guard case .committed = try await bench.store.commit(changes[7]) else {
            Issue.record("nothing stands in its way")
            return
        }
        try await relay(outbox, bench, until: "completed paid-8", publish: publish)
        _ = try await bench.store.commit(changes[6])
        // Its order stands already.
        guard case .conflict = try await bench.store.commit([Self.order(8)] + changes[0].dropFirst()) else {
            Issue.record("the order stands")
            return
        }
        // And of this one nothing is known to be in, and is not.
        bench.store.failCommits(.droppedUnknown)
        await #expect(throws: StoreError.self) { try await bench.store.commit(changes[1]) }
        try await relay(outbox, bench, until: "completed paid-7", publish: publish)
        #expect(published.withLock { $0 } == ["paid-8", "paid-7"])
        #expect(try await outbox.statistics().depth == 0)
        #expect(try await bench.store.scan("orders", state: nil, after: nil, limit: 10).records.count == 2)
    }

    /// Every state of the disk in which a process or the machine may leave a store in files.
    @Test func `an order and its message are in together or not at all, whenever the power goes`() throws {
        var (together, neither) = (0, 0)
        for stop in 0..<200 {
            for bytes in [0, 40, 400] {
                let disk = SimulatedDisk()
                let stepped = try SteppedStore("/store", on: disk)
                let outbox = WorkQueue("orders", store: stepped.store, parksOrderKeys: true)
                disk.stop(after: stop, writing: bytes)
                var committed = 0
                for number in 1...3 {
                    let message = Self.message(number, key: "k")
                    guard
                        let changes = try? outbox.changes(for: message),
                        (try? stepped.commit(changes: [Self.order(number)] + changes)) != nil
                    else { break }
                    committed = number
                }
                disk.stop()
                try? stepped.close()
                for picture in [disk.killed()] + disk.outcomes().map({ disk.powerCut($0) }) {
                    let found = try SteppedStore("/store", on: picture, process: 2)
                    let (orders, messages) = try found.run { store in
                        (
                            try await store.scan("orders", state: nil, after: nil, limit: 10).records.map(\.id.key),
                            try await store.scan("queue/orders", state: nil, after: nil, limit: 10).records.map(
                                \.id.key)
                        )
                    }
                    #expect(messages == orders.map { "paid-\($0)" }, "stopped at \(stop) after \(bytes)")
                    #expect(orders.count >= committed, "stopped at \(stop) after \(bytes)")
                    if orders.count > committed { together += 1 } else if committed < 3 { neither += 1 }
                }
                if committed == 3 {
                    #expect(together > 0 && neither > 0)
                    return
                }
            }
        }
        Issue.record("the disk always stops too early")
    }
}

extension SteppedStore {
    fileprivate func commit(changes: [Change]) throws {
        guard case .committed = try run({ try await $0.commit(changes) }) else { throw Declined() }
    }
}
