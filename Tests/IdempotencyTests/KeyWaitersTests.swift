// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import Idempotency

/// Duplicates that wait, on an executor that is driven by hand: nothing here can hang.
@Suite struct KeyWaitersTests {
    private let executor = ManualExecutor()
    private let clock = ManualClock()
    private let waiters = KeyWaiters()
    private let key: IdempotencyKey

    init() throws { key = try IdempotencyKey(tenant: "acme", operation: "charge", key: "k") }

    private func wait(_ waiter: KeyWaiters.Waiter) -> ManualExecutor.Pending<Void> {
        let time = TimeSource(clock)
        return executor.start { [waiters] in try await waiters.wait(waiter, atMost: .seconds(1), time) }
    }

    /// The end of an execution between a duplicate's look and its wait.
    @Test func `an end that comes before the wait is not missed, and counts once`() throws {
        let waiter = waiters.add(key)
        waiters.ring(key)
        waiters.ring(key)
        let first = wait(waiter)
        executor.runUntilIdle()
        try #require(first.value).get()
        let second = wait(waiter)
        executor.runUntilIdle()
        #expect(second.value == nil && clock.sleeperCount == 1)
        waiters.ring(key)
        executor.runUntilIdle()
        try #require(second.value).get()
        #expect(clock.sleeperCount == 0)
    }

    @Test func `a wait without an end is over after its time`() throws {
        let waiter = waiters.add(key)
        let pending = wait(waiter)
        executor.runUntilIdle()
        waiters.ring(try IdempotencyKey(tenant: "acme", operation: "charge", key: "l"))
        executor.runUntilIdle()
        #expect(pending.value == nil && clock.nextWake == .seconds(1))
        clock.advance(by: .seconds(1))
        executor.runUntilIdle()
        try #require(pending.value).get()
    }

    @Test func `a cancellation ends the wait, also one that came first`() {
        for isEarly in [false, true] {
            let pending = wait(waiters.add(key))
            if !isEarly { executor.runUntilIdle() }
            pending.cancel()
            executor.runUntilIdle()
            #expect(pending.value?.failure is CancellationError, "early: \(isEarly)")
            #expect(clock.sleeperCount == 0)
        }
    }

    @Test func `everybody who waits is told, and who has gone is forgotten`() throws {
        let pending = (0..<3).map { _ in wait(waiters.add(key)) }
        weak var gone: KeyWaiters.Waiter?
        do {
            let waiter = waiters.add(key)
            gone = waiter
            waiters.remove(waiter)
        }
        #expect(gone == nil)
        executor.runUntilIdle()
        waiters.ring(key)
        executor.runUntilIdle()
        for each in pending { try #require(each.value).get() }
    }
}
