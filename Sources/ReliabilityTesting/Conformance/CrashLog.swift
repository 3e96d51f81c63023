// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import Synchronization

/// What tasks were told before a crash, and what they had tried.
final class CrashLog: Sendable {
    /// What concerns the records of one writer.
    struct Told {
        /// The latest batch that any answer has shown.
        var shown = 0
        /// The fences that each batch named, from the first on.
        var named: [[Fence]] = []
        /// The fences that the last answer gave.
        var fences: [Fence] = []
        /// All fences that answers have given.
        var given: Set<Fence> = []
    }

    private struct State {
        var told: [Told]
        var answers = 0
        var isOpen = true
        var failure: (any Error)?
        var awaited = Int.max
        var waiter: CheckedContinuation<Void, Never>?

        mutating func satisfiedWaiter() -> CheckedContinuation<Void, Never>? {
            guard answers >= awaited || failure != nil else { return nil }
            defer { waiter = nil }
            return waiter
        }
    }

    private let state: Locked<State>

    init(writers: Int) { state = Locked(State(told: Array(repeating: Told(), count: writers))) }

    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// The fences that a writer's next batch has to name; `nil` if the crash is on its way.
    func attempt(by writer: Int) -> [Fence]? {
        state.withLock { state in
            guard state.isOpen else { return nil }
            let fences = state.told[writer].fences
            state.told[writer].named.append(fences)
            return fences
        }
    }

    /// A writer's batch is in, and gave those fences.
    func answered(_ writer: Int, with fences: [Fence]) {
        note { state in
            state.told[writer].shown = max(state.told[writer].shown, state.told[writer].named.count)
            state.told[writer].fences = fences
            state.told[writer].given.formUnion(fences)
        }
    }

    /// An answer has shown what that batch of a writer left.
    func shown(_ batch: Int, of writer: Int) {
        note { $0.told[writer].shown = max($0.told[writer].shown, batch) }
    }

    /// Notes an answer, unless it came so late that the crash may have been before it.
    private func note(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.isOpen else { return nil }
            body(&state)
            state.answers += 1
            return state.satisfiedWaiter()
        }
        waiter?.resume()
    }

    /// Notes that a task failed, unless the crash has come before.
    func note(failureOf task: () async throws -> Void) async {
        do {
            try await task()
        } catch {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard state.isOpen else { return nil }
                state.failure = state.failure ?? error
                return state.satisfiedWaiter()
            }
            waiter?.resume()
        }
    }

    /// Suspends until that many answers more have come, or a task has failed.
    func wait(for count: Int) async {
        await withCheckedContinuation { continuation in
            let waiter = state.withLock { state in
                state.awaited = state.answers + count
                state.waiter = continuation
                return state.satisfiedWaiter()
            }
            waiter?.resume()
        }
    }

    /// What was told up to now; nothing that comes later counts. Throws what a task has failed with.
    func end() throws -> [Told] {
        try state.withLock { state in
            state.isOpen = false
            if let failure = state.failure { throw failure }
            return state.told
        }
    }
}
