// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Synchronization

// Waiting without reservations: permits are taken when they are there, by the head of the line. So a waiter that leaves
// has nothing to give back, and nothing that was granted to others depends on it.
extension TokenBucket {
    /// Takes permits, waiting for them up to `limit`; inlined, so that permits at hand cost no further async call.
    @inline(__always)
    func take(_ permits: Int64, within limit: Duration) async throws -> Grant {
        try Task.checkCancellation()
        let now = time.now()
        switch attempt(permits, at: now) {
        case .granted(let grant, _): return grant
        case .denied(let decision): return try await wait(permits, denied: decision, at: now, within: limit)
        }
    }

    @inline(never)
    private func wait(
        _ permits: Int64, denied decision: RateLimitDecision, at start: Int64, within limit: Duration
    ) async throws -> Grant {
        let deadline = min(start.addingSaturating(limit.nanosecondsRoundedUp), gcra.lastNanosecond)
        if isTooLong(decision, at: start, until: deadline) { throw refusal(permits, decision) }
        let id: Int
        let slipAtJoin: Int64
        switch enter(permits, at: start, until: deadline) {
        case .granted(let grant): return grant
        case .refused(let decision): throw refusal(permits, decision)
        case .joined(let newID, let slip): (id, slipAtJoin) = (newID, slip)
        }
        do {
            try await turn(of: id)
            while true {
                try Task.checkCancellation()
                let now = time.now()
                let (attempt, slip) = attempt(permits, at: now, asHead: id)
                switch attempt {
                case .granted(let grant, _):
                    report(.waited(permits: Int(permits), duration: .nanoseconds(max(0, now - start))))
                    return grant
                case .denied(let decision):
                    // What those ahead were late is no reason to refuse who was let into the line.
                    let deadline = min(deadline.addingSaturating(slip - slipAtJoin), gcra.lastNanosecond)
                    if isTooLong(decision, at: now, until: deadline) { throw refusal(permits, decision) }
                    try await time.sleep(until: now.addingSaturating(decision.waitNanoseconds))
                }
            }
        } catch {
            leave(id)
            throw error
        }
    }

    private enum Entry {
        case granted(Grant)
        case refused(RateLimitDecision)
        case joined(Int, slip: Int64)
    }

    /// Joins the line, unless the permits are there after all or the wait is not allowed.
    private func enter(_ permits: Int64, at now: Int64, until deadline: Int64) -> Entry {
        line.withLock { line in
            switch attempt(permits, at: now) {
            case .granted(let grant, _):
                return .granted(grant)
            case .denied(let decision):
                let isFull = line.count >= maximumWaiters
                if isFull || isTooLong(decision, at: now, until: deadline) { return .refused(decision) }
                let id = line.join(permits: permits)
                queued.store(line.permits, ordering: .relaxed)
                return .joined(id, slip: line.slip)
            }
        }
    }

    /// Returns when the waiter is at the head of the line, or was cancelled on the way there.
    private func turn(of id: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (turn: WaiterLine.Turn) in
                let suspended = line.withLock { $0.suspend(id, turn) }
                if !suspended { turn.resume() }
            }
        } onCancel: {
            leave(id)
        }
    }

    /// Takes permits for the head of the line and lets it leave, both at once: nobody can come between. Tells the
    /// line's slip too.
    private func attempt(_ permits: Int64, at now: Int64, asHead id: Int) -> (Attempt, slip: Int64) {
        let (attempt, departure, slip) = line.withLock { line -> (Attempt, WaiterLine.Departure, Int64) in
            let attempt = attemptAtHead(permits, at: now)
            guard case .granted(let grant, _) = attempt else { return (attempt, WaiterLine.Departure(), line.slip) }
            line.slipped(by: gcra.idleNanoseconds(from: grant.before, to: grant.after, permits: permits))
            let departure = line.leave(id)
            queued.store(line.permits, ordering: .relaxed)
            return (attempt, departure, line.slip)
        }
        resume(departure)
        return (attempt, slip)
    }

    /// Takes a waiter out of the line if it is still there, and hands the head on.
    private func leave(_ id: Int) {
        let departure = line.withLock { line in
            let departure = line.leave(id)
            queued.store(line.permits, ordering: .relaxed)
            return departure
        }
        resume(departure)
    }

    private func resume(_ departure: WaiterLine.Departure) {
        departure.left?.resume(throwing: CancellationError())
        departure.next?.resume()
    }

    private func isTooLong(_ decision: RateLimitDecision, at now: Int64, until deadline: Int64) -> Bool {
        now.addingSaturating(decision.waitNanoseconds) > deadline
    }

    private func refusal(_ permits: Int64, _ decision: RateLimitDecision) -> RateLimited {
        reportDenial(of: permits, decision)
        return RateLimited(limiter: name, retryAfter: decision.retryAfter)
    }
}
