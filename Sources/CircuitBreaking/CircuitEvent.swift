// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a ``CircuitBreaker`` did.
///
/// Changes of state are delivered one at a time and in their order, by a call that made one of them.
/// ``Kind/rejected(retryAfter:)`` and ``Kind/permitDropped`` are delivered by the call they are about, and may overtake
/// a change.
public struct CircuitEvent: Sendable, Hashable {
    /// What happened.
    public enum Kind: Sendable, Hashable {
        /// Closed to open: so many of the calls in the window had failed.
        case opened(failures: Int, calls: Int)
        /// Open to half-open: the time is over, and a call came that is the first probe.
        case halfOpened
        /// Half-open to open: so many of the probes had failed that the threshold will be reached.
        case reopened(failures: Int, calls: Int)
        /// Half-open to closed: so many of the probes had failed that the threshold can no longer be reached.
        case closed(failures: Int, calls: Int)
        /// A call was refused.
        case rejected(retryAfter: Duration?)
        /// A permit went away unsettled and was taken as ignored: a path in the calling code settles nothing.
        case permitDropped
    }

    /// The name of the breaker.
    public let name: String
    /// The generation the event belongs to; a change of state starts the generation it carries.
    public let generation: UInt64
    /// What happened.
    public let kind: Kind
}
