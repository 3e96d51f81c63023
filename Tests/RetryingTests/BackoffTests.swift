// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Retrying
import Testing

@Suite struct BackoffTests {
    private static let attempts = [1, 2, 3, 4, 5, 8, 9, 10, 1_000_000, .max]

    @Test(arguments: [
        (
            Backoff.exponential(jitter: .none),
            [100, 200, 400, 800, 1600, 12_800, 20_000, 20_000, 20_000, 20_000]
        ),
        (
            .exponential(initial: .milliseconds(500), maximum: .seconds(5), jitter: .none),
            [500, 1000, 2000, 4000, 5000, 5000, 5000, 5000, 5000, 5000]
        ),
        (
            .exponential(initial: .seconds(1), multiplier: 1.5, jitter: .none),
            [1000, 1500, 2250, 3375, 5062.5, 17_085.9375, 20_000, 20_000, 20_000, 20_000]
        ),
        (.constant(.seconds(1)), Array(repeating: 1000, count: 10)),
        (.exponential(multiplier: 1, jitter: .none), Array(repeating: 100, count: 10)),
        (.exponential(maximum: .milliseconds(30), jitter: .none), Array(repeating: 30, count: 10)),
        (.exponential(initial: .zero, jitter: .none), Array(repeating: 0, count: 10)),
        (.constant(.zero), Array(repeating: 0, count: 10)),
        (.exponential(multiplier: .infinity, jitter: .none), [100] + Array(repeating: 20_000, count: 9)),
        (.exponential(initial: .zero, multiplier: .infinity, jitter: .none), Array(repeating: 0, count: 10)),
    ])
    func `without jitter the delay is the ceiling, at any attempt number`(backoff: Backoff, milliseconds: [Double]) {
        let expected = milliseconds.map { Duration.nanoseconds(Int64($0 * 1_000_000)) }
        let delays = Self.attempts.map { backoff.delay(afterAttempt: $0, using: .seeded(1)) }
        #expect(delays == expected)
    }

    @Test func `delays beyond what is counted with saturate`() {
        let endless = Backoff.exponential(maximum: .seconds(Int64.max), jitter: .none)
        #expect(endless.delay(afterAttempt: 37, using: .seeded(1)) == .milliseconds(100) * (1 << 36))
        for attempt in [38, 39, 1_000_000, .max] {
            #expect(endless.delay(afterAttempt: attempt, using: .seeded(1)) == .longest)
            #expect(endless.nanoseconds(afterAttempt: attempt, notBefore: .max, using: .seeded(1)) == .max)
        }
        let jittered = Backoff.exponential(maximum: .seconds(Int64.max))
        #expect(jittered.nanoseconds(afterAttempt: .max, notBefore: .max, using: .seeded(1)) == .max)
        let constant = Backoff.constant(.seconds(Int64.max))
        #expect(constant.delay(afterAttempt: 1, using: .seeded(1)) == .longest)
    }

    // A back-off that jitters first and clips afterwards gives 49 % equal delays at its cap, and soon 100 %.
    @Test(arguments: [8, 9, 18, 19, 20, 1_000_000])
    func `full jitter survives the cap, keeps below it, and has the mean of an even draw`(attempt: Int) {
        let seed: UInt64 = 42
        let random = RandomSource.seeded(seed)
        let backoff = Backoff.exponential()
        let ceiling = attempt == 8 ? 12_800_000_000.0 : 20_000_000_000.0
        let count = 100_000
        let delays = (0..<count).map { _ in
            backoff.nanoseconds(afterAttempt: attempt, notBefore: 0, using: random)
        }
        #expect(Set(delays).count >= count * 9 / 10, "seed \(seed)")
        #expect(delays.allSatisfy { $0 >= 0 && Double($0) <= ceiling }, "seed \(seed)")
        // The deviation of an even draw is its range over the root of 12; that of the mean is this over the root of
        // the count.
        let mean = delays.reduce(0.0) { $0 + Double($1) } / Double(count)
        let deviation = ceiling / 12.0.squareRoot() / Double(count).squareRoot()
        #expect(abs(mean - ceiling / 2) <= 4 * deviation, "seed \(seed)")
        // Each tenth of the range gets its share, within 5 deviations of a binomial count.
        var tenths = Array(repeating: 0, count: 10)
        for delay in delays { tenths[min(9, Int(Double(delay) / ceiling * 10))] += 1 }
        #expect(tenths.allSatisfy { abs($0 - count / 10) <= 475 }, "seed \(seed): \(tenths)")
    }

    @Test(arguments: [
        // Attempt, floor, and what may be added to the floor: a tenth of it, but no more than the ceiling.
        (1, Int64(10_000_000_000), Int64(100_000_000)),
        (9, 10_000_000_000, 1_000_000_000),
        (9, 120_000_000_000, 12_000_000_000),
        (3, 1_000_000_000, 100_000_000),
    ])
    func `nothing comes before an advised floor, and those who got the same advice are spread above it`(
        attempt: Int, floor: Int64, spread: Int64
    ) {
        let seed: UInt64 = 7
        let random = RandomSource.seeded(seed)
        let backoff = Backoff.exponential()
        let count = 10_000
        let delays = (0..<count).map { _ in
            backoff.nanoseconds(afterAttempt: attempt, notBefore: floor, using: random)
        }
        #expect(delays.allSatisfy { $0 >= floor }, "seed \(seed)")
        #expect(Set(delays).count >= count * 9 / 10, "seed \(seed)")
        // Draws of the back-off that are longer than the floor stand; all others are within the spread.
        let longest = max(floor + spread, attempt == 9 ? 20_000_000_000 : 0)
        #expect(delays.allSatisfy { $0 <= longest }, "seed \(seed)")
        #expect(delays.contains { $0 > floor + spread * 9 / 10 && $0 <= floor + spread }, "seed \(seed)")
    }

    @Test func `without jitter nothing is drawn and nothing is added to a floor`() {
        let random = RandomSource.seeded(3)
        let backoff = Backoff.exponential(jitter: .none)
        #expect(backoff.nanoseconds(afterAttempt: 1, notBefore: 1_000_000_000, using: random) == 1_000_000_000)
        #expect(backoff.nanoseconds(afterAttempt: 5, notBefore: 1_000_000_000, using: random) == 1_600_000_000)
        #expect(random.next() == RandomSource.seeded(3).next())
    }

    @Test func `a back-off describes itself`() {
        #expect("\(Backoff.exponential())" == "0.1 seconds × 2.0 up to 20.0 seconds with full jitter")
        #expect("\(Backoff.exponential(multiplier: 1, jitter: .none))" == "0.1 seconds")
        #expect("\(Backoff.constant(.seconds(2)))" == "2.0 seconds")
    }

    private static let refused = [
        "-0.1 seconds", "0.5", "nan", "-1.0 seconds", "-2.0 seconds", "counted from 1, not from 0",
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
            default: _ = Backoff.exponential().delay(afterAttempt: 0, using: .seeded(1))
            }
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains(Self.refused[row]))
    }
}
