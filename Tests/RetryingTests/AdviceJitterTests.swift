// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Retrying
import Testing

/// What is waited after advice.
@Suite struct AdviceJitterTests {
    /// The delays of many runs whose first attempt is given the same advice.
    private func delays(_ backoff: Backoff, advice: Duration, maximum: Duration) async throws -> [Duration] {
        let clock = SkippingClock()
        let retry = Retry(
            maxAttempts: 2, backoff: backoff, repeatability: .idempotent, maximumRetryAfter: maximum, clock: clock,
            randomness: .seeded(42))
        for _ in 0..<1_000 {
            try await retry.run { attempt in
                if attempt.number == 1 { throw Busy(retryAfter: advice) }
            }
        }
        return clock.sleeps
    }

    private static let backoffs: [Backoff] = [
        .exponential(), .exponential(jitter: .none), .constant(.seconds(1)), .constant(.seconds(30)),
        .listed([.seconds(1)]), .decorrelated(),
    ]

    @Test(arguments: backoffs)
    func `those who were given the same advice are spread above it, whatever the back-off`(
        backoff: Backoff
    ) async throws {
        let delays = try await delays(backoff, advice: .seconds(30), maximum: .seconds(60))
        #expect(delays.count == 1_000)
        // Evenly: the mean of so many even draws deviates from the middle by less than four of its deviations.
        let mean = delays.reduce(.zero, +) / delays.count
        #expect(abs((mean - .seconds(31.5)) / .seconds(3)) <= 4 / (12.0 * 1_000).squareRoot(), "\(mean)")
        #expect(delays.allSatisfy { $0 >= .seconds(30) && $0 <= .seconds(33) })
        #expect(Set(delays).count >= 900)
        #expect(delays.contains { $0 < .seconds(30.3) } && delays.contains { $0 > .seconds(32.7) })
    }

    private static let ceilings: [(advice: Duration, longest: Duration)] = [
        // The jitter stays below the longest wait, where that leaves room for a hundredth of the advice.
        (.seconds(50), .seconds(55)), (.seconds(58), .seconds(60)), (.seconds(59.4), .seconds(60)),
        (.seconds(60), .seconds(60.6)),
    ]

    @Test(arguments: ceilings)
    private func `the wait does not exceed the longest that is followed`(
        advice: Duration, longest: Duration
    ) async throws {
        for backoff in Self.backoffs {
            let delays = try await delays(backoff, advice: advice, maximum: .seconds(60))
            #expect(delays.allSatisfy { $0 >= advice && $0 <= longest })
            #expect(Set(delays).count >= 900)
        }
    }

    @Test(arguments: [0, 0.01, 0.5, 1])
    func `the jitter is as large as it was asked for, and draws nothing where it is none`(share: Double) async throws {
        let (clock, random) = (SkippingClock(), RandomSource.seeded(7))
        let retry = Retry(
            backoff: .constant(.zero), repeatability: .idempotent, adviceJitter: share, clock: clock,
            randomness: random)
        for _ in 0..<1_000 {
            try await retry.run { attempt in
                if attempt.number == 1 { throw Busy(retryAfter: .seconds(10)) }
            }
        }
        let longest = Duration.seconds(10 + 10 * share)
        #expect(clock.sleeps.allSatisfy { $0 >= .seconds(10) && $0 <= longest })
        #expect(clock.sleeps.contains { $0 >= longest - .seconds(share / 10) })
        #expect((random.next() == RandomSource.seeded(7).next()) == (share == 0))
    }

    @Test func `the longer of the back-off and the advice with its jitter is waited`() async throws {
        let delays = try await delays(.constant(.seconds(31)), advice: .seconds(30), maximum: .seconds(60))
        #expect(delays.allSatisfy { $0 >= .seconds(31) && $0 <= .seconds(33) })
        #expect((200...500).contains(delays.count { $0 == .seconds(31) }))
    }

    @Test(arguments: [.longest, .seconds(Int64.max)] as [Duration])
    func `advice as long as can be counted saturates`(advice: Duration) async throws {
        let delays = try await delays(.constant(.zero), advice: advice, maximum: advice)
        #expect(delays.first == .longest)
    }
}
