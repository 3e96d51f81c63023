// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// The longest span that in-process arithmetic counts with: `Int64.max` nanoseconds, about 292 years.
    package static var longest: Duration { .nanoseconds(Int64.max) }

    /// Whole nanoseconds, rounded up and clamped to what an `Int64` holds: for waits, which must not end early.
    package var nanosecondsRoundedUp: Int64 {
        let (whole, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Int64(clamping: rest > 0 ? whole + 1 : whole)
    }

    /// Whole nanoseconds, rounded toward zero and clamped to what an `Int64` holds: for readings of a clock.
    package var nanosecondsRoundedDown: Int64 { Int64(clamping: attoseconds / 1_000_000_000) }
}

extension Int64 {
    /// The sum, clamped to the range of the type instead of trapping.
    package func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, clamped to the range of the type instead of trapping.
    package func subtractingSaturating(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }

    /// The product of two non-negative numbers, clamped to `Int64.max` instead of trapping.
    package func multipliedSaturating(by other: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
