// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What happened to a saga, reported outside any lock and after it is durable.
public struct SagaEvent: Sendable {
    /// What happened.
    public enum Kind: Sendable {
        /// It was started.
        case started
        /// A coordinator took it up after it, or another one, had let go, lost it or died.
        case resumed
        /// The action of a step is called; the first attempt is 1.
        case stepStarted(step: String, attempt: Int)
        /// The action of a step took effect, an event that was waited for came, or a timer ran out.
        case stepSucceeded(step: String)
        /// The action of a step threw.
        case stepFailed(step: String, kind: SagaErrorKind, error: any Error)
        /// A step is not called any more, and the saga goes back.
        case stepGivenUp(step: String, mayHaveEffect: Bool)
        /// The probe of a step answered.
        case probed(step: String, answer: SagaProbeResult)
        /// The probe of a step threw; it is asked again after that long, or never.
        case probeFailed(step: String, error: any Error, retryIn: Duration?)
        /// The saga begins to go back.
        case wentBack(SagaFailure)
        /// The compensation of a step is called; the first attempt is 1.
        case compensationStarted(step: String, attempt: Int)
        /// The compensation of a step went through.
        case compensationSucceeded(step: String)
        /// The compensation of a step threw; it is called again after that long, or never.
        case compensationFailed(step: String, error: any Error, retryIn: Duration?)
        /// An event came.
        case signalled(event: String)
        /// Somebody asked for that, and it was done; a migration was asked for when the coordinator was made.
        case heeded(SagaEntry)
        /// Somebody asked for what was not possible any more.
        case refused(SagaEntry)
        /// It goes on by itself after that time; `nil` if only when an event comes.
        case waiting(Duration?)
        /// Every step took effect.
        case completed
        /// Everything that took effect is undone.
        case compensated(SagaFailure)
        /// It is neither done nor undone and cannot go on by itself: somebody has to look.
        case stuck(SagaStuck)
        /// The coordinator was told to stop; it let the saga go where it stands.
        case interrupted
        /// The lease passed and another coordinator took the saga over; this one writes nothing more.
        case lost
        /// Its definition is not among those given, or its bytes cannot be read; nothing is executed, and it is looked
        /// at again after a lease.
        case blocked(SagaShape?)
        /// The store failed; a saga that was being driven stays where it is until its lease passes.
        case storeFailed(StoreError)
    }

    /// The name of the coordinator.
    public let coordinator: String
    /// The name of the definition; empty if it cannot be read, or where it is not about one saga.
    public let definition: String
    /// The saga; not a label for metrics, since there is no bound to how many there are.
    public let sagaID: String
    /// What happened.
    public let kind: Kind
}

/// What a probe found.
public enum SagaProbeResult: String, Hashable, Sendable {
    /// The step took effect.
    case applied
    /// It took no effect.
    case notApplied
    /// It cannot be told.
    case unknown
}

extension SagaEvent.Kind {
    init(_ result: SagaResult) {
        switch result {
        case .completed: self = .completed
        case .compensated(let cause): self = .compensated(cause)
        case .stuck(let stuck): self = .stuck(stuck)
        }
    }

    init(_ entry: SagaEntry) {
        let step = entry.step ?? ""
        switch entry.kind {
        case .succeeded: self = .stepSucceeded(step: step)
        case .notApplied: self = .stepGivenUp(step: step, mayHaveEffect: false)
        case .failed: self = .stepGivenUp(step: step, mayHaveEffect: true)
        case .compensated: self = .compensationSucceeded(step: step)
        case .signalled: self = .signalled(event: step)
        case .skipped, .retried, .aborted, .migrated: self = .heeded(entry)
        case .refused: self = .refused(entry)
        }
    }
}
