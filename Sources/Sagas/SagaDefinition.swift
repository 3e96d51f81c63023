// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What a saga does: named steps in order, each with what undoes it.
///
/// ```swift
/// let checkout = SagaDefinition<Order>("checkout", version: 1) {
///     SagaStep("reserve", ifUnknown: .reexecute) { context in
///         try await stock.reserve(context.input.items, key: context.key)
///     } compensation: { context in
///         try await stock.release(context.forwardKey, key: context.key)
///     }
///     SagaStep("charge", ifUnknown: .park) { context in
///         try await payments.charge(context.input.amount, key: context.key)
///     } compensation: { context in
///         try await payments.refund(context.forwardKey, key: context.key)
///     }
///     SagaStep("ship", ifUnknown: .reexecute) { context in
///         try await shipping.order(context.input.address, key: context.key)
///     } compensation: { context in
///         try await shipping.cancel(context.forwardKey, key: context.key)
///     }
/// }
/// ```
///
/// A definition is a value. A saga keeps the name, the version and the names of the steps that it was started with,
/// and goes on only under a definition that has all of them: give a definition whose steps changed a new version, and
/// keep the old one until its last saga is finished.
///
/// The input is stored as JSON with sorted keys, once, and is the same for every coordinator that takes the saga up.
public struct SagaDefinition<Input: Codable & Sendable>: Sendable {
    /// Bytes of JSON that an input can have. It travels with every transition: what is large belongs elsewhere, with a
    /// reference in the input.
    public static var maximumInput: Int { 65_536 }

    /// The name, the version and the steps' names.
    public let shape: SagaShape
    let steps: [SagaStep<Input>]
    let classify: (@Sendable (any Error) -> SagaErrorKind?)?

    /// A definition whose steps are listed in a closure.
    ///
    /// - Parameters:
    ///   - name: 1 to 64 bytes.
    ///   - version: At least 1; another one for every change of the steps.
    ///   - classify: What an error of an action says where the step's own classification does not say; `nil` leaves it
    ///     to the rule: an error that conforms to ``/ReliabilityCore/NotApplied`` took no effect, any other leaves the
    ///     outcome unknown.
    ///   - steps: 1 to 100 steps with unique names.
    public init(
        _ name: String, version: Int, classify: (@Sendable (any Error) -> SagaErrorKind?)? = nil,
        @SagaBuilder<Input> steps: () -> [SagaStep<Input>]
    ) {
        self.init(name, version: version, classify: classify, steps: steps())
    }

    /// A definition whose steps are in an array; see the other initialiser.
    public init(
        _ name: String, version: Int, classify: (@Sendable (any Error) -> SagaErrorKind?)? = nil,
        steps: [SagaStep<Input>]
    ) {
        precondition((1...64).contains(name.utf8.count), "A definition's name is 1 to 64 bytes, not \"\(name)\"")
        precondition(version >= 1, "A definition's version is at least 1, not \(version)")
        precondition((1...100).contains(steps.count), "A definition has 1 to 100 steps, not \(steps.count)")
        let names = steps.map(\.name)
        for (index, name) in names.enumerated() {
            precondition(
                !names[..<index].contains(name), "The steps of a definition have unique names; two are \"\(name)\"")
        }
        shape = SagaShape(name: name, version: version, steps: names)
        self.steps = steps
        self.classify = classify
    }

    func encode(_ input: Input) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(input))
    }

    func decode(_ bytes: [UInt8]) throws -> Input {
        try JSONDecoder().decode(Input.self, from: Data(bytes))
    }

    /// Whether stored bytes stand for this input: the same bytes, or an equal value where values can be compared.
    func isSame(_ input: Input, encoded: [UInt8], as stored: [UInt8]) -> Bool {
        if encoded == stored { return true }
        guard let input = input as? any Equatable, let stored = try? decode(stored) else { return false }
        return input.isEqual(to: stored)
    }
}

extension Equatable {
    fileprivate func isEqual(to other: Any) -> Bool { (other as? Self) == self }
}

/// Builds the steps of a ``SagaDefinition`` from its closure.
@resultBuilder
public enum SagaBuilder<Input: Codable & Sendable> {
    /// Takes a step.
    public static func buildExpression(_ step: SagaStep<Input>) -> SagaStep<Input> { step }
    /// Puts the steps in order.
    public static func buildBlock(_ steps: SagaStep<Input>...) -> [SagaStep<Input>] { steps }
}
