// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Retrying

extension Row {
    static let retrying = [
        Row("Retrying", "retry, first attempt succeeds", floor: Floor.await) { meter in
            let retry = Retry(name: "benchmark")
            return try await meter.async { count in
                var done = 0
                for _ in 0..<count { done += try await retry.run { try await bareOperation(1) } }
                return done
            }
        },
        Row("Retrying", "back-off, one draw", floor: Floor.draw) { meter in
            let (backoff, randomness) = (Backoff.exponential(), RandomSource.seeded(1))
            return try meter.sync { count in
                var drawn = 0
                for number in 0..<count {
                    let delay = backoff.delay(afterAttempt: 1 + number & 3, using: randomness)
                    if delay <= .milliseconds(800) { drawn += 1 }
                }
                return drawn
            }
        },
    ]
}
