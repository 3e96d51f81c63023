// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How fast a consumer goes while it is behind.
///
/// After an outage everything is due at once, and what comes next in line is met by the whole backlog. A consumer that
/// finds items which have been due for longer than ``lag`` goes no faster than ``pace``, until it finds one that has not.
public struct CatchUp: Hashable, Sendable {
    /// How long an item may have been due before that counts as being behind.
    public var lag: Duration
    /// How fast the consumer goes then. Each consumer of a queue has a pace of its own.
    public var pace: Pace

    /// So fast while so far behind; by default 500 a second from 30 s on.
    public init(lag: Duration = .seconds(30), pace: Pace = .perSecond(500)) {
        self.lag = lag
        self.pace = pace
    }
}

/// Keeps a consumer to its pace while it is behind. Pure; times are nanoseconds of one clock.
struct CatchUpState: Sendable {
    private let catchUp: CatchUp
    /// As long as nothing is known, the backlog may be of any length.
    private(set) var isBehind = true
    private var notBefore = Int64.min

    init(_ catchUp: CatchUp) { self.catchUp = catchUp }

    /// How many items may be received at once.
    var limit: Int { isBehind ? catchUp.pace.batch : .max }

    /// How long to wait before the next are received.
    func pause(now: Int64) -> Duration {
        isBehind ? .nanoseconds(max(0, notBefore.subtractingSaturating(now))) : .zero
    }

    /// So many items were received, of which one had been due for so long.
    mutating func received(_ count: Int, dueFor lag: Duration, now: Int64) {
        isBehind = lag > catchUp.lag
        notBefore = max(notBefore, now).addingSaturating(catchUp.pace.time(for: count).nanosecondsRoundedUp)
    }
}
