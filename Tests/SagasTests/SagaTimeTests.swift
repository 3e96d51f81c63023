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

/// Deadlines, time limits, waits and what errors advise.
@Suite(.timeLimit(.minutes(10))) struct SagaTimeTests {
    // Case 91.
    @Test(arguments: StoreKind.all)
    func `a deadline that passed while nobody drove the saga has it go back`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition(deadline: .seconds(100))
        try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        // It dies with the end of b.
        let dying = FailingStore(bench.store) { $0 == 3 ? .dies(applied: false) : .answers }
        _ = try? await bench.coordinator(definition, on: dying).recover()
        bench.clock.advance(by: .seconds(100))
        // A policy of today does not change the deadline of a saga that was started under another.
        let now = bench.definition()
        guard case .compensated(let cause) = try await bench.finish(on: bench.coordinator(now)) else {
            Issue.record("\(bench.events)")
            return
        }
        #expect(cause.errorType.contains("SagaDeadlinePassed") && cause.step == "b")
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b1", "-a1"])
        #expect(bench.ledger.standing == [])
    }

    @Test(arguments: StoreKind.all)
    func `a saga that waits is taken up at its deadline, and one nanosecond before it goes on`(
        kind: StoreKind
    ) async throws {
        for isLate in [true, false] {
            let bench = try Bench(kind)
            let go = Step.event("go")
            let definition = bench.definition(deadline: .seconds(100), b: go)
            let sagas = bench.coordinator(definition)
            #expect(try await bench.drive(definition, on: sagas) == .waiting(.seconds(100)))
            bench.clock.advance(by: .seconds(100) - .nanoseconds(1))
            #expect(try await sagas.recover() == [])
            if !isLate { try await sagas.signal("s1", go) }
            if isLate { bench.clock.advance(by: .nanoseconds(1)) }
            let result = try await bench.finish(on: sagas)
            #expect((result == .completed) == !isLate)
            #expect(bench.ledger.standing == (isLate ? [] : ["a", "c"]))
        }
    }

    @Test(arguments: StoreKind.all)
    func `an action is cancelled at the deadline of its saga, and undone`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let own = ManualClock()
        let definition = bench.definition(
            deadline: .seconds(10), b: step("b", bench.ledger, after: { _ in try await own.sleep(for: .seconds(99)) }))
        let sagas = bench.coordinator(definition)
        try await running(sagas) { () async throws in
            let saga = try await sagas.start(definition, id: "s1", input: Order())
            await own.waitForSleepers()
            // The deadline, the renewal of the lease, and the wait for sagas that are due.
            await bench.clock.waitForSleepers(3)
            bench.clock.advance(by: .seconds(10))
            #expect(try await saga.result().isCompensated)
        }
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b1", "-a1"])
    }

    @Test(arguments: StoreKind.all)
    func `past the pivot a deadline changes nothing`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = SagaDefinition<Order>("checkout", version: 1, deadline: .seconds(10)) {
            step("a", bench.ledger)
            Step.pivot("pay", ifUnknown: .reexecute) { bench.ledger.act($0) }
            Step.timer("pause", .seconds(600))
            Step.retriable("ship", ifUnknown: .reexecute) { context in
                await bench.clock.waitForSleepers()
                bench.clock.advance(by: .seconds(30))
                try Task.checkCancellation()
                bench.ledger.act(context)
            }
        }
        let sagas = bench.coordinator(definition)
        #expect(try await bench.drive(definition, on: sagas) == .waiting(.seconds(600)))
        #expect(try await bench.finish(on: sagas) == .completed)
        #expect(bench.ledger.standing == ["a", "pay", "ship"])
    }

    /// The deadline passes in the middle of the pivot's first call; whether that took effect is open.
    @Test(arguments: StoreKind.all)
    func `a pivot that may have taken effect is called to its end after the deadline, and the saga goes on`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let (own, calls) = (ManualClock(), Counter())
        let definition = SagaDefinition<Order>("checkout", version: 1, deadline: .seconds(10)) {
            step("a", bench.ledger)
            Step.pivot("pay", ifUnknown: .reexecute) { context in
                if calls.increment() == 1 {
                    try await own.sleep(for: .seconds(99))
                } else {
                    // Whoever is cancelled at once never gets an answer.
                    for _ in 0..<1_000 { await Task.yield() }
                    bench.clock.advance(by: .seconds(1))
                    for _ in 0..<1_000 { await Task.yield() }
                    try Task.checkCancellation()
                }
                bench.ledger.act(context)
            }.retry(.unlimited(backoff: .constant(.seconds(60))))
        }
        let sagas = bench.coordinator(definition)
        try await running(sagas) { () async throws in
            try await sagas.start(definition, id: "s1", input: Order())
            await own.waitForSleepers()
            await bench.clock.waitForSleepers(3)
            bench.clock.advance(by: .seconds(10))
            await bench.reached("waiting 60.0 seconds")
        }
        bench.clock.advance(by: .seconds(60))
        #expect(try await bench.coordinator(definition).recover().map(\.outcome) == [.ended(.completed)])
        #expect(bench.ledger.calls == ["+a1", "+pay2"])
    }

    @Test(arguments: StoreKind.all, ["b", "?b", "-b"])
    func `a call may take so long, and nobody knows then what it did`(kind: StoreKind, slow: String) async throws {
        let bench = try Bench(kind)
        let own = ManualClock()
        let isSlow = Locked(true)
        @Sendable func hang(_ name: String) async throws {
            if name == slow, isSlow.withLock({ $0 }) { try await own.sleep(for: .seconds(99)) }
        }
        let b = Step(
            "b",
            ifUnknown: .probe { context in
                try await hang("?b")
                return bench.ledger.find(context)
            }
        ) { context in
            bench.ledger.act(context)
            try await hang("b")
            if slow == "?b" { throw Declined() }
        } compensation: { context in
            try await hang("-b")
            bench.ledger.undo(context)
        }
        .timeLimit(perAttempt: .seconds(7))
        .retryCompensation(.unlimited(backoff: .constant(.seconds(30))))
        let definition = bench.definition(
            b: b, c: step("c", bench.ledger, before: { _ in if slow == "-b" { throw Full() } }))
        let sagas = bench.coordinator(definition)
        try await running(sagas) { () async throws in
            let saga = try await sagas.start(definition, id: "s1", input: Order())
            await own.waitForSleepers()
            await bench.clock.waitForSleepers(3)
            isSlow.withLock { $0 = false }
            bench.clock.advance(by: .seconds(7))
            if slow != "b" {
                await bench.reached("waiting 30.0 seconds")
                await bench.clock.waitForSleepers()
                bench.clock.advance(by: .seconds(30))
            }
            let result = try await saga.result()
            #expect(result.isCompensated == (slow == "-b"))
        }
        #expect(bench.ledger.standing == (slow == "-b" ? [] : ["a", "b", "c"]))
        #expect(bench.events.contains { $0 == (slow == "b" ? "b unknown" : "?b failed, 30.0 seconds") } || slow == "-b")
    }

    /// How long after its first call an action is called no more; in the meantime calls fail, or end their process.
    @Test(arguments: StoreKind.all)
    func `a step is called no more when its time is up, crashes and pauses counted in`(kind: StoreKind) async throws {
        for crashes in [false, true] {
            let bench = try Bench(kind)
            let b = step("b", bench.ledger, before: { _ in if !crashes { throw Full() } })
                .retry(.unlimited(backoff: .constant(.seconds(40))))
                .timeLimit(inAll: .seconds(100))
            let definition = bench.definition(b: b)
            try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
            for turn in 0..<3 {
                let store = FailingStore(bench.store) { number in
                    crashes && number == (turn == 0 ? 3 : 2) ? .dies(applied: false) : .answers
                }
                _ = try? await bench.coordinator(definition, on: store).recover()
                bench.clock.advance(by: .seconds(60))
            }
            #expect(try await bench.finish(on: bench.coordinator(definition))?.isCompensated == true)
            let calls = bench.events.filter { $0.hasPrefix("+b") }
            #expect(calls == ["+b1", "+b2"], "crashes \(crashes)")
            #expect(bench.ledger.standing == [])
        }
    }

    @Test(arguments: StoreKind.all)
    func `what an error advises counts where it is longer, up to a day and a tenth more`(kind: StoreKind) async throws {
        let hour = Duration.seconds(3_600)
        let rows: [(advice: Duration?, least: Duration)] = [
            (nil, .seconds(10)), (.seconds(5), .seconds(10)), (.seconds(60), .seconds(60)), (hour, hour),
            (hour * 100, hour * 24),
        ]
        for (advice, least) in rows {
            let bench = try Bench(kind)
            let calls = Counter()
            let busy: Step.Action = { _ in if calls.increment() == 1 { throw Busy(retryAfter: advice) } }
            let policy = SagaRetry.attempts(2, backoff: .constant(.seconds(10)))
            let definition = bench.definition(b: step("b", bench.ledger, before: busy).retry(policy))
            guard case .waiting(let delay?) = try await bench.drive(definition) else {
                Issue.record("\(bench.events)")
                continue
            }
            #expect(least <= delay && delay <= least + least / 10, "\(advice as Any): \(delay)")
            bench.clock.advance(by: delay)
            #expect(try await bench.finish(on: bench.coordinator(definition)) == .completed)
        }
    }

    @Test(arguments: StoreKind.all)
    func `an event that came in time counts, also if nobody looked in time`(kind: StoreKind) async throws {
        let approval = SagaStep<Order, String>.event("approval", String.self, within: .seconds(60))
        for isSent in [true, false] {
            let bench = try Bench(kind)
            let definition = SagaDefinition<Order>("checkout", version: 1) {
                step("a", bench.ledger)
                approval
            }
            let sagas = bench.coordinator(definition)
            #expect(try await bench.drive(definition, on: sagas) == .waiting(.seconds(60)))
            bench.clock.advance(by: .seconds(60) - .nanoseconds(1))
            if isSent { try await sagas.signal("s1", approval, "Ada") }
            bench.clock.advance(by: .seconds(60))
            let result = try await bench.finish(on: sagas)
            #expect((result == .completed) == isSent)
            if !isSent, case .compensated(let cause) = result {
                #expect(cause.step == "approval" && cause.errorType.contains("SagaEventMissing"))
            }
        }
    }

    @Test(arguments: StoreKind.all)
    func `a timer ends at its time, neither early nor late, also across coordinators`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition(b: .timer("b", .seconds(3_600)))
        #expect(try await bench.drive(definition) == .waiting(.seconds(3_600)))
        bench.clock.advance(by: .seconds(3_600) - .nanoseconds(1))
        #expect(try await bench.coordinator(definition).recover() == [])
        bench.clock.advance(by: .nanoseconds(1))
        #expect(try await bench.coordinator(definition).recover().map(\.outcome) == [.ended(.completed)])
        #expect(bench.ledger.calls == ["+a1", "+c1"] && bench.events.contains("b done"))
    }

    /// A process that stays for so long only drives sagas under a deadline of its own.
    @Test func `a deadline around the coordinator is none of its steps'`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let seen = Locked([Duration?]())
        let look: Step.Action = { _ in seen.withLock { $0.append(Deadline.current?.remaining) } }
        let definition = bench.definition(
            a: look, b: step("b", bench.ledger, before: look).timeLimit(perAttempt: .seconds(100)))
        let sagas = bench.coordinator(definition)
        try await sagas.start(definition, id: "s1", input: Order())
        let around = Deadline.after(.seconds(10), clock: bench.clock)
        let outcomes = try await around.run { try await sagas.recover().map(\.outcome) }
        #expect(outcomes == [.ended(.completed)])
        #expect(seen.withLock { $0 } == [nil, .seconds(100)])
    }
}
