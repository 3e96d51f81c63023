// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Testing

@Suite struct ShieldedTests {
    @Test func `the operation goes on after its caller is cancelled, and the caller waits for its end`() async throws {
        let clock = ManualClock()
        let caller = Task {
            try await shielded {
                try await clock.sleep(until: .init(offset: .seconds(1)), tolerance: nil)
                return Task.isCancelled
            }
        }
        await clock.waitForSleepers()
        caller.cancel()
        clock.advance(by: .seconds(1))
        #expect(try await caller.value == false)
    }

    @Test func `the deadline of the caller does not reach the operation`() async throws {
        let deadline = Deadline.after(.seconds(1), clock: ManualClock())
        let isUnderOne = try await deadline.run { try await shielded { Deadline.current != nil } }
        #expect(!isUnderOne)
    }

    @Test func `an error comes through unchanged`() async {
        await #expect(throws: CancellationError.self) { try await shielded { throw CancellationError() } }
    }
}
