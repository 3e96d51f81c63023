// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What to do when a step's action may or may not have taken effect.
///
/// That is so after a crash, a lost lease or our own cancellation in the middle of the action, and after an error that
/// does not say. There is no default: only you know what your step can bear.
public enum SagaUnknownRule<Input: Codable & Sendable>: Sendable {
    /// Call the action again with the same key after an interruption; after an error, compensate the step as well.
    ///
    /// Right when the other side remembers the key, and when the compensation copes with "never happened". A step that
    /// has no compensation is left as it is: if it may have taken effect, give it one, or ask with a probe.
    case reexecute
    /// Ask the other side. It is asked again, after a delay, if the question itself fails.
    case probe(@Sendable (SagaContext<Input>) async throws -> SagaProbeAnswer)
    /// Do nothing: the saga is stuck, and somebody has to look.
    case park
}

/// A step of a saga: an action, and what undoes it.
///
/// ```swift
/// SagaStep("charge", ifUnknown: .probe { try await payments.find($0.key) }) { context in
///     try await payments.charge(context.input.amount, key: context.key)
/// } compensation: { context in
///     try await payments.refund(charge: context.forwardKey, key: context.key)
/// }
/// ```
///
/// An action that throws ended the saga's way forward: wrap what deserves more tries in a `Retry` of its own. What it
/// throws says how far back the saga goes: ``/ReliabilityCore/NotApplied`` errors leave this step out, others
/// compensate it too or ask `ifUnknown`.
public struct SagaStep<Input: Codable & Sendable>: Sendable {
    /// An action or a compensation.
    public typealias Action = @Sendable (SagaContext<Input>) async throws -> Void

    /// The step's name, unique in its definition: 1 to 64 bytes of printable ASCII without space and slash.
    public let name: String
    let ifUnknown: SagaUnknownRule<Input>
    let classify: (@Sendable (any Error) -> SagaErrorKind?)?
    let action: Action
    let compensation: Action?

    /// A step with something to undo.
    ///
    /// - Parameters:
    ///   - name: Unique in its definition, and part of the step's key: a step that is renamed is another step.
    ///   - ifUnknown: What to do when the action may have taken effect.
    ///   - classify: What an error of the action says; `nil` leaves it to the definition's, and that to the rule: an
    ///     error that conforms to ``/ReliabilityCore/NotApplied`` took no effect, any other leaves the outcome unknown.
    ///     A step with more than one effect needs it, because a rejection of the second says nothing of the first.
    ///   - action: What the step does. It may be called several times, always with the same key.
    ///   - compensation: What undoes it. It may be called several times, always with the same key, and it must cope
    ///     with an action that never took effect.
    public init(
        _ name: String, ifUnknown: SagaUnknownRule<Input>, classify: (@Sendable (any Error) -> SagaErrorKind?)? = nil,
        action: @escaping Action, compensation: @escaping Action
    ) {
        self.init(name, ifUnknown, classify, action, compensation)
    }

    /// A step with nothing to undo, such as one that only looks, or the last one.
    public init(
        _ name: String, ifUnknown: SagaUnknownRule<Input>, classify: (@Sendable (any Error) -> SagaErrorKind?)? = nil,
        action: @escaping Action
    ) {
        self.init(name, ifUnknown, classify, action, nil)
    }

    private init(
        _ name: String, _ ifUnknown: SagaUnknownRule<Input>, _ classify: (@Sendable (any Error) -> SagaErrorKind?)?,
        _ action: @escaping Action, _ compensation: Action?
    ) {
        precondition(
            (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x2F },
            "A step's name is 1 to 64 bytes of printable ASCII without space and slash, not \"\(name)\"")
        self.name = name
        self.ifUnknown = ifUnknown
        self.classify = classify
        self.action = action
        self.compensation = compensation
    }

    var traits: SagaStepTraits {
        let rule: SagaStepTraits.IfUnknown =
            switch ifUnknown {
            case .reexecute: .reexecute
            case .probe: .probe
            case .park: .park
            }
        return SagaStepTraits(name: name, ifUnknown: rule, isCompensable: compensation != nil)
    }
}
