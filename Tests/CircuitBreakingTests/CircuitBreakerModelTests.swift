// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import CircuitSimulation
import Testing

/// The breaker against a slow and obvious model, in random sequences of what can be done with it.
@Suite struct CircuitBreakerModelTests {
    #if TSAN
    // One thread does it all; under the sanitizer it would keep the others waiting for a minute.
    private let seeds = UInt64(1)...50
    #else
    private let seeds = UInt64(1)...2_000
    #endif

    @Test func `a breaker does what the obvious model does, whatever happens in whatever order`() throws {
        var summary = CircuitStory.Summary()
        for seed in seeds { summary += try CircuitStory.tell(seed: seed) }
        // Few stories need not come to everything.
        if summary.stories >= 2_000 { #expect(summary.missing == []) }
    }
}
