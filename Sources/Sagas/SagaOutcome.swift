// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What became of a saga, as far as this call took it.
public enum SagaOutcome: Hashable, Sendable {
    /// Every step took effect.
    case completed
    /// A step failed, and every compensation of what had taken effect, or may have, has gone through.
    case compensated(SagaFailure)
    /// It is neither done nor undone and cannot go on by itself.
    case stuck(SagaStuck)
    /// A compensation or a probe failed and is tried again after that long, by whichever coordinator is there then.
    case pending(retryIn: Duration)
    /// The lease passed and another coordinator took the saga over; this one wrote nothing more.
    case lost
}

/// A saga of this identifier was started with another input; nothing was executed.
public struct SagaMismatch: Error, Hashable, Sendable {
    /// The saga.
    public let sagaID: String
}

/// A saga of this identifier was started with another definition, version or list of steps; nothing was executed.
public struct SagaDefinitionMismatch: Error, Hashable, Sendable {
    /// The saga.
    public let sagaID: String
    /// What it was started with.
    public let standing: SagaShape
    /// What was given now.
    public let given: SagaShape
}

/// Another coordinator drives this saga now; this call executed nothing.
public struct SagaInProgress: Rejection, Hashable, Sendable {
    /// The saga.
    public let sagaID: String
    /// How long the other one's lease still runs unless it is extended.
    public let retryAfter: Duration?
}
