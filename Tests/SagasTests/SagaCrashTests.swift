// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Sagas
import Synchronization
import Testing

/// What a saga of four steps meets, the same however often it is taken up.
enum Story: String, CaseIterable, Sendable {
    case everythingWorks
    case lastStepNotApplied
    case thirdStepFailsAfterItsEffect
    case secondStepTimesOutAfterItsEffect
    case lastStepTimesOutBeforeItsEffect
    case firstCompensationFailsTwice

    var completes: Bool {
        switch self {
        case .everythingWorks, .secondStepTimesOutAfterItsEffect: true
        case .lastStepNotApplied, .thirdStepFailsAfterItsEffect, .lastStepTimesOutBeforeItsEffect,
            .firstCompensationFailsTwice:
            false
        }
    }

    /// Steps b and d are probed, and their other sides remember no keys; a and c are called again.
    func definition(_ ledger: Ledger) -> SagaDefinition<Order> {
        let undoFailures = Counter()
        return SagaDefinition("checkout", version: 1) {
            step(
                "a", ledger,
                undoing: { _ in
                    if self == .firstCompensationFailsTwice, undoFailures.increment() <= 2 { throw Declined() }
                })
            SagaStep("b", ifUnknown: .probe { ledger.find($0) }) { context in
                ledger.act(context, remembersKeys: false)
                if self == .secondStepTimesOutAfterItsEffect { throw Declined() }
            } compensation: { context in
                ledger.undo(context)
            }
            step(
                "c", ledger,
                after: { _ in
                    if self == .thirdStepFailsAfterItsEffect { throw Declined() }
                })
            SagaStep("d", ifUnknown: .probe { ledger.find($0) }) { context in
                if self == .lastStepNotApplied || self == .firstCompensationFailsTwice { throw Full() }
                if self == .lastStepTimesOutBeforeItsEffect { throw Declined() }
                ledger.act(context, remembersKeys: false)
            } compensation: { context in
                ledger.undo(context)
            }
        }
    }
}

@Suite struct SagaCrashTests {
    /// Runs the story; the first coordinator dies with its commit number `first`, the second with its `second`.
    ///
    /// Returns how many commits each of them came to.
    func play(
        _ story: Story, _ kind: StoreKind, first: Int, second: Int, applied: (Bool, Bool)
    ) async throws -> (first: Int, second: Int) {
        let bench = try Bench(kind)
        let definition = story.definition(bench.ledger)
        let dying = FailingStore(bench.store) { $0 == first ? .dies(applied: applied.0) : .answers }
        _ = try? await bench.coordinator(on: dying).execute(definition, id: "s", input: Order())
        bench.clock.advance(by: .seconds(60))
        let dyingToo = FailingStore(bench.store) { $0 == second ? .dies(applied: applied.1) : .answers }
        _ = try? await bench.coordinator(on: dyingToo).recover(definition)
        let last = bench.coordinator()
        for _ in 0..<4 {
            bench.clock.advance(by: .seconds(60))
            _ = try await last.recover(definition)
        }
        // The client asks again; if nothing was ever written, this is what starts the saga.
        var outcome = try await last.execute(definition, id: "s", input: Order())
        while case .pending(let delay) = outcome {
            bench.clock.advance(by: delay)
            outcome = try await last.execute(definition, id: "s", input: Order())
        }
        let place: Comment = "\(story), commits \(first) and \(second), applied \(applied)"
        let ledger = bench.ledger.state.withLock { $0 }
        if story.completes {
            #expect(outcome == .completed, place)
            #expect(ledger.standing.sorted() == ["a", "b", "c", "d"], place)
            #expect(ledger.effects == ["a": 1, "b": 1, "c": 1, "d": 1], place)
        } else {
            guard case .compensated = outcome else {
                Issue.record("\(outcome), \(place)")
                return (0, 0)
            }
            #expect(ledger.standing == [], place)
            #expect(ledger.effects.values.allSatisfy { $0 == 1 }, place)
        }
        #expect(ledger.keys.values.allSatisfy { $0.count == 1 }, place)
        let undone = ledger.calls.filter { $0.hasPrefix("-") }.map { $0.dropFirst().prefix(1) }
        #expect(undone == undone.sorted(by: >), place)
        return (dying.commits, dyingToo.commits)
    }

    @Test(arguments: StoreKind.all, Story.allCases)
    func `a coordinator may die at any commit, and the next one too: all is done or all is undone`(
        kind: StoreKind, story: Story
    ) async throws {
        for applied in [(true, true), (true, false), (false, true), (false, false)] {
            var first = 0
            var reached = (first: 1, second: 1)
            repeat {
                first += 1
                var second = 0
                repeat {
                    second += 1
                    reached = try await play(story, kind, first: first, second: second, applied: applied)
                } while reached.second >= second
            } while reached.first >= first
            #expect(first >= 5, "the story is too short to have died in it: \(first)")
        }
    }
}
