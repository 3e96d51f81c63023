// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Where a saga stands, for people and metrics.
public struct SagaStatus: Hashable, Sendable {
    /// The state that a saga's header record shows.
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// Its steps are being taken.
        case running
        /// Its steps are being undone.
        case compensating
        /// Every step took effect.
        case completed
        /// A step failed, and every compensation of what had taken effect, or may have, has gone through.
        case compensated
        /// It cannot go on by itself.
        case stuck
        /// The coordinator that found it does not know its definition; nothing of it is executed until one does.
        case blocked
    }

    /// A step of the present stage.
    public struct Step: Hashable, Sendable {
        /// The step.
        public let name: String
        /// How many calls of its action or compensation were begun.
        public let attempts: Int
        /// What the last call that failed ended with.
        public let lastFailure: SagaFailure?
    }

    /// The saga.
    public let sagaID: String
    /// Its place among all sagas of the coordinator, by start; the cursor of listings.
    public let position: UInt64
    /// The definition that it was started with.
    public let definition: SagaShape
    /// Its state.
    public let state: State
    /// The steps that are being taken, undone, waited for or stuck; empty when it is finished.
    public let steps: [Step]
    /// What became of it; `nil` while it has further to go.
    public let result: SagaResult?
    /// Whether a coordinator drives it now.
    public let isHeld: Bool
    /// When it is taken up again if nobody holds it; zero or less if it could be at once, `nil` if it never is.
    public let dueIn: Duration?
    /// When it was started.
    public let startedAt: Timestamp
}

/// Some sagas of a coordinator, by start.
public struct SagaPage: Hashable, Sendable {
    /// The sagas.
    public let sagas: [SagaStatus]
    /// Sagas of this page that this version of the package cannot read; they stay where they are.
    public let unreadable: [UnreadableSaga]
    /// Pass it as `after` to get the next page; `nil` on the last one.
    public let next: UInt64?
}

extension SagaStatus {
    package init(_ record: Record, now: Timestamp) throws(UnreadableSaga) {
        let header = try SagaHeader(record)
        sagaID = record.id.key
        position = record.position
        definition = header.shape
        state = record.state == State.blocked.rawValue ? .blocked : header.position.label
        steps = header.position.branches.filter { !$0.branch.hasEnded }.map { named in
            Step(name: named.name, attempts: named.branch.attempts, lastFailure: named.branch.lastFailure)
        }
        result =
            switch (header.position.course, header.position.label) {
            case (.completed, _): .completed
            case (.compensated(let cause), _): .compensated(cause)
            case (_, .stuck): header.position.stuck.map { .stuck($0) }
            default: nil
            }
        isHeld = record.isHeld(at: now)
        dueIn = record.dueAt.map { now.duration(to: $0) }
        startedAt = record.createdAt
    }
}
