// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Testing

@Suite struct TimeSourceTests {
    @Test func `the direct reading of the continuous clock is that clock's own`() {
        let before = ContinuousClock.now
        let time = TimeSource(ContinuousClock())
        let after = ContinuousClock.now
        for _ in 0..<100 {
            let earliest = after.duration(to: .now).nanosecondsRoundedDown
            let reading = time.now()
            let latest = before.duration(to: .now).nanosecondsRoundedUp
            #expect(earliest <= reading && reading <= latest)
        }
    }

    @Test func `a sleep on the continuous clock does not end early`() async throws {
        let time = TimeSource(ContinuousClock())
        for microseconds in [0, 1, 50, 500] {
            let deadline = time.now() + Int64(microseconds) * 1_000
            try await time.sleep(until: deadline)
            #expect(time.now() >= deadline)
        }
    }

    @Test func `another clock is read and slept on from the moment of making`() async throws {
        let clock = ManualClock()
        clock.advance(by: .seconds(5))
        let time = TimeSource(clock)
        #expect(time.now() == 0)
        clock.advance(by: .nanoseconds(7))
        #expect(time.now() == 7)
        async let slept: Void = time.sleep(for: .nanoseconds(3))
        await clock.waitForSleepers()
        #expect(clock.nextWake == .nanoseconds(3))
        clock.advance(by: .nanoseconds(3))
        try await slept
    }

    @Test func `a clock that is set back is read as it stands`() {
        let clock = ManualClock()
        let time = TimeSource(clock)
        clock.set(to: .init(offset: .seconds(-1)))
        #expect(time.now() == -1_000_000_000)
    }
}
