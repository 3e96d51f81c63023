// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore

/// Several limits that all must agree, such as those of a tenant, of a user and of an endpoint: all or nothing.
///
/// ```swift
/// let limiter = CompositeRateLimiter([endpoint, tenants.limiter(for: tenant), users.limiter(for: user)])
/// let decision = limiter.tryAcquire()
/// guard decision.allowed else { return tooManyRequests(decision.retryAfter, because: decision.denied) }
/// ```
///
/// Permits are taken from all of its limiters or from none, in one step: nobody ever sees some of them taken, so a call
/// that one limiter denies costs the others nothing, not even for a moment. The wait is that of the limiter that has the
/// longest, and the decision says which of them denied.
///
/// It is a value that refers to its limiters and has no permits of its own: make one for a request where its parts depend
/// on it. Each limiter can be in it once, and of a ``KeyedRateLimiter`` one key.
///
/// **Waiting.** ``acquire(_:within:)`` reserves the permits of all limiters for the first moment at which each has them,
/// and sleeps until then. So whoever came first is served first, and stands behind those who already wait for one of the
/// limiters. What is given back meanwhile is for others: the moment stays.
///
/// **Modes.** A limiter in ``RateLimitMode/shadow`` denies nothing, and reports what it would have.
///
/// **Cost.** It takes the locks of all its limiters, in an order of its own. Clocks are read before.
public struct CompositeRateLimiter: Policy {
    /// The limiters, as they were given.
    public let limiters: [any RateLimiter]

    /// How long ``run(_:)`` waits at most, and ``acquire(_:within:)`` unless told otherwise.
    public let maximumWait: Duration

    /// In the order in which their locks are taken, with their places among the limiters.
    private let parts: [Part]

    private typealias Part = (access: any LimiterAccess, place: Int)

    /// Makes one limiter of several.
    ///
    /// - Parameters:
    ///   - limiters: At least one limiter of this module, each once, and of a ``KeyedRateLimiter`` one key.
    ///   - maximumWait: How long `run` and `acquire` wait at most; zero, which is not at all, unless given.
    public init(_ limiters: [any RateLimiter], maximumWait: Duration = .zero) {
        precondition(!limiters.isEmpty, "A composite limiter needs at least one limiter")
        precondition(maximumWait >= .zero, "A limiter waits for at least zero, not for \(maximumWait)")
        self.limiters = limiters
        self.maximumWait = maximumWait
        parts = limiters.enumerated().map { place, limiter in
            guard let access = Self.access(to: limiter) else {
                preconditionFailure("A composite limiter is of limiters of this module, not of \(type(of: limiter))")
            }
            return (access, place)
        }.sorted { $0.access.lockOwner < $1.access.lockOwner }
        for (first, second) in zip(parts, parts.dropFirst()) {
            precondition(
                first.access.lockOwner != second.access.lockOwner,
                "A composite limiter has each limiter once, but \(limiters[second.place].summary) twice")
        }
    }

    private static func access(to limiter: any RateLimiter) -> (any LimiterAccess)? {
        (limiter as? any KeyView)?.access ?? limiter as? any LimiterAccess
    }

    /// Takes one permit of each limiter if all have one and nobody waits; never waits.
    public func tryAcquire() -> CompositeRateLimitDecision { report(decide(1, takes: true)) }

    /// Takes `permits` permits of each limiter if all have them and nobody waits, else none; never waits.
    ///
    /// - Parameter permits: At least zero.
    /// - Throws: ``ExceedsCapacity`` if one of the limiters can never give as many.
    public func tryAcquire(_ permits: Int) throws(ExceedsCapacity) -> CompositeRateLimitDecision {
        report(try checked(decide(permits, takes: true), permits))
    }

    /// Tells what ``tryAcquire()`` would answer, and takes nothing.
    public func peek() -> CompositeRateLimitDecision { decision(decide(1, takes: false)) }

    /// Tells what ``tryAcquire(_:)`` would answer, and takes nothing.
    ///
    /// - Throws: ``ExceedsCapacity`` if one of the limiters can never give as many.
    public func peek(_ permits: Int) throws(ExceedsCapacity) -> CompositeRateLimitDecision {
        decision(try checked(decide(permits, takes: false), permits))
    }

    /// Takes `permits` permits of each limiter, and waits for them if that is not too long.
    ///
    /// - Parameters:
    ///   - permits: At least zero; one unless given.
    ///   - within: How long the wait may be; ``maximumWait`` unless given. It also has to end before `Deadline.current`.
    /// - Throws: ``RateLimited`` with the name of the limiter that has the longest wait, if it would be too long;
    ///   ``ExceedsCapacity`` if one can never give as many; `CancellationError` if the task is cancelled before the
    ///   permits are there. None of them has taken anything.
    public func acquire(_ permits: Int = 1, within: Duration? = nil) async throws {
        _ = try await take(permits, within: within)
    }

    /// Reserves `permits` permits of each limiter for the first moment at which all have them.
    ///
    /// - Parameters:
    ///   - permits: At least zero; one unless given.
    ///   - within: How far ahead the moment may be; ``maximumWait`` unless given. It also has to be before
    ///     `Deadline.current`.
    /// - Throws: ``RateLimited`` or ``ExceedsCapacity`` as ``acquire(_:within:)``; neither has taken anything.
    public func reserve(_ permits: Int = 1, within: Duration? = nil) throws -> RateLimitReservation {
        let outcome = try checked(decide(permits, takes: true, within: longestWait(within ?? maximumWait)), permits)
        guard outcome.taken else {
            let denial = report(outcome)
            throw RateLimited(limiter: denial.denied.first ?? "", retryAfter: denial.retryAfter)
        }
        let held = zip(outcome.parts, outcome.joint.parts).compactMap { part, joint in
            joint.holding.map { (part.access, $0) }
        }
        let time = outcome.parts[0].access.settings.time
        return RateLimitReservation(
            permits, at: outcome.readings[0].addingSaturating(outcome.joint.wait), time, held: true
        ) { returned, left in
            for (access, holding) in held { access.giveBack(returned, of: holding.left(with: left)) }
        }
    }

    /// Takes a permit of each limiter like ``acquire(_:within:)`` within ``maximumWait``, and runs the operation.
    ///
    /// The operation's value and error come out unchanged. A `Rejection` from it says that it did not run, so the permits
    /// are given back, as ``RateLimiter/run(_:)`` says.
    ///
    /// - Throws: what the operation throws, or what ``acquire(_:within:)`` does.
    public func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
        let held = try await take(1, within: nil)
        do {
            return try await operation()
        } catch {
            if error is any Rejection { held.cancel() }
            throw error
        }
    }

    /// What it consists of, in one line.
    public var summary: String { "CompositeRateLimiter: " + limiters.map(\.summary).joined(separator: "; ") }
}

extension CompositeRateLimiter {
    /// What was decided, and when by the clocks of the parts.
    private struct Outcome {
        let parts: [Part]
        var joint: JointDecision
        let readings: [Int64]
        let taken: Bool
    }

    private func take(_ permits: Int, within limit: Duration?) async throws -> RateLimitReservation {
        try Task.checkCancellation()
        let reservation = try reserve(permits, within: limit)
        try await reservation.wait()
        return reservation
    }

    /// Asks all, again and again for the longest wait that one of them needs, until all agree or it is too long.
    private func decide(_ permits: Int, takes: Bool, within limit: Int64 = 0) -> Outcome {
        precondition(permits >= 0, "A limiter gives at least zero permits, not \(permits)")
        let parts =
            parts.contains { $0.access.isOverflowing } ? parts.map { ($0.access.forNewCall, $0.place) } : parts
        let readings = parts.map { $0.access.settings.time.now() }
        var wait: Int64 = 0
        var first: [JointDecision.Part] = []
        while true {
            var joint = JointDecision(Int64(permits), wait: wait, takes: takes && wait <= max(0, limit))
            guard let taken = ask(parts[...], &joint, readings) else {
                for part in parts { part.access.prepare() }
                continue
            }
            if first.isEmpty { first = joint.parts }
            if taken || joint.needed == joint.wait || joint.needed == .max {
                // What each says of the present is what it said when it was asked for it.
                if !taken { joint.parts = first }
                return Outcome(parts: parts, joint: joint, readings: readings, taken: taken)
            }
            wait = joint.needed
        }
    }

    private func ask(_ parts: ArraySlice<Part>, _ joint: inout JointDecision, _ readings: [Int64]) -> Bool? {
        guard let part = parts.first else { return joint.takes && joint.needed == joint.wait }
        var isPrepared = true
        let taken = part.access.decide(&joint, at: readings[parts.startIndex]) { joint in
            guard let taken = ask(parts.dropFirst(), &joint, readings) else {
                isPrepared = false
                return false
            }
            return taken
        }
        return isPrepared ? taken : nil
    }

    private func checked(_ outcome: Outcome, _ permits: Int) throws(ExceedsCapacity) -> Outcome {
        for (part, joint) in zip(outcome.parts, outcome.joint.parts)
        where joint.isExceeded && !part.access.isShadow && !part.access.isOverflowing {
            throw ExceedsCapacity(requested: permits, capacity: joint.decision.limit)
        }
        return outcome
    }

    /// The decision, after the parts that denied have reported it.
    private func report(_ outcome: Outcome) -> CompositeRateLimitDecision {
        for (part, joint) in zip(outcome.parts, outcome.joint.parts) {
            _ = part.access.settled(joint.decision, Int(outcome.joint.permits))
        }
        return decision(outcome)
    }

    private func decision(_ outcome: Outcome) -> CompositeRateLimitDecision {
        var decisions = [CompositeRateLimitDecision.Part?](repeating: nil, count: outcome.parts.count)
        for (part, joint) in zip(outcome.parts, outcome.joint.parts) {
            let own = part.access.isOverflowing ? joint.decision.shared : joint.decision
            let decision = part.access.isShadow ? own.granted : own
            decisions[part.place] = .init(limiter: part.access.settings.name, decision: decision)
        }
        return CompositeRateLimitDecision(parts: decisions.compactMap { $0 }, wait: outcome.joint.needed)
    }
}
