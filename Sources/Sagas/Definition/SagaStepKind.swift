// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a step is to the way back.
public enum SagaStepKind: String, Hashable, Sendable, CaseIterable {
    /// It has a compensation, and stands before the pivot.
    case compensatable
    /// The point of no return: when it has taken effect, the saga only goes forward.
    case pivot
    /// After the pivot: called until it takes effect.
    case retriable
    /// It changes nothing anywhere, so there is nothing to undo.
    case reading
    /// It waits for an event from outside.
    case event
    /// It waits for some time.
    case timer

    /// Whether nothing of it is ever called.
    var isWait: Bool { self == .event || self == .timer }
}

/// How often an action, a probe or a compensation that failed is called again, and after which delays.
///
/// What the error advises (``/ReliabilityCore/RetryAdvising``) counts where it is longer: up to a day of it, and up to a
/// tenth more, so that those who were told the same do not come back at once. The delay is kept in the store; nobody
/// holds the saga meanwhile unless another step of its group is being called.
public struct SagaRetry: Hashable, Sendable {
    /// How many calls there are in all; `nil` without end.
    public let maxAttempts: Int?
    /// The delays between them; the last one of a list is used again and again.
    public let backoff: Backoff

    /// One call.
    public static let never = SagaRetry(maxAttempts: 1, backoff: .constant(.zero))

    /// So many calls in all.
    ///
    /// - Parameters:
    ///   - maxAttempts: At least 1, the first call included.
    ///   - backoff: By default 1 s, growing twofold to 5 minutes, with full jitter.
    public static func attempts(_ maxAttempts: Int, backoff: Backoff = standard) -> SagaRetry {
        precondition(maxAttempts >= 1, "A step is called at least once, not \(maxAttempts) times")
        return SagaRetry(maxAttempts: maxAttempts, backoff: backoff)
    }

    /// Calls until one is answered.
    ///
    /// - Parameter backoff: By default 1 s, growing twofold to 5 minutes, with full jitter.
    public static func unlimited(backoff: Backoff = standard) -> SagaRetry {
        SagaRetry(maxAttempts: nil, backoff: backoff)
    }

    /// 1 s, growing twofold to 5 minutes, with full jitter.
    public static let standard = Backoff.exponential(initial: .seconds(1), maximum: .seconds(300))

    /// How long to wait before the next call; `nil` if there is none.
    func delay(afterAttempt attempt: Int, _ error: (any Error)?, _ randomness: RandomSource) -> Duration? {
        if let maxAttempts, attempt >= maxAttempts { return nil }
        if error is any Permanent { return nil }
        let advised = (error as? any RetryAdvising)?.retryAfter ?? .zero
        return backoff.delayOrLast(
            afterAttempt: max(1, attempt), notBefore: advised, upTo: .seconds(86_400), using: randomness)
    }
}
