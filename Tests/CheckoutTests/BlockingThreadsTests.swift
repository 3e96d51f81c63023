// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import ReliabilityCore
import Synchronization
import Testing

@testable import checkout

@Suite struct BlockingThreadsTests {
    private final class Gauge: Sendable {
        let running = Locked<(now: Int, most: Int)>((now: 0, most: 0))
        let gate = DispatchSemaphore(value: 0)
    }

    @Test func `every job runs, as many at a time as there are threads and no more`() async throws {
        let threads = try BlockingThreads(count: 3)
        let gauge = Gauge()
        let results = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<60 {
                group.addTask {
                    try await threads.run {
                        let now = gauge.running.withLock { running in
                            running.now += 1
                            running.most = max(running.most, running.now)
                            return running.now
                        }
                        // The first two wait until a third runs beside them, so that the most is reached for certain.
                        if now == 3 { for _ in 0..<60 { gauge.gate.signal() } }
                        gauge.gate.wait()
                        gauge.running.withLock { $0.now -= 1 }
                        return number
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.sorted() == Array(0..<60))
        #expect(gauge.running.withLock { $0.most } == 3)
    }

    @Test func `an error of a job comes out of its call`() async throws {
        let threads = try BlockingThreads(count: 1)
        await #expect(throws: ProviderDeclined(reason: .card)) {
            try await threads.run { throw ProviderDeclined(reason: .card) }
        }
    }
}
