// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Why a circuit breaker changed its state, or would have.
public enum CircuitReason: Sendable, Hashable {
    /// The share of failures reached ``CircuitBreaker/Configuration/failureRateThreshold``.
    case failureRate
    /// The share of slow calls reached ``CircuitBreaker/Configuration/slowCalls``.
    case slowCallRate
    /// So many calls in a row failed as ``CircuitBreaker/Configuration/consecutiveFailures`` says.
    case consecutiveFailures
    /// The ``CircuitRule`` of this name was broken.
    case rule(String)
    /// A result was ``CircuitVerdict/unavailable(for:)``.
    case advice
    /// The open time is over, and a call came.
    case openTimeOver
    /// So many probes succeeded that the breaker closes.
    case probesSucceeded
    /// So many probes failed that the others cannot close the breaker.
    case probesFailed
    /// So many probes were slow that the others cannot close the breaker.
    case probesSlow
    /// The probes gave no verdict within ``CircuitBreaker/Configuration/Probes/timeLimit``.
    case probesTimedOut
    /// Nobody used the breaker for ``CircuitBreaker/Configuration/forgetAfter``.
    case idle
    /// Somebody called for it, for example by ``CircuitBreaker/isolate()``.
    case operation
}

/// A change of a circuit breaker's state.
public struct CircuitChange: Sendable, Hashable {
    /// The state before.
    public var from: CircuitBreaker.State
    /// The state after; the same as before if a closed breaker was reset.
    public var to: CircuitBreaker.State
    /// Why it changed.
    public var reason: CircuitReason
    /// What was counted in the state before: the window's results, or the probes'.
    public var counts: CircuitCounts
    /// How long calls will be refused; `nil` in states that refuse none, and for ``CircuitBreaker/isolate()``.
    public var openFor: Duration?

    /// Makes a change.
    public init(
        from: CircuitBreaker.State, to: CircuitBreaker.State, reason: CircuitReason,
        counts: CircuitCounts = CircuitCounts(), openFor: Duration? = nil
    ) {
        self.from = from
        self.to = to
        self.reason = reason
        self.counts = counts
        self.openFor = openFor
    }
}

/// What a ``CircuitBreaker`` did.
///
/// ``Kind/changed(_:)``, ``Kind/breached(_:_:)``, ``Kind/probeExpired`` and ``Kind/reconfigured`` are delivered one at a
/// time and in their order, by a call that made one of them. The others are delivered by the call that they are about,
/// and may overtake these.
public struct CircuitEvent: Sendable, Hashable {
    /// What happened.
    public enum Kind: Sendable, Hashable {
        /// The state changed.
        case changed(CircuitChange)
        /// A breaker that only measures would have opened. It is told once for each breach: the next is told after a
        /// failure or slow call that broke no rule.
        case breached(CircuitReason, CircuitCounts)
        /// A probe had its place for longer than its lease, and lost it to another call.
        case probeExpired
        /// The breaker has another configuration.
        case reconfigured
        /// A call was refused.
        case rejected(retryAfter: Duration?)
        /// A call ended that had begun before the last change of state; its result changed nothing.
        case lateResult(CircuitVerdict)
        /// A permit went away unsettled and was taken as ignored: a path in the calling code settles nothing.
        case permitDropped
    }

    /// The name of the breaker.
    public let name: String
    /// The generation the event belongs to; a change of state starts the generation it carries.
    public let generation: UInt64
    /// What happened.
    public let kind: Kind

    /// Makes an event.
    public init(name: String, generation: UInt64, kind: Kind) {
        self.name = name
        self.generation = generation
        self.kind = kind
    }
}
