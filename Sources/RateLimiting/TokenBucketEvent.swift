// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a ``TokenBucket`` reports. Granted at once is not an event: it would cost every call what few need.
public struct TokenBucketEvent: Sendable, Equatable {
    /// What happened.
    public enum Kind: Sendable, Equatable {
        /// Permits were refused: not now. `retryAfter` is what the caller was told.
        case denied(permits: Int, retryAfter: Duration)
        /// Permits were granted after a wait of `duration`.
        case waited(permits: Int, duration: Duration)
        /// An inner policy did not let the operation run, and its permits are back in the bucket.
        case refunded(permits: Int)
    }

    /// The name of the limiter.
    public let limiter: String

    /// What happened.
    public let kind: Kind

    package init(limiter: String, kind: Kind) {
        self.limiter = limiter
        self.kind = kind
    }
}
