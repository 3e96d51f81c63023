// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

@testable import DeadLetters
@testable import WorkQueues

/// Redrives to other places than the letters' own queue.
@Suite struct RedriveDestinationTests {
    private func put(_ count: Int, in letters: RecordDeadLetterQueue) async throws {
        for id in 0..<count {
            try await letters.put(
                NewDeadLetter(
                    id: "\(id)", reason: .expired, origin: DeadLetterOrigin(source: "jobs", id: "\(id)"),
                    payload: [1]))
        }
    }

    // The time that one handler takes is no credit for the others.
    @Test(arguments: StoreKind.all)
    func `a slow handler lets no burst through`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let letters = RecordDeadLetterQueue("jobs", store: bench.store)
        try await put(120, in: letters)
        let clock = bench.clock
        let times = Locked([Duration]())
        let destination = RedriveDestination.handler("topic") { _ in
            times.withLock { $0.append(clock.now.offset) }
            if times.withLock({ $0.count }) == 1 { clock.advance(by: .seconds(10)) }
        }
        let redrive = Redrive(letters, to: destination, clock: clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(500)))
        #expect(try await onVirtualTime(clock) { try await redrive.run() }?.redriven == 120)
        var (level, before, highest) = (Duration.zero, Duration.zero, Duration.zero)
        for time in times.withLock({ $0 }) {
            level = max(.zero, level - (time - before)) + .milliseconds(2)
            before = time
            highest = max(highest, level)
        }
        #expect(highest == .milliseconds(100))
    }

    private struct Later: Rejection { var retryAfter: Duration? }

    @Test(arguments: StoreKind.all)
    func `a redrive waits as long as a guard says, and gives it the same letter again`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let letters = RecordDeadLetterQueue("jobs", store: bench.store)
        try await put(4, in: letters)
        let clock = bench.clock
        let calls = Locked([String]())
        let destination = RedriveDestination.handler("topic") { letter in
            let call = calls.withLock { calls in
                calls.append("\(letter.id) \(clock.now.offset / .seconds(1))")
                return calls.count
            }
            if call == 2 { throw Later(retryAfter: .seconds(60)) }
            // It does not say when: perhaps never.
            if letter.id == "2" { throw Later(retryAfter: nil) }
        }
        let redrive = Redrive(letters, to: destination, clock: clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        let progress = try await onVirtualTime(clock) { try await redrive.run() }
        #expect(progress?.redriven == 3 && progress?.failed == 1 && progress?.skipped == 0)
        let told = calls.withLock { $0 }
        #expect(told.map { $0.prefix(1) } == ["0", "1", "1", "2", "3"])
        #expect(told.prefix(2) == ["0 0.0", "1 0.0"])
        #expect(told.suffix(3).allSatisfy { $0.hasSuffix(" 60.0") })
        #expect(try await letters.list().letters.map(\.failures.count) == [0])
    }

    private struct Gone: Error {}

    @Test(arguments: StoreKind.all)
    func `a redrive that is cancelled in its handler goes on at once where it was`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let letters = RecordDeadLetterQueue("jobs", store: bench.store)
        try await put(3, in: letters)
        let clock = bench.clock
        let taken = Locked([String]())
        let destination = RedriveDestination.handler("topic") { letter in
            if letter.id == "1", Task.isCancelled == false, !taken.withLock({ $0.contains("again") }) {
                do {
                    try await clock.sleep(for: .seconds(5))
                } catch {
                    taken.withLock { $0.append("again") }
                    // Many a library throws an error of its own then.
                    throw Gone()
                }
            }
            taken.withLock { $0.append(letter.id) }
        }
        let redrive = Redrive(letters, to: destination, clock: clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        let running = Task { try await redrive.run() }
        await clock.waitForSleepers()
        running.cancel()
        await #expect(throws: Gone.self) { try await running.value }
        #expect(try await redrive.progress()?.redriven == 1)
        let progress = try await onVirtualTime(clock) { try await redrive.run() }
        #expect(progress?.redriven == 3 && progress?.failed == 0 && progress?.skipped == 0)
        #expect(taken.withLock { $0 } == ["0", "again", "1", "2"])
        // Those that were looked at twice were handed out once more.
        #expect(try await letters.statistics().depth == 0)
    }

    @Test(arguments: StoreKind.all)
    func `a limit counts what the handler does not take`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let letters = RecordDeadLetterQueue("jobs", store: bench.store)
        try await put(5, in: letters)
        let redrive = Redrive(
            letters, to: .handler("topic") { if $0.id == "0" { throw Declined() } }, clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1), limit: 2))
        let progress = try await onVirtualTime(bench.clock) { try await redrive.run() }
        #expect(progress?.failed == 1 && progress?.redriven == 1 && progress?.state == .done)
        #expect(try await letters.list().letters.map(\.id) == ["0", "2", "3", "4"])
    }

    // What it has handed out is in no commit of the redrive's yet.
    @Test(arguments: StoreKind.all)
    func `whoever goes on after a death in the middle of a batch keeps to the pace`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let letters = RecordDeadLetterQueue("jobs", store: bench.store)
        try await put(2, in: letters)
        let clock = bench.clock
        let calls = Locked([String]())
        let destination = RedriveDestination.handler("topic") { letter in
            calls.withLock { $0.append("\(letter.id) \(clock.now.offset / .seconds(1))") }
        }
        let redrive = Redrive(letters, to: destination, clock: clock)
        try await redrive.start(RedrivePlan(rate: Pace(1, per: .seconds(10))))
        // The time is taken, the letter is removed, and what it has done is not written down.
        bench.store.failCommits(nil, nil, .unavailable)
        await #expect(throws: StoreError.self) { try await redrive.run() }
        #expect(try await onVirtualTime(clock) { try await redrive.run() }?.state == .done)
        #expect(calls.withLock { $0 } == ["0 0.0", "1 10.0"])
    }

    @Test(arguments: StoreKind.all)
    func `a cancelled redrive hands out no more of its batch`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let letters = RecordDeadLetterQueue("jobs", store: bench.store)
        try await put(3, in: letters)
        let gate = Gate()
        let redrive = Redrive(letters, to: .handler("topic") { _ in await gate.pass() }, clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        let running = Task { try await redrive.run() }
        await gate.waitForArrivals(1)
        running.cancel()
        gate.open()
        await #expect(throws: CancellationError.self) { try await running.value }
        #expect(gate.arrived == 1)
        #expect(try await redrive.progress()?.redriven == 1)
        #expect(try await letters.list().letters.map(\.redriveCount) == [0, 0])
    }

    @Test(arguments: StoreKind.all)
    func `letters of order keys go to another queue in their order`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1, parksOrderKeys: true)
        let other = bench.queue("others")
        try await bench.put("k1", "k2", to: queue, orderKey: "k")
        try await bench.put("free", to: queue)
        for delivery in try await queue.receive(limit: 10) { try await delivery.retry(after: Declined()) }
        #expect(try await queue.names() == [])
        let redrive = Redrive(queue.deadLetters, to: .queue(other), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        let progress = try await redrive.run()
        #expect(progress?.redriven == 3 && progress?.skipped == 0)
        // And the key is open where it was parked.
        #expect(try await queue.deadLetters.parkedKeys(["k"])["k"]?.letters == 0)
        try await bench.put("k3", to: queue, orderKey: "k")
        #expect(try await queue.names() == ["k3"])
        var names: [String] = []
        while case let deliveries = try await other.receive(limit: 10), !deliveries.isEmpty {
            for delivery in deliveries {
                names.append(delivery.item.id)
                try await delivery.complete()
            }
        }
        #expect(names.filter { $0 != "free" } == ["k1", "k2"] && names.count == 3)
    }

    // As a message of a broker may have it; a record's key is never empty.
    @Test(arguments: StoreKind.all)
    func `a letter with an empty order key stops nobody, and comes back without one`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        // A name of somewhere else is none of the queue's.
        for (id, source, name) in [("a", "jobs", ""), ("b", "topic", "x")] {
            let origin = DeadLetterOrigin(source: source, id: name, orderKey: "")
            try await queue.deadLetters.put(NewDeadLetter(id: id, reason: .expired, origin: origin, payload: []))
        }
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        #expect(try await redrive.run()?.redriven == 2)
        let items = try await queue.receive(limit: 10).map(\.item)
        #expect(Set(items.map(\.id)) == ["a", "b"] && items.allSatisfy { $0.orderKey == nil })
    }

    @Test(arguments: StoreKind.all)
    func `nobody takes letters elsewhere than the redrive says`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        try await put(1, in: queue.deadLetters)
        let toTopic = Redrive(queue.deadLetters, to: .handler("topic") { _ in }, clock: bench.clock)
        let toQueue = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await toTopic.start(RedrivePlan())
        let error = await #expect(throws: RedriveActive.self) { try await toQueue.run() }
        #expect(error?.progress.destination == "topic")
        #expect(try await queue.statistics().depth == 0)
        // And whoever can run it does so at once; anybody can stop it.
        try await toQueue.pause()
        #expect(try await toTopic.run()?.state == .paused)
        try await toQueue.resume()
        #expect(try await toTopic.run()?.redriven == 1)
        #expect(try await toQueue.run()?.state == .done)
    }

    // A store of another clock, or one whose clock went ahead.
    @Test(arguments: StoreKind.all)
    func `an imported letter was put when it was imported, whatever its times say`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue()
        let letters = queue.deadLetters
        func line(_ id: String, _ seconds: Int64) throws -> String {
            try DeadLetter(
                id: id, position: 1, reason: .expired, origin: DeadLetterOrigin(source: "jobs", id: id), payload: [],
                headers: [:], failures: FailureHistory(), enqueuedAt: nil,
                deadLetteredAt: Timestamp(nanosecondsSince1970: seconds * 1_000_000_000), redriveCount: 0
            ).jsonLine()
        }
        try await letters.importLine(try line("ahead", 9_000_000_000))
        let redrive = Redrive(letters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan(rate: .perSecond(1_000)))
        bench.clock.advance(by: .seconds(1))
        try await letters.importLine(try line("late", 1))
        #expect(try await redrive.run()?.redriven == 1)
        #expect(try await letters.list().letters.map(\.id) == ["late"])
    }

    @Test(arguments: StoreKind.all)
    func `a letter of the largest counts comes back whole`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1)
        let letters = queue.deadLetters
        var line = try DeadLetter(
            id: "a", position: 1, reason: .expired, origin: DeadLetterOrigin(source: "jobs", id: "a"), payload: [7, 8],
            headers: [:],
            failures: FailureHistory(
                (0..<12).map {
                    DeadLetterFailure(
                        errorType: "E", message: "\($0)", time: Timestamp(nanosecondsSince1970: Int64($0)))
                }), enqueuedAt: nil, deadLetteredAt: Timestamp(nanosecondsSince1970: 0), redriveCount: 1
        ).jsonLine()
        line = line.replacing("\"redriveCount\":1", with: "\"redriveCount\":4294967295")
        await #expect(throws: MalformedDeadLetterLine.self) {
            try await letters.importLine(line.replacing("\"count\":12", with: "\"count\":4294967296"))
        }
        line = line.replacing("\"count\":12", with: "\"count\":4294967295")
        try await letters.importLine(line)
        for _ in 0..<2 {
            guard case .failed = try await letters.redrive("a", to: { _ in throw Declined() }) else {
                Issue.record("it fails")
                return
            }
        }
        let letter = try #require(try await letters.read("a"))
        #expect(letter.payload == [7, 8] && letter.failures.kept.count == 10)
        let redrive = Redrive(letters, to: .queue(queue), clock: bench.clock)
        for _ in 0..<2 {
            try await redrive.start(RedrivePlan())
            #expect(try await redrive.run()?.redriven == 1)
            let delivery = try await queue.one()
            #expect(delivery.item.payload == [7, 8] && delivery.item.redriveCount > 4_000_000_000)
            try await delivery.retry(after: Declined())
            bench.clock.advance(by: .seconds(1))
        }
        #expect(try await letters.read("a")?.reason == .attemptsExhausted)
    }

    @Test func `a pace of any numbers has a batch and a time`() {
        let longest = Duration.seconds(Int64.max)
        for pace in [Pace(.max, per: longest), Pace(1, per: longest), Pace(100_000_000_000, per: longest)] {
            #expect((1...100).contains(pace.batch))
            #expect(pace.time(for: 1_000) > .zero)
        }
        #expect(Pace(100_000_000_000, per: longest).batch == 1)
        #expect(Pace(.max, per: .nanoseconds(1)).batch == 100)
        #expect(Pace(1, per: longest).time(for: 1) == longest)
    }

    // Whoever reads these numbers adds to them.
    @Test func `no numbers of a stored redrive make it trap`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let queue = bench.queue()
        try await put(1, in: queue.deadLetters)
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan())
        let task = try #require(try await bench.store.read([RecordID("redrives/jobs", "task")]).records[0])
        var progress = try RedriveProgress(task)
        for (redriven, failed, skipped) in [(Int.max, 1, 1), (Int.max, Int.max, 0), (0, Int.max, Int.max)] {
            (progress.redriven, progress.failed, progress.skipped) = (redriven, failed, skipped)
            let standing = try #require(try await bench.store.read([task.id]).records[0])
            let content = RecordContent(state: "running", body: progress.encoded(), due: .after(.zero))
            _ = try await bench.store.commit([.replace(task.id, expecting: standing.fence, with: content, lease: .end)])
            await #expect(throws: RedriveUnreadable.self) { try await redrive.run() }
            bench.clock.advance(by: .seconds(30))
        }
    }
}
