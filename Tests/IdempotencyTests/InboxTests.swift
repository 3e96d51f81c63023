// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

@Suite struct InboxTests {
    /// A consumer of a queue of orders, who writes down what it handles.
    struct Desk {
        let clock = ManualClock()
        let store: ScriptedStore
        let events = Log<IdempotencyEvent>()
        let handled = Log<IdempotencyContext>()
        private let directory: TemporaryDirectory

        init(_ kind: StoreKind) throws {
            directory = try TemporaryDirectory()
            store = ScriptedStore(try kind.make(clock, directory))
        }

        func inbox(_ source: String = "orders") -> Inbox {
            Inbox(
                source, store: store, lease: .seconds(60), clock: StillClock.shared,
                onEvent: { [events] in events.append($0) })
        }

        func deliver(
            _ inbox: Inbox, _ message: String = "m", to consumer: String = "stock", throwing error: (any Error)? = nil
        ) async throws -> InboxOutcome {
            try await inbox.handle(messageID: message, consumer: consumer) { context in
                handled.append(context)
                if let error { throw error }
            }
        }

        func record() async throws -> Record? {
            let key = try IdempotencyKey(tenant: "stock", operation: "inbox/orders", key: "m")
            return try #require(try await store.base.read([key.recordID]).records.first)
        }

        var outcomes: [IdempotencyEvent.Outcome] { events.all.map(\.outcome) }
    }

    @Test(arguments: StoreKind.all)
    func `a message is handled once, and a second delivery is told since when, for seven days`(
        kind: StoreKind
    ) async throws {
        let desk = try Desk(kind)
        let inbox = desk.inbox()
        #expect(try await desk.deliver(inbox) == .handled)
        let record = try #require(try await desk.record())
        let handledAt = try #require(record.expiresAt).advanced(by: .zero - .seconds(7 * 86_400))
        for _ in 0..<2 {
            #expect(try await desk.deliver(inbox) == .duplicate(firstHandledAt: handledAt))
            desk.clock.advance(by: .seconds(7 * 86_400 - 1))
        }
        #expect(try await desk.deliver(inbox) == .handled)
        #expect(desk.handled.all.map(\.attempt) == [1, 1])
        #expect(desk.outcomes == [.new, .completed, .replayed, .replayed, .new, .completed])
        #expect(desk.events.all.allSatisfy { $0.operation == "inbox/orders" })
    }

    @Test(arguments: StoreKind.all)
    func `consumers, sources and messages are independent, and operations of the same name`(
        kind: StoreKind
    ) async throws {
        let desk = try Desk(kind)
        let (orders, returns) = (desk.inbox(), desk.inbox("returns"))
        let operation = IdempotentOperation("orders", store: desk.store, codec: .void, ifUnknown: .park)
        _ = try await operation.run("m", tenant: "stock", fingerprint: .none) { _ in }
        for expected in [true, false] {
            for (inbox, message, consumer) in [
                (orders, "m", "stock"), (orders, "m", "mail"), (orders, "n", "stock"), (returns, "m", "stock"),
            ] {
                let outcome = try await desk.deliver(inbox, message, to: consumer)
                #expect((outcome == .handled) == expected)
            }
        }
        #expect(Set(desk.handled.all.map { $0.downstreamKey("step") }).count == 4)
    }

    @Test(arguments: StoreKind.all)
    func `a handler that throws leaves the message, its checkpoint and its count to the next delivery`(
        kind: StoreKind
    ) async throws {
        let desk = try Desk(kind)
        let inbox = desk.inbox()
        // A rejection says that nothing happened in one call, and nothing of what the handler did before.
        await #expect(throws: CardRefused()) {
            try await inbox.handle(messageID: "m", consumer: "stock") { context in
                try await context.checkpoint("reserved", [7])
                throw CardRefused()
            }
        }
        await #expect(throws: ProviderTimeout.self) { try await desk.deliver(inbox, throwing: ProviderTimeout()) }
        await #expect(throws: CancellationError.self) { try await desk.deliver(inbox, throwing: CancellationError()) }
        #expect(try await desk.record()?.state == KeyState.unknown)
        #expect(try await desk.deliver(inbox) == .handled)
        let contexts = desk.handled.all
        #expect(contexts.map(\.attempt) == [2, 3, 4])
        #expect(contexts.allSatisfy { $0.checkpoint?.name == "reserved" && $0.checkpoint?.bytes == [7] })
        #expect(Set(contexts.map { $0.downstreamKey("charge") }).count == 1)
        guard case .duplicate = try await desk.deliver(inbox) else { throw Unexpected() }
    }

    /// That one call of the handler's took no effect says nothing of what the handler did before.
    @Test(arguments: StoreKind.all)
    func `a rejection leaves the message and its count to the next delivery`(kind: StoreKind) async throws {
        let desk = try Desk(kind)
        let inbox = desk.inbox()
        for _ in 0..<2 {
            await #expect(throws: CardRefused()) { try await desk.deliver(inbox, throwing: CardRefused()) }
            #expect(try await desk.record()?.state == KeyState.unknown)
        }
        #expect(try await desk.deliver(inbox) == .handled)
        #expect(desk.handled.all.map(\.attempt) == [1, 2, 3])
    }

    @Test(arguments: StoreKind.all)
    func `while a message is handled it is not marked, and another delivery is sent away without an attempt`(
        kind: StoreKind
    ) async throws {
        let desk = try Desk(kind)
        let inbox = desk.inbox()
        let gate = Gate()
        let first = Task {
            try await inbox.handle(messageID: "m", consumer: "stock") { context in
                desk.handled.append(context)
                await gate.pass()
            }
        }
        await gate.waitForArrival()
        for rest in [60, 59, 58] {
            let key = try IdempotencyKey(tenant: "stock", operation: "inbox/orders", key: "m")
            await #expect(throws: IdempotencyInFlight(key: key, retryAfter: .seconds(rest))) {
                try await desk.deliver(inbox)
            }
            await #expect(throws: IdempotencyInFlight.self) {
                try await inbox.forget(messageID: "m", consumer: "stock")
            }
            let record = try #require(try await desk.record())
            #expect(record.state == KeyState.inProgress)
            #expect(record.claims == 1)
            desk.clock.advance(by: .seconds(1))
        }
        gate.open()
        #expect(try await first.value == .handled)
        guard case .duplicate = try await desk.deliver(inbox) else { throw Unexpected() }
        #expect(desk.handled.all.map(\.attempt) == [1])
    }

    @Test(arguments: StoreKind.all)
    func `a message whose handling went down with its process is handled again when the lease has passed`(
        kind: StoreKind
    ) async throws {
        let desk = try Desk(kind)
        let inbox = desk.inbox()
        let key = try IdempotencyKey(tenant: "stock", operation: "inbox/orders", key: "m")
        let body = KeyBody(fingerprint: Fingerprint.none.stored).bytes
        let content = RecordContent(state: KeyState.inProgress, body: body)
        _ = try await desk.store.base.commit([.insert(key.recordID, content, lease: Lease(.seconds(60)))])
        desk.clock.advance(by: .seconds(59))
        await #expect(throws: IdempotencyInFlight.self) { try await desk.deliver(inbox) }
        desk.clock.advance(by: .seconds(1))
        #expect(try await desk.deliver(inbox) == .handled)
        #expect(desk.handled.all.map(\.attempt) == [2])
        #expect(desk.outcomes == [.inFlight, .reclaimed, .completed])
    }

    @Test(arguments: StoreKind.all)
    func `the consumer's records change with the mark or not at all`(kind: StoreKind) async throws {
        let desk = try Desk(kind)
        let inbox = desk.inbox()
        let shelf = RecordID("shelves", "a")
        func take() async throws -> InboxOutcome {
            try await inbox.handle(messageID: "m", consumer: "stock") { context in
                desk.handled.append(context)
                try context.alsoCommit([.insert(shelf, RecordContent(state: "taken", body: []))])
            }
        }
        func shelfState() async throws -> String? { try await desk.store.base.read([shelf]).records.first??.state }

        // The store says no, then says nothing: the first is not in, the second is.
        desk.store.next(.commit, .pass, .unavailable)
        await #expect(throws: IdempotencyUnsettled<Void>.self) { try await take() }
        #expect(try await shelfState() == nil)
        desk.clock.advance(by: .seconds(60))
        desk.store.next(.commit, .unknown(applied: true))
        #expect(try await take() == .handled)
        #expect(try await shelfState() == "taken")
        guard case .duplicate = try await take() else { throw Unexpected() }
        #expect(desk.handled.all.map(\.attempt) == [1, 2])

        // A change that does not find what it expects leaves the message unmarked.
        await #expect(throws: IdempotencyUnsettled<Void>.self) {
            try await inbox.handle(messageID: "n", consumer: "stock") { context in
                try context.alsoCommit([.insert(shelf, RecordContent(state: "taken twice", body: []))])
            }
        }
        #expect(try await shelfState() == "taken")
        #expect(try await desk.deliver(inbox, "n") == .handled)
    }

    @Test(arguments: [
        ("", 0), (String(repeating: "a", count: 256), 256), (String(repeating: "é", count: 128), 256),
    ])
    func `names that are empty or too long are refused and named, and nothing runs`(
        name: String, size: Int
    ) async throws {
        let inbox = Inbox("orders", store: InMemoryRecordStore())
        func refused(_ field: String) -> IdempotencyKeyRefused {
            .size(RefusedInput(field: field, size: size, allowed: 1...255))
        }
        func handle(_ message: String, _ consumer: String) async throws {
            try await inbox.handle(messageID: message, consumer: consumer) { _ in Issue.record("it ran") }
        }
        await #expect(throws: refused("message identifier")) { try await handle(name, "stock") }
        await #expect(throws: refused("consumer")) { try await handle("m", name) }
        await #expect(throws: refused("message identifier")) {
            try await inbox.forget(messageID: name, consumer: "stock")
        }
        let longest = String(name.prefix(255 / max(1, size / max(1, name.count)))) + (name.isEmpty ? "m" : "")
        #expect(try await inbox.handle(messageID: longest, consumer: longest) { _ in } == .handled)
    }

    @Test func `a control character is refused`() async throws {
        let inbox = Inbox(String(repeating: "s", count: 249), store: InMemoryRecordStore())
        await #expect(throws: IdempotencyKeyRefused.controlCharacter(field: "message identifier", "\n")) {
            try await inbox.handle(messageID: "m\n", consumer: "stock") { _ in }
        }
        await #expect(processExitsWith: .failure) {
            _ = Inbox(String(repeating: "s", count: 250), store: InMemoryRecordStore())
        }
    }

    @Test(arguments: StoreKind.all)
    func `what is left of a message that was given up can be removed, and that of a handled one stays`(
        kind: StoreKind
    ) async throws {
        let desk = try Desk(kind)
        let inbox = desk.inbox()
        try await inbox.forget(messageID: "m", consumer: "stock")
        await #expect(throws: ProviderTimeout.self) { try await desk.deliver(inbox, throwing: ProviderTimeout()) }
        try await inbox.forget(messageID: "m", consumer: "stock")
        #expect(try await desk.record() == nil)
        #expect(try await desk.deliver(inbox) == .handled)
        #expect(desk.handled.all.map(\.attempt) == [1, 1])
        try await inbox.forget(messageID: "m", consumer: "stock")
        guard case .duplicate = try await desk.deliver(inbox) else { throw Unexpected() }

        // Another delivery comes and goes between the look and the removal.
        await #expect(throws: ProviderTimeout.self) { try await desk.deliver(inbox, "n", throwing: ProviderTimeout()) }
        desk.store.next(
            .read, .pass,
            .after { store in
                let again = Inbox("orders", store: store)
                _ = try? await again.handle(messageID: "n", consumer: "stock") { _ in throw ProviderTimeout() }
            })
        await #expect(throws: IdempotencyInFlight.self) { try await inbox.forget(messageID: "n", consumer: "stock") }
        #expect(try await desk.deliver(inbox, "n") == .handled)
        #expect(desk.handled.all.last?.attempt == 3)
    }
}
