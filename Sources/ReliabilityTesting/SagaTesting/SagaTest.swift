// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import Sagas
internal import Synchronization

/// Tests a saga's definition: scripted outcomes of its steps, on virtual time, with a crash at every durable point.
///
/// ```swift
/// let test = SagaTest(order).action("charge", .failsAfterItsEffect)
/// try await test.crashingEverywhere {
///     shop = FakeShop()
///     return shop.checkout
/// } check: { run in
///     #expect(run.result == .completed ? shop.isDone : shop.isUndone)
/// }
/// ```
///
/// The definition's closures are called as they are, against whatever stands in for the other sides; the script only
/// decides which calls fail. The saga's waits cost no time, but a call that waits for its time limit waits for ever, since
/// the clock stands while something is called: script its failure. Nothing is left behind: the store is in memory.
public struct SagaTest<Input: Codable & Sendable>: Sendable {
    /// What a call of an action or a compensation comes to.
    public enum Outcome: Hashable, Sendable {
        /// The closure is called, and what it returns or throws counts.
        case works
        /// The closure is not called; the call throws ``SagaTestRefusal``, which took no effect.
        case isRefused
        /// The closure is not called; the call throws ``SagaTestFailure``, which says nothing of the effect.
        case failsBeforeItsEffect
        /// The closure is called; then the call throws ``SagaTestFailure``, which says nothing of the effect.
        case failsAfterItsEffect
    }

    private struct Line: Sendable {
        let step: String
        let direction: SagaDirection
        let attempts: ClosedRange<Int>
        let outcome: Outcome
    }

    private let input: Input
    private var script: [Line] = []
    private var signals: [@Sendable (SagaCoordinator, String) async throws -> Void] = []
    private let id = "saga"
    private let lease = Duration.seconds(60)
    /// How often a saga is taken up before it is said to have no end.
    private let patience = 10_000

    /// A test in which everything works.
    public init(_ input: Input) { self.input = input }

    /// A test in which some calls of a step's action do not work.
    ///
    /// - Parameters:
    ///   - step: The step's name; a definition that has no such action is refused, so that no test passes by a misspelling.
    ///   - attempts: Which calls, by their number; by default all. A call that a crash cut short has a number too.
    ///   - outcome: What they come to. Where several apply to a call, the first counts.
    public func action(_ step: String, attempts: ClosedRange<Int> = 1...Int.max, _ outcome: Outcome) -> SagaTest {
        scripted(step, .forward, attempts, outcome)
    }

    /// A test in which some calls of a step's compensation do not work.
    ///
    /// - Parameters:
    ///   - step: The step's name; a definition that has no such compensation is refused.
    ///   - attempts: Which calls, by their number; by default all. A call that a crash cut short has a number too.
    ///   - outcome: What they come to. Where several apply to a call, the first counts.
    public func compensation(_ step: String, attempts: ClosedRange<Int> = 1...Int.max, _ outcome: Outcome) -> SagaTest {
        scripted(step, .compensation, attempts, outcome)
    }

    private func scripted(
        _ step: String, _ direction: SagaDirection, _ attempts: ClosedRange<Int>, _ outcome: Outcome
    ) -> SagaTest {
        var test = self
        test.script.append(Line(step: step, direction: direction, attempts: attempts, outcome: outcome))
        return test
    }

    /// A test in which an event comes as soon as the saga is started.
    public func signalled<Output: Codable>(_ event: SagaStep<Input, Output>, _ payload: Output) -> SagaTest {
        var test = self
        test.signals.append { try await $0.signal($1, event, payload) }
        return test
    }

    /// A test in which an event that brings nothing comes as soon as the saga is started.
    public func signalled(_ event: SagaStep<Input, Void>) -> SagaTest {
        var test = self
        test.signals.append { try await $0.signal($1, event) }
        return test
    }

    /// Runs a saga to its end, without a crash.
    ///
    /// - Throws: ``SagaTestStalled`` if it waits for an event that does not come, or has no end; a `StoreError`.
    public func run(_ definition: SagaDefinition<Input>) async throws -> SagaTestRun {
        try await run(definition, crash: nil)
    }

    /// Runs a saga over and over, each time with a crash at another durable point: just before a commit, and just
    /// after it. A fresh coordinator takes the saga up then.
    ///
    /// - Parameters:
    ///   - definition: Makes the definition for a run, with fresh stand-ins for the other sides.
    ///   - check: Looks at what a run came to; the first is without a crash.
    /// - Returns: How many runs there were.
    /// - Throws: What `definition` or `check` throws, and as ``run(_:)``.
    @discardableResult
    public func crashingEverywhere(
        _ definition: () async throws -> SagaDefinition<Input>, check: (SagaTestRun) async throws -> Void
    ) async throws -> Int {
        try await check(try await run(try await definition()))
        var runs = 1
        for point in 1... {
            for isApplied in [false, true] {
                let crash = SagaTestRun.Crash(point: point, isApplied: isApplied)
                let run = try await run(try await definition(), crash: crash)
                // The saga was over before that many commits.
                guard run.crash != nil else { return runs }
                try await check(run)
                runs += 1
            }
        }
        return runs
    }

    private func run(_ definition: SagaDefinition<Input>, crash: SagaTestRun.Crash?) async throws -> SagaTestRun {
        for line in script {
            precondition(
                definition.calls(line.step, line.direction),
                "\(definition.shape) has no \(line.direction == .forward ? "action" : "compensation") \"\(line.step)\"")
        }
        let clock = ManualClock()
        let store = InMemoryRecordStore(clock: clock)
        let calls = SagaTestCalls()
        let scripted = definition.interposing { call, body in
            calls.note(call)
            try await answer(call, body)
        }
        func coordinator(_ store: any RecordStore) -> SagaCoordinator {
            SagaCoordinator(
                "test", store: store, definitions: scripted, lease: lease, randomness: .seeded(1), clock: clock)
        }
        let observer = coordinator(store)
        try await observer.start(scripted, id: id, input: input)
        for signal in signals { try await signal(observer, id) }

        let mortal = crash.map { MortalRecordStore(store, dyingAt: $0.point, applied: $0.isApplied) }
        var (sagas, hasCrashed) = (mortal.map { coordinator($0) } ?? observer, false)
        for _ in 0..<patience {
            do {
                _ = try await sagas.recover()
            } catch  where mortal?.isDead == true && !hasCrashed {
                hasCrashed = true
                sagas = coordinator(store)
                // Nobody hears of the process any more.
                clock.advance(by: lease)
                continue
            }
            let status = try await observer.saga(id).status()
            if let result = status.result {
                return SagaTestRun(
                    result: result, calls: calls.all, history: try await observer.history(id),
                    crash: hasCrashed ? crash : nil)
            }
            guard let due = status.dueIn else { throw SagaTestStalled(status: status) }
            clock.advance(by: max(.zero, due))
        }
        throw SagaTestStalled(status: try await observer.saga(id).status())
    }

    /// Makes a call, or throws in its stead, as the script says.
    private func answer(_ call: SagaCall, _ body: () async throws -> Void) async throws {
        let direction: SagaDirection = call.closure == .compensation ? .compensation : .forward
        let line = script.first { line in
            call.closure != .probe && (line.step, line.direction) == (call.step, direction)
                && line.attempts.contains(call.attempt)
        }
        switch line?.outcome {
        case .works, nil:
            try await body()
        case .isRefused:
            throw SagaTestRefusal(step: call.step)
        case .failsBeforeItsEffect:
            throw SagaTestFailure(step: call.step)
        case .failsAfterItsEffect:
            try await body()
            throw SagaTestFailure(step: call.step)
        }
    }
}
