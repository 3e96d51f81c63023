// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A circuit breaker refused the call; the operation did not run.
public struct CircuitOpen: Rejection, Hashable {
    /// The name of the breaker.
    public let name: String
    /// The exact time until the breaker lets a probe through; `nil` while all its probes are under way, since nobody
    /// knows how long those take.
    public let retryAfter: Duration?

    /// Makes the error that the named breaker refuses calls with.
    public init(name: String, retryAfter: Duration?) {
        self.name = name
        self.retryAfter = retryAfter
    }
}
