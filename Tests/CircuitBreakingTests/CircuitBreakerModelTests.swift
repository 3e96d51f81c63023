// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import CircuitSimulation
import Testing

/// The breaker against a slow and obvious model, in random sequences of what can be done with it.
@Suite struct CircuitBreakerModelTests {
    @Test func `a breaker does what the obvious model does, whatever happens in whatever order`() throws {
        var summary = CircuitStory.Summary()
        for seed in UInt64(1)...2_000 { summary += try CircuitStory.tell(seed: seed) }
        #expect(summary.missing == [])
    }
}
