// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Sagas
import Testing

/// Sagas that go on under another version than the one with which they were started.
@Suite struct SagaMigrationTests {
    private static let approval = Step.event("approval")

    /// What the newer version is, and whether a saga that took `a` and waits for the approval goes on under it.
    enum Newer: String, CaseIterable {
        case stepsAdded
        case stepRemovedThatWasTaken
        case takenStepMovedBehind
        case placeIsGone
        case placeIsInAGroup
        case pivotBeforeThePlace
        case placeIsNoEvent

        var goesOn: Bool { self == .stepsAdded }

        func definition(_ ledger: Ledger) -> SagaDefinition<Order> {
            let a = step("a", ledger)
            return switch self {
            case .stepsAdded:
                SagaDefinition("order", version: 2) {
                    step("zero", ledger)
                    a
                    approval
                    step("b", ledger)
                    step("c", ledger)
                }
            case .stepRemovedThatWasTaken:
                SagaDefinition("order", version: 2) {
                    approval
                    step("b", ledger)
                }
            case .takenStepMovedBehind:
                SagaDefinition("order", version: 2) {
                    approval
                    a
                    step("b", ledger)
                }
            case .placeIsGone:
                SagaDefinition("order", version: 2) {
                    a
                    step("b", ledger)
                }
            case .placeIsInAGroup:
                SagaDefinition("order", version: 2) {
                    a
                    SagaParallel {
                        approval
                        step("b", ledger)
                    }
                }
            case .pivotBeforeThePlace:
                SagaDefinition("order", version: 2) {
                    a
                    Step.pivot("pay", ifUnknown: .reexecute) { ledger.act($0) }
                    approval
                }
            case .placeIsNoEvent:
                SagaDefinition("order", version: 2) {
                    a
                    step("approval", ledger)
                }
            }
        }
    }

    private func older(_ ledger: Ledger, b: @escaping Step.Action = { _ in }) -> SagaDefinition<Order> {
        SagaDefinition("order", version: 1) {
            step("a", ledger)
            Self.approval
            step("b", ledger, before: b)
        }
    }

    @Test(arguments: Newer.allCases, StoreKind.all)
    func `a saga goes over where that does no harm, and stays blocked elsewhere`(
        _ newer: Newer, _ kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let older = older(bench.ledger)
        #expect(try await bench.drive(older) == .waiting(nil))
        let definition = newer.definition(bench.ledger)
        let sagas = SagaCoordinator(
            "shop", store: bench.store, definitions: definition, migrations: [SagaMigration("order", from: 1, to: 2)],
            clock: bench.clock)
        try await sagas.signal("s1", Self.approval)
        let outcome = try await sagas.recover(limit: 1).first?.outcome
        let history = try await sagas.history("s1")
        if newer.goesOn {
            #expect(outcome == .ended(.completed))
            #expect(bench.ledger.standing == ["a", "b", "c"])
            #expect(history.map(\.kind) == [.succeeded, .migrated, .signalled, .succeeded, .succeeded, .succeeded])
            #expect(try await sagas.status("s1")?.definition == definition.shape)
        } else {
            #expect(outcome == .blocked)
            #expect(bench.ledger.calls == ["+a1"])
            // Nothing is lost: whoever knows the older version takes it up.
            bench.clock.advance(by: .seconds(60))
            #expect(try await bench.coordinator(older).recover().map(\.outcome) == [.ended(.completed)])
        }
    }

    @Test func `a saga that goes back also undoes steps that the newer version has before its place`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let older = older(bench.ledger)
        #expect(try await bench.drive(older) == .waiting(nil))
        let definition = Newer.stepsAdded.definition(bench.ledger)
        let sagas = SagaCoordinator(
            "shop", store: bench.store, definitions: definition, migrations: [SagaMigration("order", from: 1, to: 2)],
            clock: bench.clock)
        try await sagas.start(definition, id: "s1", input: Order())
        try await sagas.abort("s1", reason: "not wanted")
        guard case .ended(.compensated) = try await sagas.recover().first?.outcome else {
            Issue.record("\(bench.ledger.calls)")
            return
        }
        #expect(bench.ledger.calls == ["+a1", "-a1", "-zero1"])
        #expect(bench.ledger.standing == [])
    }

    /// A saga that is held up in its second stage, and a newer version in which its steps are of other kinds.
    enum Change: String, CaseIterable {
        case undoneStepBecomesReading
        case undoneStepBecomesPivot
        case doubtfulStepBecomesReading
        case calledStepBecomesEvent
        case takenStepBecomesTimer
        case waitBecomesStep
        case groupThatTurnsBackIsPastThePivot

        /// What the older version does, and what its saga is held up in.
        func older(_ ledger: Ledger) -> SagaDefinition<Order> {
            let calls = Counter()
            @Sendable func failing(_ name: String, _ rule: Rule = .park) -> Step {
                Step(name, ifUnknown: rule) { context in
                    ledger.act(context)
                    throw Declined()
                } compensation: { context in
                    if calls.increment() == 1 { throw Declined() }
                    ledger.undo(context)
                }
            }
            let a = step("a", ledger)
            return switch self {
            case .undoneStepBecomesReading, .undoneStepBecomesPivot:
                SagaDefinition("order", version: 1) {
                    a
                    failing("b", .reexecute)
                }
            case .doubtfulStepBecomesReading, .calledStepBecomesEvent, .takenStepBecomesTimer:
                SagaDefinition("order", version: 1) {
                    a
                    failing("b")
                }
            case .waitBecomesStep:
                SagaDefinition("order", version: 1) {
                    a
                    Step.event("b", within: .seconds(3_600))
                }
            case .groupThatTurnsBackIsPastThePivot:
                SagaDefinition("order", version: 1) {
                    a
                    SagaParallel {
                        failing("b")
                        step("c", ledger, before: { _ in throw Full() })
                    }
                }
            }
        }

        func newer(_ ledger: Ledger) -> SagaDefinition<Order> {
            let (a, b): (Step, Step) =
                switch self {
                case .undoneStepBecomesReading, .doubtfulStepBecomesReading:
                    (step("a", ledger), .reading("b") { _ in })
                case .undoneStepBecomesPivot:
                    (step("a", ledger), .pivot("b", ifUnknown: .reexecute) { ledger.act($0) })
                case .calledStepBecomesEvent: (step("a", ledger), .event("b"))
                case .takenStepBecomesTimer: (.timer("a", .seconds(1)), step("b", ledger))
                case .waitBecomesStep: (step("a", ledger), step("b", ledger))
                case .groupThatTurnsBackIsPastThePivot:
                    (
                        .pivot("a", ifUnknown: .reexecute) { ledger.act($0) },
                        .retriable("b", ifUnknown: .park) { ledger.act($0) }
                    )
                }
            guard self == .groupThatTurnsBackIsPastThePivot else {
                return SagaDefinition("order", version: 2) {
                    a
                    b
                }
            }
            return SagaDefinition("order", version: 2) {
                a
                SagaParallel {
                    b
                    Step.retriable("c", ifUnknown: .reexecute) { ledger.act($0) }
                }
            }
        }
    }

    @Test(arguments: Change.allCases)
    func `a saga whose steps are of other kinds stays blocked where something would not be undone, or not waited for`(
        _ change: Change
    ) async throws {
        let bench = try Bench(StoreKind.all[0])
        let older = change.older(bench.ledger)
        _ = try await bench.drive(older)
        let (calls, standing) = (bench.ledger.calls, bench.ledger.standing)
        let newer = change.newer(bench.ledger)
        let sagas = SagaCoordinator(
            "shop", store: bench.store, definitions: newer, migrations: [SagaMigration("order", from: 1, to: 2)],
            clock: bench.clock)
        if try await sagas.saga("s1").status().state == .stuck {
            try await sagas.retry("s1", reason: "looked at")
        } else {
            bench.clock.advance(by: .seconds(3_600))
        }
        #expect(try await sagas.recover(limit: 1).map(\.outcome) == [.blocked])
        #expect(bench.ledger.calls == calls && bench.ledger.standing == standing)
    }

    @Test func `versions that lead to each other do not go on for ever`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let older = older(bench.ledger)
        #expect(try await bench.drive(older) == .waiting(nil))
        let newer = Newer.stepsAdded.definition(bench.ledger)
        let coordinators = [
            SagaCoordinator(
                "shop", store: bench.store, definitions: newer, migrations: [SagaMigration("order", from: 1, to: 2)],
                clock: bench.clock),
            SagaCoordinator(
                "shop", store: bench.store, definitions: older, migrations: [SagaMigration("order", from: 2, to: 1)],
                clock: bench.clock),
        ]
        var outcomes: [RecoveredSaga.Outcome] = []
        for turn in 0...10 {
            let sagas = coordinators[turn % 2]
            try await sagas.signal("s1", Step.event("other\(turn)"))
            outcomes += try await sagas.recover(limit: 1).map(\.outcome)
        }
        #expect(outcomes == Array(repeating: .waiting(nil), count: 10) + [.blocked])
        #expect(try await coordinators[0].history("s1").count { $0.kind == .migrated } == 10)
    }
}
