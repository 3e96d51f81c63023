// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores
internal import ReliabilityCore
internal import Synchronization

/// A file store on a simulated disk, over many lives that end in all sorts of ways, with everything that it has shown.
///
/// The store's own thread does not run: whoever drives the simulation says which call comes next and what the thread
/// would do when, so the same seed gives the same story. After every opening the store has to be as it was at some moment
/// of the life before, and that moment must not lie before anything that an answer has shown.
///
/// A copy is another course of things from there on, as long as no store is open.
package struct StoreSimulation {
    /// A promise that was broken, and how to see it again.
    package struct Violation: Error, CustomStringConvertible {
        package let description: String

        /// Which of many stories it was.
        package func of(_ story: String) -> Violation { Violation(description: "\(story): \(description)") }
    }

    /// What the store was at a moment: all that is appended up to a frame.
    struct Moment {
        let sequence: UInt64
        var records: [RecordID: Record]

        init(sequence: UInt64, records: [RecordID: Record]) {
            self.sequence = sequence
            self.records = records
        }

        /// What the store is now.
        init(of store: FileRecordStore) {
            let records = store.tableInMemory.allRecords
            self.init(
                sequence: store.journalInMemory.lastSequence,
                records: Dictionary(uniqueKeysWithValues: records.map { ($0.id, $0) }))
        }
    }

    static let path = "/store"
    /// How many things a store may do in a row before that counts as no end.
    static let mostSteps = 10_000

    package internal(set) var disk: SimulatedDisk
    package let durability: FileDurability
    /// Who writes: with ``FileCommitter/caller``, calls do once the store has come to rest.
    let committer: FileCommitter
    var random: RandomSource
    let clock = ManualClock()
    let executor: ManualExecutor
    var store: FileRecordStore?
    let layout: FileStoreLayout
    /// What the wall clock shows at the next opening.
    package var wallTime = Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000)
    /// The process that opens the store next, or has it open.
    var process = ProcessIdentity(host: "simulated", pid: 1, instance: 1)
    /// Every moment since the last opening, in their order.
    var moments = [Moment(sequence: 0, records: [:])]
    /// The last frame that an answer depends on.
    var shownThrough: UInt64 = 0
    /// The last frame that may not be lost with power where answers may be.
    var safeThrough: UInt64 = 0
    /// Frames that answers depend on and that may still be lost with power, each with the time of the answer.
    var answers: [(sequence: UInt64, at: Int64)] = []
    var fences: Set<Fence> = []
    var lastFences: [RecordID: Fence] = [:]
    var lastPosition: UInt64 = 0
    var calls: [SimulatedCall] = []
    /// Just before which operation of the disk the next call comes; `nil`: at once.
    var comesMeanwhile: DiskOperation.Kind?
    /// The call that waits for that operation.
    var meanwhile: CallMeanwhile?
    /// Whether the last calls succeeded, in the order of their answers.
    var lastAnswers: [Bool] = []
    /// What the open store has told on its own.
    var events = SimulatedEvents()
    /// The last frame that was answered for when the directory was removed under the store.
    var removedThrough: UInt64?
    var isClosing = false
    /// What happened, for people.
    private(set) var story: [String] = []

    package init(
        seed: UInt64, durability: FileDurability = .everyCommit, committer: FileCommitter = .ownThread,
        disk: SimulatedDisk = SimulatedDisk(), layout: FileStoreLayout = .small
    ) {
        random = .seeded(seed)
        executor = ManualExecutor()
        self.durability = durability
        self.committer = committer
        self.disk = disk
        self.layout = layout
    }

    mutating func note(_ text: @autoclosure () -> String) {
        if story.count >= 400 { story.removeFirst(200) }
        story.append(text())
    }

    func violation(_ text: String) -> Violation {
        let operations = disk.operations.suffix(12).map(\.description)
        return Violation(description: "\(text); story: \(story.suffix(40)); disk: \(operations)")
    }

    /// Opens the store and compares it with what may have been left; `false` if the disk did not let it.
    @discardableResult
    package mutating func open() throws(Violation) -> Bool {
        let number = process.instance
        note("open as \(number)")
        let opened: FileRecordStore
        events = SimulatedEvents()
        do throws(FileStoreError) {
            opened = try FileRecordStore(
                directory: Self.path, durability: durability, committer: committer, clock: clock, fileSystem: disk,
                layout: layout, process: process, wallTime: wallTime, startsThread: false,
                onEvent: { [events] in events.append($0) })
        } catch {
            // What the disk refuses is told as such; anything else would be damage where there is none.
            guard case .failed = error, hasFailed else { throw violation("the store does not open: \(error)") }
            note("\(error)")
            return false
        }
        try check(opened)
        store = opened
        return true
    }

    /// Whether any operation of the disk has failed.
    var hasFailed: Bool { disk.failureCount > 0 }
}

/// What a store has told on its own.
final class SimulatedEvents: Sendable {
    private let events = Locked<[FileStoreEvent]>([])

    var all: [FileStoreEvent] { events.withLock { $0 } }

    /// Whether the store has said that it is at its end.
    var tellFailure: Bool {
        all.contains { event in
            if case .failed = event { true } else { false }
        }
    }

    func append(_ event: FileStoreEvent) { events.withLock { $0.append(event) } }
}

/// What an answer has shown.
struct Shown: Sendable {
    var fences: [(RecordID, Fence)] = []
    var positions: [UInt64] = []
}

/// A call whose answer is not there yet.
struct SimulatedCall: Sendable {
    let name: String
    let pending: ManualExecutor.Pending<Shown>
    /// The last frame that there was when it looked at the records, or an earlier one.
    let sequence: UInt64
    /// Whether the store had said before that it is at its end.
    let cameTooLate: Bool
    /// The last fences that were answered before it started; one that it gets is later, whatever else is under way.
    let earlierFences: [RecordID: Fence]
}

/// A call that comes while the store, or another caller, is at work on the disk.
final class CallMeanwhile: Sendable {
    /// What has come of it.
    struct Seen: Sendable {
        let call: SimulatedCall
        /// What was in memory before it, and then after it and after whatever else was ready.
        let moments: [StoreSimulation.Moment]
    }

    let name: String
    let operation: @Sendable (FileRecordStore) async throws -> Shown
    private let earlierFences: [RecordID: Fence]
    private let state = Locked<Seen?>(nil)

    init(
        _ name: String, earlierFences: [RecordID: Fence],
        _ operation: @escaping @Sendable (FileRecordStore) async throws -> Shown
    ) {
        self.name = name
        self.earlierFences = earlierFences
        self.operation = operation
    }

    /// What has come of it, once it has come.
    var seen: Seen? { state.withLock { $0 } }

    /// Comes now, up to where it waits for the store.
    func come(to store: FileRecordStore, on executor: ManualExecutor, _ events: SimulatedEvents) {
        var moments = [StoreSimulation.Moment(of: store)]
        func step() -> Bool {
            guard executor.step() else { return false }
            moments.append(StoreSimulation.Moment(of: store))
            return true
        }
        // Others whose answers are there go on first.
        while step() {}
        let (first, last) = (moments[0].sequence, store.journalInMemory.lastSequence)
        let cameTooLate = events.tellFailure
        let pending = executor.start { [operation] in try await operation(store) }
        _ = step()
        // A snapshot that is about to end, and that this call may ask for, knows nothing of what they have appended.
        let sequence = last > first ? first : store.journalInMemory.lastSequence
        while step() {}
        let call = SimulatedCall(
            name: name, pending: pending, sequence: sequence, cameTooLate: cameTooLate, earlierFences: earlierFences)
        state.withLock { [moments] in $0 = Seen(call: call, moments: moments) }
    }
}

extension FileDurability {
    var mayLose: Bool { self != .everyCommit }
}

extension FileStoreLayout {
    /// Sizes with which short stories come to the end of journals, and to snapshots.
    package static var small: FileStoreLayout {
        var layout = FileStoreLayout()
        layout.journal = 6_000
        layout.reserve = 16_384
        layout.steps = 4_096...8_192
        layout.smallestCompaction = 9_000
        layout.snapshotPiece = 700
        layout.snapshotSync = 1_500
        layout.unsynced = 8
        return layout
    }
}
