// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a saga does: steps in order, each with what undoes it.
///
/// ```swift
/// let checkout = SagaDefinition<Order>("checkout", version: 1) {
///     SagaStep("reserve", ifUnknown: .reexecute) { context in
///         try await stock.reserve(context.input.items, key: context.key)
///     } compensation: { context in
///         try await stock.release(context.forwardKey, key: context.key)
///     }
///     SagaStep.pivot("charge", ifUnknown: .reexecute) { context in
///         try await payments.charge(context.input.amount, key: context.key)
///     }
///     SagaStep.retriable("ship", ifUnknown: .reexecute) { context in
///         try await shipping.order(context.input.address, key: context.key)
///     }
/// }
/// ```
///
/// A definition is a value. Steps that can be undone come first, then at most one pivot, then steps that are called until
/// they succeed; steps that only look, events and timers stand anywhere. An order that cannot work is refused.
///
/// A saga keeps the name, the version and the hash of the definition that it was started with, and goes on only under
/// a definition that has all of them: give a definition whose steps changed a new version, and keep the old one until
/// its last saga is finished. Policies, time limits and what the closures do are not part of the hash.
///
/// The input is stored as JSON with sorted keys, once, and is the same for every coordinator that takes the saga up.
public struct SagaDefinition<Input: Codable & Sendable>: Sendable {
    /// Bytes of JSON that an input or an output can have: what is large belongs elsewhere, with a reference in it.
    public static var maximumValue: Int { 65_536 }

    /// The name, the version and the hash of the steps.
    public let shape: SagaShape
    /// How long after its start a saga goes back unless it is past its pivot; `nil` without end.
    public let deadline: Duration?
    private(set) var plan: SagaPlan
    let coding = SagaCoding<Input>.json

    /// A definition whose steps are listed in a closure.
    ///
    /// - Parameters:
    ///   - name: 1 to 64 bytes.
    ///   - version: At least 1; another one for every change of the steps' names, kinds, order or groups.
    ///   - deadline: How long after its start a saga goes back, also if nobody drove it meanwhile; a call that is
    ///     under way then is cancelled. Past the pivot it changes nothing, and neither does it for a saga that is stuck or
    ///     a probe that is being asked. By default there is none.
    ///   - classify: What an error of an action says where the step's own classification does not say; `nil` leaves it
    ///     to the rule: an error that conforms to ``/ReliabilityCore/NotApplied`` took no effect, any other leaves the
    ///     outcome unknown.
    ///   - steps: 1 to 100 steps with unique names, in an order that can work.
    public init(
        _ name: String, version: Int, deadline: Duration? = nil,
        classify: (@Sendable (any Error) -> SagaErrorKind?)? = nil,
        @SagaBuilder<Input> steps: () -> [SagaStage<Input>]
    ) {
        precondition((1...64).contains(name.utf8.count), "A definition's name is 1 to 64 bytes, not \"\(name)\"")
        precondition(
            (1...Int(Int32.max)).contains(version), "A definition's version is at least 1, not \(version)")
        if let deadline { precondition(deadline > .zero, "A deadline is longer than zero, not \(deadline)") }
        let stages = steps()
        let traits = stages.map { $0.steps.map(\.traits) }
        if let objection = SagaTraits.objection(to: traits) { preconditionFailure("\(name) v\(version): \(objection)") }
        shape = SagaShape(name: name, version: version, stages: traits)
        self.deadline = deadline
        let coding = coding
        let bindings = stages.flatMap(\.steps).map(\.bind)
        plan = SagaPlan(shape: shape, traits: SagaTraits(stages: traits), deadline: deadline) { bytes in
            let input = try coding.decode(bytes)
            return bindings.map { $0(input, classify) }
        }
    }

    /// This definition with something around every call of its closures, for tests of sagas.
    ///
    /// - Parameter interposer: Is given which call it is and the call itself.
    package func interposing(_ interposer: @escaping SagaInterposer) -> SagaDefinition {
        var interposed = self
        interposed.plan = plan.interposing(interposer)
        return interposed
    }

    /// Whether a step of that name has something to call in that direction, for tests of sagas.
    package func calls(_ step: String, _ direction: SagaDirection) -> Bool {
        plan.traits.steps.contains { traits in
            traits.name == step && (direction == .forward ? !traits.kind.isWait : traits.kind == .compensatable)
        }
    }

    /// Whether stored bytes stand for this input: the same bytes, or an equal value where values can be compared.
    func isSame(_ input: Input, encoded: [UInt8], as stored: [UInt8]) -> Bool {
        if encoded == stored { return true }
        guard let input = input as? any Equatable, let stored = try? coding.decode(stored) else { return false }
        return input.isEqual(to: stored)
    }
}

extension Equatable {
    fileprivate func isEqual(to other: Any) -> Bool { (other as? Self) == self }
}
