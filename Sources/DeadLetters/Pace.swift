// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// So many things in so much time, spread evenly over it.
public struct Pace: Hashable, Sendable {
    /// How many go together at most.
    package static let largestBatch = 100

    /// How many.
    public let count: Int
    /// In what time.
    public let period: Duration

    /// So many in so much time; both more than zero.
    public init(_ count: Int, per period: Duration) {
        precondition(count > 0 && period > .zero, "A pace is more than zero, not \(count) per \(period)")
        self.count = count
        self.period = period
    }

    /// So many a second; more than zero.
    public static func perSecond(_ count: Int) -> Pace { Pace(count, per: .seconds(1)) }

    /// How many go together: those of a tenth of a second, one at least and 100 at most.
    package var batch: Int {
        let tenths = UInt64(count).multipliedFullWidth(by: 100_000_000)
        let period = UInt64(period.nanosecondsRoundedUp)
        // The quotient of what is not below this has no room.
        guard tenths.high < period else { return Self.largestBatch }
        return Int(min(max(1, period.dividingFullWidth(tenths).quotient), UInt64(Self.largestBatch)))
    }

    /// How long so many take; 292 years where it would be more than a `Duration` can say.
    package func time(for count: Int) -> Duration {
        let (product, overflows) = period.attoseconds.multipliedReportingOverflow(by: Int128(count))
        return overflows ? .longest : Duration(attoseconds: product / Int128(self.count))
    }
}
