// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import ReliabilityCore

/// Runs tasks one piece after the other on one thread, and draws which is next: the same seed gives the same course.
///
/// A piece of a task goes from one suspension to the next, so bugs that need two threads at once do not show here.
final class SeededExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var random: RandomSource
    }

    private let state: Locked<State>

    init(seed: UInt64) { state = Locked(State(random: .seeded(seed))) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    /// Runs the operation and every child task of it on the calling thread, until nothing of them is left to do.
    ///
    /// The operation may wait for its own tasks alone.
    func run<Success: Sendable>(_ operation: @escaping @Sendable () async throws -> Success) async throws -> Success? {
        try await withThrowingTaskGroup(of: Success.self) { group in
            group.addTask(executorPreference: self) { try await operation() }
            while let job = next() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            return try await group.next()
        }
    }

    private func next() -> UnownedJob? {
        state.withLock { state in
            guard !state.jobs.isEmpty else { return nil }
            return state.jobs.remove(at: Int(state.random.draw(upTo: Int64(state.jobs.count - 1))))
        }
    }
}
