// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability

/// The provider said "not now" before it did anything.
struct ProviderRefused: NotApplied, RetryAdvising, Equatable {
    let retryAfter: Duration?
}

/// The provider said no, and would say it again. Nothing was done.
struct ProviderDeclined: NotApplied, Equatable {
    let reason: DeclineReason
}

/// The request never reached the provider: its last byte, without which it is none, was not sent.
struct ProviderUnreachable: NotApplied, Equatable {
    enum Cause: Equatable, Sendable {
        /// Every thread for calls was busy for as long as the call had time.
        case noThreadFree
        /// It could not be connected to, or did not take the request.
        case system(SystemError)
    }

    let cause: Cause
}

/// The request was sent and there is no answer to rely on: the provider may have done it or not.
struct ProviderOutcomeUnknown: Error, Equatable {
    enum Cause: Equatable, Sendable {
        /// No answer within the time given.
        case timedOut
        /// The connection ended before the answer.
        case connectionLost
        /// An answer came that makes no sense.
        case unreadableAnswer
    }

    let cause: Cause
}
