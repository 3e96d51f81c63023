// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import Testing

@Suite struct RateLimitTests {
    @Test(arguments: [
        (RateLimit.perSecond(20), 800_000_000, 20),
        (.perSecond(3), 5_333_333_334, 3),
        (.perSecond(3_000_000), 5_334, 3_000_000),
        (.perMinute(7, burst: 1), 137_142_857_143, 1),
        (.per(.seconds(60), 600), 1_600_000_000, 600),
        (.per(.seconds(2), 1), 32_000_000_000, 1),
        (.perSecond(1_000_000_000_000), 1, 1_000_000_000_000),
        (.per(Duration(secondsComponent: 0, attosecondsComponent: 1), 1), 16, 1),
        (.per(.nanoseconds(1 << 57), 1), 1 << 61, 1),
    ])
    func `the interval is kept in sixteenths of a nanosecond, rounded up`(
        limit: RateLimit, interval: Int64, burst: Int
    ) {
        #expect(limit.interval == interval)
        #expect(limit.burst == burst)
    }

    @Test func `a limit describes itself`() {
        #expect(RateLimit.perSecond(20, burst: 5).description == "20 per 1.0 seconds, burst 5")
        let limiter = TokenBucket(.perMinute(2), name: "mail", maximumWait: .seconds(3))
        #expect(limiter.summary == "TokenBucket mail: 2 per 60.0 seconds, burst 2, waits up to 3.0 seconds")
    }

    /// A value that code must not pass, named by what the message says of it.
    enum Mistake: String, CaseIterable, Codable {
        case permits = "at least one permit, not 0"
        case burst = "a burst of at least one permit, not -4"
        case emptyPeriod = "a period above zero, not 0.0 seconds"
        case longPeriod = "(about 4.5 years), not 160000000.0 seconds"
        case longFill = "A burst of 144115189 at 1 per 1.0 seconds"
        case maximumWait = "at least zero, not for -1.0 seconds"
        case maximumWaiters = "at least zero callers wait, not -1"
        case negativePermits = "at least zero permits, not -1"

        func make() throws {
            switch self {
            case .permits: _ = RateLimit.perSecond(0)
            case .burst: _ = RateLimit.perSecond(5, burst: -4)
            case .emptyPeriod: _ = RateLimit.per(.zero, 1)
            case .longPeriod: _ = RateLimit.per(.seconds(160_000_000), 1)
            case .longFill: _ = RateLimit.perSecond(1, burst: 144_115_189)
            case .maximumWait: _ = TokenBucket(.perSecond(1), maximumWait: .seconds(-1))
            case .maximumWaiters: _ = TokenBucket(.perSecond(1), maximumWaiters: -1)
            case .negativePermits: _ = try TokenBucket(.perSecond(1)).tryAcquire(-1)
            }
        }
    }

    @Test(arguments: Mistake.allCases)
    func `a bad value from code stops the process and is in the message`(mistake: Mistake) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [mistake = mistake as Mistake] in
            try mistake.make()
        }
        #if DEBUG
        // Release builds stop without the message.
        let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(output.contains(mistake.rawValue))
        #endif
    }
}
