// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Synchronization

/// Permits that will be there at a moment, which the limiter keeps for whoever holds this.
///
/// ```swift
/// let reservation = try limiter.reserve(estimate, within: .seconds(5))
/// try await reservation.wait()
/// let used = try await model.complete(prompt)
/// reservation.refund(max(0, estimate - used))
/// ```
///
/// The moment never moves, whatever happens to the limiter. What is given back leaves a gap, which the next caller or
/// whoever waits may take; so nobody is promised the same permits twice, and giving back in any order leaves the limiter
/// as if the permits had never been reserved. Permits that are given back after their moment come back as far as time
/// has not brought them back already.
///
/// A reservation that is dropped counts as used. Of those whose moment has passed, the last 1,024 of a limiter can still
/// be given back; and a bucket remembers up to 1,024 places between others that were given back and whose time has not
/// come. What goes beyond that stays used until time brings it back.
public final class RateLimitReservation: Sendable {
    /// How many permits were reserved.
    public let permits: Int

    private let moment: Int64
    private let time: TimeSource
    private let left: Locked<Int>
    private let giveBack: @Sendable (Int64, Int64) -> Void

    /// - Parameter giveBack: Gives back so many of the last permits of those that are left.
    init(
        _ permits: Int, at moment: Int64, _ time: TimeSource, held: Bool,
        giveBack: @escaping @Sendable (_ permits: Int64, _ left: Int64) -> Void
    ) {
        self.permits = permits
        self.moment = moment
        self.time = time
        self.giveBack = giveBack
        left = Locked(held ? permits : 0)
    }

    /// How long until the permits are there; zero if they are.
    public var delay: Duration { .nanoseconds(max(0, moment.subtractingSaturating(time.now()))) }

    /// Suspends until the permits are there, by the limiter's clock; returns at once if they are.
    ///
    /// - Throws: `CancellationError` if the task is cancelled before; the permits have been given back then.
    public func wait() async throws {
        do {
            if time.now() < moment { try await time.sleep(until: moment) }
        } catch {
            cancel()
            throw error
        }
    }

    /// Gives back all permits that have not been given back. A second time changes nothing.
    public func cancel() { refund(.max) }

    /// Gives back `permits` permits that were not used, or as many as have not been given back.
    ///
    /// - Parameter permits: At least zero.
    public func refund(_ permits: Int) {
        precondition(permits >= 0, "A reservation gives back at least zero permits, not \(permits)")
        let (returned, before) = left.withLock { left in
            let returned = min(left, permits)
            defer { left -= returned }
            return (returned, left)
        }
        if returned > 0 { giveBack(Int64(returned), Int64(before)) }
    }
}

extension LimiterAccess {
    func reserved(_ permits: Int, within limit: Duration?) throws -> RateLimitReservation {
        let count = Self.checked(permits)
        let now = settings.time.now()
        // A limiter that only watches lets everything through at once, so it promises nothing ahead.
        let deadline = isShadow ? now : deadline(limit, from: now)
        switch withState({ $0.reserve(count, at: now, until: deadline, most: settings.maximumWaiters) }) {
        case .exceeds(let capacity):
            _ = try exceeded(permits, capacity)
        case .denied(let decision):
            guard isShadow else { throw refused(count, decision) }
            _ = settled(decision, permits)
        case .reserved(let holding):
            let moment = if case .ahead(_, let moment) = holding { moment } else { now }
            return RateLimitReservation(permits, at: moment, settings.time, held: true) { returned, left in
                giveBack(returned, of: holding.left(with: left))
            }
        }
        return RateLimitReservation(permits, at: now, settings.time, held: false) { _, _ in }
    }
}
