// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Synchronization
import Testing

@testable import DeadLetters
@testable import WorkQueues

@Suite struct RedriveTaskTests {
    /// A queue with letters of so many items.
    private func bench(_ kind: StoreKind, letters count: Int) async throws -> (Bench, WorkQueue) {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1)
        for start in stride(from: 0, to: count, by: 100) {
            try await queue.enqueue(
                (start..<min(count, start + 100)).map { NewWorkItem(id: "\($0)", payload: Array("\($0)".utf8)) })
            for delivery in try await queue.receive(limit: 100) { try await delivery.retry(after: Declined()) }
        }
        _ = bench.takeEvents()
        return (bench, queue)
    }

    @Test(arguments: StoreKind.all)
    func `an item comes back as the same item, its counters anew`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1)
        try await queue.enqueue(NewWorkItem(id: "a", payload: [7], headers: ["trace": "1"], orderKey: "k"))
        let before = try await queue.one().item
        bench.clock.advance(by: .seconds(30))
        for round in 1...3 {
            let delivery = try await queue.one()
            let item = delivery.item
            #expect(item.id == "a" && item.payload == [7] && item.headers == ["trace": "1"] && item.orderKey == "k")
            #expect(item.position == before.position && item.enqueuedAt == before.enqueuedAt)
            #expect(item.delivery == round + 1 && item.redriveCount == round - 1)
            #expect(item.failures == 0 && item.crashes == (round == 1 ? 1 : 0) && item.history.count == round - 1)
            try await delivery.retry(after: Declined())
            let letter = try #require(try await queue.deadLetters.read("a"))
            #expect(letter.failures.count == round && letter.redriveCount == round - 1)
            let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
            try await redrive.start(RedrivePlan())
            let progress = try await redrive.run()
            #expect(progress?.redriven == 1 && progress?.state == .done)
        }
    }

    // Cases 71, 73 and 74.
    @Test(arguments: StoreKind.all)
    func `a filter and a limit say which, a dry run only counts`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 5)
        try await queue.deadLetters.put(
            NewDeadLetter(id: "x", reason: .undecodable, origin: .init(source: "jobs", id: "x"), payload: [1]))
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        #expect(try await redrive.progress() == nil)
        #expect(try await redrive.run() == nil)
        #expect(try await redrive.dryRun() == ["attemptsExhausted": 5, "undecodable": 1])
        let type = String(reflecting: Declined.self)
        let filter = DeadLetterFilter(reason: "attemptsExhausted", errorType: type)
        #expect(try await redrive.dryRun(filter) == ["attemptsExhausted": 5])
        #expect(try await redrive.dryRun(DeadLetterFilter(errorType: "Other")) == [:])
        #expect(try await queue.statistics().depth == 0)

        try await redrive.start(RedrivePlan(filter: filter, rate: .perSecond(20), limit: 3))
        // What comes after the start is another's.
        bench.clock.advance(by: .nanoseconds(1))
        try await queue.deadLetters.put(
            NewDeadLetter(
                id: "late", reason: .attemptsExhausted, origin: .init(source: "jobs", id: "late"), payload: []))
        let progress = try await onVirtualTime(bench.clock) { try await redrive.run() }
        #expect(progress?.redriven == 3 && progress?.state == .done)
        #expect(try await queue.names() == ["0", "1", "2"])
        try await redrive.start(RedrivePlan(filter: DeadLetterFilter(until: try #require(progress?.startedAt))))
        #expect(try await redrive.run()?.redriven == 0)
        try await redrive.start(RedrivePlan(filter: DeadLetterFilter(maximumRedrives: 0), rate: .perSecond(1_000)))
        #expect(try await onVirtualTime(bench.clock) { try await redrive.run() }?.redriven == 4)
    }

    @Test(arguments: StoreKind.all)
    func `a redrive can be paused, resumed and cancelled by anybody`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 10)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1)))
        let running = Task { try await redrive.run() }
        await bench.clock.waitForSleepers()
        bench.clock.advance(by: .seconds(1))
        await bench.clock.waitForSleepers()
        let seen = try await redrive.pause()
        #expect(seen?.state == .running && seen?.redriven == 2)
        // Not even the batch that it waits for.
        bench.clock.advance(by: .seconds(1))
        let paused = try await running.value
        #expect(paused?.state == .paused && paused?.redriven == 2)
        #expect(try await redrive.run()?.state == .paused)
        #expect(try await redrive.pause()?.state == .paused)
        await #expect(throws: RedriveActive.self) { try await redrive.start(RedrivePlan()) }
        #expect(try await redrive.resume()?.state == .running)
        let resumed = Task { try await redrive.run() }
        await bench.clock.waitForSleepers()
        // Its own cancellation leaves it as it is.
        resumed.cancel()
        await #expect(throws: CancellationError.self) { try await resumed.value }
        #expect(try await redrive.progress()?.state == .running)
        #expect(try await redrive.cancel()?.state == .cancelled)
        #expect(try await redrive.run()?.state == .cancelled)
        let left = try await queue.deadLetters.statistics().depth
        let redriven = try #require(try await redrive.progress()).redriven
        #expect(left == 10 - redriven && redriven >= 2)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        #expect(try await onVirtualTime(bench.clock) { try await redrive.run() }?.redriven == left)
    }

    // The pace counts from when letters have gone, and not from when somebody set out to let them go.
    @Test(arguments: StoreKind.all)
    func `a commit that comes late does not hurry the next one`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 3)
        let store = InterposedStore(bench.store)
        let times = Locked([Duration]())
        let clock = bench.clock
        let letters = RecordDeadLetterQueue("jobs", store: store) { event in
            if case .redriven = event.kind { times.withLock { $0.append(clock.now.offset) } }
        }
        let redrive = Redrive(letters, to: .queue(queue), clock: clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1)))
        store.once(.beforeCommit("redrives/jobs")) { clock.advance(by: .seconds(5)) }
        // Nor if nobody was told of it.
        bench.store.failCommits(.appliedUnknown)
        #expect(try await onVirtualTime(clock) { try await redrive.run() }?.redriven == 3)
        let first = try #require(times.withLock { $0.first })
        #expect(times.withLock { $0 } == [first, first + .seconds(1), first + .seconds(2)])
    }

    @Test(arguments: StoreKind.all)
    func `what is wished of a paused redrive that is held is done by whoever runs it next`(
        kind: StoreKind
    ) async throws {
        let (bench, queue) = try await bench(kind, letters: 2)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        func hold() async throws {
            _ = try await bench.store.claim(
                ClaimRequest(.ids([RecordID("redrives/jobs", "task")]), lease: Lease(.seconds(30))))
        }
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        try await redrive.pause()
        try await hold()
        #expect(try await redrive.resume()?.state == .paused)
        bench.clock.advance(by: .seconds(30))
        #expect(try await onVirtualTime(bench.clock) { try await redrive.run() }?.state == .done)
        try await redrive.start(RedrivePlan())
        try await redrive.pause()
        try await hold()
        #expect(try await redrive.cancel()?.state == .paused)
        bench.clock.advance(by: .seconds(30))
        #expect(try await redrive.run()?.state == .cancelled)
    }

    @Test(arguments: StoreKind.all)
    func `a redrive is held through pauses longer than its lease, and leaves later letters alone`(
        kind: StoreKind
    ) async throws {
        let (bench, queue) = try await bench(kind, letters: 2)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), lease: .seconds(30), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: Pace(1, per: .seconds(100))))
        bench.clock.advance(by: .nanoseconds(1))
        try await queue.deadLetters.put(
            NewDeadLetter(id: "late", reason: .undecodable, origin: .init(source: "jobs", id: "late"), payload: []))
        let running = Task { try await redrive.run() }
        await bench.clock.waitForSleepers()
        bench.clock.advance(by: .seconds(99))
        await #expect(throws: RedriveHeld.self) { try await redrive.run() }
        bench.clock.advance(by: .seconds(1))
        let progress = try await running.value
        #expect(progress?.redriven == 2 && progress?.skipped == 0 && progress?.state == .done)
        #expect(try await queue.deadLetters.list().letters.map(\.id) == ["late"])
    }

    @Test(arguments: StoreKind.all)
    func `a redrive is held as long as its handler takes letter after letter, and what is over stays over`(
        kind: StoreKind
    ) async throws {
        let (bench, queue) = try await bench(kind, letters: 4)
        let letters = queue.deadLetters
        let other = Redrive(letters, to: .queue(queue), clock: bench.clock)
        let destination = RedriveDestination.handler("topic") { _ in
            bench.clock.advance(by: .seconds(20))
            await #expect(throws: RedriveHeld.self) { try await other.run() }
        }
        let redrive = Redrive(letters, to: destination, lease: .seconds(30), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        #expect(try await redrive.run()?.redriven == 4)
        for verb in [redrive.pause, redrive.resume, redrive.cancel] { #expect(try await verb()?.state == .done) }
    }

    // Who pauses it names the same fence, and leaves nobody holding it.
    @Test(arguments: StoreKind.all)
    func `a batch is not taken for brought back because somebody else has changed the redrive`(
        kind: StoreKind
    ) async throws {
        for claims in [true, false] {
            let (bench, queue) = try await bench(kind, letters: 2)
            let store = InterposedStore(bench.store)
            let redrive = Redrive(
                RecordDeadLetterQueue("jobs", store: store), to: .queue(queue), clock: bench.clock)
            try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
            let task = RecordID("redrives/jobs", "task")
            let base = bench.store
            bench.store.failCommits(claims ? .appliedUnknown : .droppedUnknown)
            store.once(.afterCommit("redrives/jobs")) {
                bench.clock.advance(by: .seconds(30))
                if claims {
                    _ = try await base.claim(ClaimRequest(.ids([task]), lease: Lease(.seconds(30))))
                } else {
                    try await redrive.pause()
                }
            }
            await #expect(throws: RedriveHeld.self) { try await redrive.run() }
            let progress = try await redrive.progress()
            #expect(progress?.redriven == (claims ? 2 : 0))
            #expect(progress?.state == (claims ? .running : .paused))
            #expect(try await queue.deadLetters.statistics().depth == (claims ? 0 : 2))
        }
    }

    // The name of one of them is taken as soon as the other has it.
    @Test(arguments: StoreKind.all)
    func `of two letters of one name the first goes`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 2)
        try await queue.deadLetters.put(
            NewDeadLetter(id: "another", reason: .undecodable, origin: .init(source: "jobs", id: "1"), payload: [1]))
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        let progress = try await onVirtualTime(bench.clock) { try await redrive.run() }
        #expect(progress?.redriven == 2 && progress?.skipped == 1)
        #expect(try await queue.deadLetters.list().letters.map(\.id) == ["another"])
    }

    @Test(arguments: StoreKind.all)
    func `a letter that is held, in the way or not to be read stays`(kind: StoreKind) async throws {
        let (bench, queue) = try await bench(kind, letters: 4)
        // 1 is held, the name of 2 is taken, and 3 is damaged.
        _ = try await bench.store.claim(
            ClaimRequest(.ids([RecordID(queue.deadLetters.collection, "1")]), lease: Lease(.seconds(600))))
        let taken = RecordContent(state: "ready", body: ItemBody(payload: []).encoded(), due: .after(.seconds(60)))
        _ = try await bench.store.commit([.insert(queue.id("2"), taken)])
        let damaged = try #require(try await bench.store.read([RecordID(queue.deadLetters.collection, "3")]).records[0])
        _ = try await bench.store.commit([
            .replace(damaged.id, expecting: damaged.fence, with: RecordContent(state: "attemptsExhausted"), lease: .end)
        ])
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        let progress = try await onVirtualTime(bench.clock) { try await redrive.run() }
        #expect(progress?.redriven == 1 && progress?.skipped == 3 && progress?.state == .done)
        #expect(try await queue.names() == ["0"])
        #expect(try await queue.deadLetters.list().letters.map(\.id) == ["1", "2"])
    }

    @Test(arguments: StoreKind.all)
    func `a handler outside the store is given each letter, and keeps what it does not take`(
        kind: StoreKind
    ) async throws {
        let (bench, queue) = try await bench(kind, letters: 5)
        let taken = Locked([String]())
        let destination = RedriveDestination.handler("topic") { letter in
            if letter.id == "2" { throw Declined() }
            taken.withLock { $0.append(letter.id) }
        }
        let redrive = Redrive(queue.deadLetters, to: destination, clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(20)))
        let progress = try await onVirtualTime(bench.clock) { try await redrive.run() }
        #expect(progress?.redriven == 4 && progress?.failed == 1 && progress?.destination == "topic")
        #expect(taken.withLock { $0 } == ["0", "1", "3", "4"])
        #expect(try await queue.deadLetters.read("2")?.failures.count == 2)
    }

    @Test func `a plan comes back from its bytes, and damage to them does not trap`() throws {
        let now = Timestamp(nanosecondsSince1970: 5)
        let full = RedrivePlan(
            filter: DeadLetterFilter(
                reason: "a", errorType: "b", source: "c", orderKey: "d", from: now, until: now, maximumRedrives: 3),
            rate: .init(7, per: .milliseconds(3)), limit: 9)
        for plan in [full, RedrivePlan()] {
            var progress = RedriveProgress(plan, destination: "q", at: now)
            progress.cursor = plan.limit.map { UInt64($0) }
            progress.redriven = 4
            let bytes = progress.encoded()
            func record(_ body: [UInt8]) -> Record {
                Record(
                    id: RecordID("redrives/q", "task"), fence: Fence(rawValue: 1), position: 1, state: "running",
                    createdAt: now, body: body)
            }
            #expect(try RedriveProgress(record(bytes)) == progress)
            for length in 0..<bytes.count {
                #expect(throws: MalformedBytes.self) { try RedriveProgress(record(Array(bytes[..<length]))) }
            }
            for index in bytes.indices {
                for bit in 0..<8 {
                    var flipped = bytes
                    flipped[index] ^= 1 << UInt8(bit)
                    _ = try? RedriveProgress(record(flipped))
                }
            }
        }
    }

    @Test func `a pace is spread over tenths of a second`() {
        for (pace, batch) in [
            (Pace.perSecond(500), 50), (.perSecond(9), 1), (.perSecond(10_000), 100),
            (.init(1, per: .seconds(3_600)), 1), (.init(.max, per: .seconds(1)), 100), (.perSecond(19), 1),
        ] {
            #expect(pace.batch == batch)
        }
        #expect(Pace.perSecond(500).time(for: 50) == .milliseconds(100))
    }
}
