// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting

/// The algorithms, for tests that hold of all of them.
enum Algorithm: String, CaseIterable, Sendable, Codable {
    case tokenBucket, log, counter, fixedWindow, leakyBucket

    /// How a test makes a limiter.
    struct Settings: Sendable {
        var name = "limiter"
        var maximumWait = Duration.zero
        var maximumWaiters = 1_000
        var jitter = Duration.zero
        var mode = RateLimitMode.enforced
        var randomness: RandomSource?
        var onEvent: (@Sendable (RateLimitEvent) -> Void)?
    }

    func limiter(
        _ limit: RateLimit, clock: any Clock<Duration>, _ settings: Settings = Settings()
    ) -> any AdjustableLimiter {
        let s = settings
        switch self {
        case .tokenBucket:
            return TokenBucket(
                limit, name: s.name, maximumWait: s.maximumWait, maximumWaiters: s.maximumWaiters, jitter: s.jitter,
                mode: s.mode, clock: clock, randomness: s.randomness, onEvent: s.onEvent)
        case .log:
            return SlidingWindowLog(
                limit, name: s.name, maximumWait: s.maximumWait, maximumWaiters: s.maximumWaiters, jitter: s.jitter,
                mode: s.mode, clock: clock, randomness: s.randomness, onEvent: s.onEvent)
        case .counter:
            return SlidingWindowCounter(
                limit, name: s.name, maximumWait: s.maximumWait, maximumWaiters: s.maximumWaiters, jitter: s.jitter,
                mode: s.mode, clock: clock, randomness: s.randomness, onEvent: s.onEvent)
        case .fixedWindow:
            return FixedWindow(
                limit, name: s.name, maximumWait: s.maximumWait, maximumWaiters: s.maximumWaiters, jitter: s.jitter,
                mode: s.mode, clock: clock, randomness: s.randomness, onEvent: s.onEvent)
        case .leakyBucket:
            return LeakyBucket(
                limit, queue: s.maximumWaiters, name: s.name, maximumWait: s.maximumWait, jitter: s.jitter,
                mode: s.mode, clock: clock, randomness: s.randomness, onEvent: s.onEvent)
        }
    }

    /// The most that one call may ask for.
    func capacity(_ limit: RateLimit) -> Int {
        switch self {
        case .tokenBucket, .leakyBucket: limit.burst
        case .log, .counter, .fixedWindow: limit.permits
        }
    }
}

/// Something that ran with so many permits, at a nanosecond.
struct Act: Equatable, Sendable {
    var at: Int64
    var permits: Int64
}

/// What the algorithms promise, checked on everything that ran, in whole numbers, sharing nothing with them.
struct Promise {
    let algorithm: Algorithm
    let permits: Int64
    let period: Int64
    let burst: Int64

    init(_ algorithm: Algorithm, _ limit: RateLimit) {
        self.algorithm = algorithm
        permits = Int64(limit.permits)
        period = limit.period.nanosecondsRoundedUp
        burst = Int64(limit.burst)
    }

    /// Whether it is kept in every interval.
    func isKept(by acts: [Act]) -> Bool {
        let acts = acts.sorted { $0.at < $1.at }
        switch algorithm {
        case .tokenBucket:
            return everyInterval(of: acts) { ($0 - burst) * period <= permits * $1 }
        case .log:
            return everyInterval(of: acts) { $1 >= period || $0 <= permits }
        case .fixedWindow:
            let windows = Dictionary(grouping: acts) { ($0.at - ($0.at % period + period) % period) / period }
            return windows.values.allSatisfy { $0.reduce(0) { $0 + $1.permits } <= permits }
        case .leakyBucket:
            return zip(acts, acts.dropFirst()).allSatisfy { ($1.at - $0.at) * permits >= $0.permits * period }
        case .counter:
            var (window, current, previous): (Int64, Int64, Int64) = (.min, 0, 0)
            return acts.allSatisfy { act in
                let elapsed = (act.at % period + period) % period
                let index = (act.at - elapsed) / period
                if index > window {
                    (window, current, previous) = (index, 0, index - 1 == window ? current : 0)
                }
                current += act.permits
                return previous * (period - elapsed) + current * period <= permits * period
            }
        }
    }

    /// Whether a condition on the permits and the length holds from every act to every other.
    private func everyInterval(of acts: [Act], _ holds: (Int64, Int64) -> Bool) -> Bool {
        acts.indices.allSatisfy { first in
            var count: Int64 = 0
            return acts[first...].allSatisfy { act in
                count += act.permits
                return holds(count, act.at - acts[first].at)
            }
        }
    }

    /// The most that any interval of a period has seen.
    func worst(of acts: [Act]) -> Int64 {
        let acts = acts.sorted { $0.at < $1.at }
        return acts.indices.map { first in
            acts[first...].prefix { $0.at < acts[first].at + period }.reduce(0) { $0 + $1.permits }
        }.max() ?? 0
    }

    /// The first nanosecond from `now` on at which so many permits can be used beside all else that runs, found by
    /// trying one after the other.
    func earliest(_ count: Int64, at now: Int64, beside acts: [Act]) -> Int64 {
        var at = now
        while !isKept(by: acts + [Act(at: at, permits: count)]) { at += 1 }
        return at
    }
}
