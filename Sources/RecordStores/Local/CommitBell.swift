// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Wakes the claims that wait when something is committed to their collection.
///
/// A claim announces itself with ``enter()`` before it looks for the first time, so that a commit after that look finds
/// somebody to ring for; with nobody there, ringing is one atomic load.
final class CommitBell: Sendable {
    private struct Rope {
        /// Counts the rings, so that a ring between a look and the wait that follows is not missed.
        var rings = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private struct State {
        var ropes: [String: Rope] = [:]
        var nextID = 0
        /// Waits that were cancelled before they began.
        var cancelledEarly: Set<Int> = []
    }

    private let present = Atomic<Int>(0)
    private let state = Locked(State())

    func enter() { present.wrappingAdd(1, ordering: .sequentiallyConsistent) }
    func leave() { present.wrappingSubtract(1, ordering: .sequentiallyConsistent) }

    /// How often the collection has been rung for; from now on ``ringAll()`` reaches it too.
    func rings(for collection: String) -> Int {
        state.withLock { state in
            let rope = state.ropes[collection] ?? Rope()
            state.ropes[collection] = rope
            return rope.rings
        }
    }

    /// Wakes the claims that wait for something in the collections that those changes are about.
    func ring(for changes: [Change]) {
        guard present.load(ordering: .sequentiallyConsistent) > 0 else { return }
        ring(Set(changes.map(\.id.collection) + changes.compactMap(\.destination?.collection)))
    }

    /// Wakes the claims that wait for something in the collection of that record.
    func ring(for id: RecordID) {
        guard present.load(ordering: .sequentiallyConsistent) > 0 else { return }
        ring([id.collection])
    }

    private func ring(_ collections: Set<String>) {
        let woken = state.withLock { state in
            collections.flatMap { collection -> [CheckedContinuation<Void, Never>] in
                state.ropes[collection, default: Rope()].rings += 1
                defer { state.ropes[collection]?.waiters = [:] }
                return state.ropes[collection].map { Array($0.waiters.values) } ?? []
            }
        }
        for waiter in woken { waiter.resume() }
    }

    /// Wakes every claim that waits, for a store that closes.
    func ringAll() {
        ring(state.withLock { Set($0.ropes.keys) })
    }

    /// Suspends until the collection has been rung for more than `rings` times, or the task is cancelled.
    func wait(for collection: String, since rings: Int) async {
        let id = state.withLock { state -> Int in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state -> Bool in
                    if state.cancelledEarly.remove(id) != nil { return true }
                    if state.ropes[collection, default: Rope()].rings > rings { return true }
                    state.ropes[collection, default: Rope()].waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let waiter = state.ropes[collection]?.waiters.removeValue(forKey: id) else {
                    state.cancelledEarly.insert(id)
                    return nil
                }
                return waiter
            }
            waiter?.resume()
        }
        state.withLock { _ = $0.cancelledEarly.remove(id) }
    }
}
