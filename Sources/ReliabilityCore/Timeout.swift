// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Gives every run of an operation so much time and cancels it then.
///
/// ```swift
/// let timeout = Timeout(.seconds(2), name: "catalog")
/// let product = try await timeout.run { try await catalog.product(id) }
/// ```
///
/// Each run has a ``Deadline`` of its own, or that of the operation around it if that is not later. To bound several
/// attempts together put a time-out around the retry, and one for each attempt inside:
///
/// ```swift
/// let guarded = Pipeline {
///     Timeout(.seconds(10), name: "total")
///     Retry(maxAttempts: 3, repeatability: .idempotent)
///     Timeout(.seconds(2), name: "attempt")
/// }
/// ```
///
/// Cancellation is cooperative: the run ends when the operation does, see ``Deadline/run(_:)``. What takes no notice
/// of it for longer than `grace` is told by an event. Nothing is left running behind the caller's back.
public struct Timeout: Policy {
    /// What errors and events call it; empty by default.
    public let name: String
    /// How long a run has.
    public let limit: Duration
    private let grace: Duration
    private let time: TimeSource
    private let onEvent: (@Sendable (TimeoutEvent) -> Void)?

    /// A time-out.
    ///
    /// - Parameters:
    ///   - limit: How long a run has; more than zero.
    ///   - name: What errors and events call it; empty by default.
    ///   - grace: How long an operation may take to end once it was cancelled, before that is told; by default 1 s.
    ///   - clock: What the time is measured with.
    ///   - onEvent: Told what ran out of time, see ``TimeoutEvent``.
    public init(
        _ limit: Duration, name: String = "", grace: Duration = .seconds(1),
        clock: any Clock<Duration> = ContinuousClock(), onEvent: (@Sendable (TimeoutEvent) -> Void)? = nil
    ) {
        precondition(limit > .zero, "A time-out is longer than zero, not \(limit)")
        precondition(grace >= .zero, "The grace of a time-out is zero or more, not \(grace)")
        self.name = name
        self.limit = limit
        self.grace = grace
        self.onEvent = onEvent
        time = TimeSource(clock)
    }

    /// Runs the operation and cancels it when its time is up.
    ///
    /// - Throws: ``TimedOut``, ``DeadlinePassed`` or what the operation throws; see ``Deadline/run(_:)``.
    public func run<Success>(_ operation: @escaping () async throws -> Success) async throws -> Success {
        let deadline = Deadline(limit, name, time)
        guard let onEvent else { return try await deadline.run(operation) }
        let start = deadline.time.now()
        return try await deadline.run(operation, grace: grace) { outcome, fired, error in
            let elapsed = Duration.nanoseconds(deadline.time.now() - start)
            onEvent(
                TimeoutEvent(
                    name: name, outcome: outcome, deadline: fired.name, isSurrounding: !fired.isSame(as: deadline),
                    elapsed: elapsed, error: error))
        }
    }

    /// The name and the limit in one line.
    public var summary: String { "Timeout(\(name)): \(limit)" }
}

/// What became of a run that ran out of time.
public struct TimeoutEvent: Sendable {
    /// How it ended.
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        /// It was cancelled and threw.
        case timedOut
        /// It was cancelled and goes on, for longer than the grace.
        case overdue
        /// It ended after its time, although it was cancelled or because it could not be: with a value, or with an error of
        /// its own that is not for the cancellation.
        case late
        /// It was not started, because the deadline around it had passed.
        case refused
    }

    /// The name of the ``Timeout``.
    public let name: String
    /// What became of the run.
    public let outcome: Outcome
    /// The name of the deadline that passed: of the time-out itself, or of one around it.
    public let deadline: String
    /// Whether that is a deadline around the time-out, which passed no later than its own limit would have.
    public let isSurrounding: Bool
    /// How long the run has taken so far.
    public let elapsed: Duration
    /// What the operation threw.
    public let error: (any Error)?
}
