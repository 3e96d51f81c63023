// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Testing

@Suite struct DurationTests {
    @Test(arguments: [
        (Duration.zero, Int64(0), Int64(0)),
        (.nanoseconds(1), 1, 1),
        (.nanoseconds(1) + Duration(secondsComponent: 0, attosecondsComponent: 1), 2, 1),
        (Duration(secondsComponent: 0, attosecondsComponent: 1), 1, 0),
        (Duration(secondsComponent: 0, attosecondsComponent: -1), 0, 0),
        (.seconds(-2), -2_000_000_000, -2_000_000_000),
        (.seconds(Int64.max), .max, .max),
        (.seconds(Int64.min), .min, .min),
        (.seconds(Int64.max) * 8, .max, .max),
        (.seconds(Int64.min) * 8, .min, .min),
        (.longest, .max, .max),
    ])
    func `a wait rounds up, a reading rounds toward zero, and both saturate`(
        duration: Duration, up: Int64, down: Int64
    ) {
        #expect(duration.nanosecondsRoundedUp == up)
        #expect(duration.nanosecondsRoundedDown == down)
    }

    @Test func `saturating arithmetic stops at the ends of the range`() {
        #expect(Int64.max.addingSaturating(1) == .max)
        #expect(Int64.min.addingSaturating(-1) == .min)
        #expect(Int64.max.subtractingSaturating(-1) == .max)
        #expect(Int64.min.subtractingSaturating(1) == .min)
        #expect(Int64.max.multipliedSaturating(by: 2) == .max)
        #expect(Int64(3).addingSaturating(4).subtractingSaturating(5).multipliedSaturating(by: 6) == 12)
    }
}
