// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing
import WorkQueues

/// Redrives whose processes die.
@Suite struct RedriveCrashTests {
    /// Notes when each letter was about to be moved last, which is when it was if it is not there any more.
    private final class Journey: RecordStoreWrapper {
        let base: any RecordStore
        private let clock: ManualClock
        private let times: Locked<[String: Duration]>

        init(_ base: any RecordStore, _ clock: ManualClock, after times: [String: Duration]) {
            self.base = base
            self.clock = clock
            self.times = Locked(times)
        }

        var left: [String: Duration] { times.withLock { $0 } }

        func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
            let now = clock.now.offset
            times.withLock { times in
                for case .move(let id, _, _, _, _) in changes { times[id.key] = now }
            }
            return try await base.commit(changes)
        }
    }

    // Case 70: ten thousand letters at 500 a second, killed ten times.
    @Test(arguments: MortalWorld.Kind.allCases, [UInt64(1), 2])
    func `ten thousand letters come back, none lost, none doubled, never faster than the rate`(
        kind: MortalWorld.Kind, seed: UInt64
    ) async throws {
        let count = 10_000
        let world = MortalWorld(kind, seed: seed)
        let random = RandomSource.seeded(seed)
        let first = try world.open()
        let dead = RecordDeadLetterQueue("jobs", store: first)
        for start in stride(from: 0, to: count, by: 1_000) {
            let letters = try (start..<start + 1_000).map { number in
                try dead.change(
                    for: NewDeadLetter(
                        id: "\(number)", reason: .attemptsExhausted,
                        origin: DeadLetterOrigin(source: "jobs", id: "\(number)"), payload: Array("\(number)".utf8)))
            }
            _ = try await first.commit(letters)
        }
        func redrive(_ store: any RecordStore) -> Redrive {
            let queue = WorkQueue("jobs", store: store)
            return Redrive(queue.deadLetters, to: .queue(queue), clock: world.clock)
        }
        try await redrive(first).start(RedrivePlan(rate: .perSecond(500)))
        var times: [String: Duration] = [:]
        for _ in 1...10 {
            let process = try world.open(dyingAfter: 4 + Int(random.draw(upTo: kind == .memory ? 13 : 30)))
            let journey = Journey(process, world.clock, after: times)
            let redrive = redrive(journey)
            await #expect(throws: StoreError.self) { try await onVirtualTime(world.clock) { try await redrive.run() } }
            #expect(process.isDead)
            times = journey.left
            world.bury()
        }
        let last = try world.open()
        let journey = Journey(last, world.clock, after: times)
        let ending = redrive(journey)
        #expect((try await ending.progress()?.redriven ?? 0) < count)
        let progress = try await onVirtualTime(world.clock) { try await ending.run() }
        #expect(progress?.state == .done && progress?.redriven == count)
        #expect(progress?.skipped == 0 && progress?.failed == 0)

        // Every item once, in its order, and no letter.
        let queue = WorkQueue("jobs", store: last)
        #expect(try await queue.deadLetters.statistics().depth == 0)
        var ids: [String] = []
        var position: UInt64?
        repeat {
            let page = try await last.scan(queue.collection, state: nil, after: position, limit: 1_000)
            ids += page.records.map(\.id.key)
            position = page.next
        } while position != nil
        #expect(ids == (0..<count).map { "\($0)" })

        // At most a tenth of a second's letters at once, and what has gone makes room at the rate, and no sooner.
        let told = journey.left.sorted { $0.value < $1.value }
        #expect(told.count == count)
        var (level, before, highest) = (Duration.zero, Duration.zero, Duration.zero)
        for (_, time) in told {
            level = max(.zero, level - (time - before)) + .milliseconds(2)
            before = time
            highest = max(highest, level)
        }
        #expect(highest == .milliseconds(100), "seed \(seed)")
    }
}
