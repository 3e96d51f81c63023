// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas

/// How a story ends: everybody does what is asked of them, and every saga is driven until it is over.
extension SagaStory {
    private static let rounds = 60

    mutating func finish() {
        for process in processes { process.link.live() }
        replaceTheDead()
        world.tell { $0.note("all is calm") }
        world.calmDown()
        for process in processes { process.coordinator.shutDown() }
        for each in open { each.pending.cancel() }
        settleDown()
        processCount += 1
        let process = SagaProcess(processCount, world)
        for _ in 0..<Self.rounds {
            // More than a lease, and more than any wait of a policy.
            pass(.seconds(400))
            quietly(process) { await $0.recover(limit: 20) }
            let now = world.now
            world.tell { $0.checkDeadlines(at: now) }
            if violation != nil || world.tell({ $0.areAllOver }) { break }
            help(process)
        }
        let sagas = world.tell { $0.sagas.keys.sorted() }
        for sagaID in sagas { quietly(process) { await $0.look(at: sagaID) } }
        world.tell { $0.judge() }
    }

    /// Whatever was under way ends; nothing may wait for what never comes.
    private mutating func settleDown() {
        for _ in 0..<20 {
            runUntilIdle()
            open.removeAll { $0.pending.value != nil }
            if open.isEmpty { return }
            pass(.seconds(60))
        }
        let left = open.count
        world.tell { $0.accuse("\(left) acts do not end") }
    }

    private mutating func quietly(
        _ process: SagaProcess, _ body: @escaping @Sendable (SagaProcess) async -> Void
    ) {
        start(process) { await body(process) }
        settleDown()
    }

    /// Somebody sees to what cannot go on by itself.
    private mutating func help(_ process: SagaProcess) {
        for saga in world.tell({ $0.sagas.values.sorted { $0.id < $1.id } }) {
            if case .stuck(let stuck) = saga.status.result {
                let isRefused = saga.parts.contains {
                    $0.step.name == stuck.step && $0.step.kind == .pivot && $0.isUndone
                }
                quietly(process) { await $0.send(isRefused ? .abort : .retry, to: saga.id) }
            }
            let waiting = saga.parts.filter { part in
                part.step.kind == .event && part.payloads.isEmpty
                    && saga.status.steps.contains { $0.name == part.step.name }
            }
            for part in waiting where !saga.isBack {
                let payload = actCount
                quietly(process) { await $0.send(.event(step: part.step.name, payload: payload), to: saga.id) }
            }
        }
    }
}
