// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An operation was cancelled because its time was up; what it did before is not undone.
///
/// It is not a ``NotApplied``: the operation may have taken effect.
public struct TimedOut: Error, CustomStringConvertible {
    /// What fired: the name of the ``Timeout``, or of the ``Deadline`` around it if that was not later.
    public let name: String
    /// How long it had, counted from when the deadline was made.
    public let limit: Duration
    /// What the operation threw when it was cancelled, unless that was a `CancellationError`.
    public let cause: (any Error)?
    private let deadline: Deadline?

    /// A time-out from its parts, of no deadline.
    public init(name: String = "", limit: Duration, cause: (any Error)? = nil) {
        self.name = name
        self.limit = limit
        self.cause = cause
        deadline = nil
    }

    /// A time-out of a deadline: for code that keeps to it by itself, such as a client that sets it on a socket.
    ///
    /// - Parameters:
    ///   - deadline: What has passed.
    ///   - cause: What was thrown then; a `CancellationError` is left out.
    public init(_ deadline: Deadline, cause: (any Error)? = nil) {
        name = deadline.name
        limit = deadline.limit
        self.cause = cause is CancellationError ? nil : cause
        self.deadline = deadline
    }

    /// Whether it is ``Deadline/current`` that fired: then the time of the code that asks is up. Otherwise a limit that
    /// the operation was given within has fired, and the operation took too long for it.
    ///
    /// The answer is about the place where it is asked. A circuit breaker asks it about the errors that it counts.
    public var isOfCurrentDeadline: Bool { Deadline.current.map(isOf) ?? false }

    func isOf(_ deadline: Deadline) -> Bool { self.deadline?.isSame(as: deadline) ?? false }

    /// What fired, and what the operation threw.
    public var description: String {
        let fired = name.isEmpty ? "timed out after \(limit)" : "\(name) timed out after \(limit)"
        return cause.map { "\(fired): \($0)" } ?? fired
    }
}

/// The operation was not started, because its deadline had passed already.
///
/// Two are equal if their names are.
public struct DeadlinePassed: Rejection, Hashable, CustomStringConvertible {
    /// The name of the ``Deadline`` or ``Timeout`` that had passed.
    public let name: String
    private let deadline: Deadline?
    /// Whether it has left the run that the deadline was of: who makes a deadline for each run has time again.
    package private(set) var hasLeftRun = false

    /// A refusal because of the deadline of that name.
    public init(name: String = "") {
        self.name = name
        deadline = nil
    }

    /// A refusal because of that deadline.
    package init(_ deadline: Deadline) {
        name = deadline.name
        self.deadline = deadline
    }

    /// As it leaves a run of its own deadline.
    func leaving(_ deadline: Deadline) -> DeadlinePassed {
        guard self.deadline?.isSame(as: deadline) ?? false else { return self }
        var error = self
        error.hasLeftRun = true
        return error
    }

    /// `nil`: whoever has time left may try again.
    public var retryAfter: Duration? { nil }

    /// Which deadline had passed.
    public var description: String {
        name.isEmpty ? "the deadline had passed" : "the deadline \(name) had passed"
    }

    /// Whether the names are equal.
    public static func == (one: DeadlinePassed, other: DeadlinePassed) -> Bool { one.name == other.name }

    /// Hashes the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
