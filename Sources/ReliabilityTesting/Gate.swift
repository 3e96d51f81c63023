// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Holds whoever comes until it is opened, and says how many there are.
package final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var arrived = 0
        var inside: [CheckedContinuation<Void, Never>] = []
        var observers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Locked(State())

    package init() {}

    /// Suspends until the gate is open; ignores cancellation.
    package func pass() async {
        await withCheckedContinuation { continuation in
            let (isOpen, observers) = state.withLock { state in
                state.arrived += 1
                if !state.isOpen { state.inside.append(continuation) }
                let arrived = state.arrived
                defer { state.observers.removeAll { $0.count <= arrived } }
                return (state.isOpen, state.observers.filter { $0.count <= arrived })
            }
            for observer in observers { observer.continuation.resume() }
            if isOpen { continuation.resume() }
        }
    }

    package func open() {
        let inside = state.withLock { state in
            state.isOpen = true
            defer { state.inside = [] }
            return state.inside
        }
        for continuation in inside { continuation.resume() }
    }

    package var arrived: Int { state.withLock { $0.arrived } }

    /// Suspends until so many have come, open or not.
    package func waitForArrivals(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.arrived >= count { return true }
                state.observers.append((count, continuation))
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}
