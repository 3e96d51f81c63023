// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension Deadline {
    /// Runs an operation and cancels it at the deadline, or at that of an operation around this one if it is not later.
    ///
    /// The call returns when the operation has ended, never before: an operation that takes no notice of its
    /// cancellation runs on, and its caller waits. What it returns after the deadline is returned all the same, because
    /// it has happened; so is an error that is a ``NotApplied``. A caller that is cancelled before the deadline gets
    /// what the operation throws; one that is cancelled later had run out of time before.
    ///
    /// The operation runs in a child of the caller's task, in the caller's isolation. It escapes, because Swift cannot
    /// cancel what runs in the caller's task alone. Where the caller's actor is busy at the deadline, the operation is
    /// cancelled at once all the same: what it waits for ends then, and its own code goes on when the actor is free.
    ///
    /// - Throws: ``TimedOut`` if the operation was first cancelled at the deadline or later, by whomever, and threw;
    ///   ``DeadlinePassed`` if it was not started; else what the operation throws.
    public func run<Success>(_ operation: @escaping () async throws -> Success) async throws -> Success {
        try await run(operation, grace: nil) { _, _, _ in }
    }

    func run<Success>(
        _ operation: @escaping () async throws -> Success, grace: Duration?,
        report: @escaping @Sendable (TimeoutEvent.Outcome, Deadline, (any Error)?) -> Void
    ) async throws -> Success {
        let deadline = orEarlier(Deadline.around).cancelling
        guard !deadline.hasPassed else {
            report(.refused, deadline, nil)
            throw DeadlinePassed(deadline)
        }
        var value: Success?
        let end = await watched {
            value = try await Deadline.binding(deadline, operation)
        } by: {
            // The only error of the sleep is its cancellation: the operation has ended.
            (try? await deadline.time.sleep(until: deadline.end)) != nil
        } isDue: {
            deadline.hasPassed
        } after: {
            guard let grace, (try? await deadline.time.sleep(for: grace)) != nil else { return }
            report(.overdue, deadline, nil)
        }
        if let value {
            // What never suspends is not watched, and may have taken its time all the same.
            if deadline.hasPassed { report(.late, deadline, nil) }
            return value
        }
        guard let failure = end.failure else { preconditionFailure("An operation that has ended returned or threw") }
        // A run within that is under this deadline, too, can be the first to find out.
        let isTold = (failure as? TimedOut)?.isOf(deadline) ?? false
        guard end.wasDue || isTold else {
            if deadline.hasPassed { report(.late, deadline, failure) }
            throw asItLeaves(failure)
        }
        report(.timedOut, deadline, failure)
        throw isTold || failure is any NotApplied ? asItLeaves(failure) : TimedOut(deadline, cause: failure)
    }

    /// A refusal within because of this very deadline says that its run is over.
    private func asItLeaves(_ failure: any Error) -> any Error {
        (failure as? DeadlinePassed)?.leaving(self) ?? failure
    }

    /// Runs an operation that is under no deadline, whatever is around it: for work in the background of a request.
    ///
    /// ```swift
    /// await Deadline.withoutCurrent {
    ///     refreshes[key] = Task { try await cache.refresh(key) }      // has all the time it needs
    /// }
    /// ```
    ///
    /// For the operation, and for the tasks that it starts, ``current`` is `nil`. It runs in the caller's task, so it is
    /// cancelled with it all the same, also at the deadline of a run around it; only what it starts as a task of its own
    /// goes on.
    ///
    /// - Throws: what the operation throws.
    public static func withoutCurrent<Success>(_ operation: () async throws -> Success) async rethrows -> Success {
        try await binding(nil, operation)
    }

    /// Runs an operation for which this deadline is ``current``, unless there is an earlier one; it is not cancelled.
    package func bind<Success>(
        _ operation: () async throws -> Success
    ) async rethrows -> Success {
        do {
            return try await Deadline.binding(orEarlier(Deadline.around), operation)
        } catch {
            throw asItLeaves(error)
        }
    }

    private static func binding<Success>(
        _ deadline: Deadline?, _ operation: () async throws -> Success, isolation: isolated (any Actor)? = #isolation
    ) async rethrows -> Success {
        try await $around.withValue(deadline) {
            // The isolation is captured, so that the closure is where the caller is.
            _ = isolation
            return try await operation()
        }
    }
}
