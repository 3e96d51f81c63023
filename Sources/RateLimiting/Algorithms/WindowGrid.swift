// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// Windows of one length, side by side from an origin on.
struct WindowGrid: Sendable, Equatable {
    let origin: Int64
    /// Above zero.
    let length: Int64

    /// The number of the window that a moment falls into; negative before the origin.
    @inline(__always)
    func index(at moment: Int64) -> Int64 {
        let (whole, rest) = moment.subtractingSaturating(origin).quotientAndRemainder(dividingBy: length)
        return rest < 0 ? whole - 1 : whole
    }

    /// The first moment of a window, clamped to `Int64.max`.
    @inline(__always)
    func start(of index: Int64) -> Int64 {
        let (offset, overflow) = index.multipliedReportingOverflow(by: length)
        return overflow ? (index < 0 ? .min : .max) : origin.addingSaturating(offset)
    }

    /// The grid of windows of another length that starts at `now`; the same grid if the length is the same.
    func changed(to period: Duration, at now: Int64) -> WindowGrid {
        let length = period.nanosecondsRoundedUp
        return length == self.length ? self : WindowGrid(origin: now, length: length)
    }
}
