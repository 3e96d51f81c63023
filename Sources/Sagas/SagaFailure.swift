// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Why a saga went back, or is stuck: an error as text of bounded size, which outlives the process that saw it.
///
/// Text is for people and queries. An error whose description shows personal data or secrets must not be thrown by a
/// step as it is, since the description is stored.
public struct SagaFailure: Hashable, Sendable, CustomStringConvertible {
    /// The step that failed.
    public let step: String
    /// The type of the error, cut to 256 bytes.
    public let errorType: String
    /// The error in words, cut to 1,024 bytes at the end of a character.
    public let message: String
    /// The error itself, if this call saw it; `nil` when the failure was read back from the store. Not compared.
    public let error: (any Error)?

    init(step: String, error: any Error) {
        let text = ErrorText(error)
        self.init(step: step, errorType: text.type, message: text.message, error: error)
    }

    init(step: String, errorType: String, message: String, error: (any Error)? = nil) {
        self.step = step
        self.errorType = errorType
        self.message = message
        self.error = error
    }

    /// The step, the error's type and its words.
    public var description: String { "\(step): \(errorType): \(message)" }

    /// Whether both tell the same; the errors themselves are not compared.
    public static func == (lhs: SagaFailure, rhs: SagaFailure) -> Bool {
        (lhs.step, lhs.errorType, lhs.message) == (rhs.step, rhs.errorType, rhs.message)
    }

    /// Feeds what is compared into the hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(step)
        hasher.combine(errorType)
        hasher.combine(message)
    }
}

/// A saga that cannot go on by itself: it is neither done nor undone, and somebody has to look.
public struct SagaStuck: Hashable, Sendable {
    /// Why a saga is stuck.
    public enum Reason: String, Hashable, Sendable {
        /// A step may or may not have taken effect, and its rule is to park, or its probe could not tell.
        case outcomeUnknown
        /// The probe failed as often as it may.
        case probeFailed
        /// The compensation failed as often as it may. What earlier steps did has not been undone either.
        case compensationFailed
    }

    /// Why.
    public let reason: Reason
    /// The step whose action, probe or compensation it is about.
    public let step: String
    /// What began it: the error that left the outcome open, or that made the saga go back; `nil` after a crash.
    public let failure: SagaFailure?
    /// What the probe or the compensation failed with last.
    public let lastError: SagaFailure?
}

/// What an error that a step's action threw says about its effect.
public enum SagaErrorKind: Hashable, Sendable {
    /// It took no effect: this step is not compensated.
    case notApplied
    /// It failed for good, perhaps half-way: this step is compensated too.
    case failed
    /// Nobody knows: the step's `ifUnknown` decides.
    case unknown
}

/// What a probe found out about a step that may have taken effect.
public enum SagaProbeAnswer: String, Hashable, Sendable {
    /// It took effect: the saga goes on.
    case applied
    /// It took no effect and never will.
    case notApplied
    /// It cannot be told: the saga is stuck.
    case unknown
}
