// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// A limiter's state behind its lock, and all that is done with it: the clock is read before the lock is taken, and
/// events and continuations come after it.
protocol LimiterAccess: Sendable {
    associatedtype Core: LimitCore

    var settings: LimiterSettings { get }

    /// Whether the limiter only watches.
    var isShadow: Bool { get }

    /// Whether the state is not the caller's own, so that what exceeds it may be had another time.
    var isOverflowing: Bool { get }

    /// The limiter as a new call finds it, which does not have to stay where another call was sent.
    var forNewCall: any LimiterAccess { get }

    /// What the lock belongs to: whoever takes several takes them in the order of their owners, of each owner one.
    var lockOwner: ObjectIdentifier { get }

    /// Works on the state, alone, if it is there without further ado; `nil` if it is not.
    func presentState<Result: Sendable>(_ body: (inout LimiterState<Core>) -> Result) -> Result?

    /// Works on the state, alone.
    func withState<Result: Sendable>(_ body: (inout LimiterState<Core>) -> Result) -> Result

    /// Decides with others, whose locks are taken inside this one's; `nil` if the state has to be prepared before. A
    /// requirement, so that it is compiled for each limiter.
    func decide(_ joint: inout JointDecision, at reading: Int64, rest: (inout JointDecision) -> Bool) -> Bool?

    /// Works on the state, alone, and leaves no more trace than the limiter would have by itself. The state is told with
    /// whether it is not the caller's own.
    func readState<Result: Sendable>(_ body: (inout LimiterState<Core>, _ isShared: Bool) -> Result) -> Result
}

extension LimiterAccess {
    typealias State = LimiterState<Core>

    var isOverflowing: Bool { false }

    var forNewCall: any LimiterAccess { self }

    func readState<Result: Sendable>(_ body: (inout LimiterState<Core>, _ isShared: Bool) -> Result) -> Result {
        withState { body(&$0, false) }
    }

    func presentState<Result: Sendable>(_ body: (inout LimiterState<Core>) -> Result) -> Result? { withState(body) }

    /// Takes one permit; never waits.
    func answer() -> RateLimitDecision {
        switch attempt(1) {
        case .granted(_, let decision), .denied(let decision): settled(decision, 1)
        case .exceeds(let capacity): settled(.never(limit: capacity), 1)
        }
    }

    /// Takes permits; never waits.
    func answer(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision {
        switch attempt(Self.checked(permits)) {
        case .granted(_, let decision), .denied(let decision): settled(decision, permits)
        case .exceeds(let capacity): try exceeding(permits, capacity)
        }
    }

    /// Tells what `answer` would, and takes nothing.
    func look() -> RateLimitDecision {
        let seen = seen(1)
        return seen.decision ?? .never(limit: seen.capacity, isShared: seen.isShared)
    }

    func look(_ permits: Int) throws(ExceedsCapacity) -> RateLimitDecision {
        let seen = seen(Self.checked(permits))
        if let decision = seen.decision { return decision }
        guard seen.isShared else { throw ExceedsCapacity(requested: permits, capacity: seen.capacity) }
        return .never(limit: seen.capacity, isShared: true)
    }

    private func seen(_ permits: Int64) -> (decision: RateLimitDecision?, capacity: Int, isShared: Bool) {
        let now = settings.time.now()
        return readState { state, isShared in
            let decision = state.peek(permits, at: now)
            return (isShared ? decision?.shared : decision, state.core.capacity, isShared)
        }
    }

    private func attempt(_ permits: Int64) -> State.Answer {
        let now = settings.time.now()
        return withState { $0.take(permits, at: now) }
    }

    /// The answer after its report, and as the mode has it.
    @inline(__always)
    func settled(_ decision: RateLimitDecision, _ permits: Int) -> RateLimitDecision {
        let decision = isOverflowing ? decision.shared : decision
        return decision.allowed || settings.isSilent && !isShadow ? decision : refused(decision, permits)
    }

    @inline(never)
    private func refused(_ decision: RateLimitDecision, _ permits: Int) -> RateLimitDecision {
        settings.settled(decision, permits, isShadow: isShadow)
    }

    var limit: RateLimit { readState { state, _ in state.core.limit } }

    /// What becomes of a call that asks for more than there can ever be.
    func exceeding(_ permits: Int, _ capacity: Int) throws(ExceedsCapacity) -> RateLimitDecision {
        guard isShadow || isOverflowing else { throw ExceedsCapacity(requested: permits, capacity: capacity) }
        return refused(.never(limit: capacity, isShared: isOverflowing), permits)
    }

    @inline(__always)
    static func checked(_ permits: Int) -> Int64 {
        precondition(permits >= 0, "A limiter gives at least zero permits, not \(permits)")
        return Int64(permits)
    }

    /// Gives permits back that were not used.
    func giveBack(_ grant: Grant) { giveBack(grant.permits, of: .granted(grant)) }

    func giveBack(_ permits: Int64, of holding: Holding) {
        let now = settings.time.now()
        // Of a state that is not there any more all has lapsed.
        guard let returned = presentState({ $0.giveBack(permits, of: holding, at: now) }) else { return }
        returned.turn?.resume()
        if returned.hasReturned { settings.report(.refunded(permits: Int(permits))) }
    }

    /// Changes the limit.
    func change(to limit: RateLimit, _ consumed: ConsumedPermits) {
        let now = settings.time.now()
        let (old, turns) = withState { state in
            let old = state.core.limit
            let core = state.core.changed(to: limit, at: now)
            let turns = state.change(to: core, generation: state.generation + 1, at: now, consumed) {
                refusal(of: settings.name, Int($1), $0)
            }
            return (old, turns)
        }
        for turn in turns { turn.resume() }
        settings.report(.reconfigured(from: old, to: limit))
    }
}

/// What a caller who is not served is told.
func refusal<Core>(of limiter: String, _ permits: Int, _ answer: LimiterState<Core>.Answer) -> any Error {
    switch answer {
    case .exceeds(let capacity):
        ExceedsCapacity(requested: permits, capacity: capacity)
    case .granted(_, let decision), .denied(let decision):
        RateLimited(limiter: limiter, retryAfter: decision.retryAfter)
    }
}
