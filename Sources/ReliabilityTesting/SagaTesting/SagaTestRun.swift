// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import Sagas
internal import Synchronization

/// What a run of a ``SagaTest`` came to.
public struct SagaTestRun: Sendable {
    /// When the process that drove the saga ended.
    public struct Crash: Hashable, Sendable {
        /// At its commit of that number; the first is 1, and claiming the saga is a commit too.
        public let point: Int
        /// Whether the commit was in.
        public let isApplied: Bool
    }

    /// A call of one of the definition's closures, whatever the script made of it.
    public struct Call: Hashable, Sendable {
        /// Which of a step's closures.
        public enum Closure: String, Hashable, Sendable {
            /// What the step does.
            case action
            /// What finds out whether it did.
            case probe
            /// What undoes it.
            case compensation
        }

        /// The step.
        public let step: String
        /// Which of its closures.
        public let closure: Closure
        /// Which call of it; the first is 1.
        public let attempt: Int
        /// The idempotency key that it was given.
        public let key: String
    }

    /// What became of the saga.
    public let result: SagaResult
    /// Every call, in order.
    public let calls: [Call]
    /// The saga's history.
    public let history: [SagaEntry]
    /// The crash; `nil` if there was none.
    public let crash: Crash?
}

/// What a refused call of a ``SagaTest`` throws: it took no effect, and there is no sense in another.
public struct SagaTestRefusal: Permanent, Hashable {
    /// The step.
    public let step: String
}

/// What a failing call of a ``SagaTest`` throws: it says nothing of the effect.
public struct SagaTestFailure: Error, Hashable {
    /// The step.
    public let step: String
}

/// The saga of a ``SagaTest`` waits for an event that does not come, or has no end.
public struct SagaTestStalled: Error, Hashable {
    /// Where it stands.
    public let status: SagaStatus
}

/// Notes the calls of a run.
final class SagaTestCalls: Sendable {
    private let calls = Locked<[SagaTestRun.Call]>([])

    var all: [SagaTestRun.Call] { calls.withLock { $0 } }

    func note(_ call: SagaCall) {
        let closure: SagaTestRun.Call.Closure =
            switch call.closure {
            case .action: .action
            case .probe: .probe
            case .compensation: .compensation
            }
        let noted = SagaTestRun.Call(step: call.step, closure: closure, attempt: call.attempt, key: call.key)
        calls.withLock { $0.append(noted) }
    }
}
