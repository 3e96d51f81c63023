// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A limiter refused: *not now*. The operation did not run and nothing was consumed.
public struct RateLimited: Rejection, Equatable, CustomStringConvertible {
    /// The name of the limiter that refused.
    public let limiter: String

    /// How long until the same request would be granted if nobody else takes permits; `nil` if no wait helps, because the
    /// limiter lets nothing through any more.
    public let retryAfter: Duration?

    /// A refusal, for code that maps the refusal of another limiter to this one.
    public init(limiter: String, retryAfter: Duration?) {
        self.limiter = limiter
        self.retryAfter = retryAfter
    }

    /// The refusal in words.
    public var description: String {
        let subject = limiter.isEmpty ? "Rate limited" : "Rate limited by \(limiter)"
        return retryAfter.map { "\(subject), retry after \($0)" } ?? subject
    }
}

/// More permits were asked for at once than the limiter can ever hold: *never*, however long the caller waits.
///
/// Nothing was consumed. It does not advise a retry, so a loop that waits for `retryAfter` ends here instead of
/// spinning. Split the request, or give the limit a larger ``RateLimit/burst``.
public struct ExceedsCapacity: PermanentRefusal, Equatable, CustomStringConvertible {
    /// How many permits were asked for.
    public let requested: Int

    /// The most that the limiter can hold.
    public let capacity: Int

    /// An error that says that `requested` permits can never be had from a limiter that holds `capacity`.
    public init(requested: Int, capacity: Int) {
        self.requested = requested
        self.capacity = capacity
    }

    /// The error in words.
    public var description: String {
        "\(requested) permits asked for at once, but the limiter never holds over \(capacity)"
    }
}
