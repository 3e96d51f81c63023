// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Testing

@Suite struct RetryAttemptTimeoutTests {
    private let clock = ManualClock()
    private let recorder = Recorder<RetryEvent>()

    private func retry(_ repeatability: Repeatability, within limit: Duration? = nil) -> Retry {
        Retry(
            name: "run", maxAttempts: 3, backoff: .constant(.seconds(1)), within: limit, repeatability: repeatability,
            clock: clock, onEvent: recorder.record)
    }

    private var timeout: Timeout { Timeout(.seconds(2), name: "attempt", clock: clock) }

    /// Advances the clock by so many seconds, each time as soon as the next sleeper is as far as that.
    private func advance(_ seconds: Int...) async {
        for seconds in seconds {
            while clock.nextWake != .seconds(seconds) { await Task.yield() }
            clock.advance(by: .seconds(seconds))
        }
    }

    @Test func `an attempt that takes too long is cancelled, and another one follows`() async throws {
        async let number = retry(.idempotent).run(attemptTimeout: timeout) { attempt in
            if attempt.number < 3 { try await clock.sleep(for: .seconds(9)) }
            return attempt.number
        }
        // The time of an attempt, then the delay, twice.
        await advance(2, 1, 2, 1)
        #expect(try await number == 3)
        #expect(recorder.events.map(\.reason) == [.retrying, .retrying])
        let names = recorder.events.map { ($0.error as? TimedOut)?.name }
        #expect(names == ["attempt", "attempt"])
        #expect(clock.now.offset == .seconds(6))
    }

    @Test func `a time-out does not prove that nothing took effect`() async throws {
        async let outcome = outcome(of: retry(.unproven))
        await advance(2)
        #expect((await outcome as? TimedOut)?.name == "attempt")
        #expect(recorder.events.map(\.reason) == [.unproven])
    }

    @Test func `the limit of the run cancels an attempt as well, and none follows`() async throws {
        async let outcome = outcome(of: retry(.idempotent, within: .seconds(4)))
        // The first attempt until 2 s, the delay until 3 s, and the second attempt has one second of its two.
        await advance(2, 1, 1)
        let error = try #require(await outcome as? TimedOut)
        #expect(error.name == "run" && error.limit == .seconds(4))
        #expect(recorder.events.map(\.reason) == [.retrying, .outOfTime])
        #expect(clock.now.offset == .seconds(4))
    }

    private func outcome(of retry: Retry) async -> (any Error)? {
        do {
            try await retry.run(attemptTimeout: timeout) { try await clock.sleep(for: .seconds(9)) }
            return nil
        } catch {
            return error
        }
    }
}
