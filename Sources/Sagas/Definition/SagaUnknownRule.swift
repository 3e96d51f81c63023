// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What to do when a step's action may or may not have taken effect.
///
/// That is so after a crash, a lost lease or our own cancellation in the middle of the action, and after an error that
/// does not say. There is no default: only you know what your step can bear.
public enum SagaUnknownRule<Input: Codable & Sendable, Output: Sendable>: Sendable {
    /// Call the action again with the same key, after an interruption always and after an error as often as the step's
    /// policy says; if that ends, a step before the pivot is compensated.
    ///
    /// Right when the other side remembers the key, and when the compensation copes with "never happened".
    case reexecute
    /// Ask the other side, before the action is called again and before anything else is decided.
    ///
    /// It is asked again, after a delay, if the question itself fails.
    case probe(@Sendable (SagaContext<Input>) async throws -> SagaProbeAnswer<Output>)
    /// Do nothing: the saga is stuck, and somebody has to look.
    case park
}

/// What a probe found out about a step that may have taken effect.
public enum SagaProbeAnswer<Output: Sendable>: Sendable {
    /// It took effect, and gave that: the saga goes on.
    case applied(Output)
    /// It took no effect and never will.
    case notApplied
    /// It cannot be told: the saga is stuck.
    case unknown
}

extension SagaProbeAnswer where Output == Void {
    /// It took effect: the saga goes on.
    public static var applied: SagaProbeAnswer { .applied(()) }
}
