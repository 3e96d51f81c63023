// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// What the end of a call says of the neighbour.
public enum CircuitVerdict: Sendable, Hashable {
    /// The neighbour answered. A declined card is a success too: the provider is well.
    case success
    /// The neighbour failed.
    case failure
    /// The call says nothing of the neighbour. It counts nowhere, and a probe's place becomes free.
    case ignored
    /// The neighbour failed and said for how long it will: the breaker opens for that time at once, whatever it has
    /// counted; at most for ``CircuitBreaker/Configuration/maximumAdvice``.
    ///
    /// For an answer that speaks of the neighbour as a whole, such as a 503 with `Retry-After`. An answer that speaks
    /// of one caller alone, as a 429 often does, would cut off all others. A time that is not above zero is a plain
    /// ``failure``.
    case unavailable(for: Duration)

    /// ``unavailable(for:)`` if the error is a `RetryAdvising` that knows for how long, otherwise ``failure``.
    ///
    /// For a `judge` that wants every advice to open the breaker.
    public static func failure(advisedBy error: any Error) -> CircuitVerdict {
        guard let advice = (error as? any RetryAdvising)?.retryAfter else { return .failure }
        return .unavailable(for: advice)
    }
}

/// How a call ended, as the core counts it.
@usableFromInline
enum CallOutcome: Sendable, Hashable {
    case success
    case failure
    case ignored
    /// A failure after which the neighbour will be away for so many nanoseconds.
    case unavailable(Int64)

    @usableFromInline
    init(_ verdict: CircuitVerdict) {
        switch verdict {
        case .success: self = .success
        case .failure: self = .failure
        case .ignored: self = .ignored
        case .unavailable(let duration):
            self = duration > .zero ? .unavailable(duration.nanosecondsRoundedUp) : .failure
        }
    }
}

extension CircuitVerdict {
    init(_ outcome: CallOutcome) {
        switch outcome {
        case .success: self = .success
        case .failure: self = .failure
        case .ignored: self = .ignored
        case .unavailable(let nanoseconds): self = .unavailable(for: .nanoseconds(nanoseconds))
        }
    }
}
