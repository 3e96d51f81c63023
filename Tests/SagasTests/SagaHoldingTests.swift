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

/// Leases, cancellation and what coordinators do to each other.
@Suite struct SagaHoldingTests {
    @Test(arguments: StoreKind.all)
    func `a saga that another coordinator drives is rejected with the rest of its lease`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let outer = bench.definition(
            a: { _ in bench.clock.advance(by: .seconds(50)) },
            b: step(
                "b", bench.ledger,
                before: { _ in
                    bench.clock.advance(by: .seconds(20))
                    await #expect(throws: SagaInProgress(sagaID: "s", retryAfter: .seconds(40))) {
                        try await bench.coordinator().execute(definition, id: "s", input: Order())
                    }
                    // That it is another order is said before that it is under way.
                    await #expect(throws: SagaMismatch.self) {
                        try await bench.coordinator().execute(definition, id: "s", input: Order(item: "pen"))
                    }
                    let taken = try await bench.coordinator().recover(definition)
                    #expect(taken == [])
                }))
        #expect(try await bench.coordinator().execute(outer, id: "s", input: Order()) == .completed)
        #expect(bench.ledger.calls == ["+a1", "+b1", "+c1"])
    }

    @Test(arguments: StoreKind.all, [true, false])
    func `a coordinator that was paused past its lease writes nothing and stops`(
        kind: StoreKind, fails: Bool
    ) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let pages = Locked([SagaPage]())
        let paused = bench.definition(
            b: step(
                "b", bench.ledger,
                after: { _ in
                    bench.clock.advance(by: .seconds(60))
                    let other = try await bench.coordinator().recover(definition)
                    #expect(other == [RecoveredSaga(sagaID: "s", outcome: .completed)])
                    let page = try await bench.coordinator().list()
                    pages.withLock { $0.append(page) }
                    if fails { throw Declined() }
                }))
        #expect(try await bench.coordinator().execute(paused, id: "s", input: Order()) == .lost)
        #expect(bench.ledger.calls == ["+a1", "+b1", "+b2", "+c1"])
        #expect(bench.ledger.state.withLock { $0.effects } == ["a": 1, "b": 1, "c": 1])
        let standing = try await bench.coordinator().list()
        #expect(pages.withLock { $0 } == [standing])
        #expect(bench.events.last == "lost")
    }

    @Test(arguments: StoreKind.all)
    func `a saga that was claimed between a commit and the look for it is lost`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let uncertain = FailingStore(
            bench.store,
            meanwhile: {
                bench.clock.advance(by: .seconds(60))
                let due = ClaimRequest(.due(collection: "sagas/shop", limit: 1), lease: Lease(.seconds(60)))
                let claimed = try? await bench.store.claim(due).claimed.count
                #expect(claimed == 1)
            }
        ) { $0 == 2 ? .uncertain(applied: true) : .answers }
        let outcome = try await bench.coordinator(on: uncertain).execute(bench.definition(), id: "s", input: Order())
        #expect(outcome == .lost)
        #expect(bench.ledger.calls == ["+a1"])
    }

    @Test(arguments: StoreKind.all)
    func `a coordinator that is paused in a compensation past its lease writes nothing and stops`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let failing = step("c", bench.ledger, before: { _ in throw Full() })
        let paused = bench.definition(
            b: step(
                "b", bench.ledger,
                undoing: { _ in
                    bench.clock.advance(by: .seconds(60))
                    _ = try await bench.coordinator().recover(bench.definition(c: failing))
                }), c: failing)
        #expect(try await bench.coordinator().execute(paused, id: "s", input: Order()) == .lost)
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b2", "-a1", "-b1"])
        #expect(bench.ledger.standing == [])
    }

    @Test(arguments: StoreKind.all)
    func `a step that takes longer than the lease keeps it`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let slow = bench.definition(
            b: step(
                "b", bench.ledger,
                before: { _ in
                    for _ in 0..<9 {
                        await bench.clock.waitForSleepers()
                        bench.clock.advance(by: .seconds(20))
                        // The renewal has been carried out once it sleeps again.
                        await bench.clock.waitForSleepers()
                        let taken = try await bench.coordinator().recover(definition)
                        #expect(taken == [])
                    }
                }))
        #expect(try await bench.coordinator(clock: bench.clock).execute(slow, id: "s", input: Order()) == .completed)
        #expect(bench.clock.sleeperCount == 0)
    }

    /// What a step does when its task is cancelled in the middle of it, and what the next coordinator makes of it.
    @Test(
        arguments: StoreKind.all,
        [
            (
                rule: SagaUnknownRule<Order>.reexecute, error: nil as (any Error & Sendable)?,
                calls: ["+b1", "+b1", "+c1"]
            ),
            (.reexecute, Declined(), ["+b1", "+b1", "+c1"]),
            (.probe { _ in .applied }, nil, ["+b1", "+c1"]),
            (.probe { _ in .notApplied }, nil, ["+b1", "+b1", "+c1"]),
            (.park, nil, ["+b1"]),
            (.park, Full(), ["+b1", "+b1", "+c1"]),
        ])
    func `cancelling a coordinator undoes nothing and lets the saga go where it stands`(
        kind: StoreKind,
        _ row: (rule: SagaUnknownRule<Order>, error: (any Error & Sendable)?, calls: [String])
    ) async throws {
        let bench = try Bench(kind)
        func definition(hanging: Bool) -> SagaDefinition<Order> {
            bench.definition(
                b: step(
                    "b", bench.ledger, ifUnknown: row.rule,
                    after: { _ in
                        guard hanging else { return }
                        do {
                            try await bench.clock.sleep(for: .seconds(5))
                        } catch {
                            throw row.error ?? error
                        }
                    }))
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) {
                    try await bench.coordinator().execute(definition(hanging: true), id: "s", input: Order())
                }
            }
            await bench.clock.waitForSleepers()
            group.cancelAll()
        }
        #expect(bench.events.last == "interrupted")
        // Nobody waits for the lease.
        _ = try await bench.coordinator().recover(definition(hanging: false))
        #expect(bench.ledger.calls == ["+a1"] + row.calls)
    }

    @Test(arguments: StoreKind.all)
    func `a cancelled task starts nothing, and ends after the step that did not notice`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let cancelling = bench.definition(
            b: step("b", bench.ledger, after: { _ in unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }),
            c: step("c", bench.ledger, ifUnknown: .park))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) {
                    try await bench.coordinator().execute(cancelling, id: "s", input: Order())
                }
                await #expect(throws: CancellationError.self) {
                    try await bench.coordinator().execute(cancelling, id: "t", input: Order())
                }
            }
        }
        #expect(bench.ledger.calls == ["+a1", "+b1"])
        #expect(try await bench.coordinator().list().sagas.map(\.sagaID) == ["s"])
        // The step that was not called leaves nothing to ask, although its rule is to park.
        #expect(try await bench.coordinator().execute(bench.definition(), id: "s", input: Order()) == .completed)
    }

    @Test(arguments: StoreKind.all)
    func `a saga that goes back is not stopped by cancellation`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition(
            b: step("b", bench.ledger, undoing: { _ in try await bench.clock.sleep(for: .seconds(5)) }),
            undoA: { _ in try Task.checkCancellation() },
            c: step("c", bench.ledger, before: { _ in throw Full() }))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let outcome = try? await bench.coordinator().execute(definition, id: "s", input: Order())
                #expect(outcome.map { "\($0)".hasPrefix("compensated") } == true)
                #expect(Task.isCancelled)
            }
            await bench.clock.waitForSleepers()
            group.cancelAll()
            bench.clock.advance(by: .seconds(5))
        }
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b1", "-a1"])
    }
}
