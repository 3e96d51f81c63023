// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// How much a limiter lets through: so many permits in a period, and how many of them at once.
///
/// ```swift
/// RateLimit.perSecond(20)               // 20 a second, up to 20 at once after a pause
/// RateLimit.perSecond(20, burst: 1)     // one every 50 ms, never two together
/// RateLimit.per(.seconds(60), 600)      // the same rate as perSecond(10), and up to 600 at once
/// RateLimit.every(.seconds(2))          // one every two seconds
/// RateLimit.unlimited                   // everything: a plan without a limit
/// RateLimit.zero                        // nothing: a plan that is switched off
/// ```
///
/// What that promises depends on the algorithm; each limiter says it. The windows and the log count ``permits`` in a
/// ``period`` and make nothing of the burst.
///
/// **Precision.** Where permits come back one by one, as in a ``TokenBucket``, they do so every `period / permits`. That
/// interval is kept in sixteenths of a nanosecond and rounded up, so the rate is never above what was asked for and at
/// most `1 / (16 × interval in ns)` below it:
///
/// | limit            | interval kept       | below the asked rate by    |
/// | ---------------- | ------------------- | -------------------------- |
/// | `perSecond(20)`  | 50 ms               | nothing                    |
/// | `perSecond(3)`   | 333,333,333.375 ns  | 1.25e-10 (4 ms in a year)  |
/// | `perMinute(7)`   | 8,571,428,571.4375 ns | 1.0e-12                  |
/// | `perSecond(3_000_000)` | 333.375 ns    | 1.25e-4                    |
///
/// With a burst of one, and in a ``LeakyBucket``, there is nothing that could make up for the fraction of a nanosecond
/// by which a grant comes after its moment, so the time between two permits is the next whole nanosecond.
public struct RateLimit: Sendable, Hashable, CustomStringConvertible {
    /// How many permits come back in one ``period``; `Int.max` if the limit is ``unlimited``.
    public let permits: Int

    /// The time in which ``permits`` permits come back.
    public let period: Duration

    /// The most permits that can be had at once; also the most that one call may ask for.
    public let burst: Int

    /// The time between two permits, in sixteenths of a nanosecond, rounded up; zero if there is no limit, and of no
    /// meaning if no permit ever comes back.
    package let interval: Int64

    /// The longest time that an empty bucket may take to fill, in sixteenths of a nanosecond: about 4.5 years.
    package static let longestFill: Int64 = 1 << 61

    private init(permits: Int, period: Duration, burst: Int) {
        if let problem = Self.problem(permits, period, burst) { preconditionFailure(problem.description) }
        self.permits = permits
        self.period = period
        self.burst = burst
        interval = Self.interval(permits, period)
    }

    /// `permits` permits in every `period`, from values that are not the program's own, such as those of a configuration
    /// or of a tenant's plan: what ``per(_:_:burst:)`` takes for a mistake in the program is an error here.
    ///
    /// - Parameters:
    ///   - permits: At least zero. With zero, what the burst holds is all that there ever is.
    ///   - period: Above zero, and at most 2^57 nanoseconds (about 4.5 years).
    ///   - burst: The most at once; the number of permits unless given, and at least one then. `burst × period /
    ///     permits` is at most 2^57 nanoseconds.
    /// - Throws: ``InvalidRateLimit``, which says which of the values is out of its range.
    public init(validating permits: Int, per period: Duration, burst: Int? = nil) throws(InvalidRateLimit) {
        if let problem = Self.problem(permits, period, burst ?? permits) { throw problem }
        self.init(permits: permits, period: period, burst: burst ?? permits)
    }

    /// What is out of its range; `nil` if nothing is.
    private static func problem(_ permits: Int, _ period: Duration, _ burst: Int) -> InvalidRateLimit? {
        func problem(_ setting: InvalidRateLimit.Setting, _ text: String) -> InvalidRateLimit {
            InvalidRateLimit(setting: setting, description: text)
        }
        guard permits >= 0 else { return problem(.permits, "A rate limit has at least zero permits, not \(permits)") }
        guard period > .zero else { return problem(.period, "A rate limit needs a period above zero, not \(period)") }
        guard burst > 0 || burst == permits else {
            return problem(.burst, "A rate limit needs a burst of at least one permit, not \(burst)")
        }
        guard period.nanosecondsRoundedUp <= longestFill / GCRA.ticksPerNanosecond else {
            return problem(
                .period,
                "The period of a rate limit is at most 2^57 nanoseconds (about 4.5 years), not \(period)")
        }
        guard interval(permits, period).multipliedSaturating(by: Int64(burst)) <= longestFill else {
            return problem(
                .burst,
                "A burst of \(burst) at \(permits) per \(period) takes over 2^57 nanoseconds (about 4.5 years) to fill")
        }
        return nil
    }

    private static func interval(_ permits: Int, _ period: Duration) -> Int64 {
        guard permits > 0 else { return 1 }
        return GCRA.quotientRoundedUp(period.nanosecondsRoundedUp * GCRA.ticksPerNanosecond, by: Int64(permits))
    }

    private init(unlimitedIn period: Duration) {
        permits = .max
        self.period = period
        burst = .max
        interval = 0
    }

    /// `permits` permits in every `period`.
    ///
    /// - Parameters:
    ///   - period: Above zero, and at most 2^57 nanoseconds (about 4.5 years).
    ///   - permits: At least zero. With zero, what the burst holds is all that there ever is.
    ///   - burst: The most at once; the number of permits unless given, and at least one then. `burst × period /
    ///     permits` is at most 2^57 nanoseconds.
    ///
    /// Another value is a mistake in the program and stops it; for values from elsewhere there is
    /// ``init(validating:per:burst:)``.
    public static func per(_ period: Duration, _ permits: Int, burst: Int? = nil) -> RateLimit {
        RateLimit(permits: permits, period: period, burst: burst ?? permits)
    }

    /// `permits` permits a second, and `burst` at once: as many unless given.
    public static func perSecond(_ permits: Int, burst: Int? = nil) -> RateLimit {
        per(.seconds(1), permits, burst: burst)
    }

    /// `permits` permits a minute, and `burst` at once: as many unless given.
    public static func perMinute(_ permits: Int, burst: Int? = nil) -> RateLimit {
        per(.seconds(60), permits, burst: burst)
    }

    /// One permit in every `interval`, and `burst` at once: one unless given. An interval of zero is ``unlimited``.
    ///
    /// - Parameters:
    ///   - interval: At least zero, and at most 2^57 nanoseconds (about 4.5 years).
    ///   - burst: The most at once, at least one.
    public static func every(_ interval: Duration, burst: Int = 1) -> RateLimit {
        interval == .zero ? .unlimited : RateLimit(permits: 1, period: interval, burst: burst)
    }

    /// No limit: any number of permits, at any time.
    public static let unlimited = RateLimit(unlimitedIn: .seconds(1))

    /// Nothing at all, ever.
    public static let zero = RateLimit(permits: 0, period: .seconds(1), burst: 0)

    /// Whether there is no limit.
    package var isUnlimited: Bool { interval == 0 }

    /// The limit in words, such as "20 per 1.0 seconds, burst 20".
    public var description: String {
        isUnlimited ? "unlimited" : "\(permits) per \(period), burst \(burst)"
    }
}
