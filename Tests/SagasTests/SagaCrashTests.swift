// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import Sagas

/// What a saga of ten steps meets, the same however often it is taken up: `a`, a group of `b`, `c` and `d`, `e`, the
/// pivot `f`, then `g`, a group of `h` and `i`, and `j`.
enum Story: String, CaseIterable, Sendable {
    case everythingWorks
    /// `c`, `f` and `h` fail after their effect, and their probes find it.
    case answersAreLost
    /// Nothing came of the pivot.
    case pivotNotApplied
    /// `c` fails while the others of its group take effect.
    case oneOfTheGroupFails
    /// `e` fails after its effect, and the compensations of `a` and `d` fail at first.
    case compensationsFail

    var completes: Bool { self == .everythingWorks || self == .answersAreLost }

    /// `c`, `f` and `h` are probed, the others are called again.
    ///
    /// - Parameter remembersKeys: Whether the other sides of those that are probed serve a key once. If they do not, a
    ///   probe cannot promise that a late call takes no effect.
    func definition(_ ledger: Ledger, remembersKeys: Bool = false) -> SagaDefinition<Order> {
        let failures = Counter()
        @Sendable func probed(_ name: String, _ context: SagaContext<Order>) throws {
            if self == .oneOfTheGroupFails, name == "c" { throw Full() }
            if self == .pivotNotApplied, name == "f" { throw Full() }
            ledger.act(context, remembersKeys: remembersKeys)
            if self == .answersAreLost { throw Declined() }
        }
        @Sendable func undoing(_ context: SagaContext<Order>) throws {
            if self == .compensationsFail, failures.increment() <= 3 { throw Declined() }
        }
        let c = Step("c", ifUnknown: .probe { ledger.find($0) }) { context in
            try probed("c", context)
        } compensation: { context in
            ledger.undo(context)
        }
        return SagaDefinition("checkout", version: 1) {
            step("a", ledger, undoing: undoing)
            SagaParallel {
                step("b", ledger)
                c
                step("d", ledger, undoing: undoing)
            }
            step("e", ledger, after: { _ in if self == .compensationsFail { throw Declined() } })
            Step.pivot("f", ifUnknown: .probe { ledger.find($0) }) { try probed("f", $0) }
            Step.retriable("g", ifUnknown: .reexecute) { ledger.act($0) }
            SagaParallel {
                Step.retriable("h", ifUnknown: .probe { ledger.find($0) }) { try probed("h", $0) }
                Step.retriable("i", ifUnknown: .reexecute) { ledger.act($0) }
            }
            Step.retriable("j", ifUnknown: .reexecute) { ledger.act($0) }
        }
    }

    /// All is done or all is undone, each effect at most once, under one key, and what is undone in reverse.
    func check(_ result: SagaResult?, _ ledger: Ledger, isAlone: Bool = true, _ place: Comment) {
        let ledger = ledger.state.withLock { $0 }
        #expect(ledger.effects.values.allSatisfy { $0 == 1 }, place)
        #expect(ledger.keys.values.allSatisfy { $0.count == 1 }, place)
        #expect(ledger.inputs.count == 1, place)
        if completes {
            #expect(result == .completed, place)
            #expect(ledger.standing.sorted() == ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], place)
            #expect(!ledger.calls.contains { $0.hasPrefix("-") }, place)
        } else {
            #expect(result?.isCompensated == true, place)
            #expect(ledger.standing == [], place)
            let stages = ["a": 0, "b": 1, "c": 1, "d": 1, "e": 2]
            let undone = ledger.calls.filter { $0.hasPrefix("-") }.map { stages["\($0.dropFirst().prefix(1))"] ?? 9 }
            #expect(!isAlone || undone == undone.sorted(by: >) && undone.last == 0, place)
        }
    }
}

@Suite struct SagaCrashTests {
    /// Plays the story; the first coordinator dies with its commit number `first`, the second with its `second`.
    ///
    /// Returns how many commits each of them came to.
    private func play(
        _ story: Story, _ kind: StoreKind, first: Int, second: Int, applied: (Bool, Bool)
    ) async throws -> (first: Int, second: Int) {
        let bench = try Bench(kind)
        let definition = story.definition(bench.ledger)
        try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        let dying = FailingStore(bench.store) { $0 == first ? .dies(applied: applied.0) : .answers }
        _ = try? await bench.coordinator(definition, on: dying).recover()
        bench.clock.advance(by: .seconds(60))
        let dyingToo = FailingStore(bench.store) { $0 == second ? .dies(applied: applied.1) : .answers }
        _ = try? await bench.coordinator(definition, on: dyingToo).recover()
        bench.clock.advance(by: .seconds(60))
        let result = try await bench.finish(on: bench.coordinator(definition))
        story.check(result, bench.ledger, "\(story), commits \(first) and \(second), applied \(applied)")
        return (dying.commits, dyingToo.commits)
    }

    @Test(arguments: StoreKind.all, Story.allCases)
    func `a coordinator may die at any commit, and the next one too: all is done or all is undone`(
        kind: StoreKind, story: Story
    ) async throws {
        let mixed = kind.description == StoreKind.all[0].description ? [(true, false), (false, true)] : []
        for applied in [(true, true), (false, false)] + mixed {
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
            #expect(first >= (story.completes ? 8 : 5), "the story is too short to have died in it: \(first)")
        }
    }

    /// Case 83: a call of the paused coordinator may come after the other one has undone it, and is refused then.
    ///
    @Test(arguments: StoreKind.all, Story.allCases)
    func `a coordinator may be paused past its lease at any commit: the other one ends the saga, it writes nothing`(
        kind: StoreKind, story: Story
    ) async throws {
        for answered in [true, false] { try await pause(story, kind, answered: answered) }
    }

    /// - Parameter answered: Whether the pause comes between a commit and its answer, and not before the commit.
    private func pause(_ story: Story, _ kind: StoreKind, answered: Bool) async throws {
        var point = 0
        var reached = 1
        repeat {
            point += 1
            let bench = try Bench(kind)
            let definition = story.definition(bench.ledger, remembersKeys: true)
            let place: Comment = "\(story), commit \(point), answered \(answered)"
            let result = Locked(SagaResult?.none)
            let standing = Locked([Record]())
            let store = MeddledStore(bench.store) { [point] moment throws(StoreError) in
                guard moment == (answered ? .afterCommit(point) : .beforeCommit(point)) else { return }
                bench.clock.advance(by: .seconds(60))
                let found = try? await bench.finish(on: bench.coordinator(definition))
                let records = (try? await bench.everything()) ?? []
                result.withLock { $0 = found }
                standing.withLock { $0 = records }
            }
            try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
            // Its clock stands still, so it does not renew its lease before the other one comes.
            let paused = bench.coordinator(definition, on: store, clock: ManualClock())
            let outcomes = try await paused.recover().map(\.outcome)
            reached = store.commits
            guard reached >= point else { break }
            story.check(result.withLock { $0 }, bench.ledger, isAlone: false, place)
            if outcomes.last != .lost {
                // Only a commit that let the saga go leaves nothing to lose.
                #expect(answered && store.commits == point, place)
            }
            #expect(try await bench.everything() == standing.withLock { $0 }, place)
        } while true
        #expect(point >= (story.completes ? 8 : 5), "the story is too short to have been paused in it: \(point)")
    }

    @Test(arguments: StoreKind.all, Story.allCases)
    func `the outcome of any commit may be unknown: what is in counts, and what is not is done again`(
        kind: StoreKind, story: Story
    ) async throws {
        for applied in [true, false] { try await leaveOpen(story, kind, applied: applied) }
    }

    private func leaveOpen(_ story: Story, _ kind: StoreKind, applied: Bool) async throws {
        var point = 0
        var reached = 1
        repeat {
            point += 1
            let bench = try Bench(kind)
            let definition = story.definition(bench.ledger)
            let place: Comment = "\(story), commit \(point), applied \(applied)"
            let store = FailingStore(bench.store) { [point] in $0 == point ? .uncertain(applied: applied) : .answers }
            try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
            let sagas = bench.coordinator(definition, on: store)
            var result: SagaResult?
            var isLeft = false
            do {
                result = try await bench.finish(on: sagas)
            } catch StoreError.outcomeUnknown {
                isLeft = true
                result = try await bench.finish(on: sagas)
            }
            reached = store.commits
            #expect(isLeft == (!applied && reached >= point), place)
            story.check(result, bench.ledger, place)
            if applied {
                let calls = bench.ledger.calls.filter { $0.hasPrefix("+") }
                #expect(calls.count == Set(calls).count && !bench.events.contains("lost"), place)
                #expect(bench.events.count { $0 == "completed" || $0 == "compensated" } == 1, place)
            }
        } while reached >= point
        #expect(point >= (story.completes ? 8 : 5), "the story is too short to have failed in it: \(point)")
    }
}
