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
        let run: () async -> Void
    }

    /// What a child task tells.
    private enum Step: Sendable {
        case ended
        case lost
        /// The lease is not renewed any more.
        case stopped
    }

    /// Runs a handler in a child task, in the caller's isolation, and renews the lease at every third of it if the
    /// handler has not ended by the time it suspends. If the key is lost, the handler is cancelled.
    ///
    /// - Returns: Whether another execution was seen to have the key.
    func renewing(_ time: TimeSource, upTo longest: Duration, _ handler: @escaping () async -> Void) async -> Bool {
        await renewing(time, longest, Handler(run: handler))
    }

    private func renewing(
        _ time: TimeSource, _ longest: Duration, _ handler: Handler, isolation: isolated (any Actor)? = #isolation
    ) async -> Bool {
        // A task that begins at once takes no notice of the executor that its parent prefers.
        let isBound = unsafe withUnsafeCurrentTask { unsafe $0?.unownedTaskExecutor } != nil
        return await withTaskGroup(of: Step.self) { group in
            // The isolation is captured, so that the child is where the caller is.
            if #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *), !isBound {
                group.addImmediateTask {
                    _ = isolation
                    return await self.carryOut(handler)
                }
            } else {
                group.addTask {
                    _ = isolation
                    return await self.carryOut(handler)
                }
            }
            if hasEnded.load(ordering: .acquiring) { return false }
            // The cancellation of the caller ends no handler, so it ends no renewal either.
            let renewal = ShieldedCompanion { await self.renew(time, longest) }
            group.addTask { await renewal.value }
            var isLost = false
            while let step = await group.next() {
                switch step {
                case .stopped: break
                case .lost:
                    isLost = true
                    group.cancelAll()
                case .ended: renewal.cancel()
                }
            }
            return isLost
        }
    }

    private func carryOut(_ handler: Handler) async -> Step {
        await handler.run()
        hasEnded.store(true, ordering: .releasing)
        return .ended
    }

    /// Renews the lease until it is lost or the handler has ended.
    private func renew(_ time: TimeSource, _ longest: Duration) async -> Step {
        let end = time.now().addingSaturating(longest.nanosecondsRoundedUp)
        // The only error of the sleep is its cancellation: the handler has ended.
        while (try? await time.sleep(for: lease / 3)) != nil {
            let execution = execution
            guard time.now() < end else {
                onNotice?(.stopped, execution)
                return .stopped
            }
            switch await renew() {
            case .renewed: break
            case .failed(let error): onNotice?(.failed(error), execution)
            case .lost:
                onNotice?(.lost, execution)
                return .lost
            }
        }
        return .stopped
    }
}
