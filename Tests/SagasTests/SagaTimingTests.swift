// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityCore
import ReliabilityTesting
import Sagas
import Synchronization
import Testing

/// A store whose first commit is answered late.
private struct LateAnswers: RecordStoreWrapper {
    let base: any RecordStore
    let isFirst = SharedFlag()
    let meanwhile: @Sendable () async -> Void

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let answer = try await base.commit(changes)
        if isFirst.take() { await meanwhile() }
        return answer
    }
}

private final class SharedFlag: Sendable {
    private let isUp = Locked(true)
    func take() -> Bool {
        isUp.withLock { isUp in
            defer { isUp = false }
            return isUp
        }
    }
}

private func event(_ name: String) -> Step { .event(name) }

@Suite(.timeLimit(.minutes(10))) struct `A saga, when timing is unlucky` {
    @Test(arguments: StoreKind.all)
    func `a message that is lost is not taken for another that came meanwhile`(_ kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = SagaDefinition<Order>("trip", version: 1) {
            event("x")
            event("y")
            event("z")
        }
        let coordinator = bench.coordinator(definition)
        #expect(try await bench.drive(definition, on: coordinator) == .waiting(nil))
        try await coordinator.signal("s1", event("z"))
        let losing = FailingStore(bench.store) {
            _ = try? await coordinator.signal("s1", event("y"))
        } fate: { _ in
            .uncertain(applied: false)
        }
        await #expect(throws: StoreError.self) {
            try await bench.coordinator(definition, on: losing).signal("s1", event("x"))
        }
        #expect(try await coordinator.recover().map(\.outcome) == [.waiting(nil)])
        try await coordinator.signal("s1", event("x"))
        #expect(try await coordinator.recover().map(\.outcome) == [.ended(.completed)])
    }

    @Test(arguments: StoreKind.all)
    func `a message that comes before a commit is found to be in is read`(_ kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = SagaDefinition<Order>("trip", version: 1) {
            event("x")
            step("a", bench.ledger)
            event("y")
        }
        let coordinator = bench.coordinator(definition)
        #expect(try await bench.drive(definition, on: coordinator) == .waiting(nil))
        try await coordinator.signal("s1", event("x"))
        // The first commit finds the message, the second takes it out.
        let unsure = FailingStore(bench.store) {
            _ = try? await coordinator.signal("s1", event("y"))
        } fate: { number in
            number == 2 ? .uncertain(applied: true) : .answers
        }
        let outcomes = try await bench.coordinator(definition, on: unsure).recover().map(\.outcome)
        #expect(outcomes == [.ended(.completed)])
    }

    @Test(arguments: StoreKind.all)
    func `a pivot in doubt has all its time, also after the deadline`(_ kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let calls = Counter()
        let definition = SagaDefinition<Order>("trip", version: 1, deadline: .seconds(100)) {
            step("a", bench.ledger)
            Step.pivot("b", ifUnknown: .reexecute) { _ in
                if calls.increment() == 1 { bench.clock.advance(by: .seconds(100)) }
                // Nothing may cut it short once it is in doubt.
                guard Deadline.current == nil else { throw Declined() }
            }.retry(.attempts(2, backoff: .constant(.zero)))
        }
        let outcome = try await bench.drive(definition)
        #expect(outcome == .ended(.completed))
        #expect(bench.ledger.standing == ["a"])
    }

    @Test(arguments: StoreKind.all)
    func `a coordinator that is cancelled holds a saga until its compensation has ended`(
        _ kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let gate = ManualClock()
        let definition = bench.definition(
            b: step("b", bench.ledger, before: { _ in throw Full() }),
            undoA: { _ in try await gate.sleep(for: .seconds(1)) })
        let (first, second) = (bench.coordinator(definition), bench.coordinator(definition))
        try await first.start(definition, id: "s1", input: Order())
        await withDiscardingTaskGroup { group in
            group.addTask { _ = try? await first.recover() }
            await gate.waitForSleepers()
            group.cancelAll()
            for _ in 0..<5 {
                await bench.clock.waitForSleepers()
                bench.clock.advance(by: .seconds(20))
            }
            await bench.clock.waitForSleepers()
            let taken = try? await second.recover()
            #expect(taken == [])
            gate.advance(by: .seconds(1))
        }
        #expect(bench.ledger.calls == ["+a1", "-a1"])
    }

    @Test func `a coordinator that is cancelled waits for a call and for nothing else`() throws {
        let bench = try Bench(StoreKind.all[0])
        let (gate, executor) = (ManualClock(), ManualExecutor())
        let definition = SagaDefinition<Order>("trip", version: 1) {
            SagaParallel {
                step("a", bench.ledger, before: { _ in try await shielded { try await gate.sleep(for: .seconds(1)) } })
                Step.timer("b", .seconds(50))
            }
        }
        let coordinator = bench.coordinator(definition)
        let driving = executor.start { try await bench.drive(definition, on: coordinator) }
        executor.runUntilIdle()
        driving.cancel()
        let isAtRest = (0..<1_000).contains { _ in !executor.step() }
        #expect(isAtRest && driving.value == nil)
        gate.advance(by: .seconds(1))
        for _ in 0..<1_000 where !executor.step() { break }
        #expect(driving.value != nil)
    }

    @Test(arguments: StoreKind.all)
    func `a commit that is answered when the lease is over begins nothing`(_ kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let other = bench.coordinator(definition)
        let late = LateAnswers(base: bench.store) {
            bench.clock.advance(by: .seconds(61))
            _ = try? await other.recover()
        }
        try await other.start(definition, id: "s1", input: Order())
        #expect(try await bench.coordinator(definition, on: late).recover().map(\.outcome) == [.lost])
        #expect(bench.ledger.calls == ["+a2", "+b1", "+c1"])
    }
}
