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

    /// The saga.
    public let sagaID: String
    /// Its place among all sagas of the coordinator, by start; the cursor of listings.
    public let position: UInt64
    /// The definition that it was started with.
    public let definition: SagaShape
    /// Its state.
    public let state: State
    /// The step that is being taken, undone or is stuck; `nil` when it is finished.
    public let step: String?
    /// How many calls of that step's action or compensation were begun.
    public let attempts: Int
    /// What became of it; `nil` while it has further to go.
    public let outcome: SagaOutcome?
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
    init(_ record: Record, now: Timestamp) throws(UnreadableSaga) {
        let header = try SagaHeader(record)
        sagaID = record.id.key
        position = record.position
        definition = header.shape
        state = record.state == State.blocked.rawValue ? .blocked : header.phase.label
        outcome = header.phase.outcome
        switch header.phase {
        case .running(let index, let count, _), .probing(let index, let count, _, _),
            .compensating(let index, let count, _), .stuck(let index, let count, _):
            step = header.shape.steps[index]
            attempts = count
        case .completed, .compensated:
            step = nil
            attempts = 0
        }
        isHeld = record.isHeld(at: now)
        dueIn = record.dueAt.map { now.duration(to: $0) }
        startedAt = record.createdAt
    }
}
