// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Synchronization

/// Whether a process lives. A dead one's tasks run on to their end, but neither say nor hear anything any more.
final class Liveness: Sendable {
    private let alive = Atomic<Bool>(true)
    let number: Int

    init(_ number: Int) { self.number = number }

    var isAlive: Bool { alive.load(ordering: .acquiring) }
    func end() { alive.store(false, ordering: .releasing) }
}

/// The places where tasks stop until the story lets them go on: on the way to a store or a provider, or in the middle of
/// a handler.
final class Gates: Sendable {
    private struct Waiting {
        let process: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private let waiting = Locked<[Waiting]>([])
    private let random: RandomSource

    init(_ random: RandomSource) { self.random = random }

    /// Stops in so many cases of a hundred.
    func pass(_ process: Liveness, chance: Int64) async {
        guard process.isAlive, random.draw(upTo: 99) < chance else { return }
        await withCheckedContinuation { continuation in
            waiting.withLock { $0.append(Waiting(process: process.number, continuation: continuation)) }
        }
    }

    var count: Int { waiting.withLock { $0.count } }

    func open(_ index: Int) {
        let opened = waiting.withLock { $0.remove(at: index) }
        opened.continuation.resume()
    }

    /// Lets everybody go on, or everybody of a process.
    func openAll(of process: Int? = nil) {
        let opened = waiting.withLock { waiting in
            let opened = waiting.filter { process == nil || $0.process == process }
            waiting.removeAll { process == nil || $0.process == process }
            return opened
        }
        for each in opened { each.continuation.resume() }
    }
}
