// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// Those who wait for a limiter, first come, first served: the pure core of waiting.
///
/// Only the head may take permits, and only it sleeps; the others are suspended until it is their turn. Whoever is
/// taken out, for whatever reason, is out once, and its continuation leaves with it: none can be resumed twice. The
/// functions return the continuations instead of resuming them, because they are called under a lock.
package struct WaiterLine {
    package typealias Turn = CheckedContinuation<Void, any Error>

    private struct Waiter {
        let id: Int
        let permits: Int64
        /// Resumes the waiter when it becomes the head; `nil` before it is suspended and once it is the head.
        var turn: Turn?
    }

    /// In the order of arrival, so the ids ascend.
    private var waiters: [Waiter] = []
    private var lastID = 0

    /// The permits that all in the line wait for together.
    package private(set) var permits: Int64 = 0

    /// By how many nanoseconds heads that were woken late have put off everybody behind them, since the making.
    package private(set) var slip: Int64 = 0

    package init() {}

    package var count: Int { waiters.count }

    /// Joins at the end.
    ///
    /// The sum cannot overflow: nobody joins whose turn would come after the range of ticks, and a permit takes at
    /// least one tick.
    package mutating func join(permits: Int64) -> Int {
        lastID += 1
        waiters.append(Waiter(id: lastID, permits: permits, turn: nil))
        self.permits += permits
        return lastID
    }

    /// Keeps what resumes a waiter when it becomes the head. `false` if there is nothing to wait for: it is the head
    /// already, or it has left.
    package mutating func suspend(_ id: Int, _ turn: Turn) -> Bool {
        guard let index = index(of: id), index > 0 else { return false }
        waiters[index].turn = turn
        return true
    }

    /// Notes that the head took its permits so many nanoseconds after the bucket would have been full.
    package mutating func slipped(by nanoseconds: Int64) {
        slip = slip.addingSaturating(nanoseconds)
    }

    /// The continuations that a departure leaves to be resumed, outside the lock.
    package struct Departure {
        /// The one who left, if it was suspended: it fails as cancelled.
        package var left: Turn?
        /// The new head, if it was suspended: it goes on.
        package var next: Turn?
    }

    /// Takes a waiter out, from wherever it stands, and makes the next one the head. Nothing happens if it has left.
    package mutating func leave(_ id: Int) -> Departure {
        guard let index = index(of: id) else { return Departure() }
        let waiter = waiters.remove(at: index)
        permits -= waiter.permits
        guard index == 0, !waiters.isEmpty else { return Departure(left: waiter.turn) }
        defer { waiters[0].turn = nil }
        return Departure(left: waiter.turn, next: waiters[0].turn)
    }

    private func index(of id: Int) -> Int? {
        var (low, high) = (0, waiters.count)
        while low < high {
            let middle = (low + high) / 2
            if waiters[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < waiters.count && waiters[low].id == id ? low : nil
    }
}
