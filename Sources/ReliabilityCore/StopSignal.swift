// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Tells whoever waits that it is time to stop; once, and for good.
package final class StopSignal: Sendable {
    private struct State {
        var isStopped = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Locked(State())

    package init() {}

    package var isStopped: Bool { state.withLock { $0.isStopped } }

    package func signal() {
        let waiters = state.withLock { state in
            state.isStopped = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Suspends until the signal, or until the task is cancelled.
    package func wait() async {
        let number = state.withLock { state in
            defer { state.nextWaiter += 1 }
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // The handler below may have run before there was anything to resume.
                    if state.isStopped || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }

    /// Runs an operation that ends early when its task is cancelled, and cancels it at the signal.
    package func cancelling<Value: Sendable>(_ operation: @escaping @Sendable () async -> Value) async -> Value {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await operation() }
            group.addTask {
                await self.wait()
                return nil
            }
            var value: Value?
            while let ended = await group.next() {
                value = value ?? ended
                // Whichever has come first ends the other; the operation still says what it has found.
                group.cancelAll()
            }
            guard let value else { preconditionFailure("The operation has returned when its group is empty") }
            return value
        }
    }
}
