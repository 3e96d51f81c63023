// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Sagas

/// A step as it was drawn for a story.
struct StoryStep: Hashable, Sendable {
    enum Rule: Hashable, Sendable { case reexecute, probe, park }

    let name: String
    let kind: SagaStepKind
    var rule = Rule.reexecute
    /// Whether the other side serves a key once, however often it is asked.
    var remembersKeys = true
    /// How often the action is called, if the step says so.
    var attempts: Int?
    var delay = Duration.seconds(5)
    /// How often the compensation and the probe are called, if the step says so.
    var undoAttempts: Int?
    var undoDelay = Duration.seconds(5)
    var attemptLimit: Duration?
    var limit: Duration?
    /// Of a timer how long it waits, of an event how long it is waited for.
    var wait: Duration?

    var acts: Bool { kind == .compensatable || kind == .pivot || kind == .retriable }
}

/// A definition as it was drawn for a story.
struct StoryDefinition: Hashable, Sendable {
    let name: String
    var deadline: Duration?
    var stages: [[StoryStep]] = []

    var steps: [StoryStep] { stages.flatMap { $0 } }
    var pivot: Int? { stages.firstIndex { $0[0].kind == .pivot } }
    func stage(of step: String) -> Int { stages.firstIndex { $0.contains { $0.name == step } } ?? 0 }
    func step(_ name: String) -> StoryStep? { steps.first { $0.name == name } }

    /// Whether a saga may go back from that stage.
    func canGoBack(from stage: Int) -> Bool { pivot.map { stage <= $0 } ?? true }
}

extension StoryDefinition {
    /// A definition of 1 to 8 stages.
    init(_ name: String, _ random: RandomSource, features: Set<SagaStory.Feature>) {
        func draw(_ count: Int64) -> Int { Int(random.draw(upTo: count - 1)) }
        self.name = name
        if features.contains(.deadlines), draw(3) == 0 { deadline = .seconds([30, 100, 400][draw(3)]) }
        let count = 1 + draw(8)
        let pivot = draw(4) == 0 ? count : draw(Int64(count))
        var number = 0
        for stage in 0..<count {
            let isGroup = features.contains(.groups) && stage != pivot && draw(4) == 0
            stages.append(
                (0...(isGroup ? 1 + draw(2) : 0)).map { _ in
                    number += 1
                    return StoryStep("s\(number)", random, stage: stage, pivot: pivot, features)
                })
        }
    }
}

extension StoryStep {
    fileprivate init(
        _ name: String, _ random: RandomSource, stage: Int, pivot: Int, _ features: Set<SagaStory.Feature>
    ) {
        func draw(_ count: Int64) -> Int { Int(random.draw(upTo: count - 1)) }
        let acting: SagaStepKind = stage < pivot ? .compensatable : stage == pivot ? .pivot : .retriable
        let kind: SagaStepKind =
            switch stage == pivot ? 99 : draw(100) {
            case 0..<10: .reading
            case 10..<20 where features.contains(.waits): .event
            case 20..<27 where features.contains(.waits): .timer
            default: acting
            }
        self.init(name: name, kind: kind)
        switch kind {
        case .timer: wait = .seconds([1, 20, 90][draw(3)])
        case .event: if stage < pivot, draw(2) == 0 { wait = .seconds([10, 60][draw(2)]) }
        case .compensatable, .pivot, .retriable:
            if features.contains(.rules) { rule = [.reexecute, .reexecute, .probe, .park][draw(4)] }
            remembersKeys = rule != .probe || draw(2) == 0
        case .reading: break
        }
        guard features.contains(.policies) else { return }
        if draw(2) == 0 { attempts = 1 + draw(3) }
        delay = .seconds([0, 5, 40][draw(3)])
        if draw(3) == 0 { undoAttempts = 1 + draw(3) }
        undoDelay = .seconds([undoAttempts == nil ? 1 : 0, 5, 40][draw(3)])
        if draw(6) == 0 { attemptLimit = .seconds(15) }
        if draw(8) == 0 { limit = .seconds(60) }
    }
}

extension StoryDefinition {
    /// The definition as a process is given it.
    func make(_ participant: StoryParticipant) -> SagaDefinition<StoryInput> {
        var earlier: [SagaStep<StoryInput, Int>] = []
        let stages = stages.flatMap { stage -> [SagaStage<StoryInput>] in
            let seen = earlier
            let parts = stage.flatMap { step -> [SagaStage<StoryInput>] in
                guard step.kind != .timer else {
                    return SagaBuilder.buildExpression(
                        SagaStep<StoryInput, Void>.timer(step.name, step.wait ?? .seconds(1)))
                }
                let made = step.make(participant, seen)
                earlier.append(made)
                return SagaBuilder.buildExpression(made)
            }
            return parts.count == 1 ? parts : SagaBuilder.buildExpression(SagaParallel { return parts })
        }
        return SagaDefinition(name, version: 1, deadline: deadline, classify: { ($0 as? CallFailed)?.kind }) {
            return stages
        }
    }
}

extension StoryStep {
    /// The step of an event, to bring it.
    var event: SagaStep<StoryInput, Int> { .event(name, Int.self, within: wait) }

    fileprivate func make(
        _ participant: StoryParticipant, _ earlier: [SagaStep<StoryInput, Int>]
    ) -> SagaStep<StoryInput, Int> {
        let rule: SagaUnknownRule<StoryInput, Int> =
            switch rule {
            case .reexecute: .reexecute
            case .probe: .probe { try await participant.ask(self, $0) }
            case .park: .park
            }
        let action: SagaStep<StoryInput, Int>.Action = { try await participant.act(self, $0, earlier) }
        let bare: SagaStep<StoryInput, Int> =
            switch kind {
            case .compensatable:
                SagaStep(name, ifUnknown: rule, action: action) { try await participant.undo(self, $0, $1) }
            case .pivot: .pivot(name, ifUnknown: rule, action: action)
            case .retriable: .retriable(name, ifUnknown: rule, action: action)
            case .reading: .reading(name, action: action)
            case .event, .timer: event
            }
        var step = bare
        if let attempts { step = step.retry(.attempts(attempts, backoff: .constant(delay))) }
        step = step.retryCompensation(
            undoAttempts.map { .attempts($0, backoff: .constant(undoDelay)) }
                ?? .unlimited(backoff: .constant(undoDelay)))
        return step.timeLimit(perAttempt: attemptLimit, inAll: limit)
    }
}
