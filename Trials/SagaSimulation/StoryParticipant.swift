// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas

/// An error that says which call it ended.
struct CallFailed: Error, CustomStringConvertible {
    let call: Int
    let kind: SagaErrorKind?
    var description: String { "call \(call)" }
}

/// It took no effect, and says so.
struct CallRefused: NotApplied, CustomStringConvertible {
    let call: Int
    var description: String { "call \(call)" }
}

/// The caller's process is gone, or nobody knows of what it calls.
struct Unreachable: Error {}

/// The other sides of a definition's steps, as a process reaches them.
struct StoryParticipant: Sendable {
    let world: SagaWorld
    let link: ProcessLink

    private var bug: PlantedSagaBug.Participant { world.bug?.participant ?? .none }

    private func begin(_ step: StoryStep, _ context: SagaContext<StoryInput>) throws -> SagaModel.Call {
        let (act, now) = (Act.number, world.now)
        let key = bug == .changesKeys && context.attempt > 1 ? "\(context.key)/\(context.attempt)" : context.key
        let call = world.tell { model in
            model.begins(
                context.sagaID, step.name, context.direction, key: key, attempt: context.attempt, act: act, at: now)
        }
        guard link.isAlive, let call else { throw Unreachable() }
        return call
    }

    /// How a call ends, drawn.
    private enum Fate { case works, refuses, fails(isBefore: Bool, SagaErrorKind?) }

    private func fate(of step: StoryStep) -> Fate {
        if world.isCalm { return .works }
        if step.name == world.settings.refusing {
            return world.draw(4) == 0 ? .fails(isBefore: world.draw(2) == 0, .failed) : .refuses
        }
        guard world.draw(100) < Int(world.settings.failureChance) else { return .works }
        switch world.draw(8) {
        case 0, 1: return .refuses
        case 2: return .fails(isBefore: world.draw(2) == 0, .failed)
        default: return .fails(isBefore: world.draw(2) == 0, nil)
        }
    }

    private func fail(_ call: SagaModel.Call, _ error: any Error) -> any Error {
        let now = world.now
        world.tell { $0.failed(call, at: now, isDenied: error is CallRefused) }
        return error
    }

    /// The action of a step.
    func act(
        _ step: StoryStep, _ context: SagaContext<StoryInput>, _ earlier: [SagaStep<StoryInput, Int>]
    ) async throws -> Int {
        guard link.isAlive else { throw Unreachable() }
        let call = try begin(step, context)
        if !earlier.isEmpty {
            let seen = world.pick(earlier)
            let output = try? context.output(of: seen)
            world.tell { $0.saw(output, of: seen.name, context.sagaID, step.name) }
        }
        await world.turn(of: link.number)
        let fate = fate(of: step)
        switch fate {
        case .refuses: throw fail(call, CallRefused(call: call.number))
        case .fails(isBefore: true, let kind): throw fail(call, CallFailed(call: call.number, kind: kind))
        case .works, .fails: break
        }
        // Whoever was told to stop may have got it done all the same.
        if Task.isCancelled, !world.isCalm, world.draw(2) == 0 { throw fail(call, CancellationError()) }
        guard step.acts else {
            if case .fails(_, let kind) = fate { throw fail(call, CallFailed(call: call.number, kind: kind)) }
            return 7
        }
        guard let output = world.tell({ $0.takesEffect(call) }) else {
            throw fail(call, CallRefused(call: call.number))
        }
        await world.turn(of: link.number)
        if case .fails(_, let kind) = fate { throw fail(call, CallFailed(call: call.number, kind: kind)) }
        return bug == .changesOutputs ? call.number + 1 : output
    }

    /// What undoes it.
    func undo(_ step: StoryStep, _ context: SagaContext<StoryInput>, _ output: Int?) async throws {
        guard link.isAlive else { throw Unreachable() }
        let call = try begin(step, context)
        if output != nil { world.tell { $0.saw(output, of: step.name, context.sagaID, "the compensation") } }
        await world.turn(of: link.number)
        let fate = fate(of: step)
        switch fate {
        case .refuses, .fails(isBefore: true, _): throw fail(call, CallFailed(call: call.number, kind: nil))
        case .works, .fails: break
        }
        if bug != .undoesNothing { world.tell { $0.isUndone(call) } }
        await world.turn(of: link.number)
        if case .fails = fate { throw fail(call, CallFailed(call: call.number, kind: nil)) }
    }

    /// Its probe.
    func ask(_ step: StoryStep, _ context: SagaContext<StoryInput>) async throws -> SagaProbeAnswer<Int> {
        await world.turn(of: link.number)
        guard link.isAlive else { throw Unreachable() }
        switch fate(of: step) {
        case .refuses, .fails(isBefore: true, _): throw Unreachable()
        case .fails(isBefore: false, _): return .unknown
        case .works: break
        }
        if bug == .probesNothing { return .notApplied }
        let output = world.tell { $0.find(context.sagaID, step.name) }
        await world.turn(of: link.number)
        return output.map { .applied($0) } ?? .notApplied
    }
}
