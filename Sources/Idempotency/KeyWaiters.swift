// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The duplicates of this process that wait for the end of an execution.
final class KeyWaiters: Sendable {
    /// One duplicate that waits, or is about to.
    final class Waiter: Sendable {
        fileprivate struct State {
            var isRung = false
            var continuation: CheckedContinuation<Void, Never>?
        }

        let key: IdempotencyKey
        private let state = Locked(State())

        fileprivate init(_ key: IdempotencyKey) { self.key = key }

        fileprivate func ring() {
            let continuation = state.withLock { state in
                state.isRung = true
                defer { state.continuation = nil }
                return state.continuation
            }
            continuation?.resume()
        }

        /// Suspends until an execution has ended since the last wait, or the task is cancelled.
        fileprivate func wait() async {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isRung = state.withLock { state in
                        // A cancellation may have come first.
                        guard !state.isRung, !Task.isCancelled else { return true }
                        state.continuation = continuation
                        return false
                    }
                    if isRung { continuation.resume() }
                }
            } onCancel: {
                let continuation = state.withLock { state in
                    defer { state.continuation = nil }
                    return state.continuation
                }
                continuation?.resume()
            }
            state.withLock { $0.isRung = false }
        }
    }

    private let waiters = Locked<[IdempotencyKey: [Waiter]]>([:])

    /// Enters a duplicate, which from now on does not miss an end.
    func add(_ key: IdempotencyKey) -> Waiter {
        let waiter = Waiter(key)
        waiters.withLock { $0[key, default: []].append(waiter) }
        return waiter
    }

    func remove(_ waiter: Waiter) {
        waiters.withLock { waiters in
            waiters[waiter.key]?.removeAll { $0 === waiter }
            if waiters[waiter.key]?.isEmpty == true { waiters[waiter.key] = nil }
        }
    }

    /// Tells those who wait for the key to look again.
    func ring(_ key: IdempotencyKey) {
        let woken = waiters.withLock { waiters in waiters.isEmpty ? [] : waiters[key] ?? [] }
        for waiter in woken { waiter.ring() }
    }

    /// Suspends until an execution has ended, that long at most.
    func wait(_ waiter: Waiter, atMost duration: Duration, _ time: TimeSource) async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await time.sleep(for: duration) }
            group.addTask { await waiter.wait() }
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
    }
}
