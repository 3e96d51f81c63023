// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Retrying
import Sagas
import Synchronization
import Testing

struct Order: Codable, Hashable, Sendable {
    var item = "book"
}

struct Declined: Error {}
struct Full: NotApplied {}
struct Busy: RetryAdvising { let retryAfter: Duration? }

/// A counter that closures share.
final class Counter: Sendable {
    private let value = Locked(0)

    @discardableResult func increment() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}

/// The other sides of a saga's steps, and everything that they saw.
final class Ledger: Sendable {
    struct State {
        /// How often each step took effect, and which of that is not undone.
        var effects: [String: Int] = [:]
        var standing: [String] = []
        /// Keys that were served; a participant serves each once.
        var served: Set<String> = []
        /// Every call, as `+a1` or `-a1`, and its key.
        var calls: [String] = []
        var keys: [String: Set<String>] = [:]
        var inputs: Set<Order> = []
    }

    let state = Locked(State())

    func act(_ context: SagaContext<Order>, remembersKeys: Bool = true) {
        note(context, "+")
        state.withLock { state in
            guard state.served.insert(context.key).inserted || !remembersKeys else { return }
            state.effects[context.step, default: 0] += 1
            state.standing.append(context.step)
        }
    }

    func undo(_ context: SagaContext<Order>) {
        note(context, "-")
        state.withLock { state in
            guard state.served.insert(context.key).inserted else { return }
            // It copes with an action that never took effect, and refuses one that comes later.
            if state.served.insert(context.forwardKey).inserted { return }
            state.standing.removeAll { $0 == context.step }
        }
    }

    func find(_ context: SagaContext<Order>) -> SagaProbeAnswer<Void> {
        state.withLock { $0.served.contains(context.key) } ? .applied : .notApplied
    }

    func note(_ context: SagaContext<Order>, _ sign: String) {
        state.withLock { state in
            state.calls.append("\(sign)\(context.step)\(context.attempt)")
            state.keys[sign + context.step, default: []].insert(context.key)
            state.inputs.insert(context.input)
        }
    }

    var calls: [String] { state.withLock { $0.calls } }
    var standing: [String] { state.withLock { $0.standing } }
}

typealias Step = SagaStep<Order, Void>
typealias Rule = SagaUnknownRule<Order, Void>

/// A step against a ledger, with something to happen in its action or compensation.
func step(
    _ name: String, _ ledger: Ledger, ifUnknown: Rule = .reexecute, classify: Step.Classification? = nil,
    before: @escaping Step.Action = { _ in }, after: @escaping Step.Action = { _ in },
    undoing: @escaping Step.Action = { _ in }
) -> Step {
    SagaStep(name, ifUnknown: ifUnknown, classify: classify) { context in
        try await before(context)
        ledger.act(context)
        try await after(context)
    } compensation: { context in
        try await undoing(context)
        ledger.undo(context)
    }
}

/// A store, its clock, a ledger and what coordinators reported.
final class Bench: Sendable {
    private let directory: TemporaryDirectory
    let clock = ManualClock()
    let store: any RecordStore
    let ledger = Ledger()
    private let log = Locked(Log())

    private struct Log {
        var events: [String] = []
        var waiters: [(event: String, count: Int, continuation: CheckedContinuation<Void, Never>)] = []

        func hasReached(_ event: String, _ count: Int) -> Bool { events.count { $0 == event } >= count }
    }

    init(_ kind: StoreKind) throws {
        directory = try TemporaryDirectory()
        store = try kind.make(clock, directory)
    }

    var events: [String] { log.withLock { $0.events } }

    private func add(_ event: String) {
        let awaited = log.withLock { log in
            log.events.append(event)
            let awaited = log.waiters.filter { log.hasReached($0.event, $0.count) }
            log.waiters = log.waiters.filter { !log.hasReached($0.event, $0.count) }
            return awaited
        }
        for waiter in awaited { waiter.continuation.resume() }
    }

    /// Suspends until the event has been reported so often.
    func reached(_ event: String, _ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isOver = log.withLock { log in
                if log.hasReached(event, count) { return true }
                log.waiters.append((event, count, continuation))
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// A coordinator on the bench's clock, or on one of its own, whose leases then stand still.
    func coordinator<each Input>(
        _ definitions: repeat SagaDefinition<each Input>, on store: (any RecordStore)? = nil, clock: ManualClock? = nil,
        name: String = "shop", maxCrashes: Int = 10, concurrency: Int = 64
    ) -> SagaCoordinator {
        SagaCoordinator(
            name, store: store ?? self.store, definitions: repeat each definitions, lease: .seconds(60),
            concurrency: concurrency, maxCrashes: maxCrashes, randomness: .seeded(1), clock: clock ?? self.clock
        ) { event in
            self.add(Self.text(event.kind))
        }
    }

    /// Starts a saga and drives what is due until nothing is.
    func drive(
        _ definition: SagaDefinition<Order>, id: String = "s1", on coordinator: SagaCoordinator? = nil
    ) async throws -> RecoveredSaga.Outcome? {
        let coordinator = coordinator ?? self.coordinator(definition)
        try await coordinator.start(definition, id: id, input: Order())
        return try await coordinator.recover().last?.outcome
    }

    /// Three steps a, b and c against the ledger; `b` is the one that tests bend.
    func definition(
        _ name: String = "checkout", version: Int = 1, deadline: Duration? = nil,
        a: @escaping Step.Action = { _ in }, b: Step? = nil, undoA: @escaping Step.Action = { _ in }, c: Step? = nil
    ) -> SagaDefinition<Order> {
        SagaDefinition(name, version: version, deadline: deadline) {
            step("a", ledger, before: a, undoing: undoA)
            b ?? step("b", ledger)
            c ?? step("c", ledger)
        }
    }

    static func text(_ kind: SagaEvent.Kind) -> String {
        switch kind {
        case .started: "started"
        case .resumed: "resumed"
        case .stepStarted(let step, let attempt): "+\(step)\(attempt)"
        case .stepSucceeded(let step): "\(step) done"
        case .stepFailed(let step, let kind, _): "\(step) \(kind)"
        case .stepGivenUp(let step, let mayHaveEffect): "\(step) given up\(mayHaveEffect ? ", perhaps applied" : "")"
        case .probed(let step, let answer): "?\(step) \(answer)"
        case .probeFailed(let step, _, let delay): "?\(step) failed, \(delay.map { "\($0)" } ?? "never")"
        case .wentBack(let cause): "back because of \(cause.step)"
        case .compensationStarted(let step, let attempt): "-\(step)\(attempt)"
        case .compensationSucceeded(let step): "\(step) undone"
        case .compensationFailed(let step, _, let delay): "\(step) not undone, \(delay.map { "\($0)" } ?? "never")"
        case .signalled(let event): "\(event) came"
        case .heeded(let entry): "heeded \(entry.kind)"
        case .refused(let entry): "refused \(entry.reason ?? "")"
        case .waiting(let time): "waiting \(time.map { "\($0)" } ?? "for an event")"
        case .completed: "completed"
        case .compensated: "compensated"
        case .stuck(let stuck): "stuck \(stuck.reason)"
        case .interrupted: "interrupted"
        case .lost: "lost"
        case .blocked: "blocked"
        case .storeFailed: "store failed"
        }
    }
}
