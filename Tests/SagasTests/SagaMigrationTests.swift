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
}
