// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import Sagas

/// What people ask for.
@Suite(.timeLimit(.minutes(10))) struct SagaVerbTests {
    enum Verb: CaseIterable { case retry, skip, abort }

    /// Where a saga stands when somebody asks for something.
    enum Place: CaseIterable {
        /// Nobody has taken it up yet.
        case fresh
        /// `b` waits for its next call.
        case waiting
        /// `b` is stuck, because nobody knows what became of it.
        case parked
        /// The compensation of `b` is stuck.
        case undoing
        /// An event is waited for.
        case listening
        /// A step after the pivot is stuck.
        case past
        case completed
        case compensated
    }

    /// A bench with a saga at that place, and its coordinator; what stands in the way is gone then.
    private func bring(_ place: Place, _ kind: StoreKind) async throws -> (Bench, SagaCoordinator) {
        let bench = try Bench(kind)
        let isBroken = Locked(true)
        let fail: Step.Action = { _ in if isBroken.withLock({ $0 }) { throw Declined() } }
        let definition: SagaDefinition<Order> =
            switch place {
            case .fresh, .completed: bench.definition()
            case .waiting:
                bench.definition(
                    b: step("b", bench.ledger, after: fail).retry(.unlimited(backoff: .constant(.seconds(60)))))
            case .parked: bench.definition(b: step("b", bench.ledger, ifUnknown: .park, after: fail))
            case .undoing:
                bench.definition(
                    b: step("b", bench.ledger, undoing: fail).retryCompensation(.never),
                    c: step("c", bench.ledger, before: { _ in throw Full() }))
            case .listening: bench.definition(b: .event("b"))
            case .past:
                SagaDefinition<Order>("checkout", version: 1) {
                    step("a", bench.ledger)
                    Step.pivot("pay", ifUnknown: .reexecute) { bench.ledger.act($0) }
                    Step.retriable("b", ifUnknown: .reexecute) { context in
                        try await fail(context)
                        bench.ledger.act(context)
                    }.retry(.never)
                }
            case .compensated: bench.definition(b: step("b", bench.ledger, before: { _ in throw Full() }))
            }
        let sagas = bench.coordinator(definition)
        try await sagas.start(definition, id: "s1", input: Order())
        if place != .fresh { _ = try await sagas.recover() }
        isBroken.withLock { $0 = false }
        return (bench, sagas)
    }

    /// What each verb does at each place, as the saga ends; `nil` where it is refused.
    // Case 86, and after case 85.
    @Test(arguments: StoreKind.all, Place.allCases)
    func `a verb does what it says where that is possible, is kept in the history, and is refused elsewhere`(
        kind: StoreKind, place: Place
    ) async throws {
        let expected: [Verb: (standing: [String], isCompleted: Bool)] =
            switch place {
            case .fresh: [.abort: ([], false)]
            case .waiting, .parked:
                [.retry: (["a", "b", "c"], true), .skip: (["a", "b", "c"], true), .abort: ([], false)]
            case .undoing: [.retry: ([], false), .skip: (["b"], false)]
            case .listening: [.skip: (["a", "c"], true), .abort: ([], false)]
            case .past: [.retry: (["a", "pay", "b"], true), .skip: (["a", "pay"], true)]
            case .completed, .compensated: [:]
            }
        for verb in Verb.allCases {
            let (bench, sagas) = try await bring(place, kind)
            let before = try await bench.everything()
            func ask() async throws {
                switch verb {
                case .retry: try await sagas.retry("s1", reason: "because")
                case .skip: try await sagas.skip("b", of: "s1", reason: "because")
                case .abort: try await sagas.abort("s1", reason: "because")
                }
            }
            guard let row = expected[verb] else {
                await #expect(throws: SagaVerbRefused.self, "\(verb) at \(place)") { try await ask() }
                #expect(try await bench.everything() == before)
                continue
            }
            try await ask()
            let result = try await bench.finish(on: sagas)
            #expect((result == .completed) == row.isCompleted, "\(verb) at \(place): \(result as Any)")
            #expect(result?.stuck == nil && bench.ledger.standing == row.standing, "\(verb) at \(place)")
            let wanted: SagaEntry.Kind = verb == .retry ? .retried : verb == .skip ? .skipped : .aborted
            let entry = try await sagas.history("s1").first { $0.kind == wanted }
            #expect(entry?.reason == "because" && entry?.at != nil, "\(verb) at \(place)")
            #expect(entry?.step == (verb == .skip ? "b" : nil))
            #expect(bench.events.contains("heeded \(wanted)"))
            if verb == .abort, case .compensated(let cause) = result {
                #expect(cause.message == "aborted: because")
            }
        }
    }

    @Test(arguments: StoreKind.all)
    func `what is asked of a saga that is held is decided by its holder, and kept also if it is refused`(
        kind: StoreKind
    ) async throws {
        for verb in Verb.allCases {
            let bench = try Bench(kind)
            let gate = Gate()
            let definition = bench.definition(b: step("b", bench.ledger, after: { _ in await gate.pass() }))
            let sagas = bench.coordinator(definition)
            // The one who asks knows nothing of the one who holds it.
            let office = bench.coordinator(definition)
            let result = try await running(sagas) { () async throws in
                let saga = try await sagas.start(definition, id: "s1", input: Order())
                await gate.waitForArrivals()
                let holder = try await bench.header()?.holder
                switch verb {
                case .retry: try await office.retry("s1", reason: "because")
                case .skip: try await office.skip("b", of: "s1", reason: "because")
                case .abort: try await office.abort("s1", reason: "because")
                }
                #expect(try await bench.header()?.holder == holder)
                gate.open()
                return try await saga.result()
            }
            if verb == .abort {
                #expect(result.isCompensated && bench.ledger.calls == ["+a1", "+b1", "-b1", "-a1"])
            } else {
                #expect(result == .completed && bench.events.contains("refused because"))
                #expect(try await office.history("s1").contains { $0.kind == .refused && $0.reason == "because" })
            }
            #expect(!bench.events.contains("lost"))
            #expect(try await bench.store.read([RecordID("saga-mail/shop", "s1")]).records == [nil])
        }
    }

    @Test(arguments: StoreKind.all)
    func `verbs to no saga and reasons too long are refused`(kind: StoreKind) async throws {
        let (bench, sagas) = try await bring(.parked, kind)
        let long = String(repeating: "x", count: 1_025)
        await #expect(throws: SagaNotFound(sagaID: "s2")) { try await sagas.retry("s2", reason: "") }
        await #expect(throws: SagaNotFound(sagaID: "s2")) { try await sagas.skip("b", of: "s2", reason: "") }
        await #expect(throws: SagaNotFound(sagaID: "s2")) { try await sagas.abort("s2", reason: "") }
        await #expect(throws: StoreError.self) { try await sagas.retry("s1", reason: long) }
        await #expect(throws: StoreError.self) { try await sagas.abort("s1", reason: long) }
        await #expect(throws: SagaVerbRefused.self) { try await sagas.skip("c", of: "s1", reason: "") }
        for name in ["", String(repeating: "x", count: 65)] {
            await #expect(throws: StoreError.self) { try await sagas.skip(name, of: "s1", reason: "") }
        }
        #expect(try await bench.store.read([RecordID("saga-mail/shop", "s1")]).records == [nil])
    }

    @Test(arguments: StoreKind.all)
    func `what waits for its next call is called at once, and a timer waits on`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let isBroken = Locked(true)
        let b = step("b", bench.ledger, before: { _ in if isBroken.withLock({ $0 }) { throw Full() } })
            .retry(.attempts(3, backoff: .constant(.seconds(500))))
        let definition = SagaDefinition<Order>("checkout", version: 1) {
            SagaParallel {
                b
                Step.timer("pause", .seconds(1_000))
            }
        }
        let sagas = bench.coordinator(definition)
        #expect(try await bench.drive(definition, on: sagas) == .waiting(.seconds(500)))
        isBroken.withLock { $0 = false }
        try await sagas.retry("s1", reason: "it is back")
        #expect(try await sagas.recover().map(\.outcome) == [.waiting(.seconds(1_000))])
        #expect(bench.ledger.calls == ["+b2"])
        await #expect(throws: SagaVerbRefused.self) { try await sagas.retry("s1", reason: "sooner") }
    }

    /// A pivot of which nobody knows whether it took effect, of a saga that is to go back.
    @Test(arguments: StoreKind.all, [true, false])
    func `a pivot that is stuck although the saga is to go back can be said to have taken no effect`(
        kind: StoreKind, byDeadline: Bool
    ) async throws {
        let bench = try Bench(kind)
        let definition = SagaDefinition<Order>("checkout", version: 1, deadline: .seconds(100)) {
            step("a", bench.ledger)
            Step.pivot("pay", ifUnknown: .probe { _ in throw Declined() }) { _ in throw Declined() }
                .retryCompensation(.attempts(3, backoff: .constant(.seconds(90))))
        }
        let sagas = bench.coordinator(definition)
        #expect(try await bench.drive(definition, on: sagas) == .waiting(.seconds(90)))
        if !byDeadline { try await sagas.abort("s1", reason: "too slow") }
        #expect(try await bench.finish(on: sagas)?.stuck?.reason == .probeFailed)
        try await sagas.abort("s1", reason: "they have no trace of it")
        #expect(try await bench.finish(on: sagas)?.isCompensated == true)
        #expect(bench.ledger.standing == [])
    }
}
