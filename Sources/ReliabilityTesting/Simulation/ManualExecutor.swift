// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import ReliabilityCore
internal import Synchronization

/// Runs tasks job by job on the thread that asks for it, so that concurrent code runs the same way every time.
///
/// ```swift
/// let executor = ManualExecutor()
/// let answer = executor.start { try await store.commit(changes) }
/// executor.runUntilIdle()             // the call waits for its sync
/// journal.step()                      // resumes it: from now on it is ready, and has not run yet
/// executor.runUntilIdle()
/// try answer.value?.get()
/// ```
///
/// A job is what a task does from one suspension to the next. Whatever becomes ready, from whichever thread, waits in
/// line until ``step()`` or ``runUntilIdle()`` runs it. Children of a task, and actors without an executor of their own,
/// stay here; the main actor and a task that is made by `Task { … }` inside do not.
///
/// One thread at a time may drive an executor. What has not ended when the executor goes never will.
package final class ManualExecutor: TaskExecutor {
    /// The result of an operation, once there is one.
    package final class Pending<Success: Sendable>: Sendable {
        private struct State {
            var value: Result<Success, any Error>?
            var task: Task<Void, Never>?
        }

        private let state = Locked(State())

        /// What the operation returned or threw; `nil` as long as it has not ended.
        package var value: Result<Success, any Error>? { state.withLock { $0.value } }

        /// Tells the operation's task that its result is not wanted any more.
        package func cancel() { state.withLock { $0.task }?.cancel() }

        fileprivate func end(with value: Result<Success, any Error>) {
            state.withLock {
                $0.value = value
                $0.task = nil
            }
        }

        fileprivate func own(_ task: Task<Void, Never>) {
            state.withLock { if $0.value == nil { $0.task = task } }
        }
    }

    /// Nothing was ready any more and the operation had not ended: it waits for something that only another can do.
    package struct Stalled: Error, CustomStringConvertible {
        package let description = "nothing is ready to run, and the operation has not ended"
    }

    private struct State {
        var jobs: [UnownedJob] = []
        /// Those before it have been taken.
        var first = 0
        var random: RandomSource?

        mutating func append(_ job: UnownedJob) { jobs.append(job) }

        mutating func take() -> UnownedJob? {
            guard first < jobs.count else { return nil }
            if let random {
                let chosen = first + Int(random.draw(upTo: Int64(jobs.count - first - 1)))
                jobs.swapAt(first, chosen)
            }
            let job = jobs[first]
            first += 1
            if first == jobs.count {
                jobs.removeAll(keepingCapacity: true)
                first = 0
            }
            return job
        }
    }

    private let state: Locked<State>

    /// An executor without jobs.
    ///
    /// - Parameter random: draws which of the ready jobs is next; `nil`: the one that was ready first.
    package init(random: RandomSource? = nil) { state = Locked(State(random: random)) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.append(job) }
    }

    /// Makes a task of the operation. It is ready, and runs when the executor does.
    ///
    /// A synchronous caller has no task whose child it could be, so this is an unstructured one: the caller owns it by
    /// what is returned, and it ends on this executor alone, at the latest when nothing drives that any more.
    package func start<Success: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Success
    ) -> Pending<Success> {
        let pending = Pending<Success>()
        let task = Task(executorPreference: self) {
            do {
                pending.end(with: .success(try await operation()))
            } catch {
                pending.end(with: .failure(error))
            }
        }
        pending.own(task)
        return pending
    }

    /// Runs an operation, and everything else that is ready, until nothing is.
    ///
    /// - Throws: what the operation throws, or ``Stalled`` if it has not ended by then.
    package func run<Success: Sendable>(_ operation: @escaping @Sendable () async throws -> Success) throws -> Success {
        let pending = start(operation)
        runUntilIdle()
        guard let value = pending.value else { throw Stalled() }
        return try value.get()
    }

    /// Runs the next job; `false` if none is ready.
    @discardableResult
    package func step() -> Bool {
        guard let job = state.withLock({ $0.take() }) else { return false }
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        return true
    }

    /// Runs jobs, and those that they make ready, until none is; returns how many there were.
    @discardableResult
    package func runUntilIdle() -> Int {
        var count = 0
        while step() { count += 1 }
        return count
    }
}
