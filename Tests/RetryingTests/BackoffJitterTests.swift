// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Retrying
import Testing

@Suite struct BackoffJitterTests {
    private static let seed: UInt64 = 42

    private func draws(_ count: Int, _ draw: (RandomSource) -> Int64?) -> [Int64] {
        let random = RandomSource.seeded(Self.seed)
        return (0..<count).map { _ in draw(random) ?? -1 }
    }

    private static let ranges: [(Backoff, attempt: Int, previous: Int64?, low: Double, high: Double)] = [
        // R4, in milliseconds. At the cap, after it and far after it: a back-off that jitters first and clips afterwards gives
        // 49 % equal delays there, and soon 100 %.
        (.exponential(), 1, nil, 0, 100), (.exponential(), 8, nil, 0, 12_800), (.exponential(), 9, nil, 0, 20_000),
        (.exponential(), 20, nil, 0, 20_000), (.exponential(), 1_000_000, nil, 0, 20_000),
        (.exponential(), .max, nil, 0, 20_000),
        // The jitter of resilience4j, from 100 ms × 1.5 to 100 s.
        (.exponential(multiplier: 1.5, maximum: .seconds(100)), 18, nil, 0, 98_526.12533569336),
        (.exponential(multiplier: 1.5, maximum: .seconds(100)), 19, nil, 0, 100_000),
        (.exponential(multiplier: 1.5, maximum: .seconds(100)), 20, nil, 0, 100_000),
        (.exponential(jitter: .equal), 3, nil, 200, 400), (.exponential(jitter: .equal), 99, nil, 10_000, 20_000),
        (.linear(initial: .seconds(1), increment: .milliseconds(500)), 4, nil, 0, 2500),
        (.linear(initial: .seconds(1), increment: .milliseconds(500), jitter: .equal), 99, nil, 10_000, 20_000),
        (.constant(.seconds(1), jitter: .equal), 7, nil, 500, 1000),
        // R16, the ranges of Envoy, for a base of 25 ms.
        (.listed([25, 75, 175, 250].map { .milliseconds($0) }, jitter: .full), 1, nil, 0, 25),
        (.listed([25, 75, 175, 250].map { .milliseconds($0) }, jitter: .full), 2, nil, 0, 75),
        (.listed([25, 75, 175, 250].map { .milliseconds($0) }, jitter: .full), 3, nil, 0, 175),
        (.listed([25, 75, 175, 250].map { .milliseconds($0) }, jitter: .full), 4, nil, 0, 250),
        // Three times the delay before; without it, all that it can be.
        (.decorrelated(), 1, nil, 100, 300), (.decorrelated(), 2, 300_000_000, 100, 900),
        (.decorrelated(), 2, 100_000_000, 100, 300), (.decorrelated(), 9, 20_000_000_000, 100, 20_000),
        (.decorrelated(), 3, nil, 100, 2700), (.decorrelated(), 1_000_000, nil, 100, 20_000),
    ]

    @Test(arguments: ranges)
    private func `delays are spread evenly over their range, also at the cap`(
        backoff: Backoff, attempt: Int, previous: Int64?, low: Double, high: Double
    ) {
        let count = 100_000
        let delays = draws(count) {
            backoff.nanoseconds(afterAttempt: attempt, previous: previous, using: $0)
        }
        #expect(Set(delays).count >= count * 9 / 10)
        let (low, range) = (low * 1e6, (high - low) * 1e6)
        let places = delays.map { (Double($0) - low) / range }
        #expect(places.allSatisfy { (0...1).contains($0) })
        // The mean of n even draws deviates by 1 / root(12 n), their variance, 1/12, by root(1 / 180 n): four of these
        // are exceeded once in 16,000 seeds.
        let n = Double(count)
        let mean = places.reduce(0, +) / n
        #expect(abs(mean - 0.5) <= 4 / (12 * n).squareRoot(), "mean \(mean)")
        let variance = places.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / n
        #expect(abs(variance - 1.0 / 12) <= 4 / (180 * n).squareRoot(), "variance \(variance)")
        // Each tenth of the range gets its share, within 5 deviations of a binomial count.
        var tenths = Array(repeating: 0, count: 10)
        for place in places { tenths[min(9, Int(place * 10))] += 1 }
        #expect(tenths.allSatisfy { abs($0 - count / 10) <= 475 }, "\(tenths)")
    }

    private static let places: [(Backoff, low: Double, high: Double)] = [
        (.exponential(initial: .seconds(1)), 0.0, 1.0),
        (.exponential(initial: .seconds(1), jitter: .equal), 0.5, 1),
        (.constant(.seconds(1), jitter: .full), 0, 1), (.decorrelated(initial: .seconds(1)), 1, 3),
    ]

    private struct Draw {
        var backoff: Backoff
        /// The first attempt that fails.
        var attempt: Int
        var number: Double
        var seconds: [Double]

        init(_ backoff: Backoff, after attempt: Int = 1, at number: Double, _ seconds: Double...) {
            (self.backoff, self.attempt, self.number, self.seconds) = (backoff, attempt, number, seconds)
        }
    }

    private static let worked = [
        // The numbers of the other libraries' tests. Where those go beyond the ceiling, ours ends at it.
        // R2: half an interval of 2 s either way is 1 s, 2 s and 3 s there.
        Draw(.constant(.seconds(2), jitter: .equal), at: 0, 1),
        Draw(.constant(.seconds(2), jitter: .equal), at: 0.5, 1.5),
        Draw(.constant(.seconds(2), jitter: .equal), at: 1, 2),
        // R5: a quarter of 1 s either way is 0.75 s, 0.95 s, 1.05 s and 1.25 s there.
        Draw(.constant(.seconds(1), jitter: .equal), at: 0, 0.5),
        Draw(.constant(.seconds(1), jitter: .equal), at: 0.4, 0.7),
        Draw(.constant(.seconds(1), jitter: .equal), at: 0.6, 0.8),
        Draw(.constant(.seconds(1), jitter: .equal), at: 1, 1),
        // R7: ours is the decorrelated form of AWS, from the least to three times the delay before.
        Draw(.decorrelated(initial: .seconds(1)), at: 0.5, 2, 3.5, 5.75, 9.125, 10.5, 10.5),
        Draw(.decorrelated(initial: .seconds(1)), at: 0, 1, 1, 1, 1, 1, 1),
        Draw(.decorrelated(initial: .seconds(1)), at: 1, 3, 9, 20, 20, 20, 20),
        // R8: a range from 10 ms to 100 ms, and half of 100 ms, which goes both ways there.
        Draw(.decorrelated(initial: .milliseconds(10), maximum: .milliseconds(100)), after: 9, at: 0.25, 0.0325),
        Draw(.decorrelated(initial: .milliseconds(10), maximum: .milliseconds(100)), after: 9, at: 0.5, 0.055),
        Draw(.decorrelated(initial: .milliseconds(10), maximum: .milliseconds(100)), after: 9, at: 0.75, 0.0775),
        Draw(.constant(.milliseconds(100), jitter: .equal), at: 0, 0.05),
        Draw(.constant(.milliseconds(100), jitter: .equal), at: 0.25, 0.0625),
        Draw(.constant(.milliseconds(100), jitter: .equal), at: 0.75, 0.0875),
        // R10: with the draw at its end full jitter is the ceiling.
        Draw(
            .exponential(initial: .milliseconds(50)), at: 1, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 20, 20),
        Draw(.exponential(initial: .milliseconds(25)), at: 1, 0.025, 0.05, 0.1),
        // R13: a fifth either way from 0.8 to 1.2 times the mean there, at most the cap here.
        Draw(.exponential(initial: .seconds(1), maximum: .seconds(3), jitter: .equal), at: 0, 0.5, 1, 1.5, 1.5),
        Draw(.exponential(initial: .seconds(1), maximum: .seconds(3), jitter: .equal), at: 1, 1, 2, 3, 3),
    ]

    /// A source whose first draw is so far between 0 and 1, to a ten-thousandth.
    private func source(at number: Double) throws -> RandomSource {
        let seed = (0..<1_000_000 as Range<UInt64>).first { seed in
            abs(Double(RandomSource.seeded(seed).next()) / 0x1p64 - number) < 0.0001
        }
        return .seeded(try #require(seed, "No seed draws \(number)"))
    }

    @Test(arguments: worked)
    private func `the delay at a draw is the one worked out`(draw: Draw) throws {
        var previous: Int64?
        for (index, seconds) in draw.seconds.enumerated() {
            let delay = draw.backoff.nanoseconds(
                afterAttempt: draw.attempt + index, previous: previous, using: try source(at: draw.number))
            #expect(abs(Double(delay ?? -1) / 1e9 - seconds) <= 0.0003 * seconds, "attempt \(index + 1)")
            // Without the error of the draw before.
            previous = Int64(seconds * 1e9)
        }
    }

    @Test(arguments: places)
    func `one draw makes one delay, at the same place of its range`(backoff: Backoff, low: Double, high: Double) {
        for seed in 0..<1_000 as Range<UInt64> {
            let (random, copy) = (RandomSource.seeded(seed), RandomSource.seeded(seed))
            let place = Double(copy.next()) / 0x1p64
            let expected = (low + place * (high - low)) * 1e9
            let delay = backoff.nanoseconds(afterAttempt: 1, using: random) ?? -1
            #expect(abs(Double(delay) - expected) <= 2, "seed \(seed)")
            #expect(random.next() == copy.next())
        }
    }

    /// R17: the AWS form draws from the least delay on, so it also falls; a form that draws from the delay before only grows.
    @Test func `a decorrelated walk stays within three times the delay before, grows, falls and survives its cap`() {
        var previous = 100_000_000.0
        var (grew, fell, atCap) = (0, 0, Set<Double>())
        let count = 20_000
        for delay in Backoff.decorrelated().delays(using: .seeded(Self.seed)).prefix(count) {
            let delay = Double(delay.nanosecondsRoundedUp)
            #expect(delay >= 100_000_000 && delay <= min(20e9, 3 * previous))
            if delay > previous { grew += 1 } else { fell += 1 }
            if 3 * previous >= 20e9 { atCap.insert(delay) }
            previous = delay
        }
        #expect(grew > count / 4 && fell > count / 4)
        #expect(atCap.count > count / 4)
        // Two walks are out of step from the first delay on.
        let backoff = Backoff.decorrelated()
        let other = Array(backoff.delays(using: .seeded(Self.seed + 1)).prefix(100))
        #expect(Set(backoff.delays(using: .seeded(Self.seed)).prefix(100)).isDisjoint(with: other))
    }
}
