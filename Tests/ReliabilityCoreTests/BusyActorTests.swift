// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

/// Time-outs of an actor that does not get to run.
@Suite struct BusyActorTests {
    /// An actor that runs only what a test lets it run.
    private actor Caller {
        nonisolated let executor = HeldExecutor()
        nonisolated let hasEnded = Locked(false)
        nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

        func call(_ timeout: Timeout, _ clock: ManualClock) async throws {
            defer { hasEnded.withLock { $0 = true } }
            try await timeout.run {
                self.assertIsolated()
                try await clock.sleep(for: .seconds(9))
            }
        }
    }

    @Test func `an operation is cancelled at its limit though the actor that called it is busy`() async {
        let clock = ManualClock()
        let timeout = Timeout(.seconds(2), clock: clock)
        let caller = Caller()
        let call = Task { try await caller.call(timeout, clock) }
        // The actor runs until the operation sleeps, and is busy from then on.
        while clock.sleeperCount < 2 {
            caller.executor.runReady()
            await Task.yield()
        }
        clock.advance(by: .seconds(2))
        for _ in 0..<100_000 where clock.sleeperCount > 0 { await Task.yield() }
        #expect(clock.sleeperCount == 0)
        while !caller.hasEnded.withLock({ $0 }) {
            caller.executor.runReady()
            await Task.yield()
        }
        await #expect(throws: TimedOut.self) { try await call.value }
    }
}

/// Keeps the jobs of an actor until somebody lets them run.
private final class HeldExecutor: SerialExecutor {
    private let jobs = Locked<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// Runs what is ready. One thread at a time may do that.
    func runReady() {
        while let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            unsafe job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }
}
