// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// How a ``Retry`` follows advice: never earlier, a little later, and not if it takes too long.
struct AdvisedWait: Sendable {
    /// The longest advice that is followed, in nanoseconds.
    let maximum: Int64
    /// What may come on top of the advice, as a share of it.
    let jitter: Double

    /// The least that the advice allows to wait, in nanoseconds, with its jitter; `nil` if it is too long to be followed.
    ///
    /// The jitter stays below the maximum where there is room for a hundredth of the advice, and is up to that hundredth
    /// where there is less: to be spread matters more to those who were all told the maximum.
    func nanoseconds(_ advice: Duration, using randomness: RandomSource) -> Int64? {
        let floor = advice.nanosecondsRoundedUp
        guard floor <= maximum else { return nil }
        guard floor > 0 else { return 0 }
        let room = max(maximum - floor, floor / 100)
        let spread = Double(floor) * jitter
        // A double below the room converts to an integer that is not above it.
        return floor.addingSaturating(randomness.draw(upTo: spread < Double(room) ? Int64(spread) : room))
    }
}
