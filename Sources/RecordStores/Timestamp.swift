// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A point in a store's time.
///
/// Time is the store's, never the caller's: a database's own clock, or for local stores the wall clock at opening,
/// carried on by a monotonic clock. Callers pass durations and compare a record's times with the `now` of the same
/// answer.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Nanoseconds since 1970 in UTC; reaches to the year 2262.
    public let nanosecondsSince1970: Int64

    /// The point that many nanoseconds after the start of 1970 in UTC.
    public init(nanosecondsSince1970: Int64) { self.nanosecondsSince1970 = nanosecondsSince1970 }

    /// What the system's wall clock shows.
    package static var wallClock: Timestamp { Timestamp(nanosecondsSince1970: TimeSource.wallClockNanoseconds()) }

    /// The point that is `duration` later, rounded up to a nanosecond and clamped to the range of the type.
    public func advanced(by duration: Duration) -> Timestamp {
        Timestamp(nanosecondsSince1970: nanosecondsSince1970.addingSaturating(duration.nanosecondsRoundedUp))
    }

    /// The time from this point to `other`, negative if `other` is earlier.
    public func duration(to other: Timestamp) -> Duration {
        .nanoseconds(other.nanosecondsSince1970.subtractingSaturating(nanosecondsSince1970))
    }

    /// Seconds since 1970 with nine decimals.
    public var description: String {
        let (seconds, nanoseconds) = nanosecondsSince1970.quotientAndRemainder(dividingBy: 1_000_000_000)
        let fraction = String(nanoseconds.magnitude)
        let sign = nanosecondsSince1970 < 0 ? "-" : ""
        return "\(sign)\(seconds.magnitude).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)"
    }

    /// Whether `lhs` is earlier than `rhs`.
    public static func < (lhs: Timestamp, rhs: Timestamp) -> Bool {
        lhs.nanosecondsSince1970 < rhs.nanosecondsSince1970
    }
}
