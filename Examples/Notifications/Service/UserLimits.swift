// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RateLimiting
internal import Synchronization

/// A limit for each user, so that nobody is told too much at once. It forgets with the process.
final class UserLimits: Sendable {
    private let limit: RateLimit
    private let clock: any Clock<Duration>
    private let buckets = Locked<[String: TokenBucket]>([:])

    init(_ limit: RateLimit, clock: any Clock<Duration>) {
        self.limit = limit
        self.clock = clock
    }

    /// Takes a permit of the user.
    ///
    /// - Throws: `RateLimited` with the time until there is one. It is a rejection, so the consumer gives the item back
    ///   until then and counts no failure.
    func acquire(_ user: String) async throws {
        let bucket = buckets.withLock { buckets in
            if let bucket = buckets[user] { return bucket }
            let bucket = TokenBucket(limit, name: "user", clock: clock)
            buckets[user] = bucket
            return bucket
        }
        try await bucket.acquire()
    }
}
