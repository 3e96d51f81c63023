// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas

/// What happens next.
extension SagaStory {
    /// One thing happens, drawn at random.
    mutating func act() {
        replaceTheDead()
        let process = pick(processes)
        // First there is something to be about.
        switch actCount < settings.sagas ? 0 : draw(100) {
        case 0..<8: startSaga(process)
        case 8..<40:
            let limit = 1 + draw(4)
            start(process) { await process.recover(limit: limit) }
        case 40..<46 where has(.runs): start(process) { await process.run() }
        case 46..<52: if !settings.isPunctual { for _ in 0...draw(8) { executor.step() } }
        case 52..<70: pass(pick([1, 5, 10, 20, 31, 40, 100].map { Duration.seconds($0) }))
        case 70..<74: world.openGate()
        case 74..<79: die(process)
        case 79..<82: pause(process)
        case 82..<86: stop(process)
        default: send(process)
        }
        // With nobody to stop them, those who are asked have answered before the next thing happens, mostly.
        if settings.isPunctual || draw(3) != 0 { runUntilIdle() }
    }

    private mutating func startSaga(_ process: SagaProcess) {
        let number = draw(settings.sagas)
        // Now and then somebody means something else by the same name.
        let definition = draw(10) == 0 ? 1 : number % 2
        let input = draw(10) == 0 ? 1 : 0
        let isFirst = world.tell { $0.sagas["g\(number)"] == nil }
        start(process) { await process.start("g\(number)", definition: definition, number: isFirst ? 0 : input) }
    }

    func pass(_ duration: Duration) {
        world.tell { $0.note("\(duration) pass") }
        world.clock.advance(by: duration)
    }

    private func die(_ process: SagaProcess) {
        guard has(.deaths) else { return }
        if draw(4) == 0 {
            world.tell { $0.note("process \(process.link.number) dies") }
            process.link.end()
        } else {
            process.link.die(afterCommits: 1 + draw(6), applies: draw(2) == 0)
        }
    }

    private func pause(_ process: SagaProcess) {
        guard has(.pauses), !settings.isPunctual else { return }
        if world.isAnyonePaused {
            for process in processes { world.resume(process.link.number) }
        } else {
            world.tell { $0.note("process \(process.link.number) is paused") }
            world.pause(process.link.number)
        }
    }

    private mutating func stop(_ process: SagaProcess) {
        guard has(.cancellations) else { return }
        if draw(3) == 0 {
            process.coordinator.shutDown()
            // What was told to stop takes nothing up any more; another comes in its place.
            processes.removeAll { $0 === process }
        } else if let opened = open.last(where: { $0.process == process.link.number && $0.pending.value == nil }) {
            world.tell { $0.note("an act of process \(process.link.number) is cancelled") }
            opened.pending.cancel()
        }
    }

    private mutating func send(_ process: SagaProcess) {
        let sagas = world.tell { $0.sagas.keys.sorted() }
        guard !sagas.isEmpty else { return }
        let sagaID = pick(sagas)
        guard let saga = world.tell({ $0.sagas[sagaID] }) else { return }
        let events = saga.definition.steps.filter { $0.kind == .event }.map(\.name)
        let wish: SagaModel.Wish
        if has(.messages), !events.isEmpty, draw(3) != 0 {
            wish = .event(step: pick(events), payload: actCount)
        } else {
            guard has(.verbs) else { return }
            switch draw(5) {
            case 0, 1: wish = .retry
            case 2, 3: wish = .abort
            default:
                let open = saga.status.steps.map(\.name)
                wish = .skip(step: pick(open.isEmpty || draw(4) == 0 ? saga.definition.steps.map(\.name) : open))
            }
        }
        start(process) { await process.send(wish, to: sagaID) }
    }
}
