// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import DeadLetters
@testable import WorkQueues

/// What is asked of a redrive while somebody runs it, and by several people.
@Suite struct RedriveWishTests {
    private static let task = RecordID("redrives/jobs", "task")

    private func bench(_ kind: StoreKind, letters count: Int) async throws -> (Bench, WorkQueue) {
        let bench = try Bench(kind)
        let queue = bench.queue()
        for id in 0..<count { try await put("\(id)", in: queue.deadLetters) }
        return (bench, queue)
    }

    private func put(
        _ id: String, in letters: RecordDeadLetterQueue, reason: DeadLetterReason = .attemptsExhausted
    ) async throws {
        try await letters.put(
            NewDeadLetter(id: id, reason: reason, origin: DeadLetterOrigin(source: "jobs", id: id), payload: [1]))
    }

    enum Verb: String { case pause, resume, cancel }

    private func carryOut(_ verb: Verb, _ redrive: Redrive) async throws {
        switch verb {
        case .pause: try await redrive.pause()
        case .resume: try await redrive.resume()
        case .cancel: try await redrive.cancel()
        }
    }

    // Whoever runs it has not looked yet when the next wish comes.
    @Test(
        arguments: StoreKind.all,
        [
            ([Verb.pause, .resume], RedriveProgress.State.done), ([.pause, .resume, .pause], .paused),
            ([.cancel, .pause], .cancelled), ([.cancel, .resume], .cancelled),
            ([.pause, .cancel, .resume], .cancelled), ([.resume], .done), ([.cancel, .cancel], .cancelled),
            ([.pause, .pause], .paused),
        ])
    func `of several wishes the last one counts, and what is to end ends`(
        kind: StoreKind, _ row: (wishes: [Verb], state: RedriveProgress.State)
    ) async throws {
        let (bench, queue) = try await bench(kind, letters: 3)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1)))
        let running = Task { try await redrive.run() }
        await bench.clock.waitForSleepers()
        for wish in row.wishes { try await carryOut(wish, redrive) }
        let clock = bench.clock
        let progress = try await onVirtualTime(clock) { try await running.value }
        #expect(progress?.state == row.state && progress?.redriven == (row.state == .done ? 3 : 1))
        #expect(try await redrive.progress()?.state == row.state)
    }

    // Nobody runs it, but somebody holds it for a moment.
    @Test(arguments: StoreKind.all)
    func `a pause takes back that a paused one was to go on`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 1)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan())
        try await redrive.pause()
        _ = try await bench.store.claim(ClaimRequest(.ids([Self.task]), lease: Lease(.seconds(30))))
        try await redrive.resume()
        try await redrive.pause()
        bench.clock.advance(by: .seconds(30))
        #expect(try await redrive.run()?.state == .paused)
    }

    @Test(arguments: StoreKind.all)
    func `a wish that nobody lived to fulfil is fulfilled when it is repeated`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 1)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        for (verb, state) in [(Verb.pause, RedriveProgress.State.paused), (.resume, .running), (.cancel, .cancelled)] {
            if verb == .pause { try await redrive.start(RedrivePlan()) }
            _ = try await bench.store.claim(ClaimRequest(.ids([Self.task]), lease: Lease(.seconds(30))))
            try await carryOut(verb, redrive)
            bench.clock.advance(by: .seconds(30))
            try await carryOut(verb, redrive)
            #expect(try await redrive.progress()?.state == state)
        }
    }

    @Test(arguments: StoreKind.all, [true, false])
    func `a start that nobody was told of is found`(kind: StoreKind, applied: Bool) async throws {
        let (bench, queue) = try await bench(kind, letters: 1)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        for _ in 0..<2 {
            bench.store.failCommits(applied ? .appliedUnknown : .droppedUnknown)
            if applied {
                #expect(try await redrive.start(RedrivePlan(limit: 7)).plan.limit == 7)
            } else {
                await #expect(throws: StoreError.self) { try await redrive.start(RedrivePlan(limit: 7)) }
                try await redrive.start(RedrivePlan(limit: 7))
            }
            try await redrive.cancel()
        }
    }

    @Test(arguments: StoreKind.all)
    func `after a failure of the store it can be run again at once`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 2)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        bench.store.failCommits(.unavailable)
        await #expect(throws: StoreError.unavailable(FailingStore.failure)) { try await redrive.run() }
        #expect(try await redrive.run()?.redriven == 2)
    }

    @Test(arguments: StoreKind.all)
    func `what is over is left as it is, by whoever runs it`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 1)
        let store = InterposedStore(bench.store)
        let letters = RecordDeadLetterQueue("jobs", store: store)
        let redrive = Redrive(letters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan())
        #expect(try await redrive.run()?.state == .done)
        store.once(.beforeCommit("redrives/jobs")) { Issue.record("nothing is to be changed") }
        for _ in 0..<2 { #expect(try await redrive.run()?.redriven == 1) }
    }

    @Test(arguments: StoreKind.all)
    func `a cancelled task brings nothing back`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 1)
        for destination in [RedriveDestination.queue(queue), .handler("topic") { _ in }] {
            let redrive = Redrive(queue.deadLetters, to: destination, clock: bench.clock)
            try await redrive.start(RedrivePlan())
            let gate = Gate()
            let running = Task {
                await gate.pass()
                return try await redrive.run()
            }
            await gate.waitForArrivals(1)
            running.cancel()
            gate.open()
            await #expect(throws: CancellationError.self) { try await running.value }
            #expect(try await queue.deadLetters.read("0")?.redriveCount == 0)
            #expect(try await redrive.cancel()?.redriven == 0)
        }
    }

    @Test(arguments: StoreKind.all)
    func `a letter that goes while the redrive waits is not one that it skips`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 3)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1)))
        let running = Task { try await redrive.run() }
        await bench.clock.waitForSleepers()
        try await queue.deadLetters.evict("1", because: "test")
        bench.clock.advance(by: .seconds(1))
        let progress = try await running.value
        #expect(progress?.redriven == 2 && progress?.skipped == 0 && progress?.state == .done)
    }

    // Whoever changes it names the same fence as the commit of which nobody knows.
    @Test(arguments: StoreKind.all)
    func `an end is not taken for one's own because somebody else has changed the redrive`(
        kind: StoreKind
    ) async throws {
        let (bench, queue) = try await bench(kind, letters: 0)
        let store = InterposedStore(bench.store)
        let redrive = Redrive(
            RecordDeadLetterQueue("jobs", store: store), to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan())
        bench.store.failCommits(.droppedUnknown)
        await #expect(throws: StoreError.outcomeUnknown(FailingStore.failure)) { try await redrive.run() }
        bench.store.failCommits(.droppedUnknown)
        let base = bench.store
        store.once(.afterCommit("redrives/jobs")) {
            bench.clock.advance(by: .seconds(30))
            _ = try await base.claim(ClaimRequest(.ids([Self.task]), lease: Lease(.seconds(1))))
            bench.clock.advance(by: .seconds(1))
            try await redrive.pause()
        }
        await #expect(throws: RedriveHeld.self) { try await redrive.run() }
        #expect(try await redrive.progress()?.state == .paused)
        try await redrive.resume()
        bench.store.failCommits(.appliedUnknown)
        #expect(try await redrive.run()?.state == .done)
    }

    @Test(arguments: StoreKind.all)
    func `a start is not taken for one's own because somebody else has started another`(
        kind: StoreKind
    ) async throws {
        let (bench, queue) = try await bench(kind, letters: 0)
        let store = InterposedStore(bench.store)
        let other = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        let redrive = Redrive(
            RecordDeadLetterQueue("jobs", store: store), to: .queue(queue), clock: bench.clock)
        bench.store.failCommits(.droppedUnknown)
        store.once(.afterCommit("redrives/jobs")) { try await other.start(RedrivePlan(limit: 3)) }
        await #expect(throws: StoreError.outcomeUnknown(FailingStore.failure)) {
            try await redrive.start(RedrivePlan(limit: 4))
        }
        #expect(try await redrive.progress()?.plan.limit == 3)
    }

    // It was held when the wish was about to be left.
    @Test(arguments: StoreKind.all)
    func `a wish that comes when all is done says so`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 1)
        let store = InterposedStore(bench.store)
        let other = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        let redrive = Redrive(
            RecordDeadLetterQueue("jobs", store: store), to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan())
        _ = try await bench.store.claim(ClaimRequest(.ids([Self.task]), lease: Lease(.seconds(30))))
        store.once(.beforeCommit("redrives/jobs")) {
            bench.clock.advance(by: .seconds(30))
            _ = try await other.run()
        }
        #expect(try await redrive.cancel()?.state == .done)
    }

    /// Letters that are looked through one page after the other take their time.
    private final class SlowPages: RecordStoreWrapper {
        let base: any RecordStore
        private let clock: ManualClock
        private let onScan: @Sendable () async -> Void

        init(_ base: any RecordStore, _ clock: ManualClock, onScan: @escaping @Sendable () async -> Void) {
            self.base = base
            self.clock = clock
            self.onScan = onScan
        }

        func scan(
            _ collection: String, state: String?, after position: UInt64?, limit: Int
        ) async throws(StoreError) -> ScanAnswer {
            clock.advance(by: .seconds(1))
            await onScan()
            return try await base.scan(collection, state: state, after: position, limit: limit)
        }
    }

    @Test func `a search through many letters holds on to the redrive, and can be paused`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let letters = RecordDeadLetterQueue("jobs", store: bench.store)
        for start in stride(from: 0, to: 5_000, by: 1_000) {
            _ = try await bench.store.commit(
                (start..<start + 1_000).map { number in
                    try letters.change(
                        for: NewDeadLetter(
                            id: "\(number)", reason: .expired, origin: DeadLetterOrigin(source: "jobs", id: "x"),
                            payload: []))
                })
        }
        try await put("last", in: letters)
        let plain = Redrive(letters, to: .queue(bench.queue()), clock: bench.clock)
        let pages = Locked(0)
        let slow = SlowPages(bench.store, bench.clock) {
            let page = pages.withLock { pages in
                pages += 1
                return pages
            }
            // Within one lease and after it.
            guard page == 20 || page == 40 else { return }
            await #expect(throws: RedriveHeld.self, "page \(page)") { try await plain.run() }
            if page == 40 { _ = try? await plain.pause() }
        }
        let queue = bench.queue(store: slow)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        let filter = DeadLetterFilter(reason: "attemptsExhausted")
        try await redrive.start(RedrivePlan(filter: filter, rate: .perSecond(1_000)))
        #expect(try await redrive.run()?.state == .paused)
        #expect(pages.withLock { $0 } < 51)
        try await redrive.resume()
        let progress = try await redrive.run()
        #expect(progress?.state == .done && progress?.redriven == 1 && progress?.skipped == 0)
    }
}
