// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import WorkQueues

/// What happens next.
extension QueueStory {
    /// One thing happens, drawn at random.
    mutating func act() {
        replaceTheDead()
        guard let process = processes.isEmpty ? nil : pick(processes) else { return }
        switch draw(100) {
        case 0..<14: for _ in 0...draw(6) { executor.step() }
        case 14..<24: executor.runUntilIdle()
        case 24..<38: put(process)
        case 38..<52:
            let limit = 1 + draw(3)
            start(process) { await process.receive(limit: limit) }
        case 52..<68: settle(process)
        case 68..<78: passTime()
        case 78..<82: world.openGate()
        case 82..<85: die(process)
        case 85..<92: redrive(process)
        case 92..<96: operate(process)
        default: consume(process)
        }
        // With nobody to stop them, those who are asked have answered before the next thing happens, mostly.
        if draw(3) != 0 { executor.runUntilIdle() }
    }

    private mutating func put(_ process: QueueProcess) {
        let items = (0...draw(3)).map { _ in drawItem() }
        switch draw(20) {
        case 0 where has(.foreignLetters): start(process) { await process.putLetter(items[0].id) }
        case 1 where has(.damage): start(process) { await process.putDamaged(items[0]) }
        default:
            var names: Set<String> = []
            let distinct = items.filter { names.insert($0.id).inserted }
            start(process) { await process.put(distinct) }
        }
    }

    private mutating func drawItem() -> NewWorkItem {
        actCount += 1
        let name = has(.duplicates) ? "\(["a", "b"][draw(2)])\(draw(settings.names))" : "\(actCount)"
        let key = draw(settings.keys + 1)
        return NewWorkItem(
            id: name, payload: Array(name.utf8) + (draw(4) == 0 ? [UInt8(draw(3))] : []),
            orderKey: key == 0 ? nil : "k\(key)", delay: pick([.zero, .zero, .zero, .seconds(5)]),
            timeToLive: draw(12) == 0 ? .seconds(60) : nil,
            deduplicationWindow: draw(5) == 0 ? .seconds(90) : nil)
    }

    private mutating func settle(_ process: QueueProcess) {
        switch draw(16) {
        case 0, 1: start(process) { await process.extend() }
        case 2 where has(.lateSettlements): start(process) { await process.settle(again: true) }
        case 3: start(process) { await process.settleInConflict() }
        default: start(process) { await process.settle(again: false) }
        }
    }

    private func passTime() {
        let duration: Duration = pick([
            .milliseconds(1), .seconds(1), .seconds(5), .seconds(10), .seconds(12), .seconds(30), .seconds(31),
            .seconds(100),
        ])
        pass(duration)
    }

    func pass(_ duration: Duration) {
        world.tell { $0.note("\(duration) pass") }
        world.clock.advance(by: duration)
    }

    private mutating func die(_ process: QueueProcess) {
        guard has(.deaths) else { return }
        switch draw(6) {
        case 0: if settings.hasFiles { reopen() } else { process.link.end() }
        case 1: reopen()
        case 2 where settings.hasFiles: world.files?.stop(after: draw(25), writing: draw(600))
        default: process.link.die(afterCommits: 1 + draw(4), applies: draw(2) == 0)
        }
    }

    private mutating func redrive(_ process: QueueProcess) {
        guard has(.redrives) else { return }
        switch draw(12) {
        case 0..<4:
            start(process) {
                await process.startRedrive()
                await process.runRedrive(toHandler: false)
            }
        case 4..<7: start(process) { await process.runRedrive(toHandler: false) }
        case 7:
            start(process) {
                await process.startRedrive()
                await process.runRedrive(toHandler: true)
            }
        case 8: start(process) { await process.pauseRedrive() }
        case 9: start(process) { await process.resumeRedrive() }
        case 10: start(process) { await process.cancelRedrive() }
        default: start(process) { await process.checkRedrive(isCertain: false) }
        }
    }

    private mutating func operate(_ process: QueueProcess) {
        let letters = world.tell { $0.letters.keys.sorted() }
        switch draw(6) {
        case 0...1 where has(.redrives) && settings.keys > 0:
            let key = "k\(1 + draw(max(1, settings.keys)))"
            start(process) { await process.resume(key) }
        case 2...3 where has(.evictions) && !letters.isEmpty:
            let letter = pick(letters)
            start(process) { await process.evict(letter) }
        default:
            guard has(.redrives), !letters.isEmpty else { return }
            let letter = pick(letters)
            start(process) { await process.redriveOne(letter) }
        }
    }

    private mutating func consume(_ process: QueueProcess) {
        guard settings.hasConsumers else { return }
        if consumers.count < 2 {
            let consumer = process.makeConsumer()
            let pending = start(process) {
                do { try await consumer.run() } catch {
                    process.tell { model in
                        if !(error is CancellationError) { model.failed(Act.number, "consuming", error) }
                    }
                }
            }
            consumers.append((process.link.number, consumer, pending))
        } else {
            let chosen = consumers.remove(at: draw(consumers.count))
            if draw(2) == 0 { chosen.consumer.shutDown() } else { chosen.pending.cancel() }
        }
    }
}
