// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Retrying
import Testing

@Suite struct BackoffTests {
    private static let attempts = [1, 2, 3, 4, 5, 8, 9, 10, 1_000_000, .max]

    private static let ceilings: [(Backoff, milliseconds: [Double])] = [
        (
            .exponential(jitter: .none),
            [100, 200, 400, 800, 1600, 12_800, 20_000, 20_000, 20_000, 20_000]
        ),
        // R1.
        (
            .exponential(initial: .milliseconds(500), maximum: .seconds(5), jitter: .none),
            [500, 1000, 2000, 4000, 5000, 5000, 5000, 5000, 5000, 5000]
        ),
        (
            .exponential(initial: .seconds(1), multiplier: 1.5, jitter: .none),
            [1000, 1500, 2250, 3375, 5062.5, 17_085.9375, 20_000, 20_000, 20_000, 20_000]
        ),
        // R13, gRPC A6: 1 s, × 2, up to 3 s; the cap is hard, so it is not jittered to 3.6 s.
        (
            .exponential(initial: .seconds(1), maximum: .seconds(3), jitter: .none),
            [1000, 2000, 3000, 3000, 3000, 3000, 3000, 3000, 3000, 3000]
        ),
        // R10: AWS, AWS for DynamoDB, and AWS after throttling.
        (
            .exponential(initial: .milliseconds(50), jitter: .none),
            [50, 100, 200, 400, 800, 6400, 12_800, 20_000, 20_000, 20_000]
        ),
        (
            .exponential(initial: .milliseconds(25), jitter: .none),
            [25, 50, 100, 200, 400, 3200, 6400, 12_800, 20_000, 20_000]
        ),
        (
            .exponential(initial: .seconds(1), jitter: .none),
            [1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000, 20_000, 20_000]
        ),
        (
            .linear(initial: .seconds(1), increment: .milliseconds(500), jitter: .none),
            [1000, 1500, 2000, 2500, 3000, 4500, 5000, 5500, 20_000, 20_000]
        ),
        (
            .linear(initial: .seconds(30), increment: .seconds(Int64.max), jitter: .none),
            [Double](repeating: 20_000, count: 10)
        ),
        (.linear(initial: .zero, increment: .zero), [Double](repeating: 0, count: 10)),
        (.constant(.seconds(1)), [Double](repeating: 1000, count: 10)),
        (.exponential(multiplier: 1, jitter: .none), [Double](repeating: 100, count: 10)),
        (.exponential(maximum: .milliseconds(30), jitter: .none), [Double](repeating: 30, count: 10)),
        (.exponential(initial: .zero, jitter: .none), [Double](repeating: 0, count: 10)),
        (.constant(.zero), [Double](repeating: 0, count: 10)),
        (.exponential(multiplier: .infinity, jitter: .none), [100] + [Double](repeating: 20_000, count: 9)),
        (.exponential(initial: .zero, multiplier: .infinity, jitter: .none), [Double](repeating: 0, count: 10)),
        (.decorrelated(initial: .seconds(30)), [Double](repeating: 20_000, count: 10)),
        (.decorrelated(initial: .zero), [Double](repeating: 0, count: 10)),
    ]

    @Test(arguments: ceilings)
    func `without jitter the delay is the ceiling, at any attempt number`(backoff: Backoff, milliseconds: [Double]) {
        let expected = milliseconds.map { Duration.nanoseconds(Int64($0 * 1_000_000)) }
        let delays = Self.attempts.map { backoff.delay(afterAttempt: $0, using: .seeded(1)) }
        #expect(delays == expected)
        let inTurn = backoff.delays(using: .seeded(1)).prefix(5)
        #expect(Array(inTurn) == Array(expected.prefix(5)))
    }

    @Test func `a list has an end`() {
        let backoff = Backoff.listed([.seconds(1), .seconds(5), .seconds(30)])
        #expect(Array(backoff.delays()) == [.seconds(1), .seconds(5), .seconds(30)])
        for (attempt, seconds) in [(1, 1), (2, 5), (3, 30), (4, nil), (1_000_000, nil), (.max, nil)] as [(Int, Int?)] {
            #expect(backoff.delay(afterAttempt: attempt, using: .seeded(1)) == seconds.map { .seconds($0) })
            #expect(backoff.delayOrLast(afterAttempt: attempt, using: .seeded(1)) == .seconds(seconds ?? 30))
        }
        #expect(backoff.count == 3)
        #expect(Backoff.exponential().count == nil)
        var delays = backoff.delays()
        #expect((1...5).map { _ in delays.next() } == [.seconds(1), .seconds(5), .seconds(30), nil, nil])
        #expect(Backoff.constant(.seconds(2)).delayOrLast(afterAttempt: .max, using: .seeded(1)) == .seconds(2))
    }

    @Test func `who goes on for ever follows advice with jitter, up to the longest wait`() {
        let randomness = RandomSource.seeded(1)
        func advised(_ advice: Duration) -> Duration {
            Backoff.constant(.seconds(2)).delayOrLast(
                afterAttempt: 1, notBefore: advice, upTo: .seconds(60), using: randomness)
        }
        #expect(advised(.seconds(1)) == .seconds(2))
        #expect(advised(.seconds(-1)) == .seconds(2))
        let spread = (0..<100).map { _ in advised(.seconds(30)) }
        #expect(spread.allSatisfy { $0 >= .seconds(30) && $0 <= .seconds(33) } && Set(spread).count >= 90)
        let longest = (0..<100).map { _ in advised(.longest) }
        #expect(longest.allSatisfy { $0 >= .seconds(60) && $0 <= .seconds(60.6) } && Set(longest).count >= 90)
    }

    // R2, the second half: what overflows is the maximum.
    @Test func `delays beyond what is counted with saturate`() {
        let endless = Backoff.exponential(maximum: .seconds(Int64.max), jitter: .none)
        #expect(endless.delay(afterAttempt: 37, using: .seeded(1)) == Duration.milliseconds(100) * (1 << 36))
        for attempt in [38, 39, 1_000_000, .max] {
            #expect(endless.delay(afterAttempt: attempt, using: .seeded(1)) == .longest)
        }
        let longest = Duration.seconds(Int64.max)
        for backoff in [
            Backoff.exponential(maximum: longest), .exponential(maximum: longest, jitter: .equal),
            .linear(initial: .zero, increment: longest, maximum: longest), .decorrelated(maximum: longest),
            .decorrelated(initial: longest, maximum: longest), .listed([longest], jitter: .equal),
        ] {
            for (attempt, previous) in [(1, nil), (.max, nil), (.max, .max), (.max, 0)] as [(Int, Int64?)] {
                guard backoff.count == nil || attempt == 1 else { continue }
                let delay = backoff.nanoseconds(afterAttempt: attempt, previous: previous, using: .seeded(1))
                #expect((delay ?? -1) >= 0)
            }
        }
        let constant = Backoff.constant(longest)
        #expect(constant.delay(afterAttempt: 1, using: .seeded(1)) == .longest)
    }

    @Test func `a back-off describes itself`() {
        #expect("\(Backoff.exponential())" == "0.1 seconds × 2.0 up to 20.0 seconds with full jitter")
        #expect("\(Backoff.exponential(multiplier: 1, jitter: .none))" == "0.1 seconds")
        #expect("\(Backoff.constant(.seconds(2)))" == "2.0 seconds")
        #expect("\(Backoff.constant(.seconds(2), jitter: .equal))" == "2.0 seconds with equal jitter")
        #expect(
            "\(Backoff.linear(initial: .seconds(1), increment: .seconds(2)))"
                == "1.0 seconds + 2.0 seconds up to 20.0 seconds with full jitter")
        #expect("\(Backoff.decorrelated())" == "0.1 seconds up to 20.0 seconds, decorrelated")
        #expect("\(Backoff.listed([.seconds(1), .seconds(5)]))" == "1.0 seconds, 5.0 seconds")
    }

    private static let refused = [
        "-0.1 seconds", "0.5", "nan", "-1.0 seconds", "-2.0 seconds", "-3.0 seconds", "-4.0 seconds", "-5.0 seconds",
        "at least one delay", "counted from 1, not from 0",
    ]

    @Test(arguments: refused.indices)
    func `settings that make no sense are refused with their value`(row: Int) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [row = row as Int] in
            switch row {
            case 0: _ = Backoff.exponential(initial: .milliseconds(-100))
            case 1: _ = Backoff.exponential(multiplier: 0.5)
            case 2: _ = Backoff.exponential(multiplier: .nan)
            case 3: _ = Backoff.exponential(maximum: .seconds(-1))
            case 4: _ = Backoff.constant(.seconds(-2))
            case 5: _ = Backoff.linear(initial: .zero, increment: .seconds(-3))
            case 6: _ = Backoff.listed([.seconds(1), .seconds(-4)])
            case 7: _ = Backoff.decorrelated(initial: .seconds(-5))
            case 8: _ = Backoff.listed([])
            default: _ = Backoff.exponential().delay(afterAttempt: 0, using: .seeded(1))
            }
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains(Self.refused[row]))
    }
}
