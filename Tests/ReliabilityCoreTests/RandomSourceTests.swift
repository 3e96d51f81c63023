// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Testing

@Suite struct RandomSourceTests {
    @Test func `a seeded source draws the published SplitMix64 sequence`() {
        let source = RandomSource.seeded(1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in source.next() } == expected)
    }

    @Test func `copies share their state and two system sources differ`() {
        let source = RandomSource.seeded(1)
        let copy = source
        #expect(source.next() != copy.next())
        #expect(RandomSource.system.next() != RandomSource.system.next())
    }

    @Test(arguments: [Int64(-5), 0, 1, 2, 1_000, .max])
    func `a draw stays within its bounds and reaches both ends`(upperBound: Int64) {
        let source = RandomSource.seeded(7)
        let draws = (0..<20_000).map { _ in source.draw(upTo: upperBound) }
        let top = max(0, upperBound)
        #expect(draws.allSatisfy { (0...top).contains($0) })
        if top <= 1_000 { #expect(Set(draws).count == Int(top) + 1) }
        // The mean of n even draws from 0...m lies within five standard errors, m / sqrt(12 n) each, of m / 2.
        let mean = draws.reduce(0.0) { $0 + Double($1) } / 20_000
        let tolerance = 5 * Double(top) / (12.0 * 20_000.0).squareRoot() + 1
        #expect(abs(mean - Double(top) / 2) <= tolerance)
    }
}
