// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Runs an operation in a child of the caller's task, in the caller's isolation, and a watch beside it that can cancel it.
///
/// A task cannot cancel its own body, so what is to be cancelled before its caller is needs a task of its own. The child
/// begins at once; the watch begins only if the child has suspended, and ends with it. The call returns when the
/// operation has ended, whatever the watch says, so nothing outlives it. Around an operation that never suspends it
/// costs about half a microsecond.
///
/// While there is a watch, the caller waits outside its actor. So the operation is cancelled when the watch says so, and
/// not when the actor is free; its cancellation handlers run then, and its code goes on when its turn comes.
///
/// The caller's cancellation reaches the operation and not the watch.
///
/// - Parameters:
///   - operation: Hands its value over by itself. It escapes, because a child task is not known to end with the call.
///   - watch: Ends with whether the operation is to be cancelled.
///   - isDue: Whether the time has come that the watch waits for. It is asked when the caller is cancelled.
///   - after: Watches an operation that was cancelled by the watch and has not ended yet.
/// - Returns: Whether the watch has cancelled the operation; whether that or the caller's cancellation, whichever came
///   first, was due, which does not depend on who is quicker where one moment wakes several; and what the operation threw.
package func watched(
    _ operation: @escaping () async throws -> Void, isolation: isolated (any Actor)? = #isolation,
    by watch: @escaping @Sendable () async -> Bool, isDue: @Sendable () -> Bool = { false },
    after: (@Sendable () async -> Void)? = nil
) async -> (isCancelled: Bool, wasDue: Bool, failure: (any Error)?) {
    let operation = WatchedOperation(operation)
    // A task that begins at once takes no notice of the executor that its parent prefers.
    let isBound = unsafe withUnsafeCurrentTask { unsafe $0?.unownedTaskExecutor } != nil
    let isCancelled = await withDiscardingTaskGroup { group in
        // The isolation is captured, so that the child is where the caller is.
        if #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *), !isBound {
            group.addImmediateTask {
                _ = isolation
                await operation.carryOut()
            }
        } else {
            group.addTask {
                _ = isolation
                await operation.carryOut()
            }
        }
        guard !operation.hasEnded else { return false }
        return await operation.isCancelled(by: watch, isDue, in: CarriedGroup(group), after)
    }
    return (isCancelled, operation.wasDue, operation.failure)
}

/// A group that its task takes along when it leaves its actor.
///
/// Unchecked, because the group belongs to the task whatever that runs on: the task alone has it, in the body of the group.
private struct CarriedGroup: @unchecked Sendable {
    private let group: DiscardingTaskGroup

    init(_ group: DiscardingTaskGroup) { self.group = group }

    func cancelAll() { group.cancelAll() }
}

/// An operation on its way through a child task.
///
/// Unchecked, because the closure belongs to the caller's isolation: the child runs there, and the caller waits for the
/// child's end, so never do two threads have it at once. All else is under the lock.
private final class WatchedOperation: @unchecked Sendable {
    private enum Progress {
        case running(watch: ShieldedCompanion<Bool>?)
        case ended((any Error)?)
    }

    /// When the operation was first cancelled.
    private enum Cancellation: UInt8, AtomicRepresentable {
        case none
        case early
        case due
    }

    private let operation: () async throws -> Void
    private let cancellation = Atomic(Cancellation.none)
    private let progress = Locked(Progress.running(watch: nil))

    init(_ operation: @escaping () async throws -> Void) { self.operation = operation }

    func carryOut() async {
        var failure: (any Error)?
        do { try await operation() } catch { failure = error }
        let watch: ShieldedCompanion<Bool>? = progress.withLock { progress in
            defer { progress = .ended(failure) }
            return if case .running(let watch) = progress { watch } else { nil }
        }
        watch?.cancel()
    }

    var hasEnded: Bool { progress.withLock { if case .ended = $0 { true } else { false } } }

    /// What the operation threw; `nil` if it has returned, or not ended.
    var failure: (any Error)? { progress.withLock { if case .ended(let failure) = $0 { failure } else { nil } } }

    /// Watches until the operation has ended, and cancels it if the watch says so.
    @concurrent
    func isCancelled(
        by watch: @escaping @Sendable () async -> Bool, _ isDue: @Sendable () -> Bool, in group: CarriedGroup,
        _ after: (@Sendable () async -> Void)?
    ) async -> Bool {
        await withTaskCancellationHandler {
            guard await isToBeCancelled(by: watch), !hasEnded else { return false }
            noteCancellation(isDue: true)
            group.cancelAll()
            if let after {
                _ = await isToBeCancelled {
                    await after()
                    return false
                }
            }
            return true
        } onCancel: {
            // The handler was added after the group, so it comes before the cancellation of the child.
            noteCancellation(isDue: isDue())
        }
    }

    /// Only the first one counts.
    private func noteCancellation(isDue: Bool) {
        _ = cancellation.compareExchange(expected: .none, desired: isDue ? .due : .early, ordering: .relaxed)
    }

    var wasDue: Bool { cancellation.load(ordering: .relaxed) == .due }

    /// Watches until the watch is done or the operation has ended.
    private func isToBeCancelled(by watch: @escaping @Sendable () async -> Bool) async -> Bool {
        let companion = ShieldedCompanion(watch)
        let hasEnded = progress.withLock { progress in
            if case .ended = progress { return true }
            progress = .running(watch: companion)
            return false
        }
        if hasEnded { companion.cancel() }
        return await companion.value
    }
}
