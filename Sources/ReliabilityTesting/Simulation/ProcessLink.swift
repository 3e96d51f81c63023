// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A process's way to the store and to others. It dies at a commit of its own, or from outside; then nothing gets out
/// or in any more.
package final class ProcessLink: Sendable {
    private struct State {
        var isAlive = true
        /// After how many commits it dies, and whether the last one is carried out.
        var death: (commits: Int, applies: Bool)?
    }

    package let number: Int
    private let state = Locked(State())

    package init(_ number: Int) { self.number = number }

    package var isAlive: Bool { state.withLock { $0.isAlive } }
    package func end() { state.withLock { $0.isAlive = false } }
    package func live() { state.withLock { $0.death = nil } }
    package func die(afterCommits commits: Int, applies: Bool) { state.withLock { $0.death = (commits, applies) } }

    package enum Passage: Sendable { case passes, dies(applies: Bool) }

    package func commits() -> Passage {
        state.withLock { state in
            guard let death = state.death else { return .passes }
            guard death.commits <= 1 else {
                state.death?.commits -= 1
                return .passes
            }
            state.isAlive = false
            return .dies(applies: death.applies)
        }
    }
}
