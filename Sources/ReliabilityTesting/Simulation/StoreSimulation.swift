// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores
internal import ReliabilityCore

/// A file store on a simulated disk, over many lives that end in all sorts of ways, with everything that it has shown.
///
/// The store's own thread does not run: whoever drives the simulation says which call comes next and what the store
/// writes when, so the same seed gives the same story. After every opening the store has to be as it was at some moment
/// of the life before, and that moment must not lie before anything that an answer has shown.
package struct StoreSimulation {
    /// A promise that was broken, and how to see it again.
    package struct Violation: Error, CustomStringConvertible {
        package let description: String
    }

    /// What the store was at a moment: all that is appended up to a frame.
    struct Moment {
        let sequence: UInt64
        let records: [RecordID: Record]
    }

    static let path = "/store"

    package private(set) var disk: SimulatedDisk
    package let durability: FileDurability
    var random: RandomSource
    let clock = ManualClock()
    let executor: ManualExecutor
    private(set) var store: FileRecordStore?
    private let layout: FileStoreLayout
    /// What the wall clock shows at the next opening.
    package var wallTime = Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000)
    private var process: UInt64 = 0
    /// Every moment since the last opening, in their order.
    private var moments = [Moment(sequence: 0, records: [:])]
    /// The last frame that an answer depends on.
    private var shownThrough: UInt64 = 0
    private var fences: Set<Fence> = []
    private var lastFences: [RecordID: Fence] = [:]
    private var lastPosition: UInt64 = 0
    var calls: [SimulatedCall] = []
    /// What happened, for people.
    private(set) var story: [String] = []

    package init(
        seed: UInt64, durability: FileDurability = .everyCommit, disk: SimulatedDisk = SimulatedDisk(),
        layout: FileStoreLayout = .small
    ) {
        random = .seeded(seed)
        executor = ManualExecutor()
        self.durability = durability
        self.disk = disk
        self.layout = layout
    }

    mutating func note(_ text: @autoclosure () -> String) { story.append(text()) }

    func violation(_ text: String) -> Violation {
        let operations = disk.operations.suffix(12).map(\.description)
        return Violation(description: "\(text); story: \(story.suffix(40)); disk: \(operations)")
    }

    // MARK: Opening

    /// Opens the store and compares it with what may have been left; `false` if the disk did not let it.
    @discardableResult
    package mutating func open() throws(Violation) -> Bool {
        process += 1
        note("open")
        let opened: FileRecordStore
        do throws(FileStoreError) {
            opened = try FileRecordStore(
                directory: Self.path, durability: durability, clock: clock, fileSystem: disk, layout: layout,
                process: ProcessIdentity(host: "simulated", pid: 1, instance: process), wallTime: wallTime,
                startsThread: false)
        } catch {
            // What the disk refuses is told as such; anything else would be damage where there is none.
            guard case .failed = error, hasFailed else { throw violation("the store does not open: \(error)") }
            note("\(error)")
            return false
        }
        try check(opened.tableInMemory)
        store = opened
        return true
    }

    /// Whether any operation of the disk has failed.
    private var hasFailed: Bool { disk.operations.contains { $0.code != 0 } }

    private mutating func check(_ table: RecordTable) throws(Violation) {
        let records = table.allRecords
        guard
            let moment = moments.last(where: { moment in
                moment.sequence >= shownThrough && fits(records, moment, at: table.now)
            })
        else {
            let nearest = moments.last(where: { fits(records, $0, at: table.now) }).map { "as at frame \($0.sequence)" }
            throw violation(
                "opened, the store is \(nearest ?? strangeness(records)), and answers showed frame \(shownThrough)")
        }
        if let held = records.first(where: { $0.isHeld(at: table.now) }) {
            throw violation("\(held.id) is held by a process that is gone")
        }
        if let last = fences.max(), table.nextFence <= last {
            throw violation("the next fence is \(table.nextFence), and \(last) was given out")
        }
        if table.nextPosition <= lastPosition {
            throw violation("the next position is \(table.nextPosition), and \(lastPosition) was given out")
        }
        note("found as at frame \(moment.sequence)")
        beginMoments(with: table)
    }

    private mutating func beginMoments(with table: RecordTable) {
        let records = Dictionary(uniqueKeysWithValues: table.allRecords.map { ($0.id, $0) })
        moments = [Moment(sequence: 0, records: records)]
        shownThrough = 0
    }

    /// Whether records that an opening found are those of a moment: leases have ended, and what has expired may be gone.
    private func fits(_ found: [Record], _ moment: Moment, at now: Timestamp) -> Bool {
        var rest = moment.records
        for record in found {
            guard let expected = rest.removeValue(forKey: record.id) else { return false }
            var normal = record
            // When a lease ended that nobody has any more is told by no answer.
            if let until = expected.leaseUntil, let ended = record.leaseUntil, ended <= now {
                normal.leaseUntil = until
            }
            guard normal == expected else { return false }
        }
        return rest.values.allSatisfy { record in
            record.expiresAt.map { $0 <= now } ?? false
        }
    }

    /// In what records are unlike those of every moment.
    private func strangeness(_ found: [Record]) -> String {
        let found = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
        let differences = moments.suffix(3).map { moment in
            let ids = Set(found.keys).union(moment.records.keys).filter { found[$0] != moment.records[$0] }
            let lines = ids.map { "\(describe(found[$0])) for \(describe(moment.records[$0]))" }
            return "frame \(moment.sequence): \(lines.joined(separator: ", "))"
        }
        return "unlike at any moment (\(differences.joined(separator: "; ")))"
    }

    private func describe(_ record: Record?) -> String { record.map { "\($0)" } ?? "nothing" }

    // MARK: Living

    /// Notes what is in memory now, if a frame was appended.
    private mutating func lookAtMemory() {
        guard let store else { return }
        let sequence = store.journalInMemory.lastSequence
        guard moments.count == 1 || sequence > moments[moments.count - 1].sequence else { return }
        let records = Dictionary(uniqueKeysWithValues: store.tableInMemory.allRecords.map { ($0.id, $0) })
        moments.append(Moment(sequence: sequence, records: records))
    }

    /// Starts a call, up to where it waits for the disk.
    mutating func start(_ name: String, _ operation: @escaping @Sendable (FileRecordStore) async throws -> Shown) {
        guard let store else { return }
        note(name)
        let before = store.journalInMemory
        let pending = executor.start { [store] in try await operation(store) }
        run()
        let after = store.journalInMemory
        // Who waits for room has not looked at the records yet, and will do so at some later frame.
        let isWaiting = after.roomWaiters > before.roomWaiters
        calls.append(
            SimulatedCall(name: name, pending: pending, sequence: isWaiting ? before.lastSequence : after.lastSequence))
    }

    /// Lets the store do one thing of what its thread would do; `false` if there is nothing to do.
    @discardableResult
    package mutating func step() throws(Violation) -> Bool {
        guard let store else { return false }
        let did = store.step()
        run()
        try collect()
        return did
    }

    /// Lets the store do all there is to do.
    package mutating func stepUntilIdle() throws(Violation) {
        while try step() {}
    }

    private mutating func run() {
        lookAtMemory()
        while executor.step() { lookAtMemory() }
    }

    /// Takes the answers that have come.
    private mutating func collect() throws(Violation) {
        var open: [SimulatedCall] = []
        for call in calls {
            guard let value = call.pending.value else {
                open.append(call)
                continue
            }
            switch value {
            case .success(let shown): try take(shown, from: call)
            case .failure(let error): try take(error, from: call)
            }
        }
        calls = open
    }

    private mutating func take(_ shown: Shown, from call: SimulatedCall) throws(Violation) {
        note("answered: \(call.name)")
        shownThrough = max(shownThrough, call.sequence)
        for (id, fence) in shown.fences {
            guard fences.insert(fence).inserted else { throw violation("\(fence) of \(id) was given out before") }
            if let last = lastFences[id], fence < last { throw violation("\(id) got \(fence) after \(last)") }
            lastFences[id] = fence
        }
        lastPosition = max(lastPosition, shown.positions.max() ?? 0)
    }

    private mutating func take(_ error: any Error, from call: SimulatedCall) throws(Violation) {
        note("\(error): \(call.name)")
        guard hasFailed || error as? StoreError == .closed else {
            throw violation("\(call.name) failed on a disk without a fault: \(error)")
        }
    }

    // MARK: Ends

    /// Closes the store as a service does that ends.
    package mutating func close() throws(Violation) {
        guard let store else { return }
        note("close")
        let closing = executor.start { [store] in try await store.close() }
        run()
        try stepUntilIdle()
        guard let result = closing.value else { throw violation("closing has no end") }
        if case .success = result {
            // What was closed without a failure is safe in every mode.
            shownThrough = moments.last?.sequence ?? 0
        }
        leave()
    }

    /// Ends the process; what it had written stays.
    package mutating func kill(evicting: Bool = false) {
        note("kill")
        leave()
        // What a failed sync has left in the cache goes with it; where no answer waited for the sync, answers go too.
        if evicting, durability.mayLose { shownThrough = 0 }
        disk = disk.killed(evicting: evicting)
    }

    /// Ends power, which takes what was not synced but for `cut`.
    package mutating func cutPower(_ cut: PowerCut) {
        note("power is lost, \(cut)")
        leave()
        if durability.mayLose { shownThrough = 0 }
        disk = disk.powerCut(cut)
    }

    private mutating func leave() {
        store = nil
        calls = []
    }
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
    /// The last frame that there was when it looked at the records.
    let sequence: UInt64
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
