// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a circuit breaker has counted.
public struct CircuitCounts: Sendable, Hashable {
    /// How many results are counted.
    public var calls: Int
    /// How many of them are failures.
    public var failures: Int
    /// How many of them took longer than ``CircuitBreaker/Configuration/SlowCalls/threshold``, be they successes or
    /// failures.
    public var slowCalls: Int
    /// How many of the latest results in a row are failures.
    public var consecutiveFailures: Int

    /// Makes counts; what is left out is zero.
    public init(calls: Int = 0, failures: Int = 0, slowCalls: Int = 0, consecutiveFailures: Int = 0) {
        self.calls = calls
        self.failures = failures
        self.slowCalls = slowCalls
        self.consecutiveFailures = consecutiveFailures
    }

    /// How many of the results are successes.
    public var successes: Int { calls - failures }

    /// The share of failures, from 0 to 1; `nil` without a result.
    public var failureRate: Double? { calls > 0 ? Double(failures) / Double(calls) : nil }

    /// The share of slow calls, from 0 to 1; `nil` without a result.
    public var slowCallRate: Double? { calls > 0 ? Double(slowCalls) / Double(calls) : nil }
}
