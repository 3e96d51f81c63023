// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import Sagas

/// A clock that counts how often somebody goes to sleep on it.
private final class CountingClock: Clock {
    let base = ManualClock()
    private let counter = Counter()

    var sleeps: Int { counter.increment() - 1 }
    var now: ManualClock.Instant { base.now }
    var minimumResolution: Duration { base.minimumResolution }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
        counter.increment()
        try await base.sleep(until: deadline, tolerance: tolerance)
    }
}

/// Leases, and what a coordinator does that has lost one.
@Suite(.timeLimit(.minutes(10))) struct SagaHoldingTests {
    /// An action, a probe and a compensation that each last three leases.
    @Test(arguments: StoreKind.all, ["b", "?b", "-b"])
    func `a call that takes longer than the lease keeps it`(kind: StoreKind, slow: String) async throws {
        let bench = try Bench(kind)
        @Sendable func dawdle(_ name: String) async throws {
            guard name == slow else { return }
            for _ in 0..<9 {
                await bench.clock.waitForSleepers()
                bench.clock.advance(by: .seconds(20))
                // The renewal has been carried out once it sleeps again.
                await bench.clock.waitForSleepers()
                let taken = try await bench.coordinator(bench.definition()).recover()
                #expect(taken == [])
            }
        }
        let b = step(
            "b", bench.ledger,
            ifUnknown: .probe { _ in
                try await dawdle("?b")
                return .applied
            }, before: { _ in try await dawdle("b") }, after: { _ in if slow == "?b" { throw Declined() } },
            undoing: { _ in try await dawdle("-b") })
        let c = step("c", bench.ledger, before: { _ in if slow == "-b" { throw Full() } })
        let outcome = try await bench.drive(bench.definition(b: b, c: c))
        if slow == "-b" {
            #expect(bench.ledger.calls == ["+a1", "+b1", "-b1", "-a1"])
        } else {
            #expect(outcome == .ended(.completed))
        }
        #expect(bench.clock.sleeperCount == 0)
    }

    @Test(arguments: StoreKind.all)
    func `every commit of the holder renews the lease`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let other = bench.coordinator(bench.definition())
        let pass: Step.Action = { _ in
            bench.clock.advance(by: .seconds(50))
            let taken = try await other.recover()
            #expect(taken == [])
        }
        let definition = bench.definition(
            a: pass, b: step("b", bench.ledger, before: pass), c: step("c", bench.ledger, before: pass))
        // Its clock stands still, so nothing else renews the lease.
        let sagas = bench.coordinator(definition, clock: ManualClock())
        #expect(try await bench.drive(definition, on: sagas) == .ended(.completed))
    }

    @Test(arguments: StoreKind.all)
    func `a saga that was claimed between a commit and the look for it is lost`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let uncertain = FailingStore(
            bench.store,
            meanwhile: {
                bench.clock.advance(by: .seconds(60))
                let due = ClaimRequest(.due(collection: "sagas/shop", limit: 1), lease: Lease(.seconds(60)))
                let claimed = try? await bench.store.claim(due).claimed.count
                #expect(claimed == 1)
            }
        ) { $0 == 2 ? .uncertain(applied: true) : .answers }
        try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        let sagas = bench.coordinator(definition, on: uncertain, clock: ManualClock())
        #expect(try await sagas.recover().map(\.outcome) == [.lost])
        #expect(bench.ledger.calls == ["+a1"] && bench.events.last == "lost")
    }

    @Test(arguments: StoreKind.all)
    func `a saga that another ended while the last commit was unknown is lost, and not told as ended`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let uncertain = FailingStore(
            bench.store,
            meanwhile: {
                bench.clock.advance(by: .seconds(60))
                _ = try? await bench.coordinator(definition).recover()
            }
        ) { $0 == 4 ? .uncertain(applied: false) : .answers }
        try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        let sagas = bench.coordinator(definition, on: uncertain, clock: ManualClock())
        #expect(try await sagas.recover().map(\.outcome) == [.lost])
        #expect(bench.ledger.calls == ["+a1", "+b1", "+c1", "+c2"])
        #expect(bench.events.count { $0 == "completed" } == 1 && bench.events.last == "lost")
    }

    // Case 88.
    @Test(arguments: StoreKind.all)
    func `a coordinator whose saga another has cancels its calls, and writes nothing`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let (own, hanging) = (ManualClock(), ManualClock())
        let isHanging = Locked(true)
        let wasCancelled = Counter()
        let definition = bench.definition(
            b: step(
                "b", bench.ledger,
                after: { _ in
                    guard isHanging.withLock({ $0 }) else { return }
                    do { try await hanging.sleep(for: .seconds(1)) } catch {
                        wasCancelled.increment()
                        throw error
                    }
                }))
        let paused = bench.coordinator(definition, clock: own)
        try await paused.start(definition, id: "s1", input: Order())
        try await withThrowingTaskGroup(of: [RecoveredSaga].self) { group in
            group.addTask { try await paused.recover() }
            await hanging.waitForSleepers()
            await own.waitForSleepers()
            isHanging.withLock { $0 = false }
            bench.clock.advance(by: .seconds(60))
            #expect(try await bench.coordinator(definition).recover().map(\.outcome) == [.ended(.completed)])
            let before = try await bench.everything()
            own.advance(by: .seconds(20))
            #expect(try await group.next()?.map(\.outcome) == [.lost])
            #expect(try await bench.everything() == before)
        }
        #expect(wasCancelled.increment() == 2)
        #expect(bench.ledger.calls == ["+a1", "+b1", "+b2", "+c1"])
        #expect(bench.events.filter { $0 == "lost" }.count == 1)
    }

    @Test(arguments: StoreKind.all)
    func `a renewal that the store fails is tried again at the next third`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition(a: { _ in
            for _ in 0..<6 {
                await bench.clock.waitForSleepers()
                bench.clock.advance(by: .seconds(20))
            }
            await bench.clock.waitForSleepers()
        })
        let store = MeddledStore(bench.store) { moment throws(StoreError) in
            if case .beforeExtend(let number) = moment, number % 3 != 0 { throw .unavailable(MeddledStore.failure) }
        }
        #expect(
            try await bench.drive(definition, on: bench.coordinator(definition, on: store)) == .ended(.completed))
        #expect(store.extends == 6 && bench.events.filter { $0 == "store failed" }.count == 4)
    }

    // Case 94.
    @Test(arguments: StoreKind.all)
    func `a compensation that is being called runs to its end when the coordinator is cancelled, and is held`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let gate = Gate()
        let definition = bench.definition(
            b: step(
                "b", bench.ledger,
                undoing: { _ in
                    await gate.pass()
                    try Task.checkCancellation()
                }), c: step("c", bench.ledger, before: { _ in throw Full() }))
        try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        let sagas = bench.coordinator(definition)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await sagas.run() }
            await gate.waitForArrivals()
            group.cancelAll()
            for _ in 0..<9 {
                await bench.clock.waitForSleepers()
                bench.clock.advance(by: .seconds(20))
                await bench.clock.waitForSleepers()
                let taken = try? await bench.coordinator(definition).recover()
                #expect(taken == [])
            }
            gate.open()
        }
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b1"])
        #expect(bench.events.suffix(2) == ["b undone", "interrupted"])
        #expect(bench.clock.sleeperCount == 0)
        // Nobody waits for the lease.
        let outcome = try await bench.coordinator(definition).recover().last?.outcome
        guard case .ended(.compensated) = outcome else { Issue.record("\(outcome as Any)"); return }
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b1", "-a1"])
    }

    @Test(arguments: StoreKind.all)
    func `a saga in a group that is let go does not wait in a circle for those that are still being called`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let (gate, clock) = (Gate(), CountingClock())
        let hotel = step("hotel", bench.ledger, undoing: { _ in throw Declined() })
        let car = step("car", bench.ledger, undoing: { _ in await gate.pass() })
        let definition = SagaDefinition<Order>("trip", version: 1) {
            SagaParallel {
                hotel
                car
            }
            Step.reading("look") { _ in throw Declined() }
        }
        let failed = Gate()
        let sagas = SagaCoordinator("shop", store: bench.store, definitions: definition, clock: clock) { event in
            if case .compensationFailed = event.kind { failed.open() }
        }
        try await sagas.start(definition, id: "s1", input: Order())
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await sagas.run() }
            await gate.waitForArrivals()
            await failed.pass()
            group.cancelAll()
            for _ in 0..<1_000 { await Task.yield() }
            gate.open()
        }
        #expect(clock.sleeps < 20)
        #expect(try await sagas.status("s1")?.isHeld == false)
    }

    @Test(arguments: StoreKind.all)
    func `of one wait a saga in a group has one sleeper, however often another step is called`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let (gate, clock, calls) = (Gate(), ManualClock(), Counter())
        let definition = SagaDefinition<Order>("trip", version: 1) {
            SagaParallel {
                Step.timer("day", .seconds(86_400))
                step("slow", bench.ledger, before: { _ in await gate.pass() })
                step(
                    "flaky", bench.ledger,
                    before: { _ in if calls.increment() < 20 { throw Full() } }
                ).retry(.unlimited(backoff: .constant(.seconds(1))))
            }
        }
        let sagas = bench.coordinator(definition, clock: clock)
        try await sagas.start(definition, id: "s1", input: Order())
        try await running(sagas) { () async throws in
            await gate.waitForArrivals()
            for number in 1..<20 {
                await bench.reached("flaky notApplied", number)
                // The retry, the timer, and the renewal of the lease.
                await clock.waitForSleepers(3)
                clock.advance(by: .seconds(1))
            }
            await bench.reached("flaky done")
            await clock.waitForSleepers(2)
            #expect(clock.sleeperCount == 2)
            gate.open()
            await bench.reached("waiting 86400.0 seconds")
        }
    }
}
