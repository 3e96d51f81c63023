// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The results that a breaker judges by while it is closed: those of a count or of a time window, and the run of
/// failures at their end.
struct ResultWindow: Sendable {
    private var count: CountWindow?
    private var time: TimeWindow?
    private(set) var consecutiveFailures = 0

    init(_ window: CircuitBreaker.Configuration.Window, tracksSlowCalls: Bool) {
        switch window {
        case .calls(let capacity): count = CountWindow(capacity: capacity, tracksSlowCalls: tracksSlowCalls)
        case .time(let length, let buckets):
            time = TimeWindow(length: length.nanosecondsRoundedUp, buckets: buckets)
        }
    }

    var calls: Int { count?.calls ?? time?.calls ?? 0 }
    var failures: Int { count?.failures ?? time?.failures ?? 0 }
    var slowCalls: Int { count?.slowCalls ?? time?.slowCalls ?? 0 }

    var counts: CircuitCounts {
        CircuitCounts(
            calls: calls, failures: failures, slowCalls: slowCalls, consecutiveFailures: consecutiveFailures)
    }

    /// When results begin to leave by time; `nil` for a count window.
    var end: Int64? { time?.end }

    /// How many good results in a row change this window at most; `nil` if every single one does.
    var goodResultsThatCount: Int? { count?.capacity }

    /// Lets the results leave that are too old at `now`. A run of failures is forgotten with the last of them.
    mutating func advance(to now: Int64) {
        time?.advance(to: now)
        if time?.calls == 0 { consecutiveFailures = 0 }
    }

    /// Adds a result, after ``advance(to:)``.
    mutating func record(failed: Bool, slow: Bool) {
        count?.record(failed: failed, slow: slow)
        time?.record(failed: failed, slow: slow)
        consecutiveFailures = failed ? consecutiveFailures + 1 : 0
    }

    /// Adds so many results that neither failed nor were slow: at most ``goodResultsThatCount``.
    mutating func recordGood(_ number: Int) {
        guard number > 0 else { return }
        count?.recordGood(number)
        time?.recordGood(number)
        consecutiveFailures = 0
    }

    /// Forgets every result.
    mutating func clear() {
        count?.clear()
        time?.clear()
        consecutiveFailures = 0
    }
}
