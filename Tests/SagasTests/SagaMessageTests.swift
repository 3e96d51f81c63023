// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import Sagas

/// Messages to sagas: none is lost, and none takes a saga from its holder.
@Suite(.timeLimit(.minutes(10))) struct SagaMessageTests {
    private static let approval = SagaStep<Order, String>.event("approval", String.self)

    /// `a`, then the event, then `c`, which sees what the event brought.
    private func definition(
        _ bench: Bench, _ seen: Counter = Counter(), a: @escaping Step.Action = { _ in },
        undoing: @escaping Step.Action = { _ in }
    ) -> SagaDefinition<Order> {
        SagaDefinition("checkout", version: 1) {
            step("a", bench.ledger, before: a, undoing: undoing)
            Self.approval
            step(
                "c", bench.ledger,
                before: { context in
                    let who = try context.output(of: Self.approval)
                    #expect(who == "Ada")
                    seen.increment()
                })
        }
    }

    @Test(arguments: StoreKind.all)
    func `an event counts whether it comes before it is waited for or after, and the first one counts`(
        kind: StoreKind
    ) async throws {
        for isEarly in [true, false] {
            let bench = try Bench(kind)
            let definition = definition(bench)
            let sagas = bench.coordinator(definition)
            await #expect(throws: SagaNotFound(sagaID: "s1")) {
                try await sagas.signal("s1", Self.approval, "Ada")
            }
            let saga = try await sagas.start(definition, id: "s1", input: Order())
            if !isEarly { #expect(try await sagas.recover().map(\.outcome) == [.waiting(nil)]) }
            await #expect(throws: SagaOutputMissing(step: "approval")) { try await saga.output(of: Self.approval) }
            for who in ["Ada", "Bob", "Ada"] { try await sagas.signal("s1", Self.approval, who) }
            #expect(try await sagas.recover().map(\.outcome) == [.ended(.completed)])
            #expect(try await saga.output(of: Self.approval) == "Ada")
            let history = try await sagas.history("s1")
            #expect(history.filter { $0.kind == .signalled }.count == 1)
            #expect(bench.events.filter { $0 == "approval came" }.count == 1)
            await #expect(throws: SagaVerbRefused(sagaID: "s1", state: .completed)) {
                try await sagas.signal("s1", Self.approval, "Ada")
            }
            #expect(try await bench.store.read([RecordID("saga-mail/shop", "s1")]).records == [nil])
        }
    }

    @Test(arguments: StoreKind.all)
    func `an event that nothing waits for is kept, and is no step's output`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let total = SagaStep<Order, Int>("total", ifUnknown: .reexecute) { _ in
            42
        } compensation: { _, _ in
        }
        let seen = Locked([Int]())
        let definition = SagaDefinition<Order>("checkout", version: 1) {
            total
            Step.event("go")
            Step.reading("look") { context in
                let value = try context.output(of: total)
                seen.withLock { $0.append(value) }
            }
        }
        let sagas = bench.coordinator(definition)
        #expect(try await bench.drive(definition, on: sagas) == .waiting(nil))
        // Events of another definition, one with the name of a step of this one.
        try await sagas.signal("s1", SagaStep<Order, Int>.event("total", Int.self), 7)
        try await sagas.signal("s1", total, 8)
        try await sagas.signal("s1", SagaStep<Order, Int>.event("nothing", Int.self), 9)
        try await sagas.signal("s1", Step.event("go"))
        #expect(try await sagas.recover().map(\.outcome) == [.ended(.completed)])
        #expect(seen.withLock { $0 } == [42])
        #expect(try await sagas.saga("s1").output(of: total) == 42)
        #expect(
            try await sagas.history("s1").filter { $0.kind == .signalled }.map(\.step) == ["total", "nothing", "go"])
    }

    @Test(arguments: StoreKind.all)
    func `an event brings at most 8 KiB, and ninety wait at most`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = definition(bench)
        let sagas = bench.coordinator(definition)
        try await sagas.start(definition, id: "s1", input: Order())
        await #expect(throws: StoreError.self) {
            try await sagas.signal("s1", Self.approval, String(repeating: "x", count: 8_191))
        }
        for number in 1...89 {
            let event = SagaStep<Order, String>.event("e\(number)", String.self)
            try await sagas.signal("s1", event, String(repeating: "x", count: 8_190))
        }
        try await sagas.signal("s1", Self.approval, "Ada")
        await #expect(throws: SagaMailboxFull(sagaID: "s1")) { try await sagas.signal("s1", Self.approval, "Ada") }
        #expect(try await sagas.recover().map(\.outcome) == [.ended(.completed)])
        #expect(try await sagas.history("s1").count == 93)
        bench.clock.advance(by: .seconds(30 * 86_400))
        #expect(try await bench.everything() == [])
    }

    /// Whether the mailbox is full, or the history.
    @Test(arguments: StoreKind.all, [1, 6])
    func `people are heard however many events come`(kind: StoreKind, turns: Int) async throws {
        let bench = try Bench(kind)
        let definition = definition(bench)
        let sagas = bench.coordinator(definition)
        try await sagas.start(definition, id: "s1", input: Order())
        var sent = 0
        for turn in 1...turns {
            do {
                while true {
                    try await sagas.signal("s1", SagaStep<Order, Void>.event("e\(sent)"))
                    sent += 1
                }
            } catch is SagaMailboxFull {}
            if turn < turns { #expect(try await sagas.recover().map(\.outcome) == [.waiting(nil)]) }
        }
        // The entry of the first step is one of the history's as well.
        #expect(sent == (turns == 1 ? 90 : 489))
        for _ in 1...10 { try await sagas.abort("s1", reason: "enough") }
        await #expect(throws: SagaMailboxFull(sagaID: "s1")) { try await sagas.abort("s1", reason: "enough") }
        guard case .ended(.compensated) = try await sagas.recover().first?.outcome else {
            Issue.record("it goes on")
            return
        }
    }

    /// A message comes between the look of the holder and its commit, at every commit of the saga.
    @Test(arguments: StoreKind.all)
    func `a message that comes before any commit of the holder is heeded with it`(kind: StoreKind) async throws {
        for point in 1...3 {
            let bench = try Bench(kind)
            let definition = definition(bench)
            let office = bench.coordinator(definition)
            let store = MeddledStore(bench.store) { moment throws(StoreError) in
                guard moment == .beforeCommit(point) else { return }
                do { try await office.signal("s1", Self.approval, "Ada") } catch { Issue.record(error) }
            }
            let sagas = bench.coordinator(definition, on: store)
            try await office.start(definition, id: "s1", input: Order())
            var outcomes = try await sagas.recover().map(\.outcome)
            if outcomes == [.waiting(nil)] {
                // The message came after the saga was let go.
                try await office.signal("s1", Self.approval, "Ada")
                outcomes = try await sagas.recover().map(\.outcome)
            }
            #expect(outcomes == [.ended(.completed)], "commit \(point)")
            #expect(bench.ledger.calls == ["+a1", "+c1"] && !bench.events.contains("lost"), "commit \(point)")
        }
    }

    /// The holder lets the saga go, or goes on with it, between the look of the sender and its commit.
    @Test(arguments: StoreKind.all)
    func `a message to a saga that is let go, taken up or ended meanwhile is sent again, or refused`(
        kind: StoreKind
    ) async throws {
        for isOver in [false, true] {
            let bench = try Bench(kind)
            let definition = definition(bench)
            let sagas = bench.coordinator(definition)
            try await sagas.start(definition, id: "s1", input: Order())
            let store = MeddledStore(bench.store) { moment throws(StoreError) in
                guard moment == .beforeCommit(1) else { return }
                do {
                    _ = try await sagas.recover()
                    guard isOver else { return }
                    try await sagas.signal("s1", Self.approval, "Ada")
                    _ = try await sagas.recover()
                } catch { Issue.record(error) }
            }
            let office = bench.coordinator(definition, on: store)
            if isOver {
                await #expect(throws: SagaVerbRefused(sagaID: "s1", state: .completed)) {
                    try await office.signal("s1", Self.approval, "Ada")
                }
            } else {
                try await office.signal("s1", Self.approval, "Ada")
                #expect(store.commits == 2)
                // Nobody held it any more, so the message made it due.
                #expect(try await sagas.recover().map(\.outcome) == [.ended(.completed)])
            }
        }
    }

    @Test(arguments: StoreKind.all)
    func `a message whose commit is unknown is looked for, and never said to be sent when it is not`(
        kind: StoreKind
    ) async throws {
        // Whether there is a mailbox already, whether the commit is in, and what else happens before the look.
        enum Meanwhile: CaseIterable { case nothing, anotherMessage, heeded, noAnswer }
        for hasMailbox in [false, true] {
            for applied in [true, false] {
                for meanwhile in Meanwhile.allCases {
                    let bench = try Bench(kind)
                    let definition = definition(bench)
                    let sagas = bench.coordinator(definition)
                    try await sagas.start(definition, id: "s1", input: Order())
                    let other = Step.event("other")
                    if hasMailbox { try await sagas.signal("s1", Step.event("first")) }
                    let isMute = Locked(false)
                    let mute = MeddledStore(bench.store) { moment throws(StoreError) in
                        guard case .beforeRead = moment, isMute.withLock({ $0 }) else { return }
                        throw .unavailable(MeddledStore.failure)
                    }
                    let store = FailingStore(
                        mute,
                        meanwhile: {
                            switch meanwhile {
                            case .nothing: break
                            case .anotherMessage: try? await sagas.signal("s1", other)
                            case .heeded: _ = try? await sagas.recover()
                            case .noAnswer: isMute.withLock { $0 = true }
                            }
                        }
                    ) { $0 == 1 ? .uncertain(applied: applied) : .answers }
                    let place: Comment = "mailbox \(hasMailbox), applied \(applied), \(meanwhile)"
                    var isSent = true
                    do {
                        try await bench.coordinator(definition, on: store).signal("s1", Self.approval, "Ada")
                    } catch {
                        isSent = false
                        if case .outcomeUnknown = error as? StoreError { continue }
                        Issue.record("\(error), \(place)")
                    }
                    #expect(!isSent || applied, place)
                    if meanwhile == .nothing { #expect(isSent == applied, place) }
                }
            }
        }
    }

    /// A message comes while the outcome of the commit that emptied the mailbox is unknown.
    @Test(arguments: StoreKind.all)
    func `a message that comes while the holder looks for its commit is not taken for its own`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let definition = SagaDefinition<Order>("checkout", version: 1) {
            // The saga is held, so this waits in the mailbox for the next commit.
            step(
                "a", bench.ledger,
                before: { _ in
                    try await bench.coordinator(bench.definition()).signal("s1", Step.event("other"))
                })
            step("b", bench.ledger)
            Self.approval
        }
        let office = bench.coordinator(definition)
        let isOver = Counter()
        // The commit after `a` is refused because of the mailbox; the one after that empties it.
        let store = FailingStore(
            bench.store,
            meanwhile: {
                isOver.increment()
                do { try await office.signal("s1", Self.approval, "Ada") } catch { Issue.record(error) }
            }
        ) { $0 == 3 ? .uncertain(applied: true) : .answers }
        try await office.start(definition, id: "s1", input: Order())
        _ = try await bench.coordinator(definition, on: store).recover()
        #expect(isOver.increment() == 2)
        #expect(try await bench.finish(on: office) == .completed)
    }

    @Test(arguments: StoreKind.all)
    func `a mailbox that cannot be read is left as it is, and takes nothing`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = definition(bench)
        let sagas = bench.coordinator(definition)
        let mail = RecordID("saga-mail/shop", "s1")
        let newer = RecordContent(state: "mail", body: [9, 1, 2, 3])
        try await sagas.start(definition, id: "s1", input: Order())
        _ = try await bench.store.commit([.insert(mail, newer)])
        // It may say that the saga is to go back.
        await #expect(throws: StoreError.self) { try await sagas.recover() }
        #expect(bench.ledger.calls.isEmpty)
        await #expect(throws: UnreadableSaga(sagaID: "s1")) { try await sagas.signal("s1", Self.approval, "Ada") }
        #expect(try await bench.store.read([mail]).records[0]?.body == newer.body)
    }
}
