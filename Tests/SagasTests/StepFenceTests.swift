// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import Sagas

/// A hotel whose rooms are records of the same store, and its fence.
private struct Hotel {
    let store: any RecordStore
    let clock = ManualClock()
    let fence: StepFence
    private let directory: TemporaryDirectory

    init(_ kind: StoreKind, on wrap: (any RecordStore) -> any RecordStore = { $0 }) throws {
        directory = try TemporaryDirectory()
        store = wrap(try kind.make(clock, directory))
        fence = StepFence("hotel", store: store, retention: .seconds(60))
    }

    func room(_ number: Int) -> RecordID { RecordID("rooms", String(number)) }

    /// Takes a room under the step's key.
    @discardableResult
    func book(_ key: String = "s/hotel/forward", room number: Int = 1) async throws -> Bool {
        try await fence.begin(key) { [.insert(room(number), RecordContent(state: "taken"))] }
    }

    @discardableResult
    func cancel(_ key: String = "s/hotel/forward", room number: Int = 1) async throws -> Bool {
        try await fence.undo(key) {
            guard let record = try await store.read([room(number)]).records[0] else { return [] }
            return [.delete(room(number), expecting: record.fence)]
        }
    }

    func isTaken(_ number: Int = 1) async throws -> Bool { try await store.read([room(number)]).records[0] != nil }

    func state(_ key: String = "s/hotel/forward") async throws -> StepFence.State? {
        try await fence.state(of: key)
    }
}

@Suite struct `A step fence` {
    // Case 83.
    @Test(arguments: StoreKind.all)
    func `lets the compensation of a step that never ran succeed, and refuses the action that comes late`(
        _ kind: StoreKind
    ) async throws {
        let hotel = try Hotel(kind)
        #expect(try await hotel.cancel() == false)
        #expect(try await hotel.state() == .suspended)
        for _ in 0..<2 {
            let refusal = try await #require(throws: StepRefused.self) { try await hotel.book() }
            #expect(refusal == StepRefused(key: "s/hotel/forward", state: .suspended))
            let error: any Error = refusal
            #expect(error is any NotApplied)
        }
        #expect(try await !hotel.isTaken())
        // The compensation comes again, and another saga's step is another one.
        #expect(try await hotel.cancel() == false)
        #expect(try await hotel.book("t/hotel/forward"))
        #expect(try await hotel.isTaken())
    }

    // Case 83, and 82 where the call was under way when the coordinator gave it up.
    @Test(arguments: StoreKind.all)
    func `keeps a saga's late action out that the compensation has overtaken`(_ kind: StoreKind) async throws {
        let hotel = try Hotel(kind)
        let bench = try Bench(kind)
        let definition = SagaDefinition<Order>("trip", version: 1) {
            Step("hotel", ifUnknown: .reexecute) { _ in
                // The request is on its way, and nobody knows where.
                throw Declined()
            } compensation: { context in
                try await hotel.cancel(context.forwardKey)
            }
        }
        guard case .ended(.compensated) = try await bench.drive(definition) else {
            Issue.record("\(bench.events)")
            return
        }
        await #expect(throws: StepRefused.self) { try await hotel.book("s1/hotel/forward") }
        #expect(try await !hotel.isTaken())
    }

    @Test(arguments: StoreKind.all)
    func `lets each verb take effect once, in one commit with the participant's changes`(
        _ kind: StoreKind
    ) async throws {
        let hotel = try Hotel(kind)
        #expect(try await hotel.book())
        #expect(try await hotel.book(room: 2) == false)
        #expect(try await !hotel.isTaken(2))
        #expect(try await hotel.cancel())
        #expect(try await hotel.cancel() == false)
        #expect(try await !hotel.isTaken())
        #expect(try await hotel.state() == .rolledBack)
        await #expect(throws: StepRefused.self) { try await hotel.book() }
        await #expect(throws: StepRefused.self) { try await hotel.fence.confirm("s/hotel/forward") }

        #expect(try await hotel.book("final"))
        #expect(try await hotel.fence.confirm("final"))
        #expect(try await hotel.fence.confirm("final") == false)
        #expect(try await hotel.book("final") == false)
        await #expect(throws: StepRefused(key: "final", state: .committed)) { try await hotel.cancel("final") }
        #expect(try await hotel.isTaken())
        await #expect(throws: StepRefused(key: "never", state: nil)) { try await hotel.fence.confirm("never") }
    }

    @Test func `decides by the four states of the fence for TCC`() {
        typealias Decision = StepFence.Decision
        let table: [(StepFence.State?, [Decision])] = [
            (nil, [.becomes(.tried, hasEffect: true), .refuse, .becomes(.suspended, hasEffect: false)]),
            (.tried, [.stays, .becomes(.committed, hasEffect: true), .becomes(.rolledBack, hasEffect: true)]),
            (.committed, [.stays, .stays, .refuse]),
            (.rolledBack, [.refuse, .refuse, .stays]),
            (.suspended, [.refuse, .refuse, .stays]),
        ]
        for (state, decisions) in table {
            #expect(StepFence.Verb.allCases.map { StepFence.decision($0, state) } == decisions, "\(state as Any)")
        }
    }

    @Test func `asks again when another call of the step comes in between`() async throws {
        let hotel = try Hotel(StoreKind.all[0])
        let turns = Counter()
        // The same action twice at once: one takes effect.
        let isFirst = try await hotel.fence.begin("a") {
            if turns.increment() == 1 { try await hotel.book("a", room: 1) }
            return [.insert(hotel.room(2), RecordContent(state: "taken"))]
        }
        #expect(!isFirst && turns.increment() == 2)
        #expect(try await hotel.isTaken(1))
        #expect(try await !hotel.isTaken(2))
        // Its compensation overtakes the action in the very middle.
        await #expect(throws: StepRefused(key: "b", state: .suspended)) {
            try await hotel.fence.begin("b") {
                try await hotel.cancel("b", room: 3)
                return [.insert(hotel.room(3), RecordContent(state: "taken"))]
            }
        }
        #expect(try await !hotel.isTaken(3))
    }

    @Test func `takes no effect where a change of the participant meets another record`() async throws {
        let hotel = try Hotel(StoreKind.all[0])
        try await hotel.book("a", room: 1)
        let conflict = try await #require(throws: StepConflict.self) { try await hotel.book("b", room: 1) }
        #expect(conflict.key == "b" && conflict.standing?.id == hotel.room(1))
        let error: any Error = conflict
        #expect(error is any NotApplied && !(error is any Permanent))
        #expect(try await hotel.state("b") == nil)
        // An error of the effect changes nothing either.
        await #expect(throws: Declined.self) { try await hotel.fence.undo("a") { throw Declined() } }
        #expect(try await hotel.state("a") == .tried)
    }

    @Test(arguments: [true, false])
    func `looks once when the outcome of a commit is not known`(_ isApplied: Bool) async throws {
        for verb in ["begin", "confirm", "undo", "undo of nothing"] {
            let number = verb.hasPrefix("begin") || verb.hasSuffix("nothing") ? 1 : 2
            let hotel = try Hotel(StoreKind.all[0]) { base in
                FailingStore(base) { $0 == number ? .uncertain(applied: isApplied) : .answers }
            }
            if number == 2 { try await hotel.book() }
            func call() async throws -> Bool {
                switch verb {
                case "begin": try await hotel.book()
                case "confirm": try await hotel.fence.confirm("s/hotel/forward")
                default: try await hotel.cancel()
                }
            }
            if isApplied {
                #expect(try await call() == !verb.hasSuffix("nothing"), "\(verb)")
            } else {
                await #expect { _ = try await call() } throws: { error in
                    if case StoreError.outcomeUnknown = error { true } else { false }
                }
            }
            // Called again it is as if nothing had been.
            #expect(try await call() == (!isApplied && !verb.hasSuffix("nothing")), "\(verb)")
            #expect(try await hotel.isTaken() == !verb.hasPrefix("undo"))
        }
    }

    @Test func `says that the outcome is unknown where the look fails as well`() async throws {
        let hotel = try Hotel(StoreKind.all[0]) { base in FailingStore(base) { _ in .dies(applied: true) } }
        await #expect { try await hotel.book() } throws: { error in
            if case StoreError.outcomeUnknown = error { true } else { false }
        }
    }

    @Test(arguments: StoreKind.all)
    func `remembers for as long as it was told what is over, and what is tried for good`(
        _ kind: StoreKind
    ) async throws {
        let hotel = try Hotel(kind)
        try await hotel.book("tried", room: 1)
        try await hotel.book("back", room: 2)
        try await hotel.cancel("back", room: 2)
        try await hotel.cancel("never")
        try await hotel.book("final", room: 3)
        try await hotel.fence.confirm("final")
        let keys = ["tried", "back", "never", "final"]
        hotel.clock.advance(by: .seconds(59))
        for (key, state) in zip(keys, [StepFence.State.tried, .rolledBack, .suspended, .committed]) {
            #expect(try await hotel.state(key) == state)
        }
        hotel.clock.advance(by: .seconds(2))
        for (key, state) in zip(keys, [StepFence.State.tried, nil, nil, nil]) {
            #expect(try await hotel.state(key) == state)
        }
        #expect(try await hotel.cancel("tried"))
    }

    @Test func `gives its change to commits of the participant's own`() async throws {
        let hotel = try Hotel(StoreKind.all[0])
        let begin = try #require(try await hotel.fence.change(beginning: "a"))
        let effect = Change.insert(hotel.room(1), RecordContent(state: "taken"))
        _ = try await hotel.store.commit([effect, begin])
        #expect(try await hotel.fence.change(beginning: "a") == nil)
        #expect(try await hotel.fence.change(undoing: "a")?.isToUndo == true)
        let confirm = try #require(try await hotel.fence.change(confirming: "a"))
        _ = try await hotel.store.commit([confirm])
        #expect(try await hotel.fence.change(confirming: "a") == nil)
        #expect(try await hotel.fence.change(undoing: "b")?.isToUndo == false)
    }

    @Test func `does not guess what a record means that it cannot read`() async throws {
        let hotel = try Hotel(StoreKind.all[0])
        _ = try await hotel.store.commit([
            .insert(RecordID("step-fence/hotel", "a"), RecordContent(state: "prepared"))
        ])
        for error in [UnreadableStep(key: "a")] {
            await #expect(throws: error) { try await hotel.book("a") }
            await #expect(throws: error) { try await hotel.cancel("a") }
            #expect(!((error as any Error) is any NotApplied))
        }
    }
}
