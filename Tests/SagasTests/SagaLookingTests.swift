// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import Sagas

/// Results, outputs, listings, and what is kept for how long.
@Suite(.timeLimit(.minutes(10))) struct SagaLookingTests {
    @Test(arguments: StoreKind.all)
    func `those who wait for a saga are told at once by the coordinator that ends it, and all of them`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let gate = Gate()
        let definition = bench.definition(a: { _ in await gate.pass() })
        let sagas = bench.coordinator(definition, clock: ManualClock())
        let saga = try await sagas.start(definition, id: "s1", input: Order())
        try await running(sagas) { () async throws in
            await gate.waitForArrivals()
            try await withThrowingTaskGroup(of: SagaResult.self) { group in
                for _ in 1...3 { group.addTask { try await saga.result() } }
                gate.open()
                // Its clock stands still: nobody is told by a look at the next second.
                for try await result in group { #expect(result == .completed) }
            }
            #expect(try await saga.result() == .completed)
        }
    }

    @Test(arguments: StoreKind.all)
    func `an end that another coordinator writes is found within a second`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let own = ManualClock()
        let office = bench.coordinator(definition, clock: own)
        let saga = try await office.start(definition, id: "s1", input: Order())
        async let result = saga.result()
        await own.waitForSleepers()
        #expect(try await bench.coordinator(definition).recover().map(\.outcome) == [.ended(.completed)])
        own.advance(by: .seconds(1))
        #expect(try await result == .completed)
        #expect(own.sleeperCount == 0)
    }

    @Test(arguments: StoreKind.all)
    func `giving up the wait for a result changes nothing for the saga`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let sagas = bench.coordinator(definition)
        let saga = try await sagas.start(definition, id: "s1", input: Order())
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await #expect(throws: CancellationError.self) { try await saga.result() } }
            await bench.clock.waitForSleepers()
            group.cancelAll()
        }
        #expect(bench.clock.sleeperCount == 0)
        #expect(try await sagas.recover().map(\.outcome) == [.ended(.completed)])
        let missing = SagaNotFound(sagaID: "s2")
        await #expect(throws: missing) { try await sagas.saga("s2").result() }
        await #expect(throws: missing) { try await sagas.saga("s2").status() }
        await #expect(throws: missing) { try await sagas.saga("s2").output(of: step("a", bench.ledger)) }
        #expect(try await sagas.status("s2") == nil)
        #expect(try await sagas.history("s2") == [])
    }

    @Test(arguments: StoreKind.all)
    func `a saga that is stuck has a result, and another one when it went on`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let parking = step("b", bench.ledger, ifUnknown: .park, after: { _ in throw Declined() })
        let definition = bench.definition(b: parking)
        let sagas = bench.coordinator(definition)
        try await running(sagas) { () async throws in
            let saga = try await sagas.start(definition, id: "s1", input: Order())
            #expect(try await saga.result().stuck?.reason == .outcomeUnknown)
            try await sagas.skip("b", of: "s1", reason: "it is there")
            await bench.reached("completed")
            #expect(try await saga.result() == .completed)
        }
    }

    @Test(arguments: StoreKind.all)
    func `a saga that is stuck and was asked for something has no result until it was heeded`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition(
            b: step("b", bench.ledger, ifUnknown: .park, after: { _ in throw Declined() }))
        let sagas = bench.coordinator(definition)
        #expect(try await bench.drive(definition, on: sagas) != nil)
        #expect(try await sagas.result("s1")?.stuck != nil)
        // Nothing waits for it.
        try await sagas.signal("s1", Step.event("news"))
        #expect(try await sagas.result("s1") == nil)
        _ = try await sagas.recover()
        #expect(try await sagas.result("s1")?.stuck != nil)
        try await sagas.skip("b", of: "s1", reason: "it is there")
        #expect(try await sagas.result("s1") == nil)
        _ = try await sagas.recover()
        #expect(try await sagas.result("s1") == .completed)
    }

    /// What steps give goes to later steps and to compensations, across coordinators, and is kept with the saga.
    @Test(arguments: StoreKind.all)
    func `outputs reach later steps, compensations and those who look`(kind: StoreKind) async throws {
        struct Receipt: Codable, Hashable, Sendable { var number: Int }
        let bench = try Bench(kind)
        let seen = Locked([String]())
        let note: @Sendable (String) -> Void = { text in seen.withLock { $0.append(text) } }
        let charge = SagaStep<Order, Receipt>("charge", ifUnknown: .reexecute) { _ in
            Receipt(number: 7)
        } compensation: { _, receipt in
            note("undo \(receipt?.number as Any)")
        }
        let probed = SagaStep<Order, Receipt>("probed", ifUnknown: .probe { _ in .applied(Receipt(number: 8)) }) { _ in
            throw Declined()
        } compensation: { _, receipt in
            note("undo \(receipt?.number as Any)")
        }
        let lost = SagaStep<Order, Receipt>("lost", ifUnknown: .reexecute) { context in
            note("\(try context.output(of: charge).number) \(try context.output(of: probed).number)")
            #expect(throws: SagaOutputMissing(step: "lost")) { try context.output(of: charge.named("lost")) }
            throw Declined()
        } compensation: { context, receipt in
            note("undo \(receipt?.number as Any) after \(try context.output(of: charge).number)")
        }
        let definition = SagaDefinition<Order>("checkout", version: 1) {
            charge
            probed
            lost
        }
        try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        // One coordinator dies when it has begun the last step, another one goes on.
        let dying = FailingStore(bench.store) { $0 == 4 ? .dies(applied: true) : .answers }
        _ = try? await bench.coordinator(definition, on: dying).recover()
        bench.clock.advance(by: .seconds(60))
        let sagas = bench.coordinator(definition)
        #expect(try await bench.finish(on: sagas)?.isCompensated == true)
        #expect(
            seen.withLock { $0 } == [
                "7 8", "undo nil after 7", "undo Optional(8)", "undo Optional(7)",
            ])
        let saga = sagas.saga("s1")
        #expect(try await saga.output(of: charge) == Receipt(number: 7))
        #expect(try await saga.output(of: probed) == Receipt(number: 8))
        await #expect(throws: SagaOutputMissing(step: "lost")) { try await saga.output(of: lost) }
        let other = SagaStep<Order, String>("charge", ifUnknown: .park) { _ in
            ""
        } compensation: { _, _ in
        }
        await #expect(throws: DecodingError.self) { try await saga.output(of: other) }
    }

    @Test func `a step of a group does not see what the others gave, on no attempt`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let seen = Locked([Int?]())
        let calls = Counter()
        let first = SagaStep<Order, Int>("first", ifUnknown: .reexecute) { _ in
            1
        } compensation: { _, _ in
        }
        let definition = SagaDefinition<Order>("checkout", version: 1) {
            SagaParallel {
                first
                step(
                    "second", bench.ledger,
                    before: { context in
                        let output = try? context.output(of: first)
                        seen.withLock { $0.append(output) }
                        if calls.increment() < 3 { throw Full() }
                    }
                ).retry(.attempts(3, backoff: .constant(.seconds(1))))
            }
            Step.reading("later") { context in
                let output = try context.output(of: first)
                seen.withLock { $0.append(output) }
            }
        }
        let sagas = bench.coordinator(definition)
        try await sagas.start(definition, id: "s1", input: Order())
        #expect(try await bench.finish(on: sagas) == .completed)
        #expect(seen.withLock { $0 } == [nil, nil, nil, 1])
    }

    @Test(arguments: StoreKind.all)
    func `an output that is too large counts as an unknown outcome`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let size = Counter()
        let large = SagaStep<Order, String>("large", ifUnknown: .reexecute) { _ in
            String(repeating: "x", count: 65_536 - 2 + size.increment() - 1)
        } compensation: { _, output in
            #expect(output == nil)
        }
        let definition = SagaDefinition<Order>("checkout", version: 1) { large }
        let sagas = bench.coordinator(definition)
        for (id, isTooLarge) in [("s1", false), ("s2", true)] {
            try await sagas.start(definition, id: id, input: Order())
            let result = try await bench.finish(id, on: sagas)
            #expect(result?.isCompensated == isTooLarge)
            if case .compensated(let cause) = result { #expect(cause.errorType.contains("SagaOutputTooLarge")) }
        }
        #expect(bench.events.contains("large unknown"))
    }

    @Test(arguments: StoreKind.all)
    func `lists go by start and by state, page by page, and statistics count each state`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definitions = [
            bench.definition("good"),
            bench.definition("bad", b: step("b", bench.ledger, before: { _ in throw Full() })),
            bench.definition("parked", b: step("b", bench.ledger, ifUnknown: .park, after: { _ in throw Declined() })),
            bench.definition("waiting", b: .event("go")),
        ]
        let sagas = bench.coordinator(definitions[0], definitions[1], definitions[2], definitions[3])
        for number in 0..<8 {
            try await sagas.start(definitions[number % 4], id: "s\(number)", input: Order())
            bench.clock.advance(by: .seconds(1))
        }
        #expect(try await sagas.statistics().counts == ["running": 8])
        let due = try await sagas.statistics()
        #expect(due.oldestDue.map { $0.duration(to: due.now) } == .seconds(8))
        _ = try await sagas.recover()
        #expect(
            try await sagas.statistics().counts == ["completed": 2, "compensated": 2, "stuck": 2, "running": 2])
        #expect(try await sagas.statistics().oldestDue == nil)
        let rows: [(SagaStatus.State?, [String])] = [
            (.completed, ["s0", "s4"]), (.compensated, ["s1", "s5"]), (.stuck, ["s2", "s6"]),
            (.running, ["s3", "s7"]), (.compensating, []), (.blocked, []), (nil, (0..<8).map { "s\($0)" }),
        ]
        for (state, expected) in rows {
            var (found, next) = ([SagaStatus](), UInt64?.none)
            repeat {
                let page = try await sagas.list(state, after: next, limit: 3)
                #expect(page.sagas.count <= 3 && page.unreadable.isEmpty)
                found += page.sagas
                next = page.next
            } while next != nil
            #expect(found.map(\.sagaID) == expected, "\(state as Any)")
            #expect(found.map(\.startedAt) == found.map(\.startedAt).sorted())
            for saga in found { #expect(try await sagas.status(saga.sagaID) == saga) }
        }
        await #expect(throws: StoreError.self) { try await sagas.list(limit: 1_001) }
    }

    @Test(arguments: StoreKind.all)
    func `the status says where a saga stands, who has it and when it goes on`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let (gate, failures) = (Gate(), Counter())
        let definition = SagaDefinition<Order>("trip", version: 3) {
            SagaParallel {
                step("hotel", bench.ledger, before: { _ in await gate.pass() })
                step("car", bench.ledger, before: { _ in if failures.increment() == 1 { throw Full() } })
                    .retry(.attempts(2, backoff: .constant(.seconds(30))))
            }
        }
        let sagas = bench.coordinator(definition)
        let saga = try await sagas.start(definition, id: "s1", input: Order())
        let fresh = try await saga.status()
        #expect(fresh.state == .running && fresh.dueIn == .zero && !fresh.isHeld && fresh.definition.version == 3)
        #expect(fresh.steps.map(\.name) == ["hotel", "car"] && fresh.steps.allSatisfy { $0.attempts == 0 })
        try await running(sagas) { () async throws in
            await gate.waitForArrivals()
            await bench.reached("car notApplied")
            let status = try await saga.status()
            #expect(status.isHeld && status.steps.map(\.attempts) == [1, 1])
            #expect(status.steps.map { $0.lastFailure?.step } == [nil, "car"])
            gate.open()
            await bench.reached("waiting 30.0 seconds")
            let waiting = try await saga.status()
            #expect(!waiting.isHeld && waiting.dueIn == .seconds(30) && waiting.steps.map(\.name) == ["car"])
        }
        bench.clock.advance(by: .seconds(30))
        #expect(try await bench.finish(on: bench.coordinator(definition)) == .completed)
        let status = try await saga.status()
        #expect(status.state == .completed && status.steps.isEmpty && status.dueIn == nil)
    }

    @Test(arguments: StoreKind.all)
    func `a finished saga goes with its whole history when its time is up, and leaves no mailbox`(
        kind: StoreKind
    ) async throws {
        for goesBack in [false, true] {
            let bench = try Bench(kind)
            let go = Step.event("go")
            let definition = bench.definition(
                b: go, c: step("c", bench.ledger, before: { _ in if goesBack { throw Full() } }))
            let sagas = SagaCoordinator(
                "shop", store: bench.store, definitions: definition, retention: .seconds(1_000), clock: bench.clock)
            try await sagas.start(definition, id: "s1", input: Order())
            _ = try await sagas.recover()
            // What was written long before the end stays as long as the end.
            bench.clock.advance(by: .seconds(5_000))
            try await sagas.signal("s1", go)
            _ = try await sagas.recover()
            let history = try await sagas.history("s1")
            let kinds: [SagaEntry.Kind] =
                goesBack
                ? [.succeeded, .signalled, .succeeded, .notApplied, .compensated]
                : [.succeeded, .signalled, .succeeded, .succeeded]
            #expect(history.map(\.kind) == kinds)
            let (first, last) = (try #require(history.first?.at), try #require(history.last?.at))
            #expect(first.duration(to: last) == .seconds(5_000))
            #expect(try await bench.store.scan("saga-mail/shop", state: nil, after: nil, limit: 10).records == [])
            bench.clock.advance(by: .seconds(1_000) - .nanoseconds(1))
            #expect(try await sagas.history("s1") == history)
            bench.clock.advance(by: .nanoseconds(1))
            #expect(try await bench.everything() == [])
            #expect(try await sagas.status("s1") == nil)
        }
    }
}

extension SagaStep {
    /// A step of the same types under another name.
    fileprivate func named(_ name: String) -> SagaStep {
        SagaStep(name, kind, ifUnknown, coding, classify, action, compensation)
    }
}
