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

@Suite struct SagaCoordinatorTests {
    @Test(arguments: StoreKind.all)
    func `steps run in order, once, with their own keys, and events tell it`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let sagas = bench.coordinator()
        #expect(try await sagas.execute(bench.definition(), id: "s", input: Order(item: "pen")) == .completed)
        #expect(bench.ledger.calls == ["+a1", "+b1", "+c1"])
        #expect(bench.ledger.state.withLock { $0.inputs } == [Order(item: "pen")])
        #expect(bench.ledger.state.withLock { $0.keys["+b"] } == ["s/b/forward"])
        #expect(bench.events == ["started", "+a1", "a done", "+b1", "b done", "+c1", "c done", "completed"])
        let history = try await sagas.history("s")
        #expect(history.map(\.step) == ["a", "b", "c"])
        #expect(history.allSatisfy { $0.result == .succeeded && $0.attempts == 1 })
        // A late call finds it, and runs nothing.
        #expect(try await sagas.execute(bench.definition(), id: "s", input: Order(item: "pen")) == .completed)
        #expect(bench.ledger.calls.count == 3)
    }

    final class Seen: Sendable {
        let rows = Locked([(commits: Int, step: String?)]())
    }

    @Test(arguments: StoreKind.all)
    func `there is one commit between two actions, and each step has begun before it runs`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let store = FailingStore(bench.store) { _ in .answers }
        let sagas = bench.coordinator(on: store)
        let seen = Seen()
        let look: SagaStep<Order>.Action = { _ in
            let status = try await sagas.status("s")
            seen.rows.withLock { $0.append((store.commits, status?.step)) }
        }
        let definition = SagaDefinition<Order>("d", version: 1) {
            step("a", bench.ledger, before: look, undoing: look)
            step("b", bench.ledger, before: look, undoing: look)
            step("c", bench.ledger, before: look, after: { _ in throw Declined() }, undoing: look)
        }
        guard case .compensated(let failure) = try await sagas.execute(definition, id: "s", input: Order()) else {
            Issue.record("c failed")
            return
        }
        #expect(failure.step == "c" && failure.error is Declined && failure.errorType == "SagasTests.Declined")
        #expect(seen.rows.withLock { $0.map(\.commits) } == [1, 2, 3, 4, 5, 6])
        #expect(seen.rows.withLock { $0.map(\.step) } == ["a", "b", "c", "c", "b", "a"])
        #expect(bench.ledger.calls == ["+a1", "+b1", "+c1", "-c1", "-b1", "-a1"])
        #expect(bench.ledger.state.withLock { $0.keys["-b"] } == ["s/b/compensation"])
        #expect(
            bench.events == [
                "started", "+a1", "a done", "+b1", "b done", "+c1", "c unknown", "-c1", "c undone", "-b1", "b undone",
                "-a1", "a undone", "compensated",
            ])
        #expect(
            try await sagas.history("s").map { "\($0.step) \($0.result)" } == [
                "a succeeded", "b succeeded", "c failed", "c compensated", "b compensated", "a compensated",
            ])
    }

    struct Rule: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let ifUnknown: SagaUnknownRule<Order>
        let classify: (@Sendable (any Error) -> SagaErrorKind?)?
        let error: any Error
        let calls: [String]
        let outcome: String

        init(
            _ name: String, _ ifUnknown: SagaUnknownRule<Order>, _ error: any Error,
            classify: (@Sendable (any Error) -> SagaErrorKind?)? = nil, _ calls: [String], _ outcome: String
        ) {
            (testDescription, self.ifUnknown, self.error) = (name, ifUnknown, error)
            (self.classify, self.calls, self.outcome) = (classify, calls, outcome)
        }

        static func probe(_ answer: SagaProbeAnswer) -> SagaUnknownRule<Order> { .probe { _ in answer } }
        static let back = ["+a1", "+b1", "-b1", "-a1"]
        static let without = ["+a1", "+b1", "-a1"]
        static let on = ["+a1", "+b1", "+c1"]
        static let halt = ["+a1", "+b1"]

        static let all = [
            Rule("unknown, reexecute", .reexecute, Declined(), back, "compensated"),
            Rule("unknown, probe: applied", probe(.applied), Declined(), on, "completed"),
            Rule("unknown, probe: not applied", probe(.notApplied), Declined(), without, "compensated"),
            Rule("unknown, probe: unknown", probe(.unknown), Declined(), halt, "stuck"),
            Rule("unknown, park", .park, Declined(), halt, "stuck"),
            Rule("not applied, reexecute", .reexecute, Full(), without, "compensated"),
            Rule("not applied, probe", probe(.unknown), Full(), without, "compensated"),
            Rule("not applied, park", .park, Full(), without, "compensated"),
            Rule("failed, park", .park, Declined(), classify: { _ in .failed }, back, "compensated"),
            Rule(
                "classified as not applied, park", .park, Declined(), classify: { _ in .notApplied }, without,
                "compensated"),
            Rule("the classification beats the proof", .park, Full(), classify: { _ in .unknown }, halt, "stuck"),
            Rule("not classified, not applied", .park, Full(), classify: { _ in nil }, without, "compensated"),
            Rule("not classified, unknown", .park, Declined(), classify: { _ in nil }, halt, "stuck"),
            Rule(
                "a foreign cancellation is an error like any other", .reexecute, CancellationError(), back,
                "compensated"),
        ]
    }

    @Test(arguments: StoreKind.all, Rule.all)
    func `what an error says decides how far a saga goes back`(kind: StoreKind, rule: Rule) async throws {
        for isDefault in [false, true] {
            let bench = try Bench(kind)
            let bent = step(
                "b", bench.ledger, ifUnknown: rule.ifUnknown, classify: isDefault ? nil : rule.classify,
                after: { _ in throw rule.error })
            let definition = SagaDefinition<Order>(
                "d", version: 1, classify: isDefault ? rule.classify : nil,
                steps: [step("a", bench.ledger), bent, step("c", bench.ledger)])
            let outcome = try await bench.coordinator().execute(definition, id: "s", input: Order())
            #expect("\(outcome)".hasPrefix(rule.outcome))
            #expect(bench.ledger.calls == rule.calls)
            #expect(try await bench.coordinator().status("s")?.outcome == outcome)
        }
    }

    @Test(arguments: StoreKind.all)
    func `a saga answers to its own input and definition alone, and runs nothing otherwise`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let sagas = bench.coordinator()
        _ = try await sagas.execute(bench.definition(), id: "s", input: Order())
        await #expect(throws: SagaMismatch(sagaID: "s")) {
            try await sagas.execute(bench.definition(), id: "s", input: Order(item: "pen"))
        }
        for other in [
            bench.definition("other"), bench.definition(version: 2), bench.definition(b: step("renamed", bench.ledger)),
        ] {
            await #expect(
                throws: SagaDefinitionMismatch(sagaID: "s", standing: bench.definition().shape, given: other.shape)
            ) { try await sagas.execute(other, id: "s", input: Order()) }
        }
        #expect(bench.ledger.calls.count == 3)
        #expect(try await bench.coordinator(name: "elsewhere").status("s") == nil)
    }

    @Test func `a definition whose step names are not unique does not come to be`() async {
        await #expect(processExitsWith: .failure) {
            let twice = SagaStep<Order>("a", ifUnknown: .park) { _ in }
            _ = SagaDefinition("d", version: 1, steps: [twice, twice])
        }
        await #expect(processExitsWith: .failure) { _ = SagaStep<Order>("a/b", ifUnknown: .park) { _ in } }
    }

    @Test(arguments: StoreKind.all)
    func `a set in the input is the same set in whatever order it was written`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let runs = Counter()
        let definition = SagaDefinition<Set<Int>>("sets", version: 1) {
            SagaStep("only", ifUnknown: .park) { _ in _ = runs.increment() }
        }
        for count in 0..<20 {
            var set = Set<Int>(minimumCapacity: 8 << count % 8)
            for number in 0..<20 { set.insert(count.isMultiple(of: 2) ? number : 19 - number) }
            #expect(try await bench.coordinator().execute(definition, id: "s", input: set) == .completed)
        }
        #expect(runs.increment() == 2)
    }

    @Test(arguments: StoreKind.all)
    func `what exceeds a limit is refused, and nothing is stored`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let sagas = bench.coordinator()
        for (id, item, field) in [
            ("", "", "saga id"), (String(repeating: "x", count: 129), "", "saga id"), ("a b", "", "byte of saga id"),
            ("é", "", "byte of saga id"), ("s", String(repeating: "x", count: 65_536), "input"),
        ] {
            let error = await #expect(throws: StoreError.self) {
                try await sagas.execute(bench.definition(), id: id, input: Order(item: item))
            }
            guard case .refused(let input) = error else {
                Issue.record("\(field): \(String(describing: error))")
                continue
            }
            #expect(input.field == field)
        }
        #expect(try await sagas.list().sagas.isEmpty && bench.ledger.calls.isEmpty)
    }

    @Test(arguments: StoreKind.all)
    func `a finished saga is kept for 30 days with its history, a stuck one for good`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let sagas = bench.coordinator()
        let parked = bench.definition(b: step("b", bench.ledger, ifUnknown: .park, after: { _ in throw Declined() }))
        let failing = bench.definition(c: step("c", bench.ledger, before: { _ in throw Full() }))
        _ = try await sagas.execute(bench.definition(), id: "done", input: Order())
        _ = try await sagas.execute(failing, id: "undone", input: Order())
        _ = try await sagas.execute(parked, id: "stuck", input: Order())
        bench.clock.advance(by: .seconds(30 * 86_400 - 1))
        #expect(try await sagas.history("done").count == 3)
        #expect(try await sagas.history("undone").count == 5)
        #expect(try await sagas.list().sagas.map(\.sagaID) == ["done", "undone", "stuck"])
        bench.clock.advance(by: .seconds(1))
        #expect(try await sagas.list().sagas.map(\.sagaID) == ["stuck"])
        #expect(try await sagas.list(.stuck).sagas.map(\.state) == [.stuck])
        #expect(try await sagas.history("stuck").map(\.step) == ["a"])
        // Nothing of the old one is in the way of a new one.
        #expect(try await bench.store.statistics(of: "saga-steps/shop").counts == ["succeeded": 1])
        #expect(try await sagas.execute(bench.definition(), id: "done", input: Order()) == .completed)
    }

    @Test(arguments: StoreKind.all, [true, false])
    func `after an unknown outcome of any commit one look tells whether it is in`(
        kind: StoreKind, applied: Bool
    ) async throws {
        for number in 1...6 {
            let bench = try Bench(kind)
            let store = FailingStore(bench.store) { $0 == number ? .uncertain(applied: applied) : .answers }
            let sagas = bench.coordinator(on: store)
            let definition = bench.definition(c: step("c", bench.ledger, before: { _ in throw Full() }))
            if applied {
                let outcome = try await sagas.execute(definition, id: "s", input: Order())
                #expect("\(outcome)".hasPrefix("compensated"), "commit \(number)")
                #expect(bench.ledger.calls == ["+a1", "+b1", "-b1", "-a1"])
                bench.clock.advance(by: .seconds(31 * 86_400))
                #expect(try await bench.store.statistics(of: "saga-steps/shop").counts.isEmpty, "commit \(number)")
            } else {
                await #expect(throws: StoreError.self) { try await sagas.execute(definition, id: "s", input: Order()) }
                bench.clock.advance(by: .seconds(60))
                let outcome = try await sagas.execute(definition, id: "s", input: Order())
                #expect("\(outcome)".hasPrefix("compensated"), "commit \(number)")
            }
            #expect(bench.ledger.standing == [])
        }
    }
}
