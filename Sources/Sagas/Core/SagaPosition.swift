// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Where a saga stands, without its definition: what is kept of a ``SagaState``.
struct SagaPosition: Hashable, Sendable {
    var course: SagaState.Course
    var stage: Int
    /// The steps of the present stage and where each stands.
    var branches: [Named]
    var turningBack: SagaFailure?
    var received: Set<String>

    /// A step of the present stage.
    struct Named: Hashable, Sendable {
        var name: String
        var branch: SagaBranch
    }

    /// The label of the header record.
    var label: SagaStatus.State {
        switch course {
        case .completed: .completed
        case .compensated: .compensated
        case .forward where isStuck, .backward where isStuck: .stuck
        case .forward: .running
        case .backward: .compensating
        }
    }

    private var isStuck: Bool { stuck != nil }

    /// What the saga is stuck in: a step is parked, and no other goes on by itself.
    var stuck: SagaStuck? {
        guard let parked = branches.first(where: { $0.branch.isParked }),
            case .parked(let reason) = parked.branch.activity, !branches.contains(where: \.branch.goesOn)
        else { return nil }
        let cause: SagaFailure? = if case .backward(let cause) = course { cause } else { turningBack }
        return SagaStuck(
            reason: reason, step: parked.name, failure: cause ?? parked.branch.firstFailure,
            lastError: reason == .probeFailed ? parked.branch.askFailure : parked.branch.lastFailure)
    }
}

extension SagaState {
    var position: SagaPosition {
        SagaPosition(
            course: course, stage: stage,
            branches: branches.indices.map { SagaPosition.Named(name: traits(of: $0).name, branch: branches[$0]) },
            turningBack: turningBack, received: received)
    }

    /// A saga that stands there; `nil` if the definition has no such place.
    init?(_ traits: SagaTraits, at position: SagaPosition) {
        self.init(traits)
        guard traits.stages.indices.contains(position.stage) else { return nil }
        course = position.course
        stage = position.stage
        turningBack = position.turningBack
        received = position.received
        branches = position.branches.map(\.branch)
        guard hasEnded || position.branches.map(\.name) == traits.steps[traits.stages[stage]].map(\.name) else {
            return nil
        }
    }
}
