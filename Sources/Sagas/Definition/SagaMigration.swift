// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Lets sagas that were started with one version of a definition go on under another, of which the older need not be
/// kept.
///
/// A saga goes over when a coordinator takes it up, at most ten times, and only where that cannot do harm:
///
/// - The steps that it is at, all of them and no others, are taken together in the new version too, under their names.
/// - Every step that took effect, or may have, and is not undone stands before them there.
/// - If they come after the new version's pivot, that pivot is one of the steps that took effect; if the saga goes
///   back, or is about to, they do not.
/// - What was called is no event or timer there, what may have taken effect no reading step, and what is to be undone
///   has a compensation. An event or a timer that is waited for is one of them there, too.
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

    /// How often a saga goes over, so that processes of which some migrate back do not fill its history.
    static let limit = 10

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
    ///   - called: Those of them that were called, and not merely waited for.
    init?(_ traits: SagaTraits, migrating position: SagaPosition, standing: Set<String>, called: Set<String>) {
        let names = Set(position.branches.map(\.name))
        guard !names.isEmpty,
            let stage = traits.stages.firstIndex(where: { Set(traits.steps[$0].map(\.name)) == names })
        else { return nil }
        let earlier = Set(traits.steps[..<traits.stages[stage].upperBound].map(\.name))
        guard standing.isSubset(of: earlier),
            !traits.steps.contains(where: { $0.kind.isWait && called.contains($0.name) && standing.contains($0.name) })
        else { return nil }
        if traits.isPastPivot(stage), let pivot = traits.steps.first(where: { $0.kind == .pivot }) {
            guard position.course == .forward, position.turningBack == nil, standing.contains(pivot.name)
            else { return nil }
        }
        var moved = position
        moved.stage = stage
        moved.branches = traits.steps[traits.stages[stage]].compactMap { step in
            position.branches.first { $0.name == step.name }
        }
        for (step, named) in zip(traits.steps[traits.stages[stage]], moved.branches) {
            guard named.branch.canBe(step.kind, goesBack: position.course != .forward) else { return nil }
        }
        self.init(traits, at: moved)
    }
}

extension SagaBranch {
    /// Whether a step of that kind can be where this one is.
    fileprivate func canBe(_ kind: SagaStepKind, goesBack: Bool) -> Bool {
        if goesBack { return activity == .done || kind == .compensatable }
        let wasCalled = attempts > 0 || hasFailed || mayHaveEffect || activity == .interrupted
        switch (activity, kind) {
        case (.listening, _): return kind == .event
        case (.waiting, _) where !wasCalled: return kind.isWait
        case (_, .event), (_, .timer): return !wasCalled
        case (_, .reading): return !mayHaveEffect && activity != .doubtful && activity != .asking
        case (_, .compensatable), (_, .pivot), (_, .retriable): return true
        }
    }
}
