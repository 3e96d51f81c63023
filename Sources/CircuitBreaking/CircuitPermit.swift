// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The right to make one call through a ``CircuitBreaker``, and the duty to tell how it ended.
///
/// ```swift
/// let permit = try breaker.acquire()
/// switch await send(message) {
/// case .delivered, .refused: permit.succeed()    // the neighbour answered
/// case .unreachable: permit.fail()
/// case .cancelled: permit.ignore()               // says nothing of the neighbour
/// }
/// ```
///
/// A permit is settled at most once, which the compiler enforces. One that goes away unsettled counts as ignored and is
/// reported as ``CircuitEvent/Kind/permitDropped``. Code that must store its permit, or settle it in a closure, uses
/// ``detach()``.
public struct CircuitPermit: ~Copyable, Sendable {
    /// The breaker, until the permit is settled or detached.
    @usableFromInline var breaker: CircuitBreaker?
    @usableFromInline let ticket: CircuitTicket

    @inlinable
    init(_ breaker: CircuitBreaker, _ ticket: CircuitTicket) {
        self.breaker = breaker
        self.ticket = ticket
    }

    /// Counts the call as a success: the neighbour answered.
    @inlinable
    public consuming func succeed() {
        breaker?.succeed(ticket)
        breaker = nil
    }

    /// Counts the call as a failure of the neighbour.
    @inlinable
    public consuming func fail() { settle(.failure) }

    /// Counts nothing; the place of a probe becomes free for another.
    @inlinable
    public consuming func ignore() { settle(.ignored) }

    /// Counts the call as the verdict says.
    @inlinable
    public consuming func settle(_ verdict: CircuitVerdict) {
        breaker?.settle(CallOutcome(verdict), ticket)
        breaker = nil
    }

    /// Moves the permit into an object that can be stored and shared.
    public consuming func detach() -> DetachedPermit {
        let detached = DetachedPermit(breaker, ticket)
        breaker = nil
        return detached
    }

    @inlinable
    deinit {
        breaker?.settleDropped(ticket)
    }
}

/// A ``CircuitPermit`` as an object: the first call that settles it counts, and those after it do nothing.
///
/// If the last reference goes away before it is settled, it counts as ignored and is reported as
/// ``CircuitEvent/Kind/permitDropped``.
public final class DetachedPermit: Sendable {
    private let breaker: CircuitBreaker?
    private let ticket: CircuitTicket
    private let isSettled = Atomic(false)

    fileprivate init(_ breaker: CircuitBreaker?, _ ticket: CircuitTicket) {
        self.breaker = breaker
        self.ticket = ticket
    }

    /// Counts the call as a success. Returns whether this settled the permit.
    @discardableResult public func succeed() -> Bool { settle(.success) }

    /// Counts the call as a failure of the neighbour. Returns whether this settled the permit.
    @discardableResult public func fail() -> Bool { settle(.failure) }

    /// Counts nothing; the place of a probe becomes free for another. Returns whether this settled the permit.
    @discardableResult public func ignore() -> Bool { settle(.ignored) }

    /// Counts the call as the verdict says. Returns whether this settled the permit.
    @discardableResult
    public func settle(_ verdict: CircuitVerdict) -> Bool {
        guard !isSettled.exchange(true, ordering: .relaxed) else { return false }
        breaker?.settle(CallOutcome(verdict), ticket)
        return true
    }

    deinit {
        if !isSettled.load(ordering: .relaxed) { breaker?.settleDropped(ticket) }
    }
}
