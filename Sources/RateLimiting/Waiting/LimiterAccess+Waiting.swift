// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

// Waiting without reservations: permits are taken when they are there, by the head of the line. So a waiter that leaves
// has nothing to give back, nothing that was granted to others depends on it, and a waiter that the system wakes late
// does not act together with the one behind it.
extension LimiterAccess {
    /// Takes permits, waiting for them; `nil` if the limiter only watches and has let the call through.
    func take(_ permits: Int, within limit: Duration?) async throws -> Grant? {
        try Task.checkCancellation()
        let count = Self.checked(permits)
        let now = settings.time.now()
        switch withState({ $0.take(count, at: now) }) {
        case .granted(let grant, _): return grant
        case .denied(let decision): return try await wait(count, denied: decision, at: now, within: limit)
        case .exceeds(let capacity): return try exceeded(permits, capacity)
        }
    }

    func exceeded(_ permits: Int, _ capacity: Int) throws -> Grant? {
        let decision = try exceeding(permits, capacity)
        guard decision.allowed else { throw RateLimited(limiter: settings.name, retryAfter: nil) }
        return nil
    }

    /// Waits in the line, after a denial.
    @inline(never)
    func wait(
        _ permits: Int64, denied decision: RateLimitDecision, at start: Int64, within limit: Duration?
    ) async throws -> Grant? {
        if isShadow {
            _ = settled(decision, Int(permits))
            return nil
        }
        let deadline = deadline(limit, from: start)
        if isTooLong(decision, at: start, until: deadline) { throw refused(permits, decision) }
        switch withState({ $0.join(permits, at: start, until: deadline, most: settings.maximumWaiters) }) {
        case .granted(let grant): return grant
        case .exceeds(let capacity): return try exceeded(Int(permits), capacity)
        case .refused(let decision): throw refused(permits, decision)
        case .joined(let id):
            let grant = try await wait(as: id, permits, until: deadline)
            let waited = settings.time.now().subtractingSaturating(start)
            settings.report(.waited(permits: Int(permits), duration: .nanoseconds(max(0, waited))))
            return grant
        }
    }

    private func wait(as id: Int, _ permits: Int64, until deadline: Int64) async throws -> Grant {
        do {
            while true {
                try Task.checkCancellation()
                let now = settings.time.now()
                switch withState({ $0.turn(of: id, at: now) }) {
                case .granted(let grant, let next):
                    next?.resume()
                    return grant
                case .sleep(let moment):
                    try await sleep(as: id, until: jittered(moment, until: deadline))
                case .suspend:
                    try await suspend(id)
                case .out(let error):
                    if let denied = error as? RateLimited {
                        settings.report(.denied(permits: Int(permits), retryAfter: denied.retryAfter))
                    }
                    throw error ?? CancellationError()
                }
            }
        } catch {
            leave(id)
            throw error
        }
    }

    /// The last moment at which permits are of use: the limit's, or the last before the current deadline if that is
    /// earlier.
    func deadline(_ limit: Duration?, from start: Int64) -> Int64 {
        start.addingSaturating(longestWait(limit ?? settings.maximumWait))
    }

    private func jittered(_ moment: Int64, until deadline: Int64) -> Int64 {
        let most = min(settings.jitter, deadline.subtractingSaturating(moment))
        return moment.addingSaturating(settings.randomness.draw(upTo: most))
    }

    private func isTooLong(_ decision: RateLimitDecision, at now: Int64, until deadline: Int64) -> Bool {
        decision.wait == .max || now.addingSaturating(decision.wait) > deadline
    }

    func refused(_ permits: Int64, _ decision: RateLimitDecision) -> RateLimited {
        settings.report(.denied(permits: Int(permits), retryAfter: decision.retryAfter))
        return RateLimited(limiter: settings.name, retryAfter: decision.retryAfter)
    }

    /// Suspends a waiter until it is woken, by whoever leaves it something to look after.
    private func suspend(_ id: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (turn: WaiterLine.Turn) in
                let isSuspended = withState { $0.line.suspend(id, turn) }
                if !isSuspended { turn.resume() }
            }
        } onCancel: {
            leave(id)
        }
    }

    /// Suspends the head until a moment, or until it is woken before.
    private func sleep(as id: Int, until moment: Int64) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { withState { $0.line.wake(id) }?.resume() }
                try await settings.time.sleep(until: moment)
            }
            try await suspend(id)
            group.cancelAll()
            // The timer's cancellation says nothing, and whether the waiter is cancelled is looked at next; any other
            // failure of the clock is the waiter's.
            do { try await group.next() } catch is CancellationError {}
        }
    }

    /// Takes a waiter out of the line if it is still there, and hands the head on.
    private func leave(_ id: Int) {
        let departure = withState { $0.leave(id) }
        departure.left?.resume(throwing: CancellationError())
        departure.next?.resume()
    }
}

/// The longest wait, in nanoseconds, that is within a limit and ends before the current deadline: at the deadline itself
/// it is too late to begin anything.
func longestWait(_ limit: Duration) -> Int64 {
    let limit = limit.nanosecondsRoundedUp
    guard let deadline = Deadline.current else { return limit }
    return min(limit, deadline.remaining.nanosecondsRoundedUp.subtractingSaturating(1))
}
