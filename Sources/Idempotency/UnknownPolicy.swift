// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What to do with a key whose earlier execution may or may not have taken effect.
///
/// An execution leaves its outcome unknown if its process crashes, its lease passes, its task is cancelled or its
/// handler throws an error that does not prove that nothing happened. No default is right for everyone, so
/// ``IdempotentOperation`` has none.
public enum UnknownPolicy<Output: Sendable>: Sendable {
    /// Run the handler again. Right if running twice does no harm: every effect is idempotent by itself, or goes to
    /// services that recognise ``IdempotencyContext/downstreamKey(_:)``.
    case reexecute
    /// Run nothing and throw ``IdempotencyOutcomeUnknown`` until someone finds out and calls
    /// ``IdempotentOperation/resolve(_:as:of:)``. Right for money without a way to ask.
    case park
    /// Ask the other side what happened, and go by its answer.
    ///
    /// The probe gets the execution in question. It changes nothing itself and may run several times
    /// and in several processes at once; the key is claimed only after it has decided, so a late owner is not shut
    /// out by a question. If it throws, the outcome stays unknown. It must not answer ``ProbeResult/notApplied`` while
    /// the earlier request can still be under way, so a lease has to be longer than that.
    case probe(@Sendable (UnknownExecution) async throws -> ProbeResult<Output>)
}

/// What a probe found out about an earlier execution.
public enum ProbeResult<Output: Sendable>: Sendable {
    /// It took effect, with this outcome: the outcome is stored and given as a replay.
    case applied(Output)
    /// It did not take effect and will not any more: the handler runs.
    case notApplied
    /// It cannot be told: nothing runs, ``IdempotencyOutcomeUnknown`` is thrown.
    case unknown
}

extension UnknownPolicy {
    var erased: IdempotencyEngine.Policy {
        switch self {
        case .reexecute: .reexecute
        case .park: .park
        case .probe(let probe):
            .probe { execution in
                switch try await probe(execution) {
                case .applied(let output): .applied(output)
                case .notApplied: .notApplied
                case .unknown: .unknown
                }
            }
        }
    }
}
