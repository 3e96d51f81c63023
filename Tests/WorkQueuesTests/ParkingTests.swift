// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Testing

@testable import DeadLetters
@testable import WorkQueues

@Suite struct ParkingTests {
    /// Runs what is due until nothing is; items of those names fail.
    private func drain(_ queue: WorkQueue, failing: Set<String> = []) async throws -> [String] {
        var done: [String] = []
        while case let deliveries = try await queue.receive(limit: 10), !deliveries.isEmpty {
            for delivery in deliveries {
                if failing.contains(delivery.item.id) {
                    try await delivery.retry(after: Declined())
                } else {
                    try await delivery.complete()
                    done.append(delivery.item.id)
                }
            }
        }
        return done
    }

    private func letters(_ queue: WorkQueue) async throws -> [String: String] {
        let letters = try await queue.deadLetters.list().letters
        return Dictionary(uniqueKeysWithValues: letters.map { ($0.id, $0.reason.code) })
    }

    private func redrive(_ bench: Bench, _ queue: WorkQueue, _ plan: RedrivePlan) async throws -> RedriveProgress? {
        let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: bench.clock)
        try await redrive.start(plan)
        return try await redrive.run()
    }

    private static let quick = Pace.perSecond(1_000_000)

    @Test(arguments: StoreKind.all)
    func `later items of a key follow its first letter, and come back behind it`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1, parksOrderKeys: true)
        try await bench.put("k1", "k2", "k3", to: queue, orderKey: "k")
        try await bench.put("m1", to: queue, orderKey: "m")
        try await bench.put("free", to: queue)
        #expect(Set(try await drain(queue, failing: ["k1"])) == ["m1", "free"])
        try await bench.put("k4", to: queue, orderKey: "k")
        #expect(try await drain(queue) == [])
        let parked = try await letters(queue)
        #expect(
            parked == [
                "k1": "attemptsExhausted", "k2": "precedingItemParked", "k3": "precedingItemParked",
                "k4": "precedingItemParked",
            ])
        // The first one alone is asked for; the others go with it.
        let filter = DeadLetterFilter(reason: "attemptsExhausted")
        let first = try await redrive(bench, queue, RedrivePlan(filter: filter, rate: Self.quick, limit: 1))
        #expect(first?.redriven == 1)
        try await bench.put("k5", to: queue, orderKey: "k")
        #expect(try await drain(queue) == ["k1"])
        #expect(try await letters(queue).count == 4)
        let rest = try await redrive(bench, queue, RedrivePlan(filter: filter, rate: Self.quick))
        #expect(rest?.redriven == 4 && rest?.skipped == 0)
        try await bench.put("k6", to: queue, orderKey: "k")
        #expect(try await drain(queue) == ["k2", "k3", "k4", "k5", "k6"])
        #expect(try await letters(queue) == [:])
    }

    @Test(arguments: StoreKind.all)
    func `a first letter that fails again holds back those that came back with it`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1, parksOrderKeys: true)
        try await bench.put("k1", "k2", to: queue, orderKey: "k")
        _ = try await drain(queue, failing: ["k1"])
        for _ in 0..<3 {
            #expect(try await redrive(bench, queue, RedrivePlan(rate: Self.quick))?.redriven == 2)
            #expect(try await drain(queue, failing: ["k1"]) == [])
            #expect(try await letters(queue) == ["k1": "attemptsExhausted", "k2": "precedingItemParked"])
        }
        #expect(try await queue.resume(orderKey: "k") == 2)
        #expect(try await queue.resume(orderKey: "k") == 0)
        #expect(try await drain(queue) == ["k1", "k2"])
    }

    @Test(arguments: StoreKind.all)
    func `an eviction opens the key, and nobody but the first letter can go`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1, parksOrderKeys: true)
        try await bench.put("k1", "k2", "k3", to: queue, orderKey: "k")
        _ = try await drain(queue, failing: ["k1"])
        #expect(try await queue.evict("k2", because: "not the first") == .held(.zero))
        guard case .held(.zero) = try await queue.deadLetters.redrive("k2", to: { _ in }) else {
            Issue.record("k1 is before it")
            return
        }
        #expect(try await queue.evict("k0", because: "none") == .notFound)
        #expect(try await queue.evict("k1", because: "by hand") == .evicted)
        #expect(try await drain(queue) == ["k2", "k3"])
        let evicted = try await queue.deadLetters.evicted().letters
        #expect(evicted.map(\.letter.id) == ["k1"] && evicted.map(\.because) == ["by hand"])
        #expect(try await queue.deadLetters.statistics().depth == 0)
    }

    @Test(arguments: StoreKind.all)
    func `letters that a handler takes elsewhere open the key one by one`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1, parksOrderKeys: true)
        try await bench.put("k1", "k2", to: queue, orderKey: "k")
        _ = try await drain(queue, failing: ["k1"])
        for id in ["k1", "k2"] {
            try await bench.put("after \(id)", to: queue, orderKey: "k")
            _ = try await drain(queue)
            guard case .redriven = try await queue.deadLetters.redrive(id, to: { _ in }) else {
                Issue.record("\(id) is the first")
                return
            }
        }
        #expect(try await letters(queue).count == 2)
        #expect(try await queue.resume(orderKey: "k") == 2)
        #expect(try await drain(queue) == ["after k1", "after k2"])
    }

    @Test(arguments: StoreKind.all)
    func `a letter behind one that stays is skipped`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let queue = bench.queue(maximumFailures: 1, parksOrderKeys: true)
        try await bench.put("k1", "k2", to: queue, orderKey: "k")
        try await bench.put("m1", "m2", to: queue, orderKey: "m")
        _ = try await drain(queue, failing: ["k1", "m1"])
        _ = try await bench.store.claim(
            ClaimRequest(.ids([RecordID(queue.deadLetters.collection, "k1")]), lease: Lease(.seconds(600))))
        let progress = try await redrive(bench, queue, RedrivePlan(rate: Self.quick))
        #expect(progress?.redriven == 2 && progress?.skipped == 2)
        #expect(try await drain(queue) == ["m1", "m2"])
        #expect(try await letters(queue).keys.sorted() == ["k1", "k2"])
    }

    /// No item is done while an earlier one of its key is neither done nor evicted, whatever happens in which order.
    @Test(arguments: StoreKind.all)
    func `no item overtakes another of its key`(kind: StoreKind) async throws {
        for seed in UInt64(1)...(kind.description.contains("emory") ? 60 : 10) {
            let random = RandomSource.seeded(seed)
            func draw(_ below: Int) -> Int { Int(random.draw(upTo: Int64(below - 1))) }
            let bench = try Bench(kind)
            let queue = bench.queue(
                maximumFailures: 1 + draw(2), backoff: .constant(.zero), parksOrderKeys: true)
            var waiting: [String: [String]] = [:]
            var count = 0
            func leave(_ id: String) {
                let key = String(id.prefix(1))
                #expect(waiting[key]?.first == id, "seed \(seed): \(id) before \(waiting[key] ?? [])")
                waiting[key]?.removeAll { $0 == id }
            }
            for _ in 0..<120 {
                switch draw(10) {
                case 0...3:
                    let key = ["k", "m", "n"][draw(3)]
                    count += 1
                    try await bench.put("\(key)\(count)", to: queue, orderKey: key)
                    waiting[key, default: []].append("\(key)\(count)")
                case 4...6:
                    for delivery in try await queue.receive(limit: 1 + draw(3)) {
                        if draw(3) == 0 {
                            try await delivery.retry(after: Declined())
                        } else {
                            try await delivery.complete()
                            leave(delivery.item.id)
                        }
                    }
                case 7:
                    let limit = draw(2) == 0 ? nil : 1 + draw(3)
                    _ = try await redrive(bench, queue, RedrivePlan(rate: Self.quick, limit: limit))
                case 8: try await queue.resume(orderKey: ["k", "m", "n"][draw(3)])
                default:
                    guard let letter = try await queue.deadLetters.list().letters.first else { continue }
                    guard try await queue.evict(letter.id, because: "test") == .evicted else { continue }
                    waiting[String(letter.id.prefix(1))]?.removeAll { $0 == letter.id }
                }
            }
            // And everything can come back in the end.
            var rounds = 0
            while waiting.values.contains(where: { !$0.isEmpty }), rounds < 50 {
                rounds += 1
                for id in try await drain(queue) { leave(id) }
                for key in ["k", "m", "n"] { try await queue.resume(orderKey: key) }
            }
            #expect(waiting.values.allSatisfy { $0.isEmpty }, "seed \(seed): \(waiting)")
            #expect(try await bench.store.statistics(of: "parked/jobs").counts["parked"] == nil, "seed \(seed)")
        }
    }
}
