// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RateLimiting
internal import ReliabilityTesting
internal import Synchronization

/// One limiter for each algorithm, on a clock that stands at the time of the log.
struct Judge {
    private struct Bench {
        let column: Column
        let limiter: KeyedRateLimiter<String>

        /// How long a request has to wait before it passes; `nil` if it is refused.
        func wait(of key: String) -> Duration? {
            let decision = limiter.tryAcquire(key)
            if decision.allowed { return .zero }
            // Only the leaky bucket has a queue, but for a client that there is no room for: no wait helps that. A server
            // would wait for its place there.
            guard column == .leakyBucket, decision.retryAfter != nil else { return nil }
            do {
                return try limiter.reserve(key).delay
            } catch {
                return nil
            }
        }
    }

    private final class Events: Sendable {
        let overflows = Atomic<Int>(0)
    }

    private let clock = ManualClock()
    private let benches: [Bench]
    private let events = Events()

    /// Makes limiters that have let nothing through.
    ///
    /// The windows of limiters begin when they are made. Those of providers mostly follow the clock on the wall, so the
    /// limiters are made at a moment that is a multiple of the period.
    ///
    /// - Parameter start: The second of the first request.
    init(_ rules: Rules, start: Int64) {
        clock.set(to: ManualClock.Instant(offset: .seconds(start - start % rules.period)))
        benches = Column.algorithms.compactMap { [clock, events] column in
            guard let algorithm = column.algorithm else { return nil }
            let limiter = KeyedRateLimiter<String>(
                rules.rateLimit, algorithm: algorithm, name: column.title, maximumKeys: rules.mostClients,
                maximumWait: .seconds(rules.wait), maximumWaiters: rules.queue, clock: clock,
                onEvent: { if $0.kind == .overflowed { events.overflows.add(1, ordering: .relaxed) } })
            return Bench(column: column, limiter: limiter)
        }
    }

    /// Moves the clock on.
    func move(to second: Int64) { clock.set(to: ManualClock.Instant(offset: .seconds(second))) }

    /// How many seconds each algorithm lets a request wait before it passes.
    ///
    /// - Parameter body: Called for each algorithm that lets it through.
    func judge(_ key: String, _ body: (Column, Int64) -> Void) {
        for bench in benches {
            if let wait = bench.wait(of: key) { body(bench.column, wait.components.seconds) }
        }
    }

    /// How many times a limiter refused a request because it had no room for the client.
    var overflows: Int { events.overflows.load(ordering: .relaxed) }
}
