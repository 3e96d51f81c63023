// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@Suite(.timeLimit(.minutes(10))) struct ManualClockTests {
    @Test func `time stands still until it is moved`() {
        let clock = ManualClock()
        #expect(clock.now.offset == .zero)
        clock.advance(by: .seconds(2))
        #expect(clock.now.offset == .seconds(2))
        #expect(clock.nextWake == nil && clock.sleeperCount == 0)
    }

    @Test func `a sleeper wakes at its deadline and not before`() async throws {
        let clock = ManualClock()
        async let woken = Task {
            try await clock.sleep(for: .seconds(3))
            return clock.now.offset
        }.value
        await clock.waitForSleepers()
        clock.advance(by: .seconds(3) - .nanoseconds(1))
        #expect(clock.sleeperCount == 1)
        #expect(clock.nextWake == .nanoseconds(1))
        clock.advance(by: .nanoseconds(1))
        #expect(try await woken == .seconds(3))
        #expect(clock.sleeperCount == 0)
    }

    @Test func `steps that several tasks make at once all count`() async {
        let clock = ManualClock()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<25_000 { clock.advance(by: .nanoseconds(1)) }
                }
            }
        }
        #expect(clock.now.offset == .nanoseconds(100_000))
    }

    @Test func `a deadline that has passed does not suspend`() async throws {
        let clock = ManualClock()
        try await clock.sleep(until: clock.now, tolerance: nil)
        try await clock.sleep(for: .seconds(-1))
    }

    @Test(arguments: [true, false]) func `a cancelled sleeper ends at once and is forgotten`(before: Bool) async {
        let clock = ManualClock()
        let sleeper = Task {
            if before { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
            try await clock.sleep(for: .seconds(1))
        }
        if !before {
            await clock.waitForSleepers()
            sleeper.cancel()
        }
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        #expect(clock.sleeperCount == 0)
    }

    @Test func `a test can wait until several tasks sleep`() async throws {
        let clock = ManualClock()
        try await withThrowingTaskGroup(of: Duration.self) { group in
            for seconds in 1...5 {
                group.addTask {
                    try await clock.sleep(for: .seconds(seconds))
                    return clock.now.offset
                }
            }
            await clock.waitForSleepers(5)
            clock.advance(by: .seconds(2))
            #expect(try await group.next() == .seconds(2))
            #expect(try await group.next() == .seconds(2))
            #expect(clock.sleeperCount == 3)
            clock.advance(by: .seconds(10))
            try await group.waitForAll()
        }
    }

    @Test(arguments: [true, false])
    func `who waits for sleepers in a task that is cancelled waits no longer`(isBefore: Bool) async {
        let clock = ManualClock()
        let executor = ManualExecutor()
        let watcher = executor.start { await clock.waitForSleepers(2) }
        let sleeper = executor.start { try await clock.sleep(for: .seconds(1)) }
        if isBefore { watcher.cancel() }
        executor.runUntilIdle()
        #expect((watcher.value != nil) == isBefore)
        watcher.cancel()
        executor.runUntilIdle()
        #expect(watcher.value != nil && sleeper.value == nil && clock.sleeperCount == 1)
        let other = executor.start { await clock.waitForSleepers(1) }
        executor.runUntilIdle()
        #expect(other.value != nil)
        clock.advance(by: .seconds(1))
        executor.runUntilIdle()
        #expect(sleeper.value != nil)
    }
}
