// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import Sagas

/// How many are inside at once, and how many there were at most.
private final class Crowd: Sendable {
    private let state = Locked((inside: 0, most: 0))

    var most: Int { state.withLock { $0.most } }

    func enter() {
        state.withLock { state in
            state.inside += 1
            state.most = max(state.most, state.inside)
        }
    }

    func leave() { state.withLock { $0.inside -= 1 } }
}

@Suite(.timeLimit(.minutes(10))) struct SagaRunningTests {
    @Test(arguments: StoreKind.all)
    func `coordinators that share a store drive all sagas, each step once, and never more at once than allowed`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let crowd = Crowd()
        let definition = bench.definition(a: { _ in
            crowd.enter()
            await Task.yield()
            crowd.leave()
        })
        let one = bench.coordinator(definition, concurrency: 3)
        let other = bench.coordinator(definition, concurrency: 2)
        try await running(one, other) { () async throws in
            for number in 1...40 { try await one.start(definition, id: "s\(number)", input: Order()) }
            await bench.reached("completed", 40)
        }
        #expect(try await one.statistics().counts == ["completed": 40])
        #expect(crowd.most <= 5)
        #expect(bench.ledger.state.withLock { $0.effects } == ["a": 40, "b": 40, "c": 40])
        #expect(bench.ledger.calls.count == 120)
    }

    @Test(arguments: StoreKind.all)
    func `as many sagas as allowed go on side by side, and one more when one is over`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let (gate, crowd) = (Gate(), Crowd())
        let definition = bench.definition(a: { _ in
            crowd.enter()
            await gate.pass()
            crowd.leave()
        })
        let sagas = bench.coordinator(definition, concurrency: 3)
        for number in 1...7 { try await sagas.start(definition, id: "s\(number)", input: Order()) }
        try await running(sagas) { () async throws in
            await gate.waitForArrivals(3)
            #expect(try await sagas.list().sagas.filter(\.isHeld).count == 3)
            gate.open()
            for number in 1...7 { #expect(try await sagas.saga("s\(number)").result() == .completed) }
        }
        #expect(crowd.most == 3)
    }

    @Test(arguments: StoreKind.all)
    func `what is due is claimed at once, as much of it as there is room for`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = SagaDefinition<Order>("checkout", version: 1) { Step.reading("look") { _ in } }
        let store = MeddledStore(bench.store) { _ in }
        let sagas = bench.coordinator(definition, on: store)
        for number in 1...50 { try await sagas.start(definition, id: "s\(number)", input: Order()) }
        try await running(sagas) { () async throws in await bench.reached("completed", 50) }
        // One for all, one that finds nothing, and one that waits.
        #expect(store.claims <= 3)
    }

    @Test(arguments: StoreKind.all)
    func `a start, a message and a time that has come wake a coordinator, which asks for nothing meanwhile`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let go = Step.event("go")
        let definition = SagaDefinition<Order>("checkout", version: 1) {
            step("a", bench.ledger)
            go
            Step.timer("pause", .seconds(600))
        }
        let store = MeddledStore(bench.store) { _ in }
        let sagas = bench.coordinator(definition, on: store)
        try await running(sagas) { () async throws in
            await bench.clock.waitForSleepers()
            bench.clock.advance(by: .seconds(1_200))
            #expect(store.claims == 2)
            let saga = try await sagas.start(definition, id: "s1", input: Order())
            await bench.reached("waiting for an event")
            try await sagas.signal("s1", go)
            await bench.reached("waiting 600.0 seconds")
            await bench.clock.waitForSleepers()
            bench.clock.advance(by: .seconds(600))
            #expect(try await saga.result() == .completed)
        }
        // Each time one that finds something, and one that finds nothing before the one that waits.
        #expect(store.claims <= 8)
    }

    @Test(arguments: StoreKind.all)
    func `shutting down waits for the calls that are under way, and lets every saga go where it then stands`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let gate = Gate()
        let definition = bench.definition(a: { _ in await gate.pass() })
        let sagas = bench.coordinator(definition)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await sagas.run() }
            try await sagas.start(definition, id: "s1", input: Order())
            await gate.waitForArrivals()
            try await sagas.start(definition, id: "s2", input: Order())
            await gate.waitForArrivals(2)
            sagas.shutDown()
            #expect(try await sagas.status("s1")?.isHeld == true)
            gate.open()
            try await group.waitForAll()
        }
        #expect(bench.ledger.calls == ["+a1", "+a1"])
        #expect(bench.events.count { $0 == "interrupted" } >= 2 && !bench.events.contains("+b1"))
        try await sagas.start(definition, id: "s3", input: Order())
        for id in ["s1", "s2", "s3"] {
            let status = try #require(try await sagas.status(id))
            #expect(!status.isHeld && status.dueIn == .zero && status.state == .running)
        }
        // It takes up nothing more, however it is asked to.
        try await sagas.run()
        #expect(try await sagas.recover() == [])
        let next = bench.coordinator(definition)
        #expect(try await next.recover().map(\.outcome) == Array(repeating: .ended(.completed), count: 3))
        #expect(bench.ledger.calls.filter { $0 == "+b1" }.count == 3)
    }

    /// What a step does when its task is cancelled in the middle of it, and what the next coordinator makes of it.
    @Test(
        arguments: StoreKind.all,
        [
            (rule: Rule.reexecute, error: nil as (any Error)?, calls: ["+b1", "+b1", "+c1"]),
            (.reexecute, Declined(), ["+b1", "+b1", "+c1"]),
            (.probe { _ in .applied }, nil, ["+b1", "+c1"]),
            (.probe { _ in .notApplied }, nil, ["+b1", "+b1", "+c1"]),
            (.probe { _ in .notApplied }, Declined(), ["+b1", "+b1", "+c1"]),
            (.park, nil, ["+b1"]),
            (.park, Full(), ["+b1", "+b1", "+c1"]),
        ])
    func `cancelling a coordinator undoes nothing, counts no attempt, and lets sagas go at once`(
        kind: StoreKind, _ row: (rule: Rule, error: (any Error)?, calls: [String])
    ) async throws {
        let bench = try Bench(kind)
        let isHanging = Locked(true)
        let own = ManualClock()
        let definition = bench.definition(
            b: step(
                "b", bench.ledger, ifUnknown: row.rule,
                after: { _ in
                    guard isHanging.withLock({ $0 }) else { return }
                    do { try await own.sleep(for: .seconds(5)) } catch { throw row.error ?? error }
                }
            ).retry(.attempts(1)))
        try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        await cancelling(bench.coordinator(definition)) { await own.waitForSleepers() }
        #expect(bench.events.last == "interrupted")
        isHanging.withLock { $0 = false }
        // Nobody waits for the lease.
        let outcome = try await bench.coordinator(definition).recover().last?.outcome
        #expect(bench.ledger.calls == ["+a1"] + row.calls)
        if row.calls.last == "+c1" {
            #expect(outcome == .ended(.completed))
        } else {
            #expect(try await bench.coordinator(definition).saga("s1").result().stuck?.reason == .outcomeUnknown)
        }
    }

    @Test(arguments: StoreKind.all)
    func `cancelling while nothing is due ends the wait`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let sagas = bench.coordinator(bench.definition())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) { try await sagas.run() }
            }
            await bench.clock.waitForSleepers()
            group.cancelAll()
        }
        #expect(bench.clock.sleeperCount == 0)
    }

    @Test(arguments: StoreKind.all)
    func `a store that fails is asked again after growing pauses, ten times in a row`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = SagaDefinition<Order>("checkout", version: 1) { Step.event("go") }
        // Nine failures, one answer, then ten.
        let store = MeddledStore(bench.store) { moment throws(StoreError) in
            if case .beforeClaim(let number) = moment, number != 10 { throw .unavailable(MeddledStore.failure) }
        }
        let sagas = bench.coordinator(definition, on: store)
        try await sagas.start(definition, id: "s1", input: Order())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: StoreError.unavailable(MeddledStore.failure)) { try await sagas.run() }
            }
            for turn in 1...18 {
                await bench.clock.waitForSleepers()
                if turn <= 4 { #expect(bench.clock.nextWake.map { $0 <= .seconds(1) } == true) }
                bench.clock.advance(by: .seconds(10))
            }
            await bench.reached("waiting for an event")
        }
        #expect(store.claims == 20)
        #expect(bench.events.count { $0 == "store failed" } == 19)
    }

    @Test(arguments: StoreKind.all)
    func `a store that is closed ends the run at once`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        try await bench.store.close()
        let sagas = bench.coordinator(bench.definition())
        await #expect(throws: StoreError.closed) { try await sagas.run() }
        #expect(bench.events == ["store failed"])
    }

    @Test(arguments: StoreKind.all)
    func `a saga whose store fails stays where it is until its lease passes, and each failure is told`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let first = FailingStore(bench.store) { $0 == 4 ? .dies(applied: false) : .answers }
        _ = try? await bench.drive(definition, on: bench.coordinator(definition, on: first))
        #expect(bench.events.last == "store failed")
        bench.clock.advance(by: .seconds(60) - .nanoseconds(1))
        #expect(try await bench.coordinator(definition).recover() == [])
        bench.clock.advance(by: .nanoseconds(1))
        // The history cannot be read.
        let second = MeddledStore(bench.store) { moment throws(StoreError) in
            if case .beforeRead = moment { throw .unavailable(MeddledStore.failure) }
        }
        await #expect(throws: StoreError.self) { try await bench.coordinator(definition, on: second).recover() }
        #expect(bench.events.filter { $0 == "store failed" }.count == 2)
        bench.clock.advance(by: .seconds(60))
        #expect(try await bench.coordinator(definition).recover().map(\.outcome) == [.ended(.completed)])
        #expect(bench.ledger.calls == ["+a1", "+b1", "+b2", "+c1"])
    }
}
