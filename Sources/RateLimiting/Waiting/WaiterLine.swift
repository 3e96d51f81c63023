// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// Those who wait for a limiter, first come, first served: the pure core of waiting.
///
/// Only the head may take permits, and only it has a timer; the others are suspended until it is their turn. Whoever is
/// taken out, for whatever reason, is out once, and its continuation leaves with it: none can be resumed twice. The
/// functions return the continuations instead of resuming them, because they are called under a lock.
package struct WaiterLine: Sendable {
    package typealias Turn = CheckedContinuation<Void, any Error>

    package struct Waiter: Sendable {
        let id: Int
        package let permits: Int64
        /// The last moment at which its permits are of use to it.
        package let deadline: Int64
        /// Resumes the waiter; `nil` while it is not suspended.
        fileprivate var turn: Turn?
        /// Whether it has something to look after, so that it must not be suspended.
        fileprivate var isDue = false
    }

    /// In the order of arrival, so the ids ascend.
    package private(set) var waiters: [Waiter] = []
    /// What those were refused with who have not been told yet.
    private var refusals: [Int: any Error] = [:]

    package init() {}

    package var count: Int { waiters.count }
    package var isEmpty: Bool { waiters.isEmpty }

    /// Whether nobody waits, and nobody has still to be told that it was refused.
    package var isIdle: Bool { waiters.isEmpty && refusals.isEmpty }

    /// Joins at the end. Ids ascend.
    package mutating func join(_ id: Int, permits: Int64, deadline: Int64) {
        waiters.append(Waiter(id: id, permits: permits, deadline: deadline))
    }

    /// Where a waiter stands.
    package enum Place: Sendable {
        /// It may take permits.
        case head(permits: Int64)
        /// It is not its turn.
        case behind
        /// It was taken out by its cancellation, or refused.
        case out((any Error)?)
    }

    /// Where a waiter stands; whoever was refused is told once.
    package mutating func place(of id: Int) -> Place {
        guard let index = index(of: id) else { return .out(refusals.removeValue(forKey: id)) }
        waiters[index].isDue = false
        return index == 0 ? .head(permits: waiters[0].permits) : .behind
    }

    /// Keeps what resumes a waiter. `false` if it has something to look after: its turn has come, it was woken, or it is
    /// out of the line.
    package mutating func suspend(_ id: Int, _ turn: Turn) -> Bool {
        guard let index = index(of: id), !waiters[index].isDue else { return false }
        waiters[index].turn = turn
        return true
    }

    /// Wakes a waiter, so that it looks where it stands; if it is suspended, by the continuation that is returned.
    package mutating func wake(_ id: Int) -> Turn? {
        index(of: id).flatMap { wake(at: $0) }
    }

    /// Wakes the head, because its permits may be there earlier or later than it knows.
    package mutating func wakeHead() -> Turn? { waiters.isEmpty ? nil : wake(at: 0) }

    private mutating func wake(at index: Int) -> Turn? {
        defer { waiters[index].turn = nil }
        if waiters[index].turn == nil { waiters[index].isDue = true }
        return waiters[index].turn
    }

    /// The continuations that a departure leaves to be resumed, outside the lock.
    package struct Departure: Sendable {
        /// The one who left, if it was suspended.
        package var left: Turn?
        /// The new head, if it was suspended: it goes on.
        package var next: Turn?
    }

    /// Takes a waiter out, from wherever it stands, and makes the next one the head. Nothing happens if it has left.
    package mutating func leave(_ id: Int) -> Departure {
        refusals[id] = nil
        guard let index = index(of: id) else { return Departure() }
        let turn = waiters.remove(at: index).turn
        return Departure(left: turn, next: index == 0 ? wakeHead() : nil)
    }

    /// Takes a waiter out that can no longer be served, and returns the continuation that resumes it to be told why.
    package mutating func refuse(_ id: Int, _ error: any Error) -> Turn? {
        guard let index = index(of: id) else { return nil }
        refusals[id] = error
        return waiters.remove(at: index).turn
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
