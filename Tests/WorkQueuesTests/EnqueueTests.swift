// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting
import Retrying
import Testing

@testable import WorkQueues

@Suite struct EnqueueTests {
    @Test(arguments: StoreKind.all)
    func `everything about an item comes back`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let item = NewWorkItem(id: "a", payload: [1, 2], headers: ["trace": "1"], orderKey: "k")
        #expect(try await queue.enqueue(item) == .enqueued)
        let delivery = try await queue.one()
        #expect(delivery.item.id == "a" && delivery.item.payload == [1, 2])
        #expect(delivery.item.headers == ["trace": "1"] && delivery.item.orderKey == "k")
        #expect(delivery.item.delivery == 1 && delivery.item.failures == 0 && delivery.item.crashes == 0)
        #expect(delivery.item.redriveCount == 0 && delivery.item.history.count == 0)
        #expect(delivery.item.enqueuedAt.advanced(by: .seconds(30)) == delivery.leaseUntil)
        #expect(bench.takeEvents() == ["enqueued a", "delivered a"])
    }

    @Test(arguments: StoreKind.all)
    func `an item is a duplicate while one of its name stands, or within its window`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1)
        let item = NewWorkItem(id: "a", payload: [1])
        #expect(try await queue.enqueue(item) == .enqueued)
        #expect(try await queue.enqueue(item) == .duplicate)
        let delivery = try await queue.one()
        #expect(try await queue.enqueue(item) == .duplicate)
        // Among the dead letters it stands too.
        try await delivery.retry(after: Declined())
        #expect(try await queue.enqueue(item) == .duplicate)
        #expect(try await queue.statistics().depth == 0)

        let windowed = NewWorkItem(id: "b", payload: [1], deduplicationWindow: .seconds(60))
        #expect(try await queue.enqueue(windowed) == .enqueued)
        try await queue.one().complete()
        bench.clock.advance(by: .seconds(59))
        #expect(try await queue.enqueue(windowed) == .duplicate)
        #expect(try await queue.enqueue(NewWorkItem(id: "b", payload: [1])) == .duplicate)
        bench.clock.advance(by: .seconds(1))
        #expect(try await queue.enqueue(windowed) == .enqueued)
        try await queue.one().complete()

        #expect(try await queue.enqueue(NewWorkItem(id: "c", payload: [1])) == .enqueued)
        try await queue.one().complete()
        #expect(try await queue.enqueue(NewWorkItem(id: "c", payload: [1])) == .enqueued)
    }

    @Test(arguments: StoreKind.all)
    func `a batch is in as one, but for its duplicates`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await bench.put("b", "d", to: queue)
        let items = ["a", "b", "c", "d"].map { NewWorkItem(id: $0, payload: [0]) }
        #expect(try await queue.enqueue(items) == [.enqueued, .duplicate, .enqueued, .duplicate])
        #expect(bench.takeEvents() == ["enqueued a", "duplicate b", "enqueued c", "duplicate d"])
        #expect(try await queue.enqueue(items) == Array(repeating: .duplicate, count: 4))
        #expect(try await queue.enqueue([]) == [])
        bench.store.failCommits(.unavailable)
        await #expect(throws: StoreError.self) {
            try await queue.enqueue([NewWorkItem(id: "e", payload: []), NewWorkItem(id: "f", payload: [])])
        }
        #expect(try await queue.statistics().depth == 4)
        await #expect(throws: StoreError.refused(RefusedInput(field: "names of items", size: 2, allowed: 1...1))) {
            try await queue.enqueue([NewWorkItem(id: "g", payload: []), NewWorkItem(id: "g", payload: [])])
        }
    }

    @Test(arguments: StoreKind.all)
    func `after an unknown outcome one look tells whether the item is in`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        bench.store.failCommits(.appliedUnknown, .droppedUnknown)
        #expect(try await queue.enqueue(NewWorkItem(id: "a", payload: [1])) == .enqueued)
        await #expect(throws: StoreError.outcomeUnknown(FailingStore.failure)) {
            try await queue.enqueue(NewWorkItem(id: "b", payload: [1]))
        }
        bench.store.failCommits(.droppedUnknown)
        #expect(try await queue.enqueue(NewWorkItem(id: "a", payload: [2])) == .duplicate)
        #expect(try await queue.statistics().depth == 1)
    }

    // Case 97: the item and the record that it tells of are in together, or neither is.
    @Test(arguments: StoreKind.all)
    func `an item is put together with other records, or with none of them`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let order = Change.insert(RecordID("orders", "1"), RecordContent(state: "paid"))
        let changes = try [order] + queue.changes(for: NewWorkItem(id: "a", payload: [1]))
        guard case .committed = try await bench.store.commit(changes) else {
            Issue.record("the first commit is in")
            return
        }
        let more = try [order] + queue.changes(for: NewWorkItem(id: "b", payload: [1]))
        guard case .conflict = try await bench.store.commit(more) else {
            Issue.record("the order stands already")
            return
        }
        #expect(try await queue.names() == ["a"])
    }

    @Test(arguments: StoreKind.all)
    func `what exceeds a limit is refused with the field, and nothing is stored`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = WorkQueue("jobs", store: bench.store, maximumPayload: 10, maximumDepth: 2)
        let long = String(repeating: "x", count: 256)
        for (item, field) in [
            (NewWorkItem(id: "a", payload: Array(repeating: 0, count: 11)), "payload"),
            (NewWorkItem(id: long, payload: []), "id"), (NewWorkItem(id: "", payload: []), "id"),
            (NewWorkItem(id: "a", payload: [], orderKey: String(repeating: "x", count: 256)), "order key"),
            (NewWorkItem(id: "a", payload: [], headers: ["h": String(repeating: "x", count: 16_384)]), "headers"),
        ] {
            let error = await #expect(throws: StoreError.self) { try await queue.enqueue(item) }
            guard case .refused(let input) = error else {
                Issue.record("\(field): \(String(describing: error))")
                continue
            }
            #expect(input.field == field)
        }
        #expect(try await queue.statistics().depth == 0)
        // Case 65: a queue that is full says so.
        #expect(try await queue.enqueue(NewWorkItem(id: "a", payload: Array(repeating: 0, count: 10))) == .enqueued)
        let full = WorkQueueFull(queue: "jobs", depth: 1, limit: 2)
        await #expect(throws: full) {
            try await queue.enqueue([NewWorkItem(id: "b", payload: []), NewWorkItem(id: "c", payload: [])])
        }
        #expect(try await queue.enqueue(NewWorkItem(id: "b", payload: [])) == .enqueued)
        await #expect(throws: WorkQueueFull(queue: "jobs", depth: 2, limit: 2)) {
            try await queue.enqueue(NewWorkItem(id: "c", payload: []))
        }
        // What stands already needs no room.
        let standing = ["b", "a"].map { NewWorkItem(id: $0, payload: []) }
        #expect(try await queue.enqueue(standing) == [.duplicate, .duplicate])
        await #expect(throws: WorkQueueFull(queue: "jobs", depth: 2, limit: 2)) {
            try await queue.enqueue(["b", "c"].map { NewWorkItem(id: $0, payload: []) })
        }
        let lowered = WorkQueue("jobs", store: bench.store, maximumDepth: 1)
        #expect(try await lowered.enqueue(standing[0]) == .duplicate)
        // What can never fit is not told to wait.
        await #expect(throws: StoreError.refused(RefusedInput(field: "items", size: 3, allowed: 1...2))) {
            try await queue.enqueue(["c", "d", "e"].map { NewWorkItem(id: $0, payload: []) })
        }
        try await #require(queue.receive().first).complete()
        let last = ["b", "c"].map { NewWorkItem(id: $0, payload: []) }
        #expect(try await queue.enqueue(last) == [.duplicate, .enqueued])
        let all = (0..<334).map { NewWorkItem(id: "\($0)", payload: []) }
        await #expect(throws: StoreError.refused(RefusedInput(field: "items", size: 334, allowed: 1...333))) {
            try await bench.queue().enqueue(all)
        }
        #expect(try await bench.queue().enqueue(Array(all.dropLast())).allSatisfy { $0 == .enqueued })
    }

    @Test(arguments: StoreKind.all)
    func `the duplicates of a batch are found in one look`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1)
        let items = (0..<99).map { number in
            NewWorkItem(id: "\(number)", payload: [], deduplicationWindow: number % 3 == 0 ? .seconds(60) : nil)
        }
        try await queue.enqueue(items)
        // Of those with a window some are done, of the others some are letters.
        for delivery in try await queue.receive(limit: 50) {
            let hasWindow = Int(delivery.item.id).map { $0 % 3 == 0 } ?? false
            if hasWindow {
                try await delivery.complete()
            } else {
                try await delivery.retry(after: Declined())
            }
        }
        let before = bench.store.commitCount
        let outcomes = try await queue.enqueue(items + [NewWorkItem(id: "new", payload: [])])
        #expect(outcomes == Array(repeating: .duplicate, count: 99) + [.enqueued])
        #expect(bench.store.commitCount - before == 2)
    }

    // Case 65, for those who would rather wait.
    @Test(arguments: StoreKind.all)
    func `a retry around it waits until a full queue has room`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumDepth: 1)
        try await bench.put("a", to: queue)
        let patience = Retry(maxAttempts: 10, backoff: .constant(.seconds(1)), clock: bench.clock)
        async let outcome = patience.run { try await queue.enqueue(NewWorkItem(id: "b", payload: [])) }
        for _ in 0..<3 {
            await bench.clock.waitForSleepers()
            bench.clock.advance(by: .seconds(1))
        }
        await bench.clock.waitForSleepers()
        try await queue.one().complete()
        bench.clock.advance(by: .seconds(1))
        #expect(try await outcome == .enqueued)
        #expect(try await queue.names() == ["b"])
    }

    @Test func `an inbox takes the name of every item that the queue takes, and no queue takes another`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let (queue, inbox) = (bench.queue(), Inbox("jobs", store: bench.store, clock: bench.clock))
        let long = String(repeating: "x", count: 255)
        let letters = [
            "\u{0}", "\u{1F}", " ", "~", "\u{7F}", "\u{80}", "\u{9F}", "\u{A0}", "\u{BF}", "é", "\u{10FFFF}",
        ]
        let others = letters.map { "a\($0)b" } + ["", "x", long, "\(long)x", "\(long.dropLast())é"]
        for id in letters + others {
            var isTaken = [true, true]
            do {
                try await queue.enqueue(NewWorkItem(id: id, payload: []))
            } catch StoreError.refused {
                isTaken[0] = false
            }
            do {
                try await inbox.handle(messageID: id, consumer: "test") { _ in }
            } catch is IdempotencyKeyRefused {
                isTaken[1] = false
            }
            #expect(isTaken[0] == isTaken[1], "\(id.utf8.map { $0 })")
        }
    }

    @Test func `counts end where nobody can read them any more`() throws {
        var body = ItemBody(payload: [1])
        body.deliveries = .max
        body.crashes = Int(UInt32.max) + 1
        body.failures = Int(UInt32.max) - 1
        let read = try ItemBody(decoding: body.encoded())
        let most = Int(UInt32.max)
        #expect(read.deliveries == most && read.crashes == most && read.failures == most - 1 && read.redrives == 0)
    }

    @Test func `names drawn at random are of 32 hexadecimal digits, and none comes twice`() {
        let names = (0..<1_000).map { _ in NewWorkItem.randomID() }
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
    }
}
