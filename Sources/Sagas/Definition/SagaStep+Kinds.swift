// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaStep where Output: Codable {
    /// A step that gives something, and can be undone.
    ///
    /// - Parameters:
    ///   - name: Unique in its definition, and part of the step's key: a step that is renamed is another step.
    ///   - ifUnknown: What to do when the action may have taken effect.
    ///   - classify: What an error of the action says; `nil` leaves it to the definition's, and that to the rule: an
    ///     error that conforms to ``/ReliabilityCore/NotApplied`` took no effect, any other leaves the outcome unknown.
    ///     A step with more than one effect needs it, because a rejection of the second says nothing of the first.
    ///   - action: What the step does. It may be called several times, always with the same key. What it returns is
    ///     at most 65,536 bytes as JSON.
    ///   - compensation: What undoes it. It may be called several times, always with the same key, and it must cope
    ///     with an action that never took effect. The output is `nil` where it is not known.
    public init(
        _ name: String, ifUnknown: SagaUnknownRule<Input, Output>, classify: Classification? = nil,
        action: @escaping Action, compensation: @escaping Compensation
    ) {
        self.init(name, .compensatable, ifUnknown, .json, classify, action, compensation)
    }

    /// The point of no return, which gives something; see the other form.
    public static func pivot(
        _ name: String, ifUnknown: SagaUnknownRule<Input, Output>, classify: Classification? = nil,
        action: @escaping Action
    ) -> SagaStep { SagaStep(name, .pivot, ifUnknown, .json, classify, action) }

    /// A step after the pivot, which gives something; see the other form.
    public static func retriable(
        _ name: String, ifUnknown: SagaUnknownRule<Input, Output>, classify: Classification? = nil,
        action: @escaping Action
    ) -> SagaStep { SagaStep(name, .retriable, ifUnknown, .json, classify, action) }

    /// A step that only looks, and gives what it saw to later steps. It may be called several times.
    public static func reading(_ name: String, action: @escaping Action) -> SagaStep {
        SagaStep(name, .reading, .reexecute, .json, nil, action)
    }

    /// Waits for an event, which ``SagaCoordinator/signal(_:_:_:)`` brings; its payload is the step's output.
    ///
    /// An event that came before the saga waits for it counts.
    ///
    /// - Parameters:
    ///   - name: The event's name and the step's.
    ///   - type: What the event brings.
    ///   - wait: How long it is waited for before the saga goes back; by default without end. After the pivot only that.
    public static func event(_ name: String, _ type: Output.Type, within wait: Duration? = nil) -> SagaStep {
        checkWait(wait)
        return SagaStep(name, .event, .reexecute, .json, nil, nil, wait: wait)
    }
}

extension SagaStep where Output == Void {
    /// A step that can be undone; see the other form.
    public init(
        _ name: String, ifUnknown: SagaUnknownRule<Input, Void>, classify: Classification? = nil,
        action: @escaping Action, compensation: @escaping @Sendable (SagaContext<Input>) async throws -> Void
    ) {
        self.init(name, .compensatable, ifUnknown, .nothing, classify, action) { context, _ in
            try await compensation(context)
        }
    }

    /// The point of no return: when it has taken effect, the saga only goes forward. A definition has at most one, and
    /// it has no compensation.
    ///
    /// If it took no effect the saga goes back: it is classified as ``SagaErrorKind/refused``, a probe says so, or its
    /// only call failed with an error that conforms to ``/ReliabilityCore/NotApplied``. Where nobody knows, also because the
    /// process ended in an earlier call, it neither goes back nor on: the pivot is called again or probed, or the saga is
    /// stuck.
    public static func pivot(
        _ name: String, ifUnknown: SagaUnknownRule<Input, Void>, classify: Classification? = nil,
        action: @escaping Action
    ) -> SagaStep { SagaStep(name, .pivot, ifUnknown, .nothing, classify, action) }

    /// A step after the pivot: whatever it fails with, it is called again. Where its policy ends, the saga is stuck.
    public static func retriable(
        _ name: String, ifUnknown: SagaUnknownRule<Input, Void>, classify: Classification? = nil,
        action: @escaping Action
    ) -> SagaStep { SagaStep(name, .retriable, ifUnknown, .nothing, classify, action) }

    /// A step that only looks, and lets the saga go on or throws. It may be called several times.
    public static func reading(_ name: String, action: @escaping Action) -> SagaStep {
        SagaStep(name, .reading, .reexecute, .nothing, nil, action)
    }

    /// Waits for an event that brings nothing; see the other form.
    public static func event(_ name: String, within wait: Duration? = nil) -> SagaStep {
        checkWait(wait)
        return SagaStep(name, .event, .reexecute, .nothing, nil, nil, wait: wait)
    }

    /// Waits for some time, of which the store keeps the end.
    public static func timer(_ name: String, _ wait: Duration) -> SagaStep {
        checkWait(wait)
        return SagaStep(name, .timer, .reexecute, .nothing, nil, nil, wait: wait)
    }
}

extension SagaStep {
    private static func checkWait(_ wait: Duration?) {
        if let wait { precondition(wait > .zero, "A saga waits for longer than zero, not \(wait)") }
    }
}
