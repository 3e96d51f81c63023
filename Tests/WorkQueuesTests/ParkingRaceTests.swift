// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Testing

@testable import DeadLetters
@testable import WorkQueues

/// Order keys whose letters come and go while somebody looks at them.
@Suite struct ParkingRaceTests {
    private let bench: Bench
    private let store: InterposedStore
    private let queue: WorkQueue
    private var letters: RecordDeadLetterQueue { queue.deadLetters }

    init() throws {
        bench = try Bench(StoreKind.all[0])
        store = InterposedStore(bench.store)
        queue = bench.queue(maximumFailures: 1, maximumCrashes: 1, parksOrderKeys: true, store: store)
    }

    private func put(_ ids: String..., bytes: Int = 1, timeToLive: Duration? = nil) async throws {
        for id in ids {
            let payload = [UInt8](repeating: 7, count: bytes)
            try await queue.enqueue(NewWorkItem(id: id, payload: payload, orderKey: "k", timeToLive: timeToLive))
        }
    }

    /// The first of the key fails, and whatever is behind it follows.
    private func park() async throws {
        try await queue.one().retry(after: Declined())
        #expect(try await queue.names() == [])
    }

    private func standing() async throws -> [String] { try await letters.list().letters.map(\.id) }
    private func counted() async throws -> Int? { try await letters.parkedKeys(["k"])["k"]?.letters }

    private func redrive(_ filter: DeadLetterFilter = .all) async throws -> RedriveProgress? {
        let redrive = Redrive(letters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(RedrivePlan(filter: filter, rate: Pace(.max, per: .seconds(1))))
        return try await redrive.run()
    }

    /// Damages the bytes of an item or a letter.
    private func damage(_ id: RecordID) async throws {
        let record = try #require(try await bench.store.read([id]).records[0])
        let content = RecordContent(
            state: record.state, body: [0], orderKey: record.orderKey, due: .unchanged, expires: .unchanged)
        _ = try await bench.store.commit([.replace(id, expecting: record.fence, with: content, lease: .end)])
    }

    private func takeName(_ id: String) async throws {
        let content = RecordContent(state: "ready", body: ItemBody(payload: []).encoded())
        _ = try await bench.store.commit([.insert(queue.id(id), content)])
    }

    enum Moment: CaseIterable { case beforeTheLook, beforeItFollows, beforeItIsGivenUp, beforeItIsSetAside }

    // The next one was the first of its key when it was claimed, and is not any more when it would be started.
    @Test(arguments: Moment.allCases)
    func `an item waits behind letters that have come back since it was claimed`(moment: Moment) async throws {
        try await put("k1")
        try await park()
        try await put("k2", timeToLive: moment == .beforeItIsGivenUp ? .seconds(1) : nil)
        if moment == .beforeItIsGivenUp { bench.clock.advance(by: .seconds(1)) }
        if moment == .beforeItIsSetAside { try await damage(queue.id("k2")) }
        let claim = try await queue.claim(1, .seconds(30), waitUpTo: .zero)
        #expect(claim.claimed.map(\.id.key) == ["k2"])
        let queue = queue
        let resume: @Sendable () async throws -> Void = { _ = try await queue.resume(orderKey: "k") }
        switch moment {
        case .beforeTheLook, .beforeItIsGivenUp, .beforeItIsSetAside: try await resume()
        case .beforeItFollows: store.once(.beforeCommit(queue.collection), resume)
        }
        #expect(try await queue.start(claim.claimed, now: claim.now, lease: .seconds(30)).isEmpty)
        #expect(store.isOver)
        let first = try await queue.one()
        #expect(first.item.id == "k1")
        try await first.complete()
        switch moment {
        case .beforeItIsGivenUp, .beforeItIsSetAside:
            #expect(try await queue.names() == [])
            #expect(try await standing() == ["k2"])
        case .beforeTheLook, .beforeItFollows:
            let second = try await queue.one()
            #expect(second.item.id == "k2" && second.item.crashes == 0 && second.item.delivery == 1)
        }
    }

    // The one that follows is held up no less, and the one that has come back no more.
    @Test func `an item follows behind a letter that comes back at that moment`() async throws {
        try await put("k1", "k2")
        try await park()
        try await put("k3")
        let redrive = Redrive(letters, to: .queue(queue), clock: bench.clock)
        store.once(.beforeCommit(queue.collection)) {
            try await redrive.start(RedrivePlan(limit: 1))
            #expect(try await redrive.run()?.redriven == 1)
        }
        let first = try await queue.one()
        #expect(store.isOver && first.item.id == "k1" && first.item.redriveCount == 1)
        #expect(try await standing() == ["k2", "k3"])
        try await first.complete()
        #expect(try await queue.resume(orderKey: "k") == 2)
    }

    @Test func `what is remembered of an open key goes after a day`() async throws {
        try await put("k1")
        try await park()
        bench.clock.advance(by: .seconds(100_000))
        #expect(try await counted() == 1)
        try await queue.resume(orderKey: "k")
        #expect(try await counted() == 0)
        bench.clock.advance(by: .seconds(86_399))
        #expect(try await bench.store.statistics(of: "parked/jobs").counts == ["open": 1])
        bench.clock.advance(by: .seconds(1))
        #expect(try await bench.store.statistics(of: "parked/jobs").counts == [:])
    }

    @Test func `what is known of a key and cannot be read lets nobody through`() async throws {
        try await put("k1", "k2")
        try await queue.one().retry(after: Declined())
        try await damage(RecordID("parked/jobs", "k"))
        #expect(try await queue.names() == [])
        #expect(try await standing() == ["k1", "k2"])
    }

    @Test func `a letter that a handler did not take keeps its place before those of its key`() async throws {
        try await put("k1", "k2")
        try await park()
        let taking: (DeadLetter) async throws -> Void = { _ in }
        guard case .failed = try await letters.redrive("k1", to: { _ in throw Declined() }) else {
            Issue.record("k1 fails")
            return
        }
        guard case .held(.zero) = try await letters.redrive("k2", to: taking) else {
            Issue.record("k1 is before k2")
            return
        }
        guard case .redriven = try await letters.redrive("k1", to: taking) else {
            Issue.record("k1 is the first")
            return
        }
        #expect(try await counted() == 1)
        #expect(try await queue.resume(orderKey: "k") == 1)
        #expect(try await counted() == 0)
    }

    // MARK: Redrives

    // What a filter leaves out, what cannot be read, and what an item has the name of.
    @Test(arguments: ["filter", "damage", "name"])
    func `a letter does not pass one that stays`(reason: String) async throws {
        try await put("a", "b", "c", "d")
        if reason == "filter" { try await damage(queue.id("b")) }
        try await park()
        if reason == "damage" { try await damage(letters.id("b")) }
        if reason == "name" { try await takeName("b") }
        let progress = try await redrive(DeadLetterFilter(reason: reason == "filter" ? "attemptsExhausted" : nil))
        #expect(progress?.redriven == 1 && progress?.state == .done)
        #expect(progress?.skipped == (reason == "filter" ? 0 : 3))
        #expect(try await counted() == 3)
        #expect(try await queue.names() == ["a"])
    }

    @Test func `resuming stops at a letter that an item has the name of`() async throws {
        try await put("a", "b", "c", "d")
        try await park()
        try await takeName("c")
        #expect(try await queue.resume(orderKey: "k") == 2)
        #expect(try await standing() == ["c", "d"])
        #expect(try await counted() == 2)
        #expect(try await queue.resume(orderKey: "k") == 0)
    }

    enum Change: CaseIterable { case oneGoes, oneComesBetween, oneComesBefore, anotherOfTheName, oneFails }

    // Between the look at the letters and the commit that brings them back.
    @Test(arguments: Change.allCases, [true, false])
    func `letters come back in order, whatever comes or goes meanwhile`(change: Change, resumes: Bool) async throws {
        try await put("a", "b", "c", "d")
        let (queue, letters) = (queue, letters)
        let held = try await queue.one()
        switch change {
        case .oneGoes, .oneFails, .anotherOfTheName:
            try await held.retry(after: Declined())
            #expect(try await queue.names() == [])
        case .oneComesBetween, .oneComesBefore: try await held.complete()
        }
        switch change {
        case .oneGoes: store.once(.beforeCommit("parked/jobs")) { try await letters.evict("a", because: "test") }
        case .oneFails:
            store.once(.afterScan(letters.collection)) {
                _ = try await letters.redrive("a", to: { _ in throw Declined() })
            }
        case .anotherOfTheName:
            let another = NewDeadLetter(
                id: "a", reason: .manual("test"), origin: DeadLetterOrigin(source: "x", id: "a"), payload: [])
            store.once(.afterScan(letters.collection)) {
                try await letters.evict("a", because: "test")
                try await letters.put(another)
            }
        case .oneComesBetween, .oneComesBefore:
            // b is a letter that has come back, c and d are letters; or c has come back, and d is a letter.
            try await queue.one().retry(after: Declined())
            #expect(try await queue.names() == [])
            let back = change == .oneComesBetween ? ["b", "c"] : ["b"]
            let redrive = Redrive(letters, to: .queue(queue), clock: bench.clock)
            try await redrive.start(RedrivePlan(rate: Pace(.max, per: .seconds(1)), limit: back.count))
            #expect(try await redrive.run()?.redriven == back.count)
            if change == .oneComesBetween {
                let first = try await queue.one()
                store.once(.afterScan(letters.collection)) {
                    // b and c are letters again.
                    try await first.retry(after: Declined())
                    _ = try await queue.receive(limit: 10)
                }
            } else {
                let first = try await queue.one()
                store.once(.beforeClaim(letters.collection)) { try await first.retry(after: Declined()) }
            }
        }
        if resumes { _ = try await queue.resume(orderKey: "k") } else { _ = try await redrive() }
        #expect(store.isOver)
        // And again, for what had to stay.
        _ = try await redrive(DeadLetterFilter(source: "jobs"))
        var done: [String] = []
        while let next = try await queue.receive().first {
            if change == .oneFails, next.item.id == "a" { #expect(next.item.history.count == 2) }
            try await next.complete()
            done.append(next.item.id)
        }
        let expected =
            switch change {
            case .oneGoes, .oneComesBetween, .oneComesBefore: ["b", "c", "d"]
            case .anotherOfTheName: resumes ? ["b", "c", "d"] : ["b", "c", "d", "a"]
            case .oneFails: ["a", "b", "c", "d"]
            }
        #expect(done == expected)
        #expect(try await counted() == 0)
        #expect(try await standing() == (change == .anotherOfTheName && resumes ? ["a"] : []))
    }

    @Test(arguments: [true, false])
    func `as many letters come back at once as fit into a commit`(resumes: Bool) async throws {
        let queue = WorkQueue(
            "jobs", store: store, maximumFailures: 1, parksOrderKeys: true, maximumPayload: 1_000_000,
            clock: bench.clock)
        let names = (10..<30).map { "\($0)" }
        for name in names {
            let payload = [UInt8](repeating: 7, count: 1_000_000)
            try await queue.enqueue(NewWorkItem(id: name, payload: payload, orderKey: "k"))
        }
        try await park()
        if resumes {
            #expect(try await queue.resume(orderKey: "k") == names.count)
        } else {
            let progress = try await redrive()
            #expect(progress?.redriven == names.count && progress?.skipped == 0)
        }
        for name in names {
            let delivery = try await queue.one()
            #expect(delivery.item.id == name && delivery.item.redriveCount == 1)
            try await delivery.complete()
        }
    }
}
