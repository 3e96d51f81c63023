// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Fenced records in a directory of files: one process at a time, and nothing that was answered is ever lost.
///
/// ```swift
/// let store = try FileRecordStore(directory: "/var/lib/payments/records")
/// // … and when the service ends:
/// try await store.close()
/// ```
///
/// Every record is in memory and every change is in a journal. An answer waits until the journal is as durable as
/// ``durability`` declares, up to whatever the answer was computed from, also for a read; callers that wait at the same
/// time share one sync. A thread of the store's own writes, or the caller itself where ``FileCommitter/caller`` says so.
///
/// - A **crash or power cut** costs nothing that was acknowledged. Opening drops an unfinished write at the end of the
///   journal and says so in ``report``.
/// - An **I/O error or a failed sync** ends the store for good: waiting callers get ``StoreError/outcomeUnknown(_:)``,
///   later calls ``StoreError/unavailable(_:)``. What was acknowledged is safe. Open the directory again once the cause
///   is gone. So does the removal of the directory under the store.
/// - On a **full disk** an insert throws ``StoreError/full(_:)`` and changes nothing, while what the store keeps in
///   reserve, a megabyte of journal, lets records that stand be changed, moved, deleted and held. It goes on by itself
///   when there is room again.
/// - **Damage**, bytes that had been safe and are not what they were, makes opening fail with
///   ``FileStoreError/damaged(file:offset:)`` instead of going on without them.
///   ``salvage(_:into:)`` saves what can be read.
///
/// When the journals have grown to twice the size of the live records, the store writes these into a snapshot and removes
/// the journals before it; commits go on meanwhile. Use a local file system. The files are 0600, and so that nobody else
/// gets to them the directory is 0700 if the store makes it.
public final class FileRecordStore: RecordStore {
    /// What opening the directory found.
    public let report: OpeningReport
    let table: SharedTable
    let clock: StoreClock
    let journal: Journal
    private let bell = CommitBell()

    /// Opens the store in a directory, which is made if its parent exists; blocks while it reads.
    ///
    /// - Parameters:
    ///   - directory: the path of the store's own directory.
    ///   - durability: what loss of power may take; by default nothing.
    ///   - committer: who writes and syncs; by default a thread of the store's own, so that no task is ever blocked.
    ///   - clock: what the store's time goes on with after opening.
    ///   - onEvent: called on the store's own thread, after the fact. It must not wait for the store.
    public convenience init(
        directory: String, durability: FileDurability = .everyCommit, committer: FileCommitter = .ownThread,
        clock: any Clock<Duration> = ContinuousClock(), onEvent: (@Sendable (FileStoreEvent) -> Void)? = nil
    ) throws(FileStoreError) {
        try self.init(
            directory: directory, durability: durability, committer: committer, clock: clock,
            fileSystem: SystemFileSystem(), onEvent: onEvent)
    }

    /// - Parameters:
    ///   - wallTime: what the wall clock shows at opening.
    ///   - random: draws what tells a new store from every other.
    ///   - startsThread: whether the store has its thread; else nothing is done in its place but by ``step()``.
    package init(
        directory path: String, durability: FileDurability = .everyCommit, committer: FileCommitter = .ownThread,
        clock: any Clock<Duration>, fileSystem: any FileSystem, layout: FileStoreLayout = FileStoreLayout(),
        process: ProcessIdentity = .current, wallTime: Timestamp = .wallClock, random: RandomSource = .system,
        startsThread: Bool = true, onEvent: (@Sendable (FileStoreEvent) -> Void)? = nil
    ) throws(FileStoreError) {
        let stopwatch = TimeSource(ContinuousClock())
        let directory = try StoreDirectory(path, fileSystem: fileSystem)
        do throws(FileStoreError) {
            var content = try directory.files.load()
            let clock = StoreClock(clock, at: wallTime, notBefore: content.table.now)
            var writer = try opening { () throws(StoreFailure) in
                try JournalWriter(
                    continuing: content, in: directory.files, layout: layout, losesPower: durability.losesPower,
                    random: random)
            }
            if content.losesPower, content.lastEnd != .closed { content.table.leaveOut(layout.unsynced) }
            content.table.advance(to: clock.now)
            let opened = JournalEntry.Opening(
                counters: content.table.counters, losesPower: durability.losesPower, process: process)
            content.table.endLeases(exceptOf: process, at: clock.now)
            // Their holders are gone, and their leases must not come back.
            let endedLeases = content.table.takeEffects().pieces.map { piece in
                (entry: JournalEntry.commit(Array(piece), at: opened.counters.now), count: piece.count)
            }
            let room = endedLeases.reduce(0) { $0 + JournalFormat.frameLength(payload: $1.entry.encoded().count) }
            if room > 0 { try opening { () throws(StoreFailure) in try writer.requireRoom(room + Journal.ownFrames) } }
            report = OpeningReport(
                lastEnd: content.lastEnd, framesReplayed: content.framesReplayed, records: content.table.count,
                duration: .nanoseconds(stopwatch.now()))
            let (table, bell) = (SharedTable(content.table), bell)
            journal = Journal(
                writer, opening: opened, isSealed: content.lastEnd == .closed, durability: durability,
                committer: committer, time: clock.time,
                hooks: Journal.Hooks(
                    page: { table.page($0, bytes: $1, lastSequence: $2) }, liveBytes: { table.bytes },
                    onEvent: { event in
                        // A claim that waits would otherwise sleep on a store that gives nothing any more.
                        if case .failed = event { bell.ringAll() }
                        onEvent?(event)
                    },
                    onEnd: { directory.release() }))
            for (entry, count) in endedLeases { _ = journal.append(entry, weight: count) }
            self.table = table
            self.clock = clock
            if startsThread {
                try opening { () throws(StoreFailure) in try journal.start(of: path) }
            }
        } catch {
            directory.release()
            throw error
        }
    }

    deinit { journal.startFinishing(at: table.now) }

    /// Does one thing of what the store's thread would do, in a store that has none; `false` if there was nothing to do.
    package func step() -> Bool { journal.step() }

    /// What is in memory, durable or not; for whoever compares it with what a crash leaves.
    package var tableInMemory: RecordTable { table.copy }

    /// The last frame that was appended and the last that is as durable as declared, how many bytes of frames have their
    /// place, and how many callers wait for more.
    package var journalInMemory: (lastSequence: UInt64, answered: UInt64, room: Int, roomWaiters: Int) {
        journal.state.withLock { ($0.nextSequence - 1, $0.answered, $0.room, $0.roomWaiters.count) }
    }

    /// Survives what it was opened to survive.
    public var durability: Durability { journal.durability.declared }

    /// The records of those names, at most 1,000; see ``RecordStore``.
    public func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try await reading { table, now throws(StoreError) in try table.read(ids, at: now) }
    }

    /// Carries out the changes as one batch, or none of them; see ``RecordStore``.
    public func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        try RecordTable.check(changes)
        let bytes = changes.reduce(FrameBytes.sweep) { $0 + $1.frameBytes }
        let isGrowth = changes.reduce(0) { $0 + $1.growth } > 0
        let answer = try await changing(bytes: bytes, isGrowth: isGrowth) { table, now throws(StoreError) in
            try table.commit(checked: changes, at: now)
        }
        bell.ring(for: changes)
        return answer
    }

    /// Holds records that nobody holds, waiting for one to be due if the request says so; see ``RecordStore``.
    public func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        try await waitingClaim(request, time: clock.time, bell: bell) { () throws(StoreError) in
            try await changing(bytes: request.selection.frameBytes) { table, now throws(StoreError) in
                try table.claim(request.selection, lease: request.lease, at: now)
            }
        }
    }

    /// Moves the end of a hold to `lease` from now; see ``RecordStore``.
    public func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try RecordLimits.check(id)
        let bytes = FrameBytes.sweep + 2 * id.frameBytes
        let answer = try await changing(bytes: bytes) { table, now throws(StoreError) in
            try table.extend(id, fence: fence, lease: lease, at: now)
        }
        // The hold may now end earlier than a waiting claim counted on.
        bell.ring(for: id)
        return answer
    }

    /// A page of a collection by position; see ``RecordStore``.
    public func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try await reading { table, now throws(StoreError) in
            try table.scan(collection, state: state, after: position, limit: limit, at: now)
        }
    }

    /// Counts by state and the oldest records of a collection; see ``RecordStore``.
    public func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await reading { table, now throws(StoreError) in table.statistics(of: collection, at: now) }
    }

    /// Frees at most `limit` expired records and says how many; see ``RecordStore``.
    public func purgeExpired(limit: Int) async throws(StoreError) -> Int {
        var purged = 0
        while purged < limit {
            let piece = min(limit - purged, RecordTable.sweepPerOperation)
            // Each piece is a write, and no caller's thread is kept for all of them.
            let count = try await reading(sweeps: false, leads: false) { table, now throws(StoreError) in
                table.purgeExpired(limit: piece, at: now)
            }
            purged += count
            if count < piece { break }
        }
        return purged
    }

    /// Writes the live records into a snapshot and removes the journals before it; returns once that is done.
    ///
    /// The store does so by itself when it pays. Commits go on meanwhile. Cancelling the task does not end it.
    ///
    /// - Throws: ``StoreError/unavailable(_:)`` if that failed, such as on a full disk; the store goes on as it was.
    public func compact() async throws(StoreError) {
        try table.withLock { _ throws(StoreError) in try journal.check() }
        switch await journal.compact() {
        case .done: return
        case .closed: throw .closed
        case .failed(let failure): throw .unavailable(failure)
        }
    }

    /// Waits until what was handed over is durable, seals the journal and lets others open the directory.
    ///
    /// What was answered is on the medium then, whatever the store's durability.
    ///
    /// - Throws: ``StoreError/unavailable(_:)`` if a write had failed before, or fails now.
    public func close() async throws(StoreError) {
        let time = table.close()
        bell.ringAll()
        if let failure = await journal.finish(at: time) { throw .unavailable(failure) }
    }
}

extension Array {
    /// Its elements in order, at most as many at a time as a commit has changes.
    fileprivate var pieces: [ArraySlice<Element>] {
        let size = RecordLimits.changes.upperBound
        return stride(from: 0, to: count, by: size).map { self[$0..<Swift.min(count, $0 + size)] }
    }
}
