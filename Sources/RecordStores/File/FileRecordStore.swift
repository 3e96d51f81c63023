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
/// Every record is in memory and every change is in a journal. An answer waits until the journal is synced up to
/// whatever the answer was computed from, also for a read; callers that wait at the same time share one sync.
///
/// - A **full disk, an I/O error or a failed sync** ends the store for good: waiting callers get
///   ``StoreError/outcomeUnknown(_:)``, later calls ``StoreError/unavailable(_:)``. What was acknowledged is safe. Open
///   the directory again once the cause is gone.
/// - A **crash or power cut** costs nothing that was acknowledged. Opening drops an unfinished write at the end of the
///   journal and says so in ``report``.
/// - **Damage** before the end, bytes that had been safe and are not what they were, makes opening fail with
///   ``FileStoreError/damaged(file:offset:)`` instead of going on without them.
///
/// The journal grows while the store is open and is rewritten when it is opened, if more than half of it is of no use
/// any more, the store was not closed, or a process that is gone still held records. Use a local file system. The files
/// are 0600, and so that nobody else gets to them the directory is 0700 if the store makes it.
public final class FileRecordStore: RecordStore {
    private struct State {
        var table: RecordTable
        var isClosed = false
    }

    /// A sealed journal below this size is not rewritten for what it could save.
    private static let smallestRewrite = 1_048_576

    /// What opening the directory found.
    public let report: OpeningReport
    private let state: Locked<State>
    private let clock: StoreClock
    private let journal: Journal
    private let bell = CommitBell()

    /// Opens the store in a directory, which is made if its parent exists; blocks while it reads.
    ///
    /// - Parameters:
    ///   - directory: the path of the store's own directory.
    ///   - clock: what the store's time goes on with after opening.
    ///   - onFailure: called once, on the store's own thread, when a failed write or sync has ended the store. It must
    ///     not wait for the store to close.
    public convenience init(
        directory: String, clock: any Clock<Duration> = ContinuousClock(),
        onFailure: (@Sendable (StoreFailure) -> Void)? = nil
    ) throws(FileStoreError) {
        try self.init(directory: directory, clock: clock, fileSystem: SystemFileSystem(), onFailure: onFailure)
    }

    package init(
        directory path: String, clock: any Clock<Duration>, fileSystem: any FileSystem,
        process: ProcessIdentity = .current, onFailure: (@Sendable (StoreFailure) -> Void)? = nil
    ) throws(FileStoreError) {
        let stopwatch = TimeSource(ContinuousClock())
        let directory = try StoreDirectory(path, fileSystem: fileSystem)
        do throws(FileStoreError) {
            var content = try directory.load()
            let storeClock = StoreClock(clock, notBefore: content.table.now)
            let endedLeases = content.table.endLeases(exceptOf: process, at: storeClock.now)
            let bell = bell
            journal = try opening { () throws(StoreFailure) in
                let place = try Self.prepare(directory, &content, anew: endedLeases, at: storeClock.now)
                return try Journal(directory.openNewest(content), at: place, path: path) { failure in
                    directory.release()
                    guard let failure else { return }
                    // A claim that waits would otherwise sleep on a store that gives nothing any more.
                    bell.ringAll()
                    onFailure?(failure)
                }
            }
            self.clock = storeClock
            report = OpeningReport(
                lastEnd: content.lastEnd, framesReplayed: content.framesReplayed, records: content.table.count,
                duration: .nanoseconds(stopwatch.now()))
            state = Locked(State(table: content.table))
        } catch {
            directory.release()
            throw error
        }
    }

    deinit { journal.startFinishing() }

    /// Sees to it that the directory has a journal that can be continued.
    ///
    /// One that was not closed is written anew: after a failed sync the system may show bytes that are not on the
    /// medium, and only bytes that are written and synced again are known to be. So is one of which opening has changed
    /// something, as it does when it ends the leases of a process that is gone: they must not come back.
    private static func prepare(
        _ directory: StoreDirectory, _ content: inout StoreDirectory.Content, anew: Bool, at now: Timestamp
    ) throws(StoreFailure) -> Journal.Place {
        if content.lastEnd == .closed, !anew, let place = content.place {
            let used = content.table.liveRecords(at: now).reduce(0) { $0 + $1.body.count + $1.id.key.utf8.count + 160 }
            if place.offset < max(smallestRewrite, 2 * used) {
                try directory.confirmSeal(at: place, of: content.number)
                try directory.removeLeftovers(keeping: content.number)
                return place
            }
        }
        return try directory.rewrite(&content, at: now, generation: RandomSource.system.next())
    }

    /// Survives the loss of power.
    public var durability: Durability { .powerLoss }

    /// Carries out an operation on the table and waits until everything that its answer shows is durable.
    private func withTable<Answer: Sendable>(
        _ body: (inout RecordTable, Timestamp) throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        let (answer, sequence, isChange) = try apply(body)
        guard let failure = await journal.failure(upTo: sequence) else { return answer }
        throw isChange ? .outcomeUnknown(failure) : .unavailable(failure)
    }

    /// Carries out an operation and hands what it did to the journal, both under the lock: the order is the same.
    private func apply<Answer: Sendable>(
        _ body: (inout RecordTable, Timestamp) throws(StoreError) -> Answer
    ) throws(StoreError) -> (answer: Answer, sequence: UInt64, isChange: Bool) {
        let now = clock.now
        return try state.withLock { state throws(StoreError) in
            guard !state.isClosed else { throw .closed }
            try journal.check()
            let answer = try body(&state.table, now)
            let effects = state.table.takeEffects()
            guard !effects.isEmpty else { return (answer, journal.lastSequence, false) }
            return (answer, journal.append(.commit(effects, at: state.table.now)), true)
        }
    }

    /// The records of those names, at most 1,000; see ``RecordStore``.
    public func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try await withTable { table, now throws(StoreError) in try table.read(ids, at: now) }
    }

    /// Carries out the changes as one batch, or none of them; see ``RecordStore``.
    public func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let answer = try await withTable { table, now throws(StoreError) in try table.commit(changes, at: now) }
        bell.ring(for: changes.lazy.map(\.id))
        return answer
    }

    /// Holds records that nobody holds, waiting for one to be due if the request says so; see ``RecordStore``.
    public func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        try await waitingClaim(request, time: clock.time, bell: bell) { () throws(StoreError) in
            try await withTable { table, now throws(StoreError) in
                try table.claim(request.selection, lease: request.lease, at: now)
            }
        }
    }

    /// Moves the end of a hold to `lease` from now; see ``RecordStore``.
    public func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        let answer = try await withTable { table, now throws(StoreError) in
            try table.extend(id, fence: fence, lease: lease, at: now)
        }
        // The hold may now end earlier than a waiting claim counted on.
        bell.ring(for: [id])
        return answer
    }

    /// A page of a collection by position; see ``RecordStore``.
    public func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try await withTable { table, now throws(StoreError) in
            try table.scan(collection, state: state, after: position, limit: limit, at: now)
        }
    }

    /// Counts by state and the oldest records of a collection; see ``RecordStore``.
    public func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await withTable { table, now throws(StoreError) in table.statistics(of: collection, at: now) }
    }

    /// Frees at most `limit` expired records and says how many; see ``RecordStore``.
    public func purgeExpired(limit: Int) async throws(StoreError) -> Int {
        try await withTable { table, now throws(StoreError) in table.purgeExpired(limit: limit, at: now) }
    }

    /// Waits until what was handed over is durable, seals the journal and lets others open the directory.
    ///
    /// - Throws: ``StoreError/unavailable(_:)`` if a write had failed before, or fails now.
    public func close() async throws(StoreError) {
        state.withLock { $0.isClosed = true }
        bell.ringAll()
        if let failure = await journal.finish() { throw .unavailable(failure) }
    }
}
