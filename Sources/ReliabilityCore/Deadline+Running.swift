// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An operation was cancelled because its time was up; what it did before is not undone.
///
/// It is not a ``NotApplied``: the operation may have taken effect.
public struct TimedOut: Error, CustomStringConvertible {
    /// What fired: the name of the ``Timeout``, or of the ``Deadline`` around it if that was earlier.
    public let name: String
    /// How long it had, counted from when the deadline was made.
    public let limit: Duration
    /// What the operation threw when it was cancelled, unless that was a `CancellationError`.
    public let cause: (any Error)?

    /// A time-out from its parts.
    public init(name: String = "", limit: Duration, cause: (any Error)? = nil) {
        self.name = name
        self.limit = limit
        self.cause = cause
    }

    init(_ deadline: Deadline, _ error: any Error) {
        let isOfInnerRun = (error as? TimedOut).map { $0.name == deadline.name && $0.limit == deadline.limit } ?? false
        let cause = error is CancellationError || isOfInnerRun ? nil : error
        self.init(name: deadline.name, limit: deadline.limit, cause: cause)
    }

    /// What fired, and what the operation threw.
    public var description: String {
        let fired = name.isEmpty ? "timed out after \(limit)" : "\(name) timed out after \(limit)"
        return cause.map { "\(fired): \($0)" } ?? fired
    }
}

/// The operation was not started, because its deadline had passed already.
public struct DeadlinePassed: Rejection, Hashable, CustomStringConvertible {
    /// The name of the ``Deadline`` or ``Timeout`` that had passed.
    public let name: String

    /// A refusal because of the deadline of that name.
    public init(name: String = "") { self.name = name }

    /// `nil`: whoever has time left may try again.
    public var retryAfter: Duration? { nil }

    /// Which deadline had passed.
    public var description: String {
        name.isEmpty ? "the deadline had passed" : "the deadline \(name) had passed"
    }
}

extension Deadline {
    /// Runs an operation and cancels it at the deadline, or at that of an operation around this one if it is earlier.
    ///
    /// The call returns when the operation has ended, never before: an operation that takes no notice of its
    /// cancellation runs on, and its caller waits. What it returns after the deadline is returned all the same, because
    /// it has happened; so is an error that is a ``NotApplied``. A caller that is cancelled itself gets what the
    /// operation throws.
    ///
    /// The operation runs in a child of the caller's task, in the caller's isolation. It escapes, because Swift cannot
    /// cancel what runs in the caller's task alone.
    ///
    /// - Throws: ``TimedOut`` if the operation was cancelled at the deadline and threw; ``DeadlinePassed`` if it was not
    ///   started; else what the operation throws.
    public func run<Success>(_ operation: @escaping () async throws -> Success) async throws -> Success {
        try await run(operation, grace: nil) { _, _, _ in }
    }

    func run<Success>(
        _ operation: @escaping () async throws -> Success, grace: Duration?,
        report: @escaping @Sendable (TimeoutEvent.Outcome, Deadline, (any Error)?) -> Void
    ) async throws -> Success {
        let deadline = orEarlier(Deadline.around)
        guard !deadline.hasPassed else {
            report(.refused, deadline, nil)
            throw DeadlinePassed(name: deadline.name)
        }
        var value: Success?
        let end = await watched {
            value = try await deadline.bind(operation)
        } by: {
            // The only error of the sleep is its cancellation: the operation has ended.
            (try? await deadline.time.sleep(until: deadline.end)) != nil
        } after: {
            guard let grace, (try? await deadline.time.sleep(for: grace)) != nil else { return }
            report(.overdue, deadline, nil)
        }
        if let value {
            // What never suspends is not watched, and may have taken its time all the same.
            if end.isCancelled || deadline.hasPassed { report(.late, deadline, nil) }
            return value
        }
        guard let failure = end.failure else { preconditionFailure("An operation that has ended returned or threw") }
        guard end.isCancelled, !Task.isCancelled else {
            if deadline.hasPassed { report(.late, deadline, failure) }
            throw failure
        }
        report(.timedOut, deadline, failure)
        throw failure is any NotApplied ? failure : TimedOut(deadline, failure)
    }

    /// Runs an operation for which this deadline is ``current``, unless there is an earlier one; it is not cancelled.
    package func bind<Success>(
        _ operation: () async throws -> Success, isolation: isolated (any Actor)? = #isolation
    ) async rethrows -> Success {
        try await Deadline.$around.withValue(orEarlier(Deadline.around)) {
            // The isolation is captured, so that the closure is where the caller is.
            _ = isolation
            return try await operation()
        }
    }
}
