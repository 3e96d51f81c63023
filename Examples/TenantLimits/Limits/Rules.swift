// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RateLimiting

/// What every client may have, and how much is remembered.
struct Rules: Equatable {
    /// How many requests in a period.
    var limit = 60
    /// The period in seconds.
    var period: Int64 = 60
    /// How many requests at once the token bucket lets through; the limit if there is no such number.
    var burst: Int?
    /// How many seconds the leaky bucket lets a request wait.
    var wait: Int64 = 10
    /// By what requests are told apart.
    var key = KeyRule.client
    /// How many clients are told apart at one time.
    var mostClients = 50_000
    /// The client whose seconds are looked at one by one; all clients together if there is none.
    var shown: String?

    static let periods: ClosedRange<Int64> = 1...86_400
    static let waits: ClosedRange<Int64> = 0...3_600
    static let numbers = 1...1_000_000
    /// In this time an empty bucket must be full again: about a year.
    static let longestFill: Int64 = 31_536_000

    /// Whether a limiter can be made of it.
    var isPossible: Bool { Int64(burst ?? limit) * period / Int64(limit) <= Self.longestFill }

    var rateLimit: RateLimit { .per(.seconds(period), limit, burst: burst) }

    /// How many requests fit into the time that one may wait.
    var queue: Int { min(Self.numbers.upperBound, Int(wait) * limit / Int(period) + 1) }
}
