// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What happened to a saga, reported outside any lock and after it is durable, but for a failure or a take-up that
/// leads to a probe: asking writes nothing.
public struct SagaEvent: Sendable {
    /// What happened.
    public enum Kind: Sendable {
        /// It was started.
        case started
        /// A coordinator took it up after another one had let go, lost it or died.
        case resumed
        /// The action of a step is called; the first attempt is 1.
        case stepStarted(step: String, attempt: Int)
        /// The action of a step took effect.
        case stepSucceeded(step: String)
        /// The action of a step threw.
        case stepFailed(step: String, kind: SagaErrorKind, error: any Error)
        /// The probe of a step answered.
        case probed(step: String, answer: SagaProbeAnswer)
        /// The probe of a step threw; it is asked again after that long, or never.
        case probeFailed(step: String, error: any Error, retryIn: Duration?)
        /// The compensation of a step is called; the first attempt is 1.
        case compensationStarted(step: String, attempt: Int)
        /// The compensation of a step went through.
        case compensationSucceeded(step: String)
        /// The compensation of a step threw; it is called again after that long, or never.
        case compensationFailed(step: String, error: any Error, retryIn: Duration?)
        /// Every step took effect.
        case completed
        /// Everything that took effect is undone.
        case compensated(SagaFailure)
        /// It is neither done nor undone and cannot go on by itself: somebody has to look.
        case stuck(SagaStuck)
        /// The coordinator's task was cancelled; it let the saga go where it stands.
        case interrupted
        /// The lease passed and another coordinator took the saga over; this one writes nothing more.
        case lost
        /// Its definition is not among those given, or its bytes cannot be read; nothing is executed, and it is looked
        /// at again after a lease.
        case blocked(SagaShape?)
        /// The store failed while the saga was driven; it stays where it is until its lease passes.
        case storeFailed(StoreError)
    }

    /// The name of the coordinator.
    public let coordinator: String
    /// The name of the definition; empty if it cannot be read.
    public let definition: String
    /// The saga; not a label for metrics, since there is no bound to how many there are.
    public let sagaID: String
    /// What happened.
    public let kind: Kind
}
