// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityTesting
internal import Synchronization

/// One thread on which everything runs, and a clock that goes on only when nothing is left to do.
///
/// So a minute of waiting takes no time, and every run takes the same course.
final class VirtualTime: TaskExecutor {
    let clock = ManualClock()
    private let jobs = Mutex<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// Runs an operation and everything that it starts, until nothing is ready and nobody sleeps.
    ///
    /// - Throws: What the operation throws, or ``Stalled`` if it waits for something that never comes.
    func run(_ operation: @escaping @Sendable () async throws -> Void) throws {
        let outcome = Outcome()
        Task(executorPreference: self) {
            do {
                try await operation()
                outcome.value.withLock { $0 = .success(()) }
            } catch {
                outcome.value.withLock { $0 = .failure(error) }
            }
        }
        while true {
            while let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            }
            guard let pause = clock.nextWake else { break }
            clock.advance(by: pause)
        }
        try outcome.value.withLock { try $0.get() }
    }

    private final class Outcome: Sendable {
        let value = Mutex<Result<Void, any Error>>(.failure(Stalled()))
    }

    /// Nothing is ready, nobody sleeps, and the operation has not ended.
    struct Stalled: Error {}
}
