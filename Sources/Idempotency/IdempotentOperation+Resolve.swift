// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How an operator settles a key whose outcome is unknown.
public enum IdempotencyResolution<Output: Sendable>: Sendable {
    /// It took effect, with this outcome: duplicates get it from now on.
    case completed(Output)
    /// It did not take effect: the next request runs.
    case released
}

extension IdempotentOperation {
    /// Settles a key whose outcome is unknown: one that was left so, or whose execution's lease has passed.
    ///
    /// To find such keys, scan ``IdempotencyKey/collection`` for the state `unknown`, and for `in-progress` records
    /// that nobody holds at the answer's time. An execution that is still running after its lease can no longer settle
    /// the key afterwards, so release a key only when the effect can no longer come.
    ///
    /// An answer is about one execution. Name it by the fence under which its outcome was unknown when you looked, from
    /// the scanned record or ``IdempotencyOutcomeUnknown/fence``: if another execution has ended without a known
    /// outcome since, or a late owner of this one, the answer is refused instead of being taken for theirs. Look again
    /// then.
    ///
    /// - Parameters:
    ///   - key: The key to settle.
    ///   - resolution: What came of the execution.
    ///   - fence: The execution that `resolution` is about.
    /// - Throws: ``IdempotencyInFlight`` if somebody holds the key or held it during the call;
    ///   ``IdempotencyNothingToResolve`` if it is free or completed; ``IdempotencyOutcomeUnknown`` if what is unknown
    ///   is not the execution of `fence`; what the codec throws; ``IdempotencyRecordUnreadable``; `StoreError`.
    public func resolve(
        _ key: IdempotencyKey, as resolution: IdempotencyResolution<Output>, of fence: Fence
    ) async throws {
        precondition(key.operation.utf8.elementsEqual(name.utf8), "The key \(key) is not one of the operation \(name)")
        let settlement: KeySettlement
        switch resolution {
        case .completed(let value): settlement = .complete(try codec.encode(value))
        case .released: settlement = .release
        }
        let lease = Lease(self.lease)
        let read = try await store.read([key.recordID])
        let unknown = read.records.first ?? nil
        try checkUnknown(key, unknown, read.now, lease.holder)
        if let unknown, unknown.fence != fence {
            throw IdempotencyOutcomeUnknown(key: key, fence: unknown.fence, cause: nil)
        }
        // Claimed only now that it is known to be no completed key's record.
        let claim = try await store.claim(ClaimRequest(.ids([key.recordID]), lease: lease))
        let standing = claim.claimed.first ?? claim.standing.first
        try checkUnknown(key, standing, claim.now, lease.holder)
        guard let claimed = claim.claimed.first else { throw IdempotencyInFlight(key: key, retryAfter: .zero) }

        let execution = IdempotentExecution(
            context: IdempotencyContext(key: key, fence: claimed.fence, attempt: claimed.claims),
            fingerprint: try KeyBody(claimed.body).fingerprint, leaseUntil: claimed.leaseUntil, followsUnknown: true)
        guard let unknown, claimed.isNextClaim(of: unknown) else {
            // Another execution came and went since the look, so the answer is about the wrong one.
            _ = try await settle(execution, .leaveUnknown)
            throw IdempotencyInFlight(key: key, retryAfter: .zero)
        }
        guard try await settle(execution, settlement) != nil else {
            throw IdempotencyInFlight(key: key, retryAfter: .zero)
        }
        emit(.resolved, key, claimed.fence)
    }

    /// Throws unless the key's outcome is unknown, or the caller already holds it.
    private func checkUnknown(
        _ key: IdempotencyKey, _ standing: Record?, _ now: Timestamp, _ holder: Holder
    ) throws {
        let decision: KeyDecision
        do {
            decision = try KeyDecision(standing: standing, now: now, fingerprint: nil, nonce: holder.nonce)
        } catch {
            throw IdempotencyRecordUnreadable(key: key, cause: error)
        }
        switch decision {
        case .unknown, .execute: return
        case .insert: throw IdempotencyNothingToResolve(key: key, completedAt: nil)
        case .replay(_, let completedAt, _): throw IdempotencyNothingToResolve(key: key, completedAt: completedAt)
        case .inFlight(let rest): throw IdempotencyInFlight(key: key, retryAfter: rest)
        case .mismatch: preconditionFailure("No fingerprint was compared")
        }
    }
}
