// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Retrying
import Synchronization
import Testing

@testable import Sagas

/// What the next coordinator makes of sagas that others left.
@Suite struct SagaRecoveryTests {
    /// Leaves a saga behind whose coordinator died in the middle of b.
    func leave(_ bench: Bench, _ definition: SagaDefinition<Order>? = nil, id: String = "s") async {
        let dying = FailingStore(bench.store) { $0 == 3 ? .dies(applied: false) : .answers }
        _ = try? await bench.coordinator(on: dying).execute(definition ?? bench.definition(), id: id, input: Order())
    }

    /// Makes b's successor fail so that the saga goes back.
    func goingBack(
        _ bench: Bench, undoB: @escaping SagaStep<Order>.Action = { _ in },
        undoA: @escaping SagaStep<Order>.Action = { _ in }
    ) -> SagaDefinition<Order> {
        bench.definition(
            b: step("b", bench.ledger, undoing: undoB), undoA: undoA,
            c: step("c", bench.ledger, before: { _ in throw Full() }))
    }

    @Test(arguments: StoreKind.all)
    func `a saga whose coordinator died is taken up when its lease has passed, and not before`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        await leave(bench)
        bench.clock.advance(by: .seconds(60) - .nanoseconds(1))
        #expect(try await bench.coordinator().recover(bench.definition()) == [])
        bench.clock.advance(by: .nanoseconds(1))
        let recovered = try await bench.coordinator().recover(bench.definition())
        #expect(recovered == [RecoveredSaga(sagaID: "s", outcome: .completed)])
        #expect(bench.ledger.calls == ["+a1", "+b1", "+b2", "+c1"])
        #expect(bench.events.suffix(6) == ["resumed", "+b2", "b done", "+c1", "c done", "completed"])
        // What the first coordinator wrote gets its expiry from the second.
        #expect(try await bench.coordinator().history("s").map(\.attempts) == [1, 2, 1])
        bench.clock.advance(by: .seconds(30 * 86_400))
        #expect(try await bench.store.statistics(of: "saga-steps/shop").counts.isEmpty)
    }

    @Test(arguments: StoreKind.all)
    func `the key of a step is the same on its first attempt and on its seventh`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        await leave(bench)
        for _ in 0..<5 {
            bench.clock.advance(by: .seconds(60))
            let dying = FailingStore(bench.store) { $0 == 2 ? .dies(applied: false) : .answers }
            _ = try? await bench.coordinator(on: dying).recover(bench.definition())
        }
        bench.clock.advance(by: .seconds(60))
        #expect(try await bench.coordinator().execute(bench.definition(), id: "s", input: Order()) == .completed)
        #expect(bench.ledger.calls == ["+a1"] + (1...7).map { "+b\($0)" } + ["+c1"])
        #expect(bench.ledger.state.withLock { $0.keys["+b"] } == ["s/b/forward"])
    }

    @Test(arguments: StoreKind.all)
    func `a saga of a definition that is not given is blocked, and nothing of it is executed`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        await leave(bench)
        bench.clock.advance(by: .seconds(60))
        let before = bench.ledger.calls
        let next = bench.definition(version: 2, b: step("renamed", bench.ledger))
        #expect(try await bench.coordinator().recover(next) == [])
        #expect(try await bench.coordinator().recover(next) == [])
        #expect(bench.ledger.calls == before && bench.events.filter { $0 == "blocked" }.count == 1)
        let status = try #require(try await bench.coordinator().status("s"))
        #expect(status.state == .blocked && status.step == "b" && status.dueIn == .seconds(60) && !status.isHeld)
        await #expect(throws: SagaDefinitionMismatch.self) {
            try await bench.coordinator().execute(next, id: "s", input: Order())
        }
        bench.clock.advance(by: .seconds(60))
        let recovered = try await bench.coordinator().recover(next, bench.definition())
        #expect(recovered.map(\.outcome) == [.completed])
        #expect(bench.ledger.calls == ["+a1", "+b1", "+b2", "+c1"])
    }

    @Test(arguments: StoreKind.all)
    func `a saga that is blocked goes on at once under its own definition`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        await leave(bench)
        bench.clock.advance(by: .seconds(60))
        _ = try await bench.coordinator().recover(bench.definition("other"))
        #expect(try await bench.coordinator().execute(bench.definition(), id: "s", input: Order()) == .completed)
    }

    @Test(arguments: StoreKind.all)
    func `what cannot be read is blocked and left as it is`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let sagas = bench.coordinator()
        _ = try await bench.store.commit([
            .insert(RecordID("sagas/shop", "new"), RecordContent(state: "running", body: [9], due: .after(.zero)))
        ])
        let typed = SagaDefinition<Int>("checkout", version: 1) {
            SagaStep("a", ifUnknown: .park) { _ in Issue.record("its input is of another type") }
            SagaStep("b", ifUnknown: .park) { _ in }
            SagaStep("c", ifUnknown: .park) { _ in }
        }
        await leave(bench)
        bench.clock.advance(by: .seconds(60))
        #expect(try await sagas.recover(typed) == [])
        #expect(bench.events.filter { $0 == "blocked" }.count == 2)
        #expect(try await sagas.list(.blocked).unreadable == [UnreadableSaga(sagaID: "new")])
        #expect(try await bench.store.read([RecordID("sagas/shop", "new")]).records[0]?.body == [9])
        await #expect(throws: UnreadableSaga.self) { try await sagas.status("new") }
        await #expect(throws: UnreadableSaga.self) {
            try await sagas.execute(bench.definition(), id: "new", input: Order())
        }
    }

    @Test(arguments: StoreKind.all)
    func `a compensation that failed is called again when its back-off has passed, and not before`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let failures = Counter()
        let definition = goingBack(
            bench,
            undoB: { _ in
                switch failures.increment() {
                case 1: throw Declined()
                case 2: throw Busy(retryAfter: .seconds(25))
                default: break
                }
            })
        let sagas = bench.coordinator()
        #expect(try await sagas.execute(definition, id: "s", input: Order()) == .pending(retryIn: .seconds(10)))
        bench.clock.advance(by: .seconds(4))
        #expect(try await sagas.execute(definition, id: "s", input: Order()) == .pending(retryIn: .seconds(6)))
        #expect(try await sagas.recover(definition) == [])
        bench.clock.advance(by: .seconds(6))
        let second = try await sagas.recover(definition)
        guard case .pending(let advised) = second.first?.outcome else {
            Issue.record("\(second)")
            return
        }
        // Those who were told the same do not come back together.
        #expect(advised > .seconds(25) && advised <= .seconds(27.5))
        bench.clock.advance(by: advised - .nanoseconds(1))
        #expect(try await sagas.recover(definition) == [])
        bench.clock.advance(by: .nanoseconds(1))
        #expect("\(try await sagas.execute(definition, id: "s", input: Order()))".hasPrefix("compensated"))
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b3", "-a1"])
        #expect(
            bench.events.filter { $0.contains("not undone") } == [
                "b not undone, 10.0 seconds", "b not undone, \(advised)",
            ])
        #expect(try await sagas.history("s").first { $0.result == .compensated }?.attempts == 3)
    }

    @Test(arguments: StoreKind.all)
    func `a compensation that failed as often as it may leaves the saga stuck, never undone`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let definition = goingBack(bench, undoA: { _ in throw Declined() })
        let sagas = bench.coordinator(maxCompensationAttempts: 3)
        var outcome = try await sagas.execute(definition, id: "s", input: Order())
        for _ in 0..<2 {
            #expect(outcome == .pending(retryIn: .seconds(10)))
            bench.clock.advance(by: .seconds(10))
            outcome = try await sagas.execute(definition, id: "s", input: Order())
        }
        guard case .stuck(let stuck) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(stuck.reason == .compensationFailed && stuck.step == "a")
        #expect(stuck.failure?.step == "c" && stuck.lastError?.errorType == "SagasTests.Declined")
        #expect(bench.events.suffix(2) == ["a not undone, never", "stuck compensationFailed"])
        #expect(!bench.events.contains("compensated"))
        bench.clock.advance(by: .seconds(86_400))
        #expect(try await sagas.recover(definition) == [])
        #expect(try await sagas.execute(definition, id: "s", input: Order()) == outcome)
        #expect(try await sagas.list(.stuck).sagas.map(\.outcome) == [outcome])
        #expect(bench.ledger.standing == ["a"])
    }

    @Test(arguments: StoreKind.all)
    func `a probe that failed is asked again after the back-off, and keeps why it is asked`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let probes = Counter()
        let rule = SagaUnknownRule<Order>.probe { _ in
            guard probes.increment() > 2 else { throw Declined() }
            return .notApplied
        }
        let definition = bench.definition(
            b: step("b", bench.ledger, ifUnknown: rule, before: { _ in throw Declined() }))
        let sagas = bench.coordinator()
        for _ in 0..<2 {
            #expect(try await sagas.execute(definition, id: "s", input: Order()) == .pending(retryIn: .seconds(10)))
            bench.clock.advance(by: .seconds(10))
        }
        #expect("\(try await sagas.execute(definition, id: "s", input: Order()))".hasPrefix("compensated"))
        #expect(bench.ledger.calls == ["+a1", "-a1"])
    }

    @Test(arguments: StoreKind.all)
    func `run takes up what is due, a bounded number at once, until it is cancelled`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let (running, most) = (Level(), 4)
        let definition = bench.definition(
            b: step(
                "b", bench.ledger,
                before: { _ in
                    running.enter()
                    try await bench.clock.sleep(for: .seconds(1))
                    running.leave()
                }))
        for number in 0..<10 { await leave(bench, bench.definition(), id: "s\(number)") }
        bench.clock.advance(by: .seconds(60))
        let other = bench.definition("other", version: 7)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) {
                    try await bench.coordinator().run(definition, other, concurrency: most)
                }
            }
            // Every worker sleeps, in a step or in its claim; ten sagas take three rounds.
            for _ in 0..<3 {
                await bench.clock.waitForSleepers(most)
                bench.clock.advance(by: .seconds(1))
            }
            await bench.clock.waitForSleepers(most)
            group.cancelAll()
        }
        #expect(running.highest == most)
        #expect(try await bench.coordinator().list(.completed).sagas.count == 10)
    }

    @Test(arguments: StoreKind.all)
    func `run goes on after a saga whose store failed once, and ends when the store is closed`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        await leave(bench, id: "s0")
        await leave(bench, id: "s1")
        bench.clock.advance(by: .seconds(60))
        let definition = bench.definition(
            c: step(
                "c", bench.ledger,
                after: { context in
                    if context.sagaID == "s1" { try await bench.store.close() }
                }))
        let failing = FailingStore(bench.store) { $0 == 1 ? .uncertain(applied: false) : .answers }
        await #expect(throws: StoreError.closed) {
            try await bench.coordinator(on: failing).run(definition, concurrency: 1)
        }
        #expect(bench.events.filter { $0 == "store failed" }.count == 2)
    }

    @Test(arguments: StoreKind.all)
    func `a saga that was finished before its claim came through keeps its expiry`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let sagas = bench.coordinator()
        _ = try await sagas.execute(bench.definition(), id: "s", input: Order())
        bench.clock.advance(by: .seconds(100))
        let id = RecordID("sagas/shop", "s")
        let claim = try await bench.store.claim(ClaimRequest(.ids([id]), lease: Lease(.seconds(60))))
        let record = try #require(claim.claimed.first)
        #expect(try await sagas.takeUp(record, [bench.definition().plan]) == .completed)
        let standing = try #require(try await bench.store.read([id]).records[0])
        #expect(standing.expiresAt == record.expiresAt && standing.leaseUntil == nil && standing.state == "completed")
        #expect(bench.ledger.calls.count == 3)
    }

    @Test(arguments: StoreKind.all)
    func `an outcome that somebody else wrote stops the saga with an error`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let foreign = RecordID("saga-steps/shop", "s/a/forward")
        _ = try await bench.store.commit([.insert(foreign, RecordContent(state: "succeeded"))])
        await #expect(throws: StoreError.self) {
            try await bench.coordinator().execute(bench.definition(), id: "s", input: Order())
        }
        #expect(bench.ledger.calls == ["+a1"])
    }
}

/// How many are inside at once.
final class Level: Sendable {
    private let state = Locked((now: 0, highest: 0))

    var now: Int { state.withLock { $0.now } }
    var highest: Int { state.withLock { $0.highest } }

    func enter() {
        state.withLock { state in
            state.now += 1
            state.highest = max(state.highest, state.now)
        }
    }

    func leave() { state.withLock { $0.now -= 1 } }
}
