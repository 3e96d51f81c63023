// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import ReliabilityCore

/// A circuit breaker refused the call; the operation did not run.
public struct CircuitOpen: Rejection, Hashable {
    /// The name of the breaker.
    public let name: String
    /// The exact time until the breaker lets a probe through; `nil` if it is not known: while all its probes are under
    /// way, and while it is isolated for good.
    public let retryAfter: Duration?
    /// What refused the call: a breaker that is open, half-open or isolated.
    public let state: CircuitBreaker.State

    /// Makes the error that the named breaker refuses calls with.
    public init(name: String, retryAfter: Duration?, state: CircuitBreaker.State = .open) {
        self.name = name
        self.retryAfter = retryAfter
        self.state = state
    }
}
