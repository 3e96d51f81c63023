// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A local store's time: the wall clock at opening, carried on by a monotonic clock.
struct StoreClock: Sendable {
    let time: TimeSource
    private let base: Int64

    /// A clock that now shows the given time, by default the wall clock's, or `notBefore` if that is later.
    init(_ clock: any Clock<Duration>, at wallTime: Timestamp = .wallClock, notBefore: Timestamp? = nil) {
        time = TimeSource(clock)
        base = max(wallTime, notBefore ?? wallTime).nanosecondsSince1970
    }

    var now: Timestamp { Timestamp(nanosecondsSince1970: base.addingSaturating(time.now())) }
}
