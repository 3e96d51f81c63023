// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RateLimiting

extension Row {
    static let rateLimiting = [
        Row("RateLimiting", "token bucket, allowed", floor: Floor.clockAndWord) { meter in
            let bucket = generousBucket()
            return try meter.sync { count in allowed(bucket, count) }
        },
        Row("RateLimiting", "token bucket, denied", floor: Floor.clock) { meter in
            let bucket = TokenBucket(.per(.seconds(86_400), 1))
            _ = bucket.tryAcquire()
            return try meter.sync { count in
                var denied = 0
                for _ in 0..<count where !bucket.tryAcquire().allowed { denied += 1 }
                return denied
            }
        },
        Row("RateLimiting", "token bucket, two threads", floor: Floor.clockAndWordShared) { meter in
            let bucket = generousBucket()
            return try meter.twoThreads { count in allowed(bucket, count) }
        },
        Row("RateLimiting", "token bucket, acquire without a wait", floor: Floor.await) { meter in
            let bucket = generousBucket()
            return try await meter.async { count in
                for _ in 0..<count { try await bucket.acquire() }
                return count
            }
        },
        Row("RateLimiting", "token bucket, run without a wait", floor: Floor.await) { meter in
            let bucket = generousBucket()
            return try await meter.async { count in
                var done = 0
                for _ in 0..<count { done += try await bucket.run { try await bareOperation(1) } }
                return done
            }
        },
    ]

    /// A bucket that no loop empties.
    private static func generousBucket() -> TokenBucket {
        TokenBucket(.perSecond(1_000_000_000, burst: 1_000_000_000))
    }

    private static func allowed(_ bucket: TokenBucket, _ count: Int) -> Int {
        var allowed = 0
        for _ in 0..<count where bucket.tryAcquire().allowed { allowed += 1 }
        return allowed
    }
}
