// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import DeadLetters
import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

struct Declined: Error {}
struct Busy: Rejection { let retryAfter: Duration? = .seconds(1) }

@Suite struct RecordDeadLetterQueueTests {
    /// A queue on a store whose commits can be made uncertain, with the events that it reported.
    final class Bench: Sendable {
        private let directory: TemporaryDirectory
        let clock = ManualClock()
        let store: UncertainStore
        let events = Locked([String]())
        var queue: RecordDeadLetterQueue {
            RecordDeadLetterQueue("orders", store: store) { event in
                self.events.withLock { $0.append(String("\(event.kind)".prefix { $0 != "(" }) + " " + event.id) }
            }
        }
        func takeEvents() -> [String] { events.withLock { $0 } }

        init(_ kind: StoreKind) throws {
            directory = try TemporaryDirectory()
            store = UncertainStore(try kind.make(clock, directory))
        }

        func letter(_ id: String = "a", reason: DeadLetterReason = .attemptsExhausted) -> NewDeadLetter {
            NewDeadLetter(
                id: id, reason: reason, origin: DeadLetterOrigin(source: "orders", id: id), payload: [1, 2, 3],
                headers: ["trace": "1"], failures: FailureHistory([DeadLetterTests.failure(1)]))
        }
    }

    @Test(arguments: StoreKind.all)
    func `a letter is put once, and everything about it comes back`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        #expect(try await queue.put(bench.letter(reason: .manual("by hand"))) == .put)
        #expect(try await queue.put(bench.letter(reason: .expired)) == .alreadyThere)
        let letter = try #require(try await queue.read("a"))
        #expect(letter.reason == .manual("by hand"))
        #expect(letter.payload == [1, 2, 3])
        #expect(letter.headers == ["trace": "1"])
        #expect(letter.origin == DeadLetterOrigin(source: "orders", id: "a"))
        #expect(letter.failures.kept == [DeadLetterTests.failure(1)])
        #expect(letter.redriveCount == 0)
        #expect(try await queue.read("b") == nil)
        #expect(bench.takeEvents() == ["put a", "alreadyThere a"])
    }

    @Test(arguments: StoreKind.all, [true, false])
    func `after an unknown outcome one look tells whether the letter is in`(
        kind: StoreKind, applied: Bool
    ) async throws {
        let bench = try Bench(kind)
        bench.store.failNextCommit(applied: applied)
        if applied {
            #expect(try await bench.queue.put(bench.letter()) == .put)
        } else {
            await #expect(throws: StoreError.self) { try await bench.queue.put(bench.letter()) }
            #expect(try await bench.queue.put(bench.letter()) == .put)
        }
        bench.store.failNextCommit(applied: false)
        #expect(try await bench.queue.put(bench.letter(reason: .manual("other"))) == .alreadyThere)
        #expect(try await bench.queue.statistics().depth == 1)
    }

    @Test(arguments: StoreKind.all)
    func `a letter is put in the same commit as other records, or with none of them`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let (queue, item) = (bench.queue, RecordID("items", "a"))
        let insert = Change.insert(item, RecordContent(state: "done"))
        guard case .committed = try await bench.store.commit([insert, queue.change(for: bench.letter())]) else {
            Issue.record("the first commit must be in")
            return
        }
        let second = Change.insert(RecordID("items", "b"), RecordContent(state: "done"))
        guard case .conflict(let conflict) = try await bench.store.commit([second, queue.change(for: bench.letter())])
        else {
            Issue.record("a letter of that name stands there")
            return
        }
        #expect(conflict.index == 1)
        #expect(try await bench.store.read([RecordID("items", "b")]).records == [nil])
        #expect(try await queue.statistics().depth == 1)
    }

    @Test(arguments: StoreKind.all)
    func `what exceeds a limit is refused with the field, its size and the limit`(kind: StoreKind) async throws {
        let queue = try Bench(kind).queue
        let long = String(repeating: "x", count: 2_000)
        let origin = DeadLetterOrigin(source: "s", id: "i")
        for (letter, field) in [
            (
                NewDeadLetter(
                    id: "a", reason: .oversize, origin: origin, payload: Array(repeating: 0, count: 1_015_809)),
                "payload"
            ),
            (NewDeadLetter(id: long, reason: .oversize, origin: origin, payload: []), "key"),
            (
                NewDeadLetter(
                    id: "a", reason: .oversize, origin: DeadLetterOrigin(source: long, id: "i"), payload: []),
                "origin's source"
            ),
            (
                NewDeadLetter(
                    id: "a", reason: .oversize, origin: DeadLetterOrigin(source: "s", id: long), payload: []),
                "origin's id"
            ),
            (
                NewDeadLetter(
                    id: "a", reason: .oversize, origin: DeadLetterOrigin(source: "s", id: "i", orderKey: long),
                    payload: []),
                "origin's order key"
            ),
        ] {
            let error = await #expect(throws: StoreError.self) { try await queue.put(letter) }
            guard case .refused(let input) = error else {
                Issue.record("\(field): \(String(describing: error))")
                continue
            }
            #expect(input.field == field && !input.allowed.contains(input.size))
        }
        #expect(try await queue.statistics().depth == 0)
    }

    @Test(arguments: StoreKind.all)
    func `letters are listed oldest first, page by page and by reason`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue
        for number in 0..<5 {
            try await queue.put(bench.letter("\(number)", reason: number == 3 ? .expired : .undecodable))
            bench.clock.advance(by: .seconds(1))
        }
        let first = try await queue.list(limit: 3)
        let second = try await queue.list(after: first.next, limit: 3)
        #expect((first.letters + second.letters).map(\.id) == ["0", "1", "2", "3", "4"])
        #expect(second.next == nil)
        #expect(try await queue.list(DeadLetterFilter(reason: "expired")).letters.map(\.id) == ["3"])
        let statistics = try await queue.statistics()
        #expect(statistics.depth == 5)
        #expect(statistics.byReason == ["undecodable": 4, "expired": 1])
        #expect(statistics.oldestAge == .seconds(5))
    }

    @Test(arguments: StoreKind.all)
    func `a letter of a later version is shown as unreadable and left as it is`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let id = RecordID(bench.queue.collection, "new")
        _ = try await bench.store.commit([.insert(id, RecordContent(state: "expired", body: [9, 9]))])
        try await bench.queue.put(bench.letter())
        let page = try await bench.queue.list()
        #expect(page.letters.map(\.id) == ["a"])
        #expect(page.unreadable.map(\.id) == ["new"])
        await #expect(throws: UnreadableDeadLetter.self) { try await bench.queue.read("new") }
        await #expect(throws: UnreadableDeadLetter.self) {
            try await bench.queue.redrive("new") { _ in Issue.record("nothing can be handed over") }
        }
        let record = try #require(try await bench.store.read([id]).records[0])
        #expect(record.body == [9, 9] && record.leaseUntil == nil)
    }
}
