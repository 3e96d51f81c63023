// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Testing

@testable import CircuitBreaking

@Suite struct WindowTests {
    /// A result and when it came.
    private struct Result {
        let time: Int64
        let failed: Bool
        let slow: Bool
    }

    private static func counts(_ results: some Sequence<Result>) -> [Int] {
        let results = Array(results)
        return [results.count, results.filter(\.failed).count, results.filter(\.slow).count]
    }

    @Test(arguments: [1, 2, 3, 63, 64, 65, 127, 128, 130, 1_000])
    func `a count window holds the last results, be they added one by one or good ones together`(capacity: Int) {
        for seed in UInt64(1)...30 {
            var random = RandomSource.seeded(seed)
            var window = CountWindow(capacity: capacity, tracksSlowCalls: true)
            var all: [Result] = []
            for step in 0..<200 {
                switch Int.random(in: 0..<20, using: &random) {
                case 0:
                    window.clear()
                    all.removeAll()
                case 1...4:
                    let number = Int.random(in: 0...capacity, using: &random)
                    window.recordGood(number)
                    for _ in 0..<number { all.append(Result(time: 0, failed: false, slow: false)) }
                default:
                    let result = Result(time: 0, failed: .random(using: &random), slow: .random(using: &random))
                    window.record(failed: result.failed, slow: result.slow)
                    all.append(result)
                }
                let (has, expected) = (
                    [window.calls, window.failures, window.slowCalls], Self.counts(all.suffix(capacity))
                )
                guard has == expected else {
                    Issue.record("seed \(seed), step \(step): \(has), not \(expected)")
                    return
                }
            }
        }
    }

    @Test(arguments: [(10, 10), (10, 3), (7, 1), (1_000, 7), (1, 5), (100, 100)] as [(Int64, Int)])
    func `a time window holds the results of the present bucket and of those before it`(length: Int64, buckets: Int) {
        let bucket = max(1, length / Int64(buckets))
        for seed in UInt64(1)...60 {
            var random = RandomSource.seeded(seed)
            var window = TimeWindow(length: length, buckets: buckets)
            var all: [Result] = []
            var now: Int64 = 0
            for step in 0..<200 {
                let steps = [0, 1, bucket, length, 5 * length]
                now += Int64.random(in: 0...steps[.random(in: 0..<5, using: &random)], using: &random)
                window.advance(to: now)
                #expect(window.end == (now / bucket + 1) * bucket)
                if Int.random(in: 0..<4, using: &random) == 0 {
                    let number = Int.random(in: 0...5, using: &random)
                    window.recordGood(number)
                    for _ in 0..<number { all.append(Result(time: now, failed: false, slow: false)) }
                } else {
                    let result = Result(time: now, failed: .random(using: &random), slow: .random(using: &random))
                    window.record(failed: result.failed, slow: result.slow)
                    all.append(result)
                }
                let expected = Self.counts(all.filter { $0.time / bucket > now / bucket - Int64(buckets) })
                let has = [window.calls, window.failures, window.slowCalls]
                guard has == expected else {
                    Issue.record("seed \(seed), step \(step), \(now) ns: \(has), not \(expected)")
                    return
                }
                // Nothing is older than the length, where it can be divided, and nothing younger by a bucket is missing.
                #expect(has[0] <= all.filter { $0.time > now - max(length, Int64(buckets)) }.count)
                #expect(has[0] >= all.filter { $0.time > now - bucket * Int64(buckets - 1) }.count)
            }
        }
    }

    @Test func `a time window bears the ends of time`() {
        var window = TimeWindow(length: .max, buckets: 1)
        window.record(failed: true, slow: false)
        window.advance(to: .max - 1)
        #expect(window.calls == 1)
        window.advance(to: .max)
        #expect(window.calls == 0)
        window = TimeWindow(length: 10, buckets: 10)
        window.advance(to: .max)
        window.record(failed: true, slow: true)
        window.advance(to: .max)
        #expect(window.calls <= 1)
    }

    @Test func `a result window counts failures in a row, and forgets them with the last result`() {
        var count = ResultWindow(.calls(2), tracksSlowCalls: false)
        for _ in 0..<5 { count.record(failed: true, slow: true) }
        #expect(count.counts == CircuitCounts(calls: 2, failures: 2, slowCalls: 0, consecutiveFailures: 5))
        count.recordGood(0)
        #expect(count.consecutiveFailures == 5)
        count.recordGood(1)
        #expect(count.counts == CircuitCounts(calls: 2, failures: 1))
        count.clear()
        #expect(count.counts == CircuitCounts())

        var time = ResultWindow(.time(.nanoseconds(10)), tracksSlowCalls: true)
        time.record(failed: true, slow: true)
        time.advance(to: 9)
        #expect(time.counts == CircuitCounts(calls: 1, failures: 1, slowCalls: 1, consecutiveFailures: 1))
        time.advance(to: 10)
        #expect(time.counts == CircuitCounts())
    }
}
