// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// One step of a definition, or several that are taken together.
public struct SagaStage<Input: Codable & Sendable>: Sendable {
    let steps: [SagaPart<Input>]
}

/// Steps that are taken at the same time.
///
/// ```swift
/// SagaParallel {
///     hotel
///     car
/// }
/// ```
///
/// When one of them fails, calls of the others that are under way are waited for; then all that took effect, or may
/// have, are undone at the same time, and the saga goes back. Steps of a group do not see each other's outputs.
public struct SagaParallel<Input: Codable & Sendable>: Sendable {
    let stages: [SagaStage<Input>]

    /// A group of 1 to 100 steps, none of them a pivot.
    public init(@SagaBuilder<Input> steps: () -> [SagaStage<Input>]) { stages = steps() }
}

/// Builds the steps of a ``SagaDefinition`` from its closure.
@resultBuilder
public enum SagaBuilder<Input: Codable & Sendable> {
    /// Takes a step.
    public static func buildExpression<Output>(_ step: SagaStep<Input, Output>) -> [SagaStage<Input>] {
        [SagaStage(steps: [SagaPart(step)])]
    }
    /// Takes a group.
    public static func buildExpression(_ group: SagaParallel<Input>) -> [SagaStage<Input>] {
        [SagaStage(steps: group.stages.flatMap(\.steps))]
    }
    /// Puts the steps in order.
    public static func buildBlock(_ stages: [SagaStage<Input>]...) -> [SagaStage<Input>] { stages.flatMap { $0 } }
}

/// A step without the type of its output.
struct SagaPart<Input: Codable & Sendable>: Sendable {
    let traits: SagaStepTraits
    let bind: @Sendable (Input, (@Sendable (any Error) -> SagaErrorKind?)?) -> BoundSagaStep

    init<Output>(_ step: SagaStep<Input, Output>) {
        traits = step.traits
        bind = { input, classify in step.bound(to: input, classify: classify) }
    }
}

extension SagaTraits {
    /// Why steps in that order cannot work; `nil` if they can.
    static func objection(to stages: [[SagaStepTraits]]) -> String? {
        let steps = stages.flatMap { $0 }
        guard (1...100).contains(steps.count) else { return "a definition has 1 to 100 steps, not \(steps.count)" }
        var names: Set<String> = []
        for step in steps where !names.insert(step.name).inserted {
            return "the steps of a definition have unique names; two are \"\(step.name)\""
        }
        var pivot: String?
        for stage in stages {
            if stage.isEmpty { return "a group has at least one step" }
            for step in stage {
                switch (step.kind, pivot) {
                case (.pivot, let earlier?):
                    return "a definition has one pivot; \"\(earlier)\" and \"\(step.name)\" are two"
                case (.pivot, nil) where stage.count > 1:
                    return "the pivot \"\(step.name)\" cannot be one of a group: the others could fail after it"
                case (.compensatable, let pivot?):
                    return "\"\(step.name)\" comes after the pivot \"\(pivot)\", where nothing is undone any more"
                case (.retriable, nil):
                    return "\"\(step.name)\" cannot be undone, so it has to come after a pivot"
                case (.event, let pivot?) where step.wait != nil:
                    return "the event \"\(step.name)\" comes after the pivot \"\(pivot)\", so it cannot be late"
                default:
                    break
                }
            }
            pivot = pivot ?? stage.first { $0.kind == .pivot }?.name
        }
        return nil
    }
}
