// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Testing

@testable import DeadLetters
@testable import WorkQueues

/// Other records that change in the commit that ends a delivery.
@Suite struct AlongsideTests {
    private static let note = RecordID("notes", "1")
    private static let writing = Change.insert(note, RecordContent(state: "written"))

    typealias Verb = @Sendable (Delivery, [Change]) async throws -> Void

    private static let verbs: [(name: String, verb: Verb)] = [
        ("complete", { try await $0.complete(alsoCommit: $1) }),
        ("retry", { try await $0.retry(after: Declined(), alsoCommit: $1) }),
        ("fail for the last time", { try await $0.retry(after: Declined(), alsoCommit: $1) }),
        ("fail for good", { try await $0.retry(after: Unprocessable(), alsoCommit: $1) }),
        ("release", { try await $0.release(alsoCommit: $1) }),
        ("snooze", { try await $0.release(after: .seconds(5), alsoCommit: $1) }),
        ("dead-letter", { try await $0.deadLetter(.manual("why"), alsoCommit: $1) }),
    ]

    private func isWritten(_ bench: Bench) async throws -> Bool {
        try await bench.store.read([Self.note]).records[0] != nil
    }

    private func isGivenUp(_ name: String) -> Bool { name.contains("fail") || name == "dead-letter" }

    @Test(arguments: StoreKind.all, [true, false])
    func `each verb takes other records with it, or leaves everything as it was`(
        kind: StoreKind, parks: Bool
    ) async throws {
        for (name, verb) in Self.verbs {
            let bench = try Bench(kind)
            let queue = bench.queue(maximumFailures: name.contains("last") ? 1 : 5, parksOrderKeys: parks)
            try await bench.put("a", to: queue, orderKey: "k")
            let delivery = try await queue.one()
            let another = Change.insert(RecordID("notes", "2"), RecordContent(state: "written"))
            let standing = Change.assert(Self.note, delivery.fence)
            let error = await #expect(throws: DeliveryConflict.self, "\(name)") {
                try await verb(delivery, [another, standing])
            }
            #expect(error?.conflict.index == 2, "\(name)")
            #expect(try await queue.statistics().running == 1, "\(name)")
            #expect(try await bench.store.read([RecordID("notes", "2")]).records[0] == nil, "\(name)")
            try await verb(delivery, [Self.writing])
            #expect(try await isWritten(bench), "\(name)")
            #expect(try await queue.deadLetters.statistics().depth == (isGivenUp(name) ? 1 : 0), "\(name)")
            #expect(try await queue.statistics().running == 0, "\(name)")
            let late = Change.insert(RecordID("notes", "late"), RecordContent(state: "written"))
            await #expect(throws: DeliveryLost.self, "\(name)") { try await verb(delivery, [late]) }
        }
    }

    // The first look does not hold: the letter's name is taken, and another letter of the key comes.
    @Test func `what is in the way of a letter is not taken for a conflict beside it`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let store = InterposedStore(bench.store)
        let queue = bench.queue(parksOrderKeys: true, store: store)
        try await bench.put("a", to: queue, orderKey: "k")
        let other = NewDeadLetter(
            id: "a", reason: .manual("other"), origin: DeadLetterOrigin(source: "x", id: "a"), payload: [9])
        try await queue.deadLetters.put(other)
        store.once(.beforeCommit("parked/jobs")) {
            var parked = ParkedKey.open
            parked.letters = 1
            let change = try #require(queue.deadLetters.change(of: "k", to: parked))
            _ = try await bench.store.commit([change])
        }
        let delivery = try await queue.one()
        #expect(
            try await delivery.deadLetter(.rejectedByHandler, alsoCommit: [Self.writing])
                == .deadLettered(.rejectedByHandler))
        #expect(store.isOver)
        #expect(try await isWritten(bench))
        #expect(try await queue.deadLetters.parkedKeys(["k"])["k"]?.letters == 2)
    }

    @Test(arguments: StoreKind.all)
    func `an outcome that is not known is looked up with everything beside it`(kind: StoreKind) async throws {
        for (name, verb) in Self.verbs {
            let bench = try Bench(kind)
            let queue = bench.queue(maximumFailures: name.contains("last") ? 1 : 5, parksOrderKeys: true)
            try await bench.put("a", to: queue, orderKey: "k")
            let delivery = try await queue.one()
            bench.store.failCommits(.droppedUnknown, .appliedUnknown)
            await #expect(throws: StoreError.outcomeUnknown(FailingStore.failure), "\(name)") {
                try await verb(delivery, [Self.writing])
            }
            #expect(try await isWritten(bench) == false, "\(name)")
            try await verb(delivery, [Self.writing])
            #expect(try await isWritten(bench), "\(name)")
        }
    }

    // MARK: Consumers

    @Test(arguments: StoreKind.all)
    func `a verdict brings its changes, and those for a completion go with a completion alone`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let consumer = Consumer(queue, decode: { $0.id }, concurrency: 1) { id, context in
            context.alsoCommit([.insert(RecordID("completed", id), RecordContent(state: "written"))])
            let changes = [Change.insert(RecordID("notes", id), RecordContent(state: "written"))]
            return switch id {
            case "retries": .retry(after: Declined(), alsoCommit: changes)
            case "releases": .release(after: .seconds(5), alsoCommit: changes)
            case "dies": .deadLetter(.rejectedByHandler, alsoCommit: changes)
            case "throws": throw Declined()
            case "conflicts": .deadLetter(.rejectedByHandler, alsoCommit: changes)
            default: .complete
            }
        }
        _ = try await bench.store.commit([.insert(RecordID("notes", "conflicts"), RecordContent(state: "taken"))])
        try await bench.put("retries", "releases", "dies", "throws", "conflicts", "completes", to: queue)
        try await with(consumer) {
            for event in [
                "failed retries", "released releases", "deadLettered dies", "failed throws", "failed conflicts",
                "completed completes",
            ] { await bench.waitFor(event) }
        }
        let notes = try await bench.store.scan("notes", state: "written", after: nil, limit: 100).records
        #expect(notes.map(\.id.key) == ["retries", "releases", "dies"])
        let completed = try await bench.store.scan("completed", state: nil, after: nil, limit: 100).records
        #expect(completed.map(\.id.key) == ["completes"])
    }

    @Test(arguments: StoreKind.all)
    func `changes that the store does not take are a failure, and no crash`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 2)
        let consumer = Consumer(queue, decode: { $0.id }, concurrency: 1) { _, context in
            context.alsoCommit([Self.writing, Self.writing])
        }
        try await bench.put("a", to: queue)
        try await with(consumer) {
            await bench.waitFor("failed a")
            bench.clock.advance(by: .seconds(10))
            await bench.waitFor("deadLettered a")
        }
        let letter = try #require(try await queue.deadLetters.read("a"))
        #expect(letter.reason == .attemptsExhausted)
        #expect(letter.failures.last?.message.contains("changes of one record") == true)
    }

    @Test func `an item beside which there is no room waits for a lease, and counts nothing`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let store = InMemoryRecordStore(capacity: 2, clock: bench.clock)
        let queue = bench.queue(maximumFailures: 1, maximumCrashes: 1, store: store)
        let other = RecordID("others", "1")
        _ = try await store.commit([.insert(other, RecordContent(state: "in the way"))])
        let consumer = Consumer(queue, decode: { $0.id }, concurrency: 1, lease: .seconds(30)) { id, context in
            context.alsoCommit(["1", "2"].map { .insert(RecordID("notes", $0), RecordContent(state: id)) })
        }
        try await queue.enqueue(NewWorkItem(id: "a", payload: []))
        try await with(consumer) { () async throws in
            for _ in 0..<5 {
                await bench.waitFor("released a")
                _ = bench.takeEvents()
                await bench.clock.waitForSleepers()
                bench.clock.advance(by: .seconds(30))
            }
            await bench.waitFor("released a")
            let standing = try #require(try await store.read([other]).records[0])
            _ = try await store.commit([.delete(other, expecting: standing.fence)])
            await bench.clock.waitForSleepers()
            bench.clock.advance(by: .seconds(30))
            await bench.waitFor("completed a")
        }
    }
}
