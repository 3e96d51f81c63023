// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import Testing

@testable import tenant_limits

@Suite struct LogOrderTests {
    /// The keys and seconds that come out, and the numbers of the lines that have no place.
    private static func run(_ times: [Int64]) -> (out: [LogOrder.Second], late: [Int], left: LogOrder.Second?) {
        var (order, out, late) = (LogOrder(), [LogOrder.Second](), [Int]())
        for (index, time) in times.enumerated() {
            if !order.add("\(index)", at: time, line: index + 1) { late.append(index + 1) }
            while let second = order.next() { out.append(second) }
        }
        while let second = order.last() { out.append(second) }
        return (out, late, order.leftOver)
    }

    @Test func `what is late by no more than the slack comes out in order, whatever the order was`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource.seeded(seed)
        for _ in 0..<100 {
            let times = (0..<300).map { Int64($0 / 3) * 2 }
            let written = times.map { time in (time, time + Int64.random(in: 0...LogOrder.slack, using: &random)) }
            let log = written.sorted { $0.1 < $1.1 }.map(\.0)
            let (out, late, left) = Self.run(log)
            #expect(late.isEmpty && left == nil, "seed \(seed)")
            #expect(out.map(\.time) == Array(Set(times)).sorted(), "seed \(seed)")
            // Of one second in the order of the log.
            #expect(out.allSatisfy { $0.keys.map { Int($0) ?? -1 } == $0.keys.compactMap { Int($0) }.sorted() })
            #expect(out.flatMap(\.keys).count == times.count, "seed \(seed)")
        }
    }

    @Test func `what comes after its time has no place`() {
        // The third line says that 110 is over, which the fifth is just in time for.
        let (out, late, left) = Self.run([100, 120, 121, 100, 110, 109, 122])
        #expect(out.map(\.time) == [100, 100, 110, 120, 121, 122])
        #expect(late == [6] && left == nil)
    }

    @Test func `one wrong time moves no clock, and is left over at the end`() {
        let wrong: Int64 = 4_000_000_000
        let (out, late, left) = Self.run([100, 101, wrong, 102, 115, 130, 131])
        #expect(out.map(\.time) == [100, 101, 102, 115, 130, 131] && late.isEmpty)
        #expect(left?.time == wrong && left?.line == 3)
        // A log that was silent for long goes on when a second line says so.
        #expect(Self.run([100, wrong, wrong + 1]).out.map(\.time) == [100, wrong, wrong + 1])
        #expect(Self.run([100, 100 + LogOrder.longestSilence, 100]).left == nil)
        #expect(Self.run([wrong]).out.map(\.time) == [wrong])
    }

    @Test func `what is held is bounded, and nothing is lost`() {
        var (order, out, most) = (LogOrder(), 0, 0)
        for number in 1...500_000 {
            let isInTime = order.add("k", at: Int64(number / 400_000), line: number)
            #expect(isInTime)
            while let second = order.next() { out += second.keys.count }
            most = max(most, number - out)
        }
        while let second = order.last() { out += second.keys.count }
        #expect(most == LogOrder.mostRequests && out == 500_000)
    }
}
