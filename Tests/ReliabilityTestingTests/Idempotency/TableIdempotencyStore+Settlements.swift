// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting

extension TableIdempotencyStore {
    /// Changes the row of an execution that is not settled; else tells what stands.
    private func update(
        _ execution: IdempotencyExecution, _ call: TableBug?, isSettlement: Bool = true,
        _ change: (inout Row, inout Database, Timestamp) -> Void
    ) throws(StoreError) -> (row: Row?, lost: IdempotencyEntry?, now: Timestamp) {
        let name = Name(execution.key, bug)
        let settlesTwice = [.settlesTwice, .expiredRowsAreSettled, .settlementsLookAndWriteApart].contains(bug)
        return try transaction(isSettlement: isSettlement) { database, now in
            let found = bug == .expiredRowsAreSettled ? database.rows[name] : row(execution.key, database, now)
            guard var row = found, bug == call || row.fence == execution.fence,
                settlesTwice || row.state == .inProgress,
                bug != .lateOwnersAreRefused || row.leaseUntil > now
            else {
                switch bug {
                case .staleCallsAreToldNothing: return (nil, nil, now)
                case .staleCallsAreToldWhatWas:
                    return (
                        nil,
                        IdempotencyEntry(
                            execution: execution, holder: nil, settledUnder: nil, state: .unknown(.leasePassed)), now
                    )
                default: return (nil, standing(execution.key, database, now), now)
                }
            }
            change(&row, &database, now)
            database.rows[name] = row
            if bug == .checkpointsAreEverybodys, let checkpoint = row.checkpoint {
                for name in database.rows.keys { database.rows[name]?.checkpoint = checkpoint }
            }
            return (row, nil, now)
        }
    }

    private func settle(
        _ execution: IdempotencyExecution, _ call: TableBug, showing: Bool = true,
        _ change: (inout Row, Timestamp) -> Void
    ) throws(StoreError) -> IdempotencySettleAnswer {
        let answer = try update(execution, call) { row, _, now in
            if bug != .aLeaseOutlivesTheCompletion { row.leaseUntil = min(row.leaseUntil, now) }
            if bug != .settlementsKeepTheHolder { row.holder = nil }
            if showing { row.settledUnder = row.fence }
            row.settledAt = now
            change(&row, now)
        }
        return answer.row == nil ? .lost(answer.lost) : .settled(at: answer.now)
    }

    func complete(
        _ execution: IdempotencyExecution, as outcome: IdempotencyOutcome, retention: Duration,
        alongside changes: [Change]
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        if bug == .settlementsLookAndWriteApart {
            let entry = try await read(execution.key)
            guard let entry, entry.execution.fence == execution.fence, entry.holder != nil else { return .lost(entry) }
            await Task.yield()
        }
        let writesAnyhow = bug == .settlementsLookAndWriteApart
        return try settle(execution, writesAnyhow ? .settlementsLookAndWriteApart : .staleCompletionsAreTaken) {
            row, now in
            let start = bug == .retentionCountsFromTheLease ? execution.leaseUntil : now
            row.state = .completed(kept(outcome))
            row.expiresAt = start.advanced(by: retention)
        }
    }

    private func kept(_ outcome: IdempotencyOutcome) -> IdempotencyOutcome {
        switch (outcome, bug) {
        case (.value(let bytes), .longValuesAreCut): .value(Array(bytes.prefix(65_536)))
        case (.value(let bytes), .valuesAreText): .value(Array(String(decoding: bytes, as: UTF8.self).utf8))
        case (.value([]), .emptyValuesAreNull): .omitted(size: 0)
        case (.failure(let bytes), .failuresAreValues): .value(bytes)
        case (.omitted(let size), .sizesAreSmall): .omitted(size: Int(UInt32(truncatingIfNeeded: size)))
        default: outcome
        }
    }

    func release(_ execution: IdempotencyExecution) async throws(StoreError) -> IdempotencySettleAnswer {
        try settle(execution, .staleReleasesAreTaken) { row, now in
            row.state = .released
            row.expiresAt = now
        }
    }

    func markUnknown(
        _ execution: IdempotencyExecution, because reason: IdempotencyUnknownReason
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        try settle(
            execution, .staleUnknownsAreTaken, showing: bug != .unknownOutcomesShowNoFence
        ) { row, now in
            row.state = .unknown(reason)
            if bug == .unknownKeysExpire { row.expiresAt = now.advanced(by: .seconds(86_400)) }
            if bug == .unknownOutcomesLoseTheCheckpoint { row.checkpoint = nil }
        }
    }

    // MARK: Holds

    func extend(
        _ execution: IdempotencyExecution, by lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        hold(
            try update(execution, .staleExtendsAreTaken, isSettlement: false) { row, database, now in
                row.leaseUntil = (bug == .extendsAddToTheEnd ? row.leaseUntil : now).advanced(by: lease)
                if bug == .extendsGiveANewFence { row.fence = nextFence(&database) }
            }, of: execution)
    }

    func checkpoint(
        _ execution: IdempotencyExecution, _ checkpoint: IdempotencyCheckpoint, extendingBy lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer {
        hold(
            try update(execution, .staleCheckpointsAreTaken, isSettlement: false) { row, database, now in
                row.settledUnder = row.fence
                if bug != .checkpointsKeepTheFence { row.fence = nextFence(&database, after: row) }
                row.checkpoint = bug == .theFirstCheckpointStays ? row.checkpoint ?? checkpoint : checkpoint
                if bug != .checkpointsLeaveTheLease { row.leaseUntil = now.advanced(by: lease) }
            }, of: execution)
    }

    private func hold(
        _ answer: (row: Row?, lost: IdempotencyEntry?, now: Timestamp), of execution: IdempotencyExecution
    ) -> IdempotencyHoldAnswer {
        guard let row = answer.row else { return .lost(answer.lost) }
        return .held(entry(row, execution.key, answer.now).execution)
    }
}
