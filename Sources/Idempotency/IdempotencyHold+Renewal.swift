// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The renewal of a lease while a handler runs.
extension IdempotencyHold {
    /// A handler on its way into a child task.
    ///
    /// Unchecked, because the closure belongs to the caller's isolation: the child runs there, and the caller waits for
    /// the child's end, so never do two threads have it at once.
    private struct Handler: @unchecked Sendable {
        let run: () async throws -> Void
    }

    /// Runs a handler in a child task, in the caller's isolation, and renews the lease at every third of it if the
    /// handler has not ended by the time it suspends. If the key is lost, the handler is cancelled.
    ///
    /// - Returns: Whether another execution was seen to have the key, and what the handler threw.
    func renewing(
        _ time: TimeSource, upTo longest: Duration, isolation: isolated (any Actor)? = #isolation,
        _ handler: @escaping () async throws -> Void
    ) async -> (isLost: Bool, failure: (any Error)?) {
        let handler = Handler(run: handler)
        // A task that begins at once takes no notice of the executor that its parent prefers.
        let isBound = unsafe withUnsafeCurrentTask { unsafe $0?.unownedTaskExecutor } != nil
        let isLost = await withDiscardingTaskGroup { group in
            // The isolation is captured, so that the child is where the caller is.
            if #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *), !isBound {
                group.addImmediateTask {
                    _ = isolation
                    await self.carryOut(handler)
                }
            } else {
                group.addTask {
                    _ = isolation
                    await self.carryOut(handler)
                }
            }
            if case .ended = state.withLock({ $0.handler }) { return false }
            guard await renewUntilEnd(time, longest) else { return false }
            group.cancelAll()
            return true
        }
        guard case .ended(let failure) = state.withLock({ $0.handler }) else {
            preconditionFailure("A group ends when its children have")
        }
        return (isLost, failure)
    }

    private func carryOut(_ handler: Handler) async {
        var failure: (any Error)?
        do { try await handler.run() } catch { failure = error }
        let renewal: ShieldedCompanion<Bool>? = state.withLock { state in
            defer { state.handler = .ended(failure) }
            return if case .running(let renewal) = state.handler { renewal } else { nil }
        }
        renewal?.cancel()
    }

    /// Renews the lease until the handler has ended or the key is lost, and says whether it is.
    private func renewUntilEnd(_ time: TimeSource, _ longest: Duration) async -> Bool {
        // The cancellation of the caller ends no handler, so it ends no renewal either.
        let renewal = ShieldedCompanion { await self.renew(time, longest) }
        let hasEnded = state.withLock { state in
            if case .ended = state.handler { return true }
            state.handler = .running(renewal: renewal)
            return false
        }
        if hasEnded { renewal.cancel() }
        return await renewal.value
    }

    /// - Returns: Whether the key is lost.
    private func renew(_ time: TimeSource, _ longest: Duration) async -> Bool {
        let end = time.now().addingSaturating(longest.nanosecondsRoundedUp)
        // The only error of the sleep is its cancellation: the handler has ended.
        while (try? await time.sleep(for: lease / 3)) != nil {
            let execution = execution
            guard time.now() < end else {
                onNotice?(.stopped, execution)
                return false
            }
            switch await renew() {
            case .renewed: break
            case .failed(let error): onNotice?(.failed(error), execution)
            case .lost:
                onNotice?(.lost, execution)
                return true
            }
        }
        return false
    }
}
