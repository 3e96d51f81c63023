// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Why a step failed, or a saga went back or is stuck: an error as text of bounded size, which outlives the process
/// that saw it.
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

    init(step: String, error: any Error) {
        let text = ErrorText(error)
        self.init(step: step, errorType: text.type, message: text.message)
    }

    init(step: String, errorType: String, message: String) {
        self.step = step
        self.errorType = errorType
        self.message = message
    }

    /// The step, the error's type and its words.
    public var description: String { "\(step): \(errorType): \(message)" }
}

/// A saga that cannot go on by itself: it is neither done nor undone, and somebody has to look.
public struct SagaStuck: Hashable, Sendable {
    /// Why a saga is stuck.
    public enum Reason: UInt8, Hashable, Sendable, CaseIterable {
        /// A step may or may not have taken effect, and its rule is to park, or its probe could not tell.
        case outcomeUnknown = 1
        /// The probe failed as often as it may.
        case probeFailed = 2
        /// The compensation failed as often as it may. What earlier steps did has not been undone either.
        case compensationFailed = 3
        /// An action from the pivot on failed as often as it may: there is no way back.
        case attemptsExhausted = 4
        /// Coordinators ended in the middle of a call of the step again and again; perhaps because of it.
        case crashed = 5
    }

    /// Why.
    public let reason: Reason
    /// The step whose action, probe or compensation it is about.
    public let step: String
    /// What began it: the error that left the outcome open, or that made the saga go back; `nil` after a crash.
    public let failure: SagaFailure?
    /// What the action, the probe or the compensation failed with last.
    public let lastError: SagaFailure?
}

/// What an error that a step's action threw says about its effect.
public enum SagaErrorKind: Hashable, Sendable {
    /// This call took no effect, which says nothing of earlier ones.
    case notApplied
    /// The other side, which remembers the key, has refused it for good: no call with this key took effect, earlier ones
    /// included, and none will. It is not called again. Only a classification says so, never an error by itself.
    case refused
    /// It failed for good, perhaps half-way: it is not called again, and this step is compensated too.
    case failed
    /// Nobody knows: the step's `ifUnknown` decides.
    case unknown
}

/// The event that a step waited for did not come in time.
public struct SagaEventMissing: Error, Hashable, CustomStringConvertible {
    /// The event.
    public let event: String
    /// What happened, for people.
    public var description: String { "the event \(event) did not come in time" }
}

/// The time that a step may take in all passed while nobody called it.
public struct SagaTimeLimitPassed: Error, Hashable, CustomStringConvertible {
    /// What happened, for people.
    public var description: String { "the time limit of the step has passed" }
}

/// The saga's deadline passed before its pivot.
public struct SagaDeadlinePassed: Error, Hashable, CustomStringConvertible {
    /// What happened, for people.
    public var description: String { "the saga's deadline has passed" }
}

/// Somebody had the saga go back.
public struct SagaAborted: Error, Hashable, CustomStringConvertible {
    /// Why, in their words.
    public let reason: String
    /// What happened, for people.
    public var description: String { "aborted: \(reason)" }
}
