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
        (.every(.seconds(2)), 32_000_000_000, 1),
        (.every(.seconds(2), burst: 3), 32_000_000_000, 3),
        (.perSecond(0, burst: 4), 1, 4),
        (.zero, 1, 0),
        (.every(.zero), 0, .max),
    ])
    func `the interval is kept in sixteenths of a nanosecond, rounded up`(
        limit: RateLimit, interval: Int64, burst: Int
    ) {
        #expect(limit.interval == interval)
        #expect(limit.burst == burst)
    }

    @Test func `a limit describes itself`() {
        #expect(RateLimit.perSecond(20, burst: 5).description == "20 per 1.0 seconds, burst 5")
        #expect(RateLimit.unlimited.description == "unlimited")
        let limiter = TokenBucket(.perMinute(2), name: "mail", maximumWait: .seconds(3))
        #expect(limiter.summary == "TokenBucket mail: 2 per 60.0 seconds, burst 2, waits up to 3.0 seconds")
    }

    @Test func `a limit from elsewhere is one, or an error that says what is wrong with it`() throws {
        #expect(try RateLimit(validating: 600, per: .seconds(60), burst: 20) == .per(.seconds(60), 600, burst: 20))
        #expect(try RateLimit(validating: 0, per: .seconds(1)) == .zero)
        let wrong: [(Int, Duration, Int?, InvalidRateLimit.Setting)] = [
            (-1, .seconds(1), nil, .permits), (.min, .seconds(1), 1, .permits), (1, .zero, nil, .period),
            (1, .seconds(-1), nil, .period), (1, .seconds(Int64.max), nil, .period), (5, .seconds(1), 0, .burst),
            (5, .seconds(1), -5, .burst), (1, .seconds(1), .max, .burst), (.max, .seconds(1), nil, .burst),
        ]
        for (permits, period, burst, setting) in wrong {
            let error = #expect(throws: InvalidRateLimit.self) {
                try RateLimit(validating: permits, per: period, burst: burst)
            }
            #expect(error?.setting == setting)
        }
        let names = RateLimitAlgorithm.allCases.map(\.description)
        #expect(
            names == [
                "token bucket", "sliding window log", "sliding window counter", "fixed window", "leaky bucket",
            ])
    }

    /// A value that code must not pass, named by what the message says of it.
    enum Mistake: String, CaseIterable, Codable {
        case permits = "A rate limit has at least zero permits, not -1"
        case burst = "a burst of at least one permit, not -4"
        case emptyPeriod = "a period above zero, not 0.0 seconds"
        case longPeriod = "(about 4.5 years), not 160000000.0 seconds"
        case longFill = "A burst of 144115189 at 1 per 1.0 seconds"
        case maximumWait = "at least zero, not for -1.0 seconds"
        case maximumWaiters = "at least zero callers wait, not -1"
        case negativePermits = "A limiter gives at least zero permits, not -1"
        case emptyBurst = "a burst of at least one permit, not 0"
        case noLimiters = "A composite limiter needs at least one limiter"
        case limiterTwice = "has each limiter once, but TokenBucket: 1 per 1.0 seconds"
        case twoKeys = "has each limiter once, but KeyedRateLimiter"
        case compositeWait = "A limiter waits for at least zero, not for -2.0 seconds"
        case negativeReturn = "gives back at least zero permits, not -3"
        case maximumKeys = "at least one key, not 0"
        case firstWindow = "above zero and at most 1.0 seconds, not 0.0 seconds"
        case longFirstWindow = "above zero and at most 1.0 seconds, not 1.000000001 seconds"
        case jitter = "The jitter of a limiter is at least zero, not -1.0 seconds"

        func make() throws {
            switch self {
            case .permits: _ = RateLimit.perSecond(-1)
            case .burst: _ = RateLimit.perSecond(5, burst: -4)
            case .emptyPeriod: _ = RateLimit.per(.zero, 1)
            case .longPeriod: _ = RateLimit.per(.seconds(160_000_000), 1)
            case .longFill: _ = RateLimit.perSecond(1, burst: 144_115_189)
            case .maximumWait: _ = TokenBucket(.perSecond(1), maximumWait: .seconds(-1))
            case .maximumWaiters: _ = TokenBucket(.perSecond(1), maximumWaiters: -1)
            case .emptyBurst: _ = RateLimit.perSecond(5, burst: 0)
            case .noLimiters: _ = CompositeRateLimiter([])
            case .limiterTwice:
                let limiter = TokenBucket(.perSecond(1))
                _ = CompositeRateLimiter([limiter, FixedWindow(.perSecond(2)), limiter])
            case .twoKeys:
                let keys = KeyedRateLimiter<Int>(.perSecond(1))
                _ = CompositeRateLimiter([keys.limiter(for: 1), keys.limiter(for: 2)])
            case .compositeWait: _ = CompositeRateLimiter([TokenBucket(.zero)], maximumWait: .seconds(-2))
            case .negativeReturn: try TokenBucket(.perSecond(1)).reserve().refund(-3)
            case .maximumKeys: _ = KeyedRateLimiter<Int>(.perSecond(1), maximumKeys: 0)
            case .firstWindow: _ = FixedWindow(.perSecond(1), firstWindow: .zero)
            case .longFirstWindow: _ = FixedWindow(.perSecond(1), firstWindow: .nanoseconds(1_000_000_001))
            case .jitter: _ = TokenBucket(.perSecond(1), jitter: .seconds(-1))
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
