// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Lets sagas that were started with one version of a definition go on under another, of which the older need not be
/// kept.
///
/// A saga goes over when a coordinator takes it up, and only where that cannot do harm:
///
/// - The steps that it is at, all of them and no others, are taken together in the new version too, under their names.
/// - Every step that took effect, or may have, and is not undone stands before them there.
/// - If they come after the new version's pivot, that pivot is one of the steps that took effect; if the saga goes
///   back, they do not.
///
/// A saga for which that does not hold stays blocked. Steps that the new version has before the saga's place are never
/// called; if it goes back, their compensations are, which cope with actions that never took effect.
public struct SagaMigration: Hashable, Sendable {
    /// The name of the definition.
    public let definition: String
    /// The version that sagas were started with.
    public let from: Int
    /// The version under which they go on.
    public let to: Int

    /// A migration between two versions of a definition.
    public init(_ definition: String, from: Int, to: Int) {
        precondition(
            from != to, "A migration of \(definition) leads from one version to another, not from \(from) to it")
        self.definition = definition
        self.from = from
        self.to = to
    }
}

extension SagaState {
    /// A saga of another definition in its place in this one; `nil` if it has none.
    ///
    /// - Parameters:
    ///   - traits: The definition under which it is to go on.
    ///   - position: Where it stands.
    ///   - standing: The steps that took effect, or may have, and are not undone.
    init?(_ traits: SagaTraits, migrating position: SagaPosition, standing: Set<String>) {
        let names = Set(position.branches.map(\.name))
        guard !names.isEmpty,
            let stage = traits.stages.firstIndex(where: { Set(traits.steps[$0].map(\.name)) == names })
        else { return nil }
        let earlier = Set(traits.steps[..<traits.stages[stage].upperBound].map(\.name))
        guard standing.isSubset(of: earlier) else { return nil }
        if traits.isPastPivot(stage), let pivot = traits.steps.first(where: { $0.kind == .pivot }) {
            guard position.course == .forward, standing.contains(pivot.name) else { return nil }
        }
        var moved = position
        moved.stage = stage
        moved.branches = traits.steps[traits.stages[stage]].compactMap { step in
            position.branches.first { $0.name == step.name }
        }
        for (step, named) in zip(traits.steps[traits.stages[stage]], moved.branches) {
            if named.branch.activity == .listening, step.kind != .event { return nil }
        }
        self.init(traits, at: moved)
    }
}
