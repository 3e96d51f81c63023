// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting
import Synchronization

/// Idempotency keys in a table, as somebody writes them who has a database and no record store: every operation is one
/// statement, whose condition says whose key it is, and a look at what stands if it changed no row.
///
/// A settlement leaves the fence as it is; take-overs and checkpoints give a new one. Where it asks for a bug it is
/// otherwise than it should be.
final class TableIdempotencyStore: IdempotencyStore {
    /// The table as it is, and as it is on its medium.
    struct Database: Sendable {
        var rows: [Name: Row] = [:]
        var nextFence: UInt64 = 1
    }

    struct Row: Hashable, Sendable {
        var fence: Fence
        var attempt = 1
        var fingerprint: StoredFingerprint
        /// `NULL` once the execution is settled.
        var holder: Holder?
        var leaseUntil: Timestamp
        var settledUnder: Fence?
        var checkpoint: IdempotencyCheckpoint?
        var state = State.inProgress
        var settledAt: Timestamp?
        /// Set by a completion or a release.
        var expiresAt: Timestamp?

        enum State: Hashable, Sendable {
            case inProgress, released
            case unknown(IdempotencyUnknownReason)
            case completed(IdempotencyOutcome)
        }

        func isExpired(at now: Timestamp, _ bug: TableBug?) -> Bool {
            guard let expiresAt else { return false }
            if bug == .aLeaseOutlivesTheCompletion, leaseUntil > now { return false }
            return bug == .retentionEndsLate ? expiresAt < now : expiresAt <= now
        }
    }

    /// The primary key: three columns of bytes.
    struct Name: Hashable, Comparable, Sendable {
        let parts: [[UInt8]]

        init(_ key: IdempotencyKey, _ bug: TableBug?) {
            var texts = [key.tenant, key.operation, key.key]
            switch bug {
            case .partsRunTogether: texts = [texts.joined()]
            case .partsAreJoinedBySlashes: texts = [texts.joined(separator: "/")]
            case .tenantsShareKeys: texts.removeFirst()
            case .keysHaveNoCase: texts = texts.map { $0.lowercased() }
            case .keysLoseSpaces: texts = texts.map { String($0.reversed().drop { $0 == " " }.reversed()) }
            case .keysAreCut: texts = texts.map { String($0.prefix(250)) }
            // One of the two that Swift takes for the same character becomes the other.
            case .keysAreNormalised: texts = texts.map { String($0.map { $0 == "\u{E9}" ? "\u{E9}" : $0 }) }
            default: break
            }
            parts = texts.map { Array($0.utf8) }
        }

        static func < (lhs: Name, rhs: Name) -> Bool {
            lhs.parts.lexicographicallyPrecedes(rhs.parts) { $0.lexicographicallyPrecedes($1) }
        }
    }

    let durability: Durability
    let bug: TableBug?
    let medium: Locked<Database>
    private let database: Locked<Database>
    private let clock: ManualClock

    /// The table that is on a medium.
    init(_ clock: ManualClock, _ bug: TableBug? = nil, medium: Database = Database()) {
        self.clock = clock
        self.bug = bug
        durability = .everyCommit
        self.medium = Locked(medium)
        database = Locked(medium)
    }

    /// The table as somebody finds it who opens it after this moment.
    func reopened() -> TableIdempotencyStore {
        var found = medium.withLock { $0 }
        switch bug {
        case .reopeningLosesCheckpoints: for name in found.rows.keys { found.rows[name]?.checkpoint = nil }
        case .reopeningCountsFencesAnew:
            found.nextFence = (found.rows.values.map(\.fence.rawValue).max() ?? 0) + 1
        default: break
        }
        return TableIdempotencyStore(clock, bug, medium: found)
    }

    /// One transaction.
    func transaction<Answer: Sendable>(
        isSettlement: Bool = false, _ body: (inout Database, Timestamp) -> Answer
    ) throws(StoreError) -> Answer {
        if bug == .cancelledCallsAreDropped, Task.isCancelled {
            throw .unavailable(StoreFailure(operation: "query", subject: "table", code: 0))
        }
        let now = Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000).advanced(by: clock.now.offset)
        return database.withLock { database in
            let answer = body(&database, now)
            if bug != .settlementsAreAnsweredBeforeTheyAreSynced || !isSettlement {
                medium.withLock { $0 = database }
            }
            return answer
        }
    }

    func row(
        _ key: IdempotencyKey, _ database: Database, _ now: Timestamp
    ) -> Row? {
        guard let row = database.rows[Name(key, bug)], !row.isExpired(at: now, bug) else { return nil }
        return row
    }

    func standing(
        _ key: IdempotencyKey, _ database: Database, _ now: Timestamp
    ) -> IdempotencyEntry? {
        row(key, database, now).map { entry($0, key, now) }
    }

    func entry(_ row: Row, _ key: IdempotencyKey, _ now: Timestamp) -> IdempotencyEntry {
        let state: IdempotencyEntry.State
        switch row.state {
        case .completed(let outcome):
            let at = row.settledAt ?? row.leaseUntil
            state = .completed(outcome, at: at, age: at.duration(to: now))
        case .unknown(let reason): state = .unknown(bug == .reasonsAreForgotten ? .failed : reason)
        case .inProgress, .released:
            let rest = now.duration(to: row.leaseUntil)
            let isHeld = bug == .leasesEndLate ? rest >= .zero : rest > .zero
            state = isHeld ? .inProgress(leaseRemaining: rest) : .unknown(.leasePassed)
        }
        let execution = IdempotencyExecution(
            key: key, fence: row.fence, attempt: row.attempt, fingerprint: row.fingerprint,
            checkpoint: row.checkpoint, leaseUntil: row.leaseUntil)
        return IdempotencyEntry(
            execution: execution, holder: row.holder, settledUnder: row.settledUnder, state: state)
    }

    func nextFence(_ database: inout Database, after row: Row? = nil) -> Fence {
        if bug == .fencesCountPerRow { return Fence(rawValue: (row?.fence.rawValue ?? 0) + 1) }
        defer { database.nextFence += 1 }
        return Fence(rawValue: database.nextFence)
    }

    // MARK: Claims

    func claim(_ claim: IdempotencyClaim) async throws(StoreError) -> IdempotencyClaimAnswer {
        if bug == .claimsLookAndWriteApart, claim.predecessor == nil {
            if let entry = try await read(claim.key) { return .standing(entry) }
            await Task.yield()
        }
        let name = Name(claim.key, bug)
        return try transaction { database, now in
            let standing = row(claim.key, database, now)
            let leaseUntil = now.advanced(by: claim.lease)
            if let predecessor = claim.predecessor {
                guard var row = standing, isNamed(row, predecessor, now) else {
                    if bug == .refusedClaimsCount { database.rows[name]?.attempt += 1 }
                    return self.standing(claim.key, database, now).map { .standing($0) } ?? .absent
                }
                if bug != .takeOversKeepTheFence { row.fence = nextFence(&database, after: row) }
                row.attempt += 1
                row.holder = claim.holder
                row.leaseUntil = leaseUntil
                row.state = .inProgress
                if bug == .takeOversForgetTheCheckpoint { row.checkpoint = nil }
                if bug == .takeOversForgetTheSettlement { row.settledUnder = nil }
                if bug == .takeOversChangeTheFingerprint { row.fingerprint = claim.fingerprint }
                if bug == .takeOversKeepTheLease { row.leaseUntil = predecessor.execution.leaseUntil }
                database.rows[name] = row
                return .acquired(entry(row, claim.key, now).execution)
            }
            if let standing, bug != .claimsLookAndWriteApart {
                if bug == .refusedClaimsCount { database.rows[name]?.attempt += 1 }
                if bug != .unknownKeysAreFree || !isUnknown(standing, now) {
                    return .standing(entry(standing, claim.key, now))
                }
            }
            let fence = nextFence(&database)
            var row = Row(
                fence: fence, fingerprint: claim.fingerprint, holder: claim.holder, leaseUntil: leaseUntil)
            if bug == .expiredRowsLeaveTraces, let old = database.rows[name] {
                (row.attempt, row.checkpoint, row.settledUnder) = (old.attempt + 1, old.checkpoint, old.settledUnder)
            }
            if bug == .laterFingerprintsAreNone, !row.fingerprint.description.hasPrefix("v1:") {
                row.fingerprint = Fingerprint.none.stored
            }
            if bug == .claimsKeepNoHolder { row.holder = nil }
            if bug == .keysInProgressExpire { row.expiresAt = now.advanced(by: .seconds(1_000_000)) }
            database.rows[name] = row
            return .acquired(entry(row, claim.key, now).execution)
        }
    }

    func isUnknown(_ row: Row, _ now: Timestamp) -> Bool {
        switch row.state {
        case .unknown: true
        case .inProgress: bug == .leasesDoNotHold || row.leaseUntil <= now
        case .released, .completed: false
        }
    }

    private func isNamed(_ row: Row, _ predecessor: IdempotencyEntry, _ now: Timestamp) -> Bool {
        guard isUnknown(row, now) else { return false }
        return switch bug {
        case .takeOversDoNotCompare: true
        case .takeOversCompareAttempts: row.attempt == predecessor.execution.attempt
        default: row.fence == predecessor.execution.fence
        }
    }
}
