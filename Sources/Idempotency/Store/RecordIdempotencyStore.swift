// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Idempotency keys in a record store: beside the queues, sagas and business records that the same store keeps, so that
/// an outcome and their changes are one commit.
///
/// Every key is a record of the collection ``IdempotencyKey/collection``. A copy is as good as the original: what it
/// knows is in the record store.
public struct RecordIdempotencyStore<Records: RecordStore>: IdempotencyStore {
    /// The store that keeps the records; closing it is the business of whoever made it.
    public let records: Records

    /// The keys in that record store.
    public init(_ records: Records) { self.records = records }

    /// What the record store's answers survive.
    public var durability: Durability { records.durability }

    /// `true`: changes of any records of the same store.
    public var takesChanges: Bool { true }

    /// Inserts the key's record, or claims one whose execution is unknown.
    public func claim(_ claim: IdempotencyClaim) async throws(StoreError) -> IdempotencyClaimAnswer {
        let lease = Lease(claim.lease, holder: claim.holder)
        if let predecessor = claim.predecessor { return try await takeOver(predecessor, lease) }
        let content = RecordContent(state: KeyState.inProgress, body: KeyBody(fingerprint: claim.fingerprint).bytes)
        switch try await records.commit([.insert(claim.key.recordID, content, lease: lease)]) {
        case .conflict(let conflict):
            guard let standing = conflict.standing else { return .absent }
            return .standing(IdempotencyEntry(standing, of: claim.key, now: conflict.now))
        case .committed(let committed):
            return .acquired(
                IdempotencyExecution(
                    key: claim.key, fence: Self.fence(of: committed), attempt: 1, fingerprint: claim.fingerprint,
                    leaseUntil: committed.now.advanced(by: claim.lease)))
        }
    }

    private func takeOver(
        _ predecessor: IdempotencyEntry, _ lease: Lease
    ) async throws(StoreError) -> IdempotencyClaimAnswer {
        let key = predecessor.key
        // Records cannot be claimed under a condition, and a claim in error costs a late owner its right to settle.
        guard let standing = try await read(key) else { return .absent }
        guard standing.execution.fence == predecessor.execution.fence, case .unknown = standing.state else {
            return .standing(standing)
        }
        let answer = try await records.claim(ClaimRequest(.ids([key.recordID]), lease: lease))
        guard let claimed = answer.claimed.first else {
            return answer.standing.first.map { .standing(IdempotencyEntry($0, of: key, now: answer.now)) } ?? .absent
        }
        let entry = IdempotencyEntry(claimed, of: key, now: answer.now)
        guard case .inProgress = entry.state else {
            // Completed since the look: what is held would stay longer than its retention.
            _ = try await records.extend(key.recordID, fence: entry.execution.fence, lease: .zero)
            return .standing(entry)
        }
        if entry.isNextClaim(of: predecessor) { return .acquired(entry.execution) }
        // Another execution came and went since the look: the one that is in doubt now is not the one that was named.
        _ = try await markUnknown(entry.execution, because: .claimedInError)
        return try await read(key).map { .standing($0) } ?? .absent
    }

    /// Replaces the record by one that expires, in one commit with the changes.
    public func complete(
        _ execution: IdempotencyExecution, as outcome: IdempotencyOutcome, retention: Duration,
        alongside changes: [Change]
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        let body = KeyBody(
            fingerprint: execution.fingerprint, settlement: .completed(outcome, retention: retention))
        let content = RecordContent(state: KeyState.completed, body: body.bytes, expires: .after(retention))
        let change = Change.replace(execution.key.recordID, expecting: execution.fence, with: content, lease: .end)
        return try await settle(execution, changes.isEmpty ? [change] : [change] + changes)
    }

    /// Deletes the record.
    public func release(_ execution: IdempotencyExecution) async throws(StoreError) -> IdempotencySettleAnswer {
        try await settle(execution, [.delete(execution.key.recordID, expecting: execution.fence)])
    }

    /// Replaces the record by one that nobody holds and that never expires.
    public func markUnknown(
        _ execution: IdempotencyExecution, because reason: IdempotencyUnknownReason
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        let body = KeyBody(
            fingerprint: execution.fingerprint, checkpoint: execution.checkpoint, settlement: .unknown(reason))
        let content = RecordContent(state: KeyState.unknown, body: body.bytes)
        return try await settle(
            execution, [.replace(execution.key.recordID, expecting: execution.fence, with: content, lease: .end)])
    }

    private func settle(
        _ execution: IdempotencyExecution, _ changes: [Change]
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        switch try await records.commit(changes) {
        case .committed(let committed):
            return .settled(at: committed.now)
        case .conflict(let conflict) where conflict.index > 0:
            return .conflict(.init(now: conflict.now, index: conflict.index - 1, standing: conflict.standing))
        case .conflict(let conflict):
            return .lost(conflict.standing.map { IdempotencyEntry($0, of: execution.key, now: conflict.now) })
        }
    }

    /// Extends the record's lease.
    public func extend(
        _ execution: IdempotencyExecution, by lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        switch try await records.extend(execution.key.recordID, fence: execution.fence, lease: lease) {
        case .lost(let now, let standing):
            return .lost(standing.map { IdempotencyEntry($0, of: execution.key, now: now) })
        case .extended(_, let until):
            var execution = execution
            execution.leaseUntil = until
            return .held(execution)
        }
    }

    /// Replaces the record, whose fence is a new one then.
    public func checkpoint(
        _ execution: IdempotencyExecution, _ checkpoint: IdempotencyCheckpoint, extendingBy lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        let body = KeyBody(fingerprint: execution.fingerprint, checkpoint: checkpoint)
        let content = RecordContent(state: KeyState.inProgress, body: body.bytes)
        let change = Change.replace(
            execution.key.recordID, expecting: execution.fence, with: content, lease: .extend(lease))
        switch try await records.commit([change]) {
        case .conflict(let conflict):
            return .lost(conflict.standing.map { IdempotencyEntry($0, of: execution.key, now: conflict.now) })
        case .committed(let committed):
            var execution = execution
            execution.fence = Self.fence(of: committed)
            execution.checkpoint = checkpoint
            execution.leaseUntil = committed.now.advanced(by: lease)
            return .held(execution)
        }
    }

    private static func fence(of committed: CommitAnswer.Committed) -> Fence {
        guard let fence = committed.fences.first else {
            preconditionFailure("A store answers an insert and a replace with the record's fence")
        }
        return fence
    }

    /// Reads the record.
    public func read(_ key: IdempotencyKey) async throws(StoreError) -> IdempotencyEntry? {
        let answer = try await records.read([key.recordID])
        return answer.records.first?.map { IdempotencyEntry($0, of: key, now: answer.now) }
    }

    /// Scans the records that were left unknown, then those that are in progress.
    public func unresolved(
        _ operation: String, after cursor: IdempotencyCursor?, limit: Int
    ) async throws(StoreError) -> IdempotencyPage {
        var place = try Place(cursor)
        let state = place.isOfUnknown ? KeyState.unknown : KeyState.inProgress
        let answer = try await records.scan(
            IdempotencyKey.collection, state: state, after: place.position, limit: limit)
        let entries = answer.records.compactMap { record -> IdempotencyEntry? in
            guard let key = IdempotencyKey(record.id), key.operation.utf8.elementsEqual(operation.utf8) else {
                return nil
            }
            let entry = IdempotencyEntry(record, of: key, now: answer.now)
            guard case .unknown = entry.state else { return nil }
            return entry
        }
        let isLast = answer.next == nil && !place.isOfUnknown
        if answer.next == nil { place.isOfUnknown = false }
        place.position = answer.next
        return IdempotencyPage(entries: entries, next: isLast ? nil : place.cursor)
    }

    /// Purges expired records of every collection of the store.
    public func purge(limit: Int) async throws(StoreError) -> Int { try await records.purgeExpired(limit: limit) }
}

/// How far a listing is: of the records left unknown, or of those in progress, behind a position.
private struct Place {
    var isOfUnknown = true
    var position: UInt64?

    init(_ cursor: IdempotencyCursor?) throws(StoreError) {
        guard let cursor else { return }
        let parts = cursor.text.split(separator: ":", omittingEmptySubsequences: false)
        let position = parts.last.flatMap { UInt64($0) }
        guard parts.count == 2, ["unknown", "progress"].contains(parts[0]), position != nil || parts[1].isEmpty else {
            throw .refused(RefusedInput(field: "cursor", size: cursor.text.utf8.count, allowed: 9...29))
        }
        isOfUnknown = parts[0] == "unknown"
        self.position = position
    }

    var cursor: IdempotencyCursor {
        IdempotencyCursor("\(isOfUnknown ? "unknown" : "progress"):\(position.map { String($0) } ?? "")")
    }
}

/// Idempotency keys in memory: they live as long as the process.
///
/// Right for tests, and where a client never tries again after the service has been started anew.
public typealias InMemoryIdempotencyStore = RecordIdempotencyStore<InMemoryRecordStore>

/// Idempotency keys in files, which one process at a time has open.
public typealias FileIdempotencyStore = RecordIdempotencyStore<FileRecordStore>

extension RecordIdempotencyStore<InMemoryRecordStore> {
    /// Keys in an in-memory record store of their own.
    ///
    /// - Parameters:
    ///   - capacity: How many keys it takes at most; `nil` for any number. Beyond it a claim throws `StoreError.full`.
    ///   - clock: The clock of leases and retentions.
    public init(capacity: Int? = nil, clock: any Clock<Duration> = ContinuousClock()) {
        self.init(InMemoryRecordStore(capacity: capacity, clock: clock))
    }
}

extension RecordIdempotencyStore<FileRecordStore> {
    /// Keys in a file record store of their own, in that directory, which is made if it does not exist.
    ///
    /// - Parameters:
    ///   - directory: The path of the directory.
    ///   - durability: What an answer survives; by default a loss of power.
    ///   - committer: Who writes and syncs; by default a thread of the store's own.
    ///   - onEvent: Told what happens to the files.
    /// - Throws: `FileStoreError` if the directory cannot be opened.
    public init(
        directory: String, durability: FileDurability = .everyCommit, committer: FileCommitter = .ownThread,
        onEvent: (@Sendable (FileStoreEvent) -> Void)? = nil
    ) throws(FileStoreError) {
        self.init(
            try FileRecordStore(
                directory: directory, durability: durability, committer: committer, onEvent: onEvent))
    }
}
