// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Synchronization

/// Which act of the story runs; what a consumer does is one act for as long as it runs.
enum Act {
    @TaskLocal static var number = 0
}

/// What all processes of a story share.
final class QueueWorld: Sendable {
    let settings: QueueStorySettings
    let random: RandomSource
    let clock = ManualClock()
    let base: any RecordStore
    /// The store, if it is in files; nothing is left of its processes' holds when one of them dies.
    let files: QueueFiles?
    private let model: Locked<QueueModel>
    let bug: PlantedQueueBug?
    private let link: Locked<Link>

    private struct Link {
        var lossChance: Int64
        var gateChance: Int64
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// The ways of all processes to the store.
        var links: [ProcessLink] = []
        /// Whether the files have been opened again, and those who had them open before live on.
        var isReopened = false
    }

    init(_ settings: QueueStorySettings, _ random: RandomSource, _ bug: PlantedQueueBug?, notesAreKept: Bool) {
        self.settings = settings
        self.random = random
        self.bug = bug
        var model = QueueModel(settings, notesAreKept: notesAreKept)
        var files: QueueFiles?
        if settings.hasFiles {
            do throws(FileStoreError) {
                files = try QueueFiles(clock, random, bug?.durability ?? .everyCommit)
            } catch {
                model.accuse("the store does not open: \(error)")
            }
        }
        self.files = files
        base = files ?? InMemoryRecordStore(clock: clock)
        self.model = Locked(model)
        link = Locked(Link(lossChance: settings.lossChance, gateChance: settings.gateChance))
    }

    /// Tells the model something, or asks it.
    @discardableResult
    func tell<Value: Sendable>(_ body: (inout QueueModel) -> Value) -> Value { model.withLock { body(&$0) } }

    func draw(_ count: Int) -> Int { Int(random.draw(upTo: Int64(count - 1))) }
    func pick<Value>(_ values: [Value]) -> Value { values[draw(values.count)] }

    /// From now on nothing is lost and nobody is stopped.
    func calmDown() {
        link.withLock { link in
            link.lossChance = 0
            link.gateChance = 0
        }
        files?.live()
        openGates()
    }

    var waitingCount: Int { link.withLock { $0.waiting.count } }

    func openGate() {
        guard case let count = waitingCount, count > 0 else { return }
        let index = draw(count)
        let opened = link.withLock { $0.waiting.remove(at: index) }
        opened.resume()
    }

    func openGates() {
        let opened = link.withLock { link in
            defer { link.waiting = [] }
            return link.waiting
        }
        for each in opened { each.resume() }
    }

    /// Lets others have their turn, or stops until the story lets it go on.
    func pause() async {
        let chance = link.withLock { $0.gateChance }
        switch random.draw(upTo: 99) {
        case ..<chance:
            await withCheckedContinuation { continuation in link.withLock { $0.waiting.append(continuation) } }
        case ..<40: await Task.yield()
        default: break
        }
    }

    // MARK: Ends

    /// A process has a way to the store from now on.
    func add(_ process: ProcessLink) { link.withLock { $0.links.append(process) } }

    /// Everybody is gone who had the files open before they were opened again.
    func endAllOfBefore() {
        let isReopened = link.withLock { link in
            defer { link.isReopened = false }
            return link.isReopened
        }
        if isReopened { endAll() }
    }

    /// Everybody who has the store open is gone, and others open it: all leases end at once.
    func endAll() {
        let links = link.withLock { link in
            defer { link.links = [] }
            return link.links
        }
        for each in links { each.end() }
        tell { $0.endLeases() }
    }

    /// Others open the files again, after the process that had them open or the machine has ended.
    func reopenFiles() {
        guard let files else { return }
        let losesPower = draw(3) != 0
        tell { $0.note("the files are opened again\(losesPower ? ", and the power was lost" : "")") }
        do throws(FileStoreError) {
            try files.reopen(losingPower: losesPower, opensInPieces: settings.isDrawn)
        } catch {
            tell { $0.accuse("the store does not open: \(error)") }
        }
        link.withLock { $0.isReopened = true }
    }

    enum Loss { case unavailable, request, reply }

    func loss() -> Loss? {
        let chance = link.withLock { $0.lossChance }
        guard chance > 0, random.draw(upTo: 99) < chance else { return nil }
        return [.unavailable, .request, .reply][draw(3)]
    }
}

extension Timestamp {
    /// The time of the story.
    var text: String { "\((nanosecondsSince1970 / 1_000_000) % 100_000_000) ms" }
}
