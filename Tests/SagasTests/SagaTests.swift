// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Sagas
import Synchronization
import Testing

@Suite struct `A saga` {
    @Test(arguments: StoreKind.all)
    func `takes its steps in order and completes`(_ kind: StoreKind) async throws {
        let bench = try Bench(kind)
        #expect(try await bench.drive(bench.definition()) == .ended(.completed))
        #expect(bench.ledger.calls == ["+a1", "+b1", "+c1"])
        #expect(bench.ledger.standing == ["a", "b", "c"])
        #expect(
            bench.events
                == ["started", "+a1", "a done", "+b1", "b done", "+c1", "c done", "completed"])
    }

    @Test(arguments: StoreKind.all)
    func `goes back when a step fails, and undoes that step as well`(_ kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition(b: step("b", bench.ledger, after: { _ in throw Declined() }))
        let outcome = try await bench.drive(definition)
        guard case .ended(.compensated(let cause)) = outcome else { Issue.record("\(outcome as Any)"); return }
        #expect(cause.step == "b")
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b1", "-a1"])
        #expect(bench.ledger.standing == [])
    }

    @Test(arguments: StoreKind.all)
    func `takes the steps of a group together, and undoes them together`(_ kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let (hotel, car) = (step("hotel", bench.ledger), step("car", bench.ledger))
        let definition = SagaDefinition<Order>("trip", version: 1) {
            step("flight", bench.ledger)
            SagaParallel {
                hotel
                car
            }
            Step.pivot("pay", ifUnknown: .reexecute) { _ in throw Full() }
        }
        guard case .ended(.compensated(let cause)) = try await bench.drive(definition) else {
            Issue.record("\(bench.events)")
            return
        }
        #expect(cause.step == "pay")
        #expect(bench.ledger.standing == [])
        #expect(Set(bench.ledger.calls) == ["+flight1", "+hotel1", "+car1", "-hotel1", "-car1", "-flight1"])
        #expect(bench.ledger.calls.last == "-flight1")
    }

    @Test(arguments: StoreKind.all)
    func `waits for an event, gives it to later steps, and calls what follows the pivot until it succeeds`(
        _ kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let counter = Counter()
        let approval = SagaStep<Order, String>.event("approval", String.self, within: .seconds(60))
        let total = SagaStep<Order, Int>("total", ifUnknown: .reexecute) { _ in
            42
        } compensation: { _, _ in
        }
        let seen = Locked([String]())
        let definition = SagaDefinition<Order>("order", version: 1) {
            total
            approval
            Step.pivot("pay", ifUnknown: .reexecute) { context in
                let (who, sum) = (try context.output(of: approval), try context.output(of: total))
                seen.withLock { $0.append("\(who) \(sum)") }
            }
            Step.retriable("ship", ifUnknown: .reexecute) { _ in
                if counter.increment() < 3 { throw Declined() }
            }.retry(.unlimited(backoff: .constant(.seconds(10))))
        }
        let coordinator = bench.coordinator(definition)
        #expect(try await bench.drive(definition, on: coordinator) == .waiting(.seconds(60)))
        try await coordinator.signal("s1", approval, "Ada")
        #expect(try await coordinator.recover().map(\.outcome) == [.waiting(.seconds(10))])
        bench.clock.advance(by: .seconds(10))
        #expect(try await coordinator.recover().map(\.outcome) == [.waiting(.seconds(10))])
        bench.clock.advance(by: .seconds(10))
        #expect(try await coordinator.recover().map(\.outcome) == [.ended(.completed)])
        #expect(seen.withLock { $0 } == ["Ada 42"])
    }
}
