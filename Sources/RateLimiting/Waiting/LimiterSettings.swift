// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// What a limiter was made with, its limit apart.
struct LimiterSettings: Sendable {
    let name: String
    let maximumWait: Duration
    let maximumWaiters: Int
    /// In nanoseconds.
    let jitter: Int64
    let time: TimeSource
    let randomness: RandomSource
    let onEvent: (@Sendable (RateLimitEvent) -> Void)?

    init(
        name: String, maximumWait: Duration, maximumWaiters: Int, jitter: Duration, clock: any Clock<Duration>,
        randomness: RandomSource?, onEvent: (@Sendable (RateLimitEvent) -> Void)?
    ) {
        precondition(maximumWait >= .zero, "A limiter waits for at least zero, not for \(maximumWait)")
        precondition(maximumWaiters >= 0, "A limiter lets at least zero callers wait, not \(maximumWaiters)")
        precondition(jitter >= .zero, "The jitter of a limiter is at least zero, not \(jitter)")
        self.name = name
        self.maximumWait = maximumWait
        self.maximumWaiters = maximumWaiters
        self.jitter = jitter.nanosecondsRoundedUp
        self.randomness = randomness ?? (jitter > .zero ? .system : .seeded(0))
        self.onEvent = onEvent
        time = TimeSource(clock)
    }

    /// The name and the settings of a limiter in one line.
    func summary(_ type: String, _ limit: RateLimit) -> String {
        "\(type)\(name.isEmpty ? "" : " \(name)"): \(limit), waits up to \(maximumWait)"
    }

    /// Whether nobody is told of anything.
    @inline(__always)
    var isSilent: Bool { onEvent == nil }

    /// An answer after its report, and as the mode has it.
    func settled(_ decision: RateLimitDecision, _ permits: Int, isShadow: Bool) -> RateLimitDecision {
        if decision.allowed { return decision }
        guard isShadow else {
            report(.denied(permits: permits, retryAfter: decision.retryAfter))
            return decision
        }
        report(.wouldDeny(permits: permits, retryAfter: decision.retryAfter))
        return decision.granted
    }

    func report(_ kind: @autoclosure () -> RateLimitEvent.Kind) {
        if let onEvent { onEvent(RateLimitEvent(limiter: name, kind: kind())) }
    }
}
