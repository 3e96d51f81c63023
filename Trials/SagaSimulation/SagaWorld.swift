// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas
internal import Synchronization

/// Which act of the story runs; whatever a coordinator drives in it, calls included, is of that act.
enum Act {
    @TaskLocal static var number = 0
}

/// What a saga of a story is started with.
struct StoryInput: Codable, Hashable, Sendable {
    var number: Int
}

/// What all processes of a story share.
final class SagaWorld: Sendable {
    let settings: SagaStorySettings
    let random: RandomSource
    let clock = ManualClock()
    let base: InMemoryRecordStore
    let bug: PlantedSagaBug?
    private let model: Locked<SagaModel>
    private let link: Locked<Link>

    private struct Link {
        var isCalm = false
        var waiting: [(process: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var paused: Set<Int> = []
    }

    init(_ settings: SagaStorySettings, _ random: RandomSource, _ bug: PlantedSagaBug?, notesAreKept: Bool) {
        self.settings = settings
        self.random = random
        self.bug = bug
        base = InMemoryRecordStore(clock: clock)
        model = Locked(SagaModel(settings, notesAreKept: notesAreKept))
        link = Locked(Link())
    }

    /// Tells the model something, or asks it.
    @discardableResult
    func tell<Value: Sendable>(_ body: (inout SagaModel) -> Value) -> Value { model.withLock { body(&$0) } }

    func draw(_ count: Int) -> Int { Int(random.draw(upTo: Int64(count - 1))) }
    func pick<Value>(_ values: [Value]) -> Value { values[draw(values.count)] }

    var now: Duration { clock.now.offset }
    var isCalm: Bool { link.withLock { $0.isCalm } }

    /// From now on nothing is lost, nobody is stopped, and the participants do what they are asked.
    func calmDown() {
        let opened = link.withLock { link in
            link.isCalm = true
            link.paused = []
            defer { link.waiting = [] }
            return link.waiting
        }
        for each in opened { each.continuation.resume() }
    }

    /// Stops a process where it next goes to the store or a participant.
    func pause(_ process: Int) { link.withLock { _ = $0.paused.insert(process) } }

    func resume(_ process: Int) {
        let opened = link.withLock { link in
            link.paused.remove(process)
            let opened = link.waiting.filter { $0.process == process }
            link.waiting.removeAll { $0.process == process }
            return opened
        }
        for each in opened { each.continuation.resume() }
    }

    var isAnyonePaused: Bool { link.withLock { !$0.paused.isEmpty } }

    /// Lets one of those who were stopped by chance go on.
    func openGate() {
        let count = link.withLock { $0.waiting.count }
        guard count > 0 else { return }
        let index = draw(count)
        let opened = link.withLock { link -> CheckedContinuation<Void, Never>? in
            guard !link.paused.contains(link.waiting[index].process) else { return nil }
            return link.waiting.remove(at: index).continuation
        }
        opened?.resume()
    }

    /// Lets others have their turn, or stops until the story lets it go on.
    func turn(of process: Int) async {
        let (isCalm, isPaused) = link.withLock { ($0.isCalm, $0.paused.contains(process)) }
        if isCalm { return }
        let drawn = random.draw(upTo: 99)
        if isPaused || drawn < settings.gateChance {
            await withCheckedContinuation { continuation in
                link.withLock { $0.waiting.append((process, continuation)) }
            }
        } else if drawn < 30 {
            await Task.yield()
        }
    }

    enum Loss { case unavailable, request, reply }

    func loss() -> Loss? {
        guard settings.lossChance > 0, !isCalm, random.draw(upTo: 99) < settings.lossChance else { return nil }
        return [.unavailable, .request, .reply][draw(3)]
    }
}
