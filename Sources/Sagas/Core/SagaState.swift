// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The decisions of a saga: which actions, probes and compensations come next.
///
/// It knows no store, clock or task. It is told what has ended and what people ask for, each changes
/// what it is about, and `proceed` then says what comes next. The state is made durable before an action or a
/// compensation runs, so that what is found after a crash tells what may have happened.
struct SagaState: Hashable, Sendable {
    /// Which way the saga goes, or how it ended.
    enum Course: Hashable, Sendable {
        /// Its steps are taken.
        case forward
        /// Its steps are undone, because of that.
        case backward(SagaFailure)
        /// Every step took effect.
        case completed
        /// Everything that took effect is undone.
        case compensated(SagaFailure)
    }

    let traits: SagaTraits
    var course = Course.forward
    /// The present stage. Going forward, all before it took effect and none after it has begun; going back, all after
    /// it are undone.
    var stage = 0
    /// The steps of the present stage.
    var branches: [SagaBranch]
    /// Why the saga is to go back as soon as nothing of the present stage is open; only while it goes forward.
    var turningBack: SagaFailure?
    /// Events that have come.
    var received: Set<String> = []

    /// A saga of which nothing has begun.
    init(_ traits: SagaTraits) {
        self.traits = traits
        branches = traits.stages[0].map { _ in SagaBranch() }
    }

    /// Something to do.
    enum Command: Hashable, Sendable {
        /// Call the step's action.
        case perform(step: Int, attempt: Int)
        /// Ask the step's probe.
        case ask(step: Int, attempt: Int)
        /// Call the step's compensation.
        case compensate(step: Int, attempt: Int)
    }

    /// What a saga rests in when nothing of it is in flight.
    enum Rest: Hashable, Sendable {
        /// It goes on at once.
        case ready
        /// It goes on by itself then, or when an event comes; `nil` if only when an event comes.
        case waiting(until: Timestamp?)
        /// It does not go on by itself.
        case stuck(SagaStuck)
        /// It is over.
        case ended(SagaResult)
    }

    /// Whether it is over.
    var hasEnded: Bool {
        switch course {
        case .forward, .backward: false
        case .completed, .compensated: true
        }
    }

    /// Whether it can still go back.
    var canGoBack: Bool { course == .forward && !traits.isPastPivot(stage) }

    /// The index of a step within the present stage, if it belongs to it.
    func branch(of step: Int) -> Int? {
        let range = traits.stages[stage]
        return range.contains(step) ? step - range.lowerBound : nil
    }

    func step(of branch: Int) -> Int { traits.stages[stage].lowerBound + branch }

    func traits(of branch: Int) -> SagaStepTraits { traits.steps[step(of: branch)] }

    func rest(deadline: Timestamp?) -> Rest {
        switch course {
        case .forward, .backward: break
        case .completed: return .ended(.completed)
        case .compensated(let cause): return .ended(.compensated(cause))
        }
        if let stuck = position.stuck { return .stuck(stuck) }
        let isReady = branches.contains { branch in
            switch branch.activity {
            case .idle, .calling, .interrupted, .doubtful, .asking: true
            case .waiting, .listening, .askingAgain, .parked, .done, .failed, .notApplied: false
            }
        }
        if isReady || branches.allSatisfy(\.hasEnded) { return .ready }
        let times = branches.map(\.wakesAt) + [canGoBack && turningBack == nil ? deadline : nil]
        return .waiting(until: times.compactMap(\.self).min())
    }
}
