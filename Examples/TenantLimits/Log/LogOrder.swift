// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Puts requests into the order of their times, which is not that of the log: a server writes a line when the answer is
/// sent, with the time at which the request came.
///
/// Requests are held until times have come that are ``slack`` later. What comes later than that has no place any more.
/// How much is held is bounded: where that is not enough, the earliest go on before their time.
struct LogOrder {
    /// The requests of one second.
    struct Second {
        let time: Int64
        var keys: [String]
        /// The line of the first of them.
        let line: Int
    }

    /// How many seconds late a line may be.
    static let slack: Int64 = 10
    /// A single line that is so many seconds after all others has no time that can be believed.
    static let longestSilence: Int64 = 86_400
    /// The most requests that are held.
    static let mostRequests = 200_000

    /// In order, and no more seconds than the slack has and one that nothing confirms.
    private var held: [Second] = []
    private var count = 0
    /// The time of the requests that were given out last.
    private var present = Int64.min
    private var latest = Int64.min
    /// The latest time that another line confirms, by being as late or later. A single wrong time moves no clock.
    private var confirmed = Int64.min

    /// Adds the request of a line, and returns whether it came in time; then call ``next()`` until it is `nil`.
    mutating func add(_ key: String, at time: Int64, line: Int) -> Bool {
        guard time >= present else { return false }
        (latest, confirmed) = (max(latest, time), max(confirmed, min(latest, time)))
        count += 1
        // Nearly all are for one of the last seconds.
        var index = held.count
        while index > 0, held[index - 1].time > time { index -= 1 }
        if index > 0, held[index - 1].time == time {
            held[index - 1].keys.append(key)
        } else {
            held.insert(Second(time: time, keys: [key], line: line), at: index)
        }
        return true
    }

    /// The requests of the next second that nothing earlier can come before.
    mutating func next() -> Second? {
        guard let first = held.first else { return nil }
        let isOver = confirmed > .min && first.time <= confirmed - Self.slack
        return isOver || count > Self.mostRequests ? takeFirst() : nil
    }

    /// The requests of the next second, when no more lines will come.
    mutating func last() -> Second? {
        guard let first = held.first, !isBeyondBelief(first) else { return nil }
        return takeFirst()
    }

    /// What is left when ``last()`` has nothing more: a request whose time cannot be believed.
    var leftOver: Second? { held.first }

    private func isBeyondBelief(_ second: Second) -> Bool {
        confirmed > .min && second.time > confirmed + Self.longestSilence
    }

    private mutating func takeFirst() -> Second {
        let second = held.removeFirst()
        count -= second.keys.count
        present = second.time
        return second
    }
}
