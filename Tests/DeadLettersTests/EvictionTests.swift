// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import DeadLetters
import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@Suite struct EvictionTests {
    typealias Bench = RecordDeadLetterQueueTests.Bench

    @Test(arguments: StoreKind.all)
    func `a letter that is taken out is kept with the reason, and its name is free again`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        try await queue.put(bench.letter())
        _ = try await queue.redrive("a") { _ in throw Declined() }
        let letter = try #require(try await queue.read("a"))
        bench.clock.advance(by: .seconds(5))
        #expect(try await queue.evict("a", because: String(repeating: "x", count: 300)) == .evicted)
        #expect(try await queue.evict("a", because: "again") == .notFound)
        #expect(try await queue.statistics().depth == 0)
        #expect(try await queue.put(bench.letter()) == .put)
        #expect(try await queue.evict("a", because: "by hand") == .evicted)
        let evicted = try await queue.evicted().letters
        #expect(evicted.count == 2 && evicted[0].letter == letter && evicted[0].letter.redriveCount == 1)
        #expect(evicted[0].because == String(repeating: "x", count: 255) && evicted[1].because == "by hand")
        #expect(evicted[0].evictedAt == letter.deadLetteredAt.advanced(by: .seconds(5)))
        #expect(bench.takeEvents().filter { $0.hasPrefix("evicted") } == ["evicted a", "evicted a"])

        bench.clock.advance(by: .seconds(60))
        try await queue.put(bench.letter("b"))
        #expect(try await queue.evict("b", because: "") == .evicted)
        #expect(try await queue.purgeEvicted(olderThan: .seconds(60)) == 2)
        #expect(try await queue.evicted().letters.map(\.letter.id) == ["b"])
        #expect(try await queue.purgeEvicted(olderThan: .zero) == 1)
    }

    @Test(arguments: StoreKind.all)
    func `a letter that a redrive holds is not taken out, one that cannot be read is`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        try await queue.put(bench.letter())
        _ = try await queue.redrive("a", lease: .seconds(30)) { _ in
            let eviction = try await queue.evict("a", because: "held")
            #expect(eviction == .held(.seconds(30)))
        }
        let damaged = RecordID(queue.collection, "damaged")
        _ = try await bench.store.commit([.insert(damaged, RecordContent(state: "expired", body: [9]))])
        #expect(try await queue.evict("damaged", because: "damaged") == .evicted)
        let page = try await queue.evicted()
        #expect(page.letters.isEmpty && page.unreadable.count == 1)
        #expect(try await queue.purgeEvicted(olderThan: .zero) == 1)
    }

    @Test(arguments: StoreKind.all, [true, false])
    func `after an unknown outcome one look tells whether it is out`(kind: StoreKind, applied: Bool) async throws {
        let bench = try Bench(kind)
        try await bench.queue.put(bench.letter())
        bench.store.failNextCommit(applied: applied)
        if applied {
            #expect(try await bench.queue.evict("a", because: "why") == .evicted)
            // Also when the look comes late: it finds the letter where it was to go.
            try await bench.queue.put(bench.letter("b"))
            bench.store.failNextCommit(applied: true) { bench.clock.advance(by: .seconds(31)) }
            #expect(try await bench.queue.evict("b", because: "why") == .evicted)
            try await bench.queue.purgeEvicted(olderThan: .zero)
            try await bench.queue.put(bench.letter())
            try await bench.queue.evict("a", because: "why")
        } else {
            await #expect(throws: StoreError.self) { try await bench.queue.evict("a", because: "why") }
            bench.clock.advance(by: .seconds(30))
            #expect(try await bench.queue.evict("a", because: "why") == .evicted)
        }
        #expect(try await bench.queue.evicted().letters.count == 1)
    }

    // Case 74.
    @Test(arguments: StoreKind.all)
    func `a filter lets through what fits in every part`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        var times: [Timestamp] = []
        for (id, reason) in [("a", DeadLetterReason.expired), ("b", .undecodable), ("c", .expired)] {
            var letter = bench.letter(id, reason: reason)
            letter.origin.orderKey = id
            letter.origin.source = id == "c" ? "mails" : "orders"
            try await queue.put(letter)
            times.append(try #require(try await queue.read(id)).deadLetteredAt)
            bench.clock.advance(by: .seconds(1))
        }
        _ = try await queue.redrive("c") { _ in throw Declined() }
        for (filter, ids) in [
            (DeadLetterFilter.all, ["a", "b", "c"]), (DeadLetterFilter(reason: "expired"), ["a", "c"]),
            (DeadLetterFilter(errorType: "DeadLettersTests.Declined"), ["c"]),
            (DeadLetterFilter(source: "orders"), ["a", "b"]), (DeadLetterFilter(orderKey: "b"), ["b"]),
            (DeadLetterFilter(from: times[1]), ["b", "c"]), (DeadLetterFilter(until: times[1]), ["a"]),
            (DeadLetterFilter(maximumRedrives: 0), ["a", "b"]),
            (DeadLetterFilter(maximumRedrives: 1), ["a", "b", "c"]),
            (DeadLetterFilter(reason: "expired", source: "orders"), ["a"]),
        ] {
            #expect(try await queue.list(filter).letters.map(\.id) == ids, "\(filter)")
        }
    }

    @Test(arguments: StoreKind.all)
    func `letters come back from their lines, with everything about them`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        for id in ["a", "b/\"\u{1F600}\n"] {
            var letter = bench.letter(id, reason: id == "a" ? .manual("why") : .expired)
            letter.origin = DeadLetterOrigin(source: "orders", id: id, position: .max, orderKey: "k")
            letter.payload = Array(0...255)
            letter.enqueuedAt = id == "a" ? Timestamp(nanosecondsSince1970: -1_500_000_000) : nil
            try await queue.put(letter)
        }
        for _ in 0..<12 { _ = try await queue.redrive("a") { _ in throw Declined() } }
        let before = try await queue.list().letters
        let lines = Locked([String]())
        #expect(try await queue.exportLines { line in lines.withLock { $0.append(line) } } == 2)
        #expect(try await queue.exportLines(DeadLetterFilter(reason: "expired")) { _ in } == 1)
        bench.clock.advance(by: .seconds(60))
        let other = RecordDeadLetterQueue("copies", store: bench.store)
        for line in lines.withLock({ $0 }) {
            #expect(!line.contains("\n"))
            #expect(try await other.importLine(line) == .put)
            #expect(try await other.importLine(line) == .alreadyThere)
        }
        let after = try await other.list().letters
        for (old, new) in zip(before, after) {
            #expect(new.id == old.id && new.reason == old.reason && new.origin == old.origin)
            #expect(new.payload == old.payload && new.headers == old.headers && new.failures == old.failures)
            #expect(new.enqueuedAt == old.enqueuedAt && new.deadLetteredAt == old.deadLetteredAt)
            #expect(new.redriveCount == old.redriveCount)
        }
        #expect(after.count == 2 && after[0].redriveCount == 12 && after[0].failures.count == 13)
    }

    @Test(arguments: [
        ("{", "{"), ("\"version\":1", "\"version\":2"), ("\"redriveCount\":0", "\"redriveCount\":-1"),
        ("\"redriveCount\":0", "\"redriveCount\":4294967296"), ("\"code\":\"expired\"", "\"code\":\"\""),
        ("\"code\":\"expired\"", "\"code\":\"\u{E9}\""), ("\"count\":1", "\"count\":2"),
        ("\"count\":1", "\"count\":-1"),
        ("\"payload\":\"AQID\"", "\"payload\":\"!\""), (".000000000\",\"failures\"", "\",\"failures\""),
        (".000000000\",\"failures\"", ".0000000000\",\"failures\""),
        (".000000000\",\"failures\"", ".00000000x\",\"failures\""),
        ("\"enqueuedAt\":\"0.000000000\"", "\"enqueuedAt\":\".000000000\""),
        ("\"enqueuedAt\":\"0.000000000\"", "\"enqueuedAt\":\"-.000000000\""),
        ("\"enqueuedAt\":\"0.000000000\"", "\"enqueuedAt\":\"9223372036.854775808\""),
    ])
    func `a line that is none is refused, and nothing is stored`(_ wrong: (String, String)) async throws {
        let bench = try Bench(StoreKind.all[0])
        var letter = bench.letter(reason: .expired)
        letter.enqueuedAt = Timestamp(nanosecondsSince1970: 0)
        try await bench.queue.put(letter)
        bench.clock.advance(by: .zero)
        let line = try #require(try await bench.queue.read("a")).jsonLine()
        let changed = wrong.0 == "{" ? String(line.dropFirst()) : line.replacing(wrong.0, with: wrong.1)
        try #require(changed != line)
        let other = RecordDeadLetterQueue("copies", store: bench.store)
        await #expect(throws: MalformedDeadLetterLine.self) { try await other.importLine(changed) }
        #expect(try await other.statistics().depth == 0)
        #expect(try await other.importLine(line) == .put)
    }

    @Test func `a queue can have a store to itself`() async throws {
        let directory = try TemporaryDirectory()
        let letter = NewDeadLetter(
            id: "a", reason: .expired, origin: DeadLetterOrigin(source: "topic", id: "0:17"), payload: [1])
        let memory = RecordDeadLetterQueue.inMemory("orders")
        #expect(try await memory.put(letter) == .put)
        #expect(try await memory.read("a")?.origin.source == "topic")
        var files = try RecordDeadLetterQueue.inFiles("orders", directory: directory.path)
        #expect(try await files.put(letter) == .put)
        try await files.store.close()
        files = try RecordDeadLetterQueue.inFiles("orders", directory: directory.path)
        #expect(try await files.read("a")?.payload == [1])
        try await files.store.close()
    }
}
