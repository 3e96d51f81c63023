// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// One line of a saga's history: how a step ended, or what somebody asked for.
public struct SagaEntry: Hashable, Sendable {
    /// What happened.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// The action took effect, the event came, or the timer ran out.
        case succeeded = 1
        /// The action failed, or the event did not come, and certainly nothing took effect.
        case notApplied = 2
        /// The action failed and may have taken effect; the step is compensated.
        case failed = 3
        /// The compensation went through.
        case compensated = 4
        /// Somebody said that the step, or its compensation, need not be called any more.
        case skipped = 5
        /// An event came.
        case signalled = 6
        /// Somebody had a saga that was stuck or waiting go on at once.
        case retried = 7
        /// Somebody had the saga go back.
        case aborted = 8
        /// Somebody asked for what was not possible any more when it came to it; nothing was changed.
        case refused = 9
        /// The saga went over to another version of its definition.
        case migrated = 10
    }

    /// What happened.
    public let kind: Kind
    /// The step, or the event; `nil` of what concerns the whole saga.
    public let step: String?
    /// How many calls it took.
    public let attempts: Int
    /// What the action failed with last.
    public let failure: SagaFailure?
    /// What somebody gave as the reason.
    public let reason: String?
    /// When it was written, in the store's time; `nil` before it is.
    public internal(set) var at: Timestamp?
    /// What the action gave, or the event brought: the step's output as it is stored.
    var output: [UInt8]

    init(
        kind: Kind, step: String? = nil, attempts: Int = 0, failure: SagaFailure? = nil, reason: String? = nil,
        output: [UInt8] = []
    ) {
        self.kind = kind
        self.step = step
        self.attempts = attempts
        self.failure = failure
        self.reason = reason
        self.output = output
    }

    /// Whether its output is what later steps are given.
    var isOutput: Bool { kind == .succeeded || kind == .signalled }
}
