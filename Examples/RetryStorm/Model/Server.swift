// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A server that answers so many requests a second, and none at all for a while.
///
/// It works in tenths of a second. A request that it turns away costs it a quarter of the work of one that it serves, so a
/// server that is asked too much serves less than it could: that is why a storm of retries can outlive its cause.
final class Server: Sendable {
    /// What a client gets from a server that is down or has too much to do; nothing was done.
    struct Unavailable: Error {}

    /// What has come within one second.
    struct Second: Equatable {
        var served = 0
        var refused = 0

        var requests: Int { served + refused }
    }

    private struct State {
        var seconds: [Second] = []
        var tick = -1
        /// The work left in this tick, in quarters of a request; below zero if it owes some.
        var work = 0
    }

    let time: VirtualTime
    let scenario: Scenario
    private let state = Mutex(State())

    init(_ scenario: Scenario, _ time: VirtualTime) {
        self.scenario = scenario
        self.time = time
    }

    /// What has come, second by second.
    var seconds: [Second] { state.withLock { $0.seconds } }

    /// One request, there and back.
    func request() async throws {
        try await time.sleep(for: scenario.latency)
        guard isServed(at: time.now.nanoseconds) else { throw Unavailable() }
    }

    private func isServed(at now: Int64) -> Bool {
        let (second, tick) = (Int(now / 1_000_000_000), Int(now / 100_000_000))
        return state.withLock { state in
            while state.seconds.count <= second { state.seconds.append(Second()) }
            if scenario.outage.contains(second) {
                // It comes back with nothing left over.
                state.work = 0
            } else if state.tick != tick {
                // What it owes for refusals is worked off first.
                state.work = min(0, state.work) + 4 * scenario.capacity / 10
            }
            state.tick = tick
            let isServed = state.work >= 4
            state.work -= isServed ? 4 : 1
            if isServed { state.seconds[second].served += 1 } else { state.seconds[second].refused += 1 }
            return isServed
        }
    }
}
