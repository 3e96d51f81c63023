// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How the action or the compensation of a step ended: one line in a saga's history.
public struct SagaStepOutcome: Hashable, Sendable {
    /// How it ended.
    public enum Result: UInt8, Hashable, Sendable {
        /// The action took effect.
        case succeeded = 1
        /// The action failed and certainly took no effect.
        case notApplied = 2
        /// The action failed and may have taken effect; the step is compensated.
        case failed = 3
        /// The compensation went through.
        case compensated = 4
    }

    /// The step.
    public let step: String
    /// How it ended.
    public let result: Result
    /// How many calls it took.
    public let attempts: Int
    /// Why the action failed.
    public let failure: SagaFailure?

    /// Whether it is about the step's action or its compensation.
    public var direction: SagaDirection {
        switch result {
        case .succeeded, .notApplied, .failed: .forward
        case .compensated: .compensation
        }
    }
}

/// Which way a saga goes through a step.
public enum SagaDirection: String, Hashable, Sendable {
    /// Its action is called.
    case forward
    /// Its compensation is called.
    case compensation
}
