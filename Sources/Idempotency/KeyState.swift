// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The labels of a key's record, for people and statistics.
enum KeyState {
    /// Claimed; unknown as soon as the lease has passed.
    static let inProgress = "in-progress"
    /// Completed; expires after the retention.
    static let completed = "completed"
    /// Nobody executes it and nobody knows what came of it; never expires.
    static let unknown = "unknown"
}

/// What a request has to do, given what stands under its key.
enum KeyDecision: Equatable {
    /// Nothing stands there: claim the key by an insert.
    case insert
    /// The record is this call's own claim: execute.
    case execute
    /// The key was used with another fingerprint.
    case mismatch
    /// The key is completed, with this outcome.
    case replay(output: [UInt8], completedAt: Timestamp, age: Duration)
    /// Another call executes it, for at most that long until its lease passes.
    case inFlight(retryAfter: Duration)
    /// An earlier execution's outcome is not known.
    case unknown

    /// Decides for a request with `fingerprint`, whose own claims carry `nonce`; `nil` takes any fingerprint.
    ///
    /// The fingerprint is compared before everything else, so a mismatch is told even while the first request runs. A
    /// completed key is replayed whoever holds its record; a lease that ends now, or none at all, holds nothing.
    init(
        standing record: Record?, now: Timestamp, fingerprint: Fingerprint?, nonce: UInt64
    ) throws(MalformedBytes) {
        guard let record else {
            self = .insert
            return
        }
        let body = try KeyBody(record.body)
        if let fingerprint, body.fingerprint != fingerprint {
            self = .mismatch
        } else if let completion = body.completion {
            let completedAt = record.expiresAt?.advanced(by: .zero - completion.retention) ?? record.createdAt
            let age = max(.zero, completedAt.duration(to: now))
            self = .replay(output: completion.output, completedAt: completedAt, age: age)
        } else if record.holder?.nonce == nonce {
            self = .execute
        } else if record.isHeld(at: now) {
            self = .inFlight(retryAfter: record.leaseRemaining(at: now))
        } else {
            self = .unknown
        }
    }
}

/// How an execution ends.
enum KeySettlement: Equatable {
    /// The value, encoded.
    case complete([UInt8])
    /// Nothing took effect: the key becomes free.
    case release
    /// The outcome is not known.
    case leaveUnknown

    /// The change that settles the key of the execution under `fence`.
    func change(
        of id: RecordID, expecting fence: Fence, fingerprint: Fingerprint, retention: Duration
    ) -> Change {
        switch self {
        case .complete(let output):
            let completion = KeyBody.Completion(output: output, retention: retention)
            let body = KeyBody(fingerprint: fingerprint, completion: completion).bytes
            let content = RecordContent(state: KeyState.completed, body: body, expires: .after(retention))
            return .replace(id, expecting: fence, with: content, lease: .end)
        case .release:
            return .delete(id, expecting: fence)
        case .leaveUnknown:
            let body = KeyBody(fingerprint: fingerprint).bytes
            let content = RecordContent(state: KeyState.unknown, body: body)
            return .replace(id, expecting: fence, with: content, lease: .end)
        }
    }

    /// What became of a settlement.
    enum Fate: Equatable {
        /// It is in.
        case settled
        /// It is not in, and still can be.
        case pending
        /// Another execution has claimed the key.
        case lost
    }

    /// What became of this settlement under `fence`, judged by what stands there after a conflict or an unknown
    /// outcome.
    func fate(under fence: Fence, standing record: Record?) -> Fate {
        switch (self, record) {
        case (.release, nil): .settled
        case (.complete, nil), (.leaveUnknown, nil): .lost
        case (_, .some(let record)) where record.fence == fence: .pending
        case (.complete, .some(let record)), (.leaveUnknown, .some(let record)):
            record.changedUnder == fence ? .settled : .lost
        case (.release, .some): .lost
        }
    }
}

extension Record {
    /// Whether this is `earlier` after exactly one claim and nothing else: the same insert, the same last change.
    func isNextClaim(of earlier: Record) -> Bool {
        position == earlier.position && claims == earlier.claims + 1 && changedUnder == earlier.changedUnder
    }
}
