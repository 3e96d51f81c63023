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

/// The way back, and what has none.
@Suite(.timeLimit(.minutes(10))) struct SagaCompensationTests {
    // Cases 82 and 83: whether a step that ran out of time took effect or not, it is undone, and a late try is refused.
    @Test(arguments: StoreKind.all, [true, false])
    func `a step that ran out of time is undone as well, whether it took effect or not`(
        kind: StoreKind, takesEffect: Bool
    ) async throws {
        let bench = try Bench(kind)
        let late = Locked(SagaContext<Order>?.none)
        let b = Step("b", ifUnknown: .reexecute) { context in
            late.withLock { $0 = context }
            if takesEffect { bench.ledger.act(context) }
            async let slow: Void = bench.clock.sleep(for: .seconds(60))
            await bench.clock.waitForSleepers(3)
            bench.clock.advance(by: .seconds(5))
            try await slow
        } compensation: { context in
            bench.ledger.undo(context)
        }
        let outcome = try await bench.drive(bench.definition(b: b.timeLimit(perAttempt: .seconds(5))))
        guard case .ended(.compensated(let cause)) = outcome else { Issue.record("\(outcome as Any)"); return }
        #expect(cause.step == "b" && cause.errorType.contains("TimedOut"))
        #expect(bench.ledger.calls.suffix(2) == ["-b1", "-a1"])
        let context = try #require(late.withLock { $0 })
        bench.ledger.act(context)
        #expect(bench.ledger.standing == [])
        let history = try await bench.coordinator(bench.definition()).history("s1")
        #expect(history.map(\.kind) == [.succeeded, .failed, .compensated, .compensated])
    }

    @Test(arguments: StoreKind.all)
    func `a compensation that fails is called again without end, under one key, and the delays are kept`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let failures = Counter()
        let c = step("c", bench.ledger, before: { _ in throw Full() })
        let definition = bench.definition(
            b: step("b", bench.ledger, undoing: { _ in if failures.increment() <= 30 { throw Declined() } })
                .retryCompensation(.unlimited(backoff: .constant(.seconds(100)))), c: c)
        var outcome = try await bench.drive(definition)
        for _ in 1...30 {
            #expect(outcome == .waiting(.seconds(100)))
            // Nobody holds it meanwhile, and nobody takes it up early.
            let status = try #require(try await bench.coordinator(definition).status("s1"))
            #expect(status.state == .compensating && !status.isHeld && status.dueIn == .seconds(100))
            bench.clock.advance(by: .seconds(100) - .nanoseconds(1))
            #expect(try await bench.coordinator(definition).recover() == [])
            bench.clock.advance(by: .nanoseconds(1))
            outcome = try await bench.coordinator(definition).recover().last?.outcome
        }
        guard case .ended(.compensated(let cause)) = outcome else { Issue.record("\(outcome as Any)"); return }
        #expect(cause.step == "c")
        // The ledger notes a call that gets through to it.
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b31", "-a1"])
        #expect(bench.ledger.state.withLock { $0.keys["-b"] } == ["s1/b/compensation"])
        #expect(try await bench.coordinator(definition).history("s1").map(\.attempts) == [1, 1, 1, 31, 1])
    }

    // Case 85.
    @Test(arguments: StoreKind.all)
    func `a compensation that fails as often as it may leaves the saga stuck, and it is never told as undone`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let isBroken = Locked(true)
        let c = step("c", bench.ledger, before: { _ in throw Full() })
        let definition = bench.definition(
            b: step("b", bench.ledger, undoing: { _ in if isBroken.withLock({ $0 }) { throw Declined() } })
                .retryCompensation(.attempts(3, backoff: .constant(.seconds(1)))), c: c)
        let sagas = bench.coordinator(definition)
        try await sagas.start(definition, id: "s1", input: Order())
        let stuck = try #require(try await bench.finish(on: sagas)?.stuck)
        #expect(stuck.reason == .compensationFailed && stuck.step == "b")
        #expect(stuck.failure?.step == "c" && stuck.lastError?.errorType.contains("Declined") == true)
        #expect(bench.events.last == "stuck compensationFailed" && !bench.events.contains("compensated"))
        #expect(bench.ledger.standing == ["a", "b"])
        let status = try #require(try await sagas.status("s1"))
        #expect(status.state == .stuck && status.dueIn == nil && !status.isHeld)
        #expect(status.steps.map(\.attempts) == [3])
        // It is kept for good.
        bench.clock.advance(by: .seconds(365 * 86_400))
        #expect(try await sagas.list(.stuck).sagas.map(\.sagaID) == ["s1"])
        isBroken.withLock { $0 = false }
        try await sagas.retry("s1", reason: "the other side is back")
        #expect(try await bench.finish(on: sagas)?.isCompensated == true)
        #expect(bench.ledger.standing == [])
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b1", "-a1"])
    }

    @Test(arguments: StoreKind.all)
    func `compensations of a group go on side by side, and the step before waits for all of them`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let (gate, failures) = (Gate(), Counter())
        let definition = SagaDefinition<Order>("trip", version: 1) {
            step("flight", bench.ledger)
            SagaParallel {
                step("hotel", bench.ledger, undoing: { _ in await gate.pass() })
                step("car", bench.ledger, undoing: { _ in if failures.increment() == 1 { throw Declined() } })
                    .retryCompensation(.unlimited(backoff: .constant(.seconds(5))))
                step("guide", bench.ledger, undoing: { _ in await gate.pass() })
            }
            Step.reading("look") { _ in throw Declined() }
        }
        let sagas = bench.coordinator(definition)
        try await running(sagas) { () async throws in
            let saga = try await sagas.start(definition, id: "s1", input: Order())
            await gate.waitForArrivals(2)
            await bench.reached("car not undone, 5.0 seconds")
            #expect(!bench.ledger.calls.contains { $0.hasPrefix("-") })
            // The wait of the one, the renewal of the lease, and the wait for sagas that are due.
            await bench.clock.waitForSleepers(3)
            bench.clock.advance(by: .seconds(5))
            await bench.reached("car undone")
            #expect(!bench.ledger.calls.contains("-flight1"))
            gate.open()
            #expect(try await saga.result().isCompensated)
        }
        #expect(bench.ledger.standing == [] && bench.ledger.calls.last == "-flight1")
    }

    // Case 89.
    @Test(arguments: StoreKind.all)
    func `what follows the pivot is called until it succeeds, or is stuck; nothing is undone`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let failures = Counter()
        func definition(_ retry: SagaRetry) -> SagaDefinition<Order> {
            SagaDefinition("checkout", version: 1) {
                step("a", bench.ledger)
                Step.pivot("pay", ifUnknown: .reexecute) { bench.ledger.act($0) }
                Step.retriable("ship", ifUnknown: .reexecute) { context in
                    if failures.increment() % 8 != 0 { throw Full() }
                    bench.ledger.act(context)
                }.retry(retry)
            }
        }
        let endless = definition(.unlimited(backoff: .constant(.seconds(60))))
        let sagas = bench.coordinator(endless)
        try await sagas.start(endless, id: "s1", input: Order())
        #expect(try await bench.finish(on: sagas) == .completed)
        #expect(bench.ledger.calls == ["+a1", "+pay1", "+ship8"])
        // Policies are no part of the shape.
        let short = definition(.attempts(2, backoff: .constant(.seconds(60))))
        let other = bench.coordinator(short)
        try await other.start(short, id: "s2", input: Order())
        let stuck = try #require(try await bench.finish("s2", on: other)?.stuck)
        #expect(stuck.reason == .attemptsExhausted && stuck.step == "ship")
        await #expect(throws: SagaVerbRefused(sagaID: "s2", state: .stuck)) {
            try await other.abort("s2", reason: "no way back")
        }
        try await sagas.retry("s2", reason: "again")
        #expect(try await bench.finish("s2", on: sagas) == .completed)
        #expect(!bench.ledger.calls.contains { $0.hasPrefix("-") })
    }

    // Case 95.
    @Test(arguments: StoreKind.all)
    func `the key of a step is the same on its first attempt and on its seventh, whoever calls it`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        _ = try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        for turn in 1...6 {
            let dying = FailingStore(bench.store) { $0 == (turn == 1 ? 3 : 2) ? .dies(applied: false) : .answers }
            _ = try? await bench.coordinator(definition, on: dying).recover()
            bench.clock.advance(by: .seconds(60))
        }
        #expect(try await bench.finish(on: bench.coordinator(definition)) == .completed)
        #expect(bench.ledger.calls == ["+a1"] + (1...7).map { "+b\($0)" } + ["+c1"])
        #expect(bench.ledger.state.withLock { $0.keys["+b"] } == ["s1/b/forward"])
    }

    @Test(arguments: StoreKind.all)
    func `a step that ends its process again and again leaves the saga stuck after so many times`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        for turn in 1...3 {
            let dying = FailingStore(bench.store) { $0 == (turn == 1 ? 3 : 2) ? .dies(applied: false) : .answers }
            _ = try? await bench.coordinator(definition, on: dying, maxCrashes: 2).recover()
            bench.clock.advance(by: .seconds(60))
        }
        let sagas = bench.coordinator(definition, maxCrashes: 2)
        let stuck = try #require(try await bench.finish(on: sagas)?.stuck)
        #expect(stuck.reason == .crashed && stuck.step == "b" && stuck.failure == nil)
        #expect(bench.ledger.calls == ["+a1", "+b1", "+b2", "+b3"])
        try await sagas.retry("s1", reason: "mended")
        #expect(try await bench.finish(on: sagas) == .completed)
        #expect(bench.ledger.calls.suffix(2) == ["+b1", "+c1"])
    }
}
