// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Runs an operation to its end even if the calling task is cancelled meanwhile.
///
/// For the few things that must not stop half-way, such as settling what has already happened or undoing it. The
/// operation runs in a task of its own that inherits priority and task-local values but not cancellation, and so not the
/// caller's ``Deadline`` either; the caller owns it and waits for its end, so it never outlives the call. It costs a task
/// (about a microsecond and four allocations), so stores whose writes ignore cancellation by themselves need no shield.
/// It stays on the task's preferred executor as a ``ShieldedCompanion`` does.
///
/// This file is one of the two places in the package that start an unstructured task.
package func shielded<Success: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Success
) async throws -> Success {
    try await Deadline.withoutCurrent {
        await ShieldedCompanion { () async -> Result<Success, any Error> in
            do { return .success(try await operation()) } catch { return .failure(error) }
        }.value
    }.get()
}

/// A task beside an operation, which the cancellation of the operation's task does not reach.
///
/// Whoever makes one ends it with ``cancel()`` and waits for ``value``, so it never outlives the operation. It inherits
/// priority, task-local values and, where the system can say which, the preferred executor.
package struct ShieldedCompanion<Success: Sendable>: Sendable {
    private let task: Task<Success, Never>

    package init(_ operation: @escaping @Sendable () async -> Success) {
        if #available(macOS 26.4, iOS 26.4, tvOS 26.4, watchOS 26.4, visionOS 26.4, *) {
            let preference = unsafe withUnsafeCurrentTask { unsafe $0?.unownedTaskExecutor?.asTaskExecutor() }
            task = Task(executorPreference: preference) { await operation() }
        } else {
            task = Task { await operation() }
        }
    }

    /// What the operation returned, also if the waiting task is cancelled.
    package var value: Success { get async { await task.value } }

    /// Cancels the operation.
    package func cancel() { task.cancel() }
}
