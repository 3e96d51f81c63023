// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension IdempotentOperation {
    /// How a call goes on.
    enum Acquisition {
        /// The outcome is stored.
        case answered(IdempotentResult<Output>)
        /// A probe found the outcome; the call holds the key to store it.
        case recovered(IdempotentExecution, Output)
        /// The call holds the key; its handler is to run.
        case execute(IdempotentExecution)
    }

    /// What a store's answer shows under the key.
    private enum Sight {
        /// This call's insert is in.
        case inserted(IdempotentExecution)
        /// Somebody's record, or one that this call has claimed, or nothing.
        case standing(Record?, now: Timestamp)
    }

    private enum Step {
        case done(Acquisition)
        case look(Sight)
    }

    /// How often a call looks: every look after the first means that another call has settled the key meanwhile, or
    /// that the store did not say what came of a claim.
    private var turns: Int { 7 }

    func acquire(_ call: IdempotentCall) async throws -> Acquisition {
        do {
            var sight = try await insert(call)
            var turn = 1
            while true {
                switch sight {
                case .inserted(let execution):
                    emit(.new, call.key, execution.context.fence)
                    return .execute(execution)
                case .standing(let record, let now):
                    switch try await proceed(call, record, now, isLast: turn == turns) {
                    case .done(let acquisition): return acquisition
                    case .look(let next): sight = next
                    }
                }
                turn += 1
            }
        } catch let error as StoreError {
            emit(.storeFailed, call.key, nil, error)
            throw error
        }
    }

    private func proceed(
        _ call: IdempotentCall, _ record: Record?, _ now: Timestamp, isLast: Bool
    ) async throws -> Step {
        switch (try decide(call, record, now), record) {
        case (.execute, let record?):
            if case .probe = ifUnknown {
                // Held through a claim that was carried out late, so no probe was asked about what stands here.
                guard !isLast else { throw inFlight(call, record, .zero) }
                _ = try await settle(execution(call, record, followsUnknown: true), .leaveUnknown)
                return .look(try await insert(call))
            }
            emit(.reclaimed, call.key, record.fence)
            return .done(.execute(execution(call, record, followsUnknown: true)))
        case (.mismatch, _):
            emit(.mismatch, call.key)
            throw IdempotencyMismatch(key: call.key)
        case (.replay(let output, let completedAt, let age), _):
            let value = try reading(call.key) { try codec.decode(output) }
            emit(.replayed, call.key)
            let origin = IdempotentResult<Output>.Origin.replayed(firstCompletedAt: completedAt, age: age)
            return .done(.answered(IdempotentResult(value: value, origin: origin)))
        case (.inFlight(let rest), _):
            throw inFlight(call, record, rest)
        case (.unknown, let record?):
            guard !isLast else { throw inFlight(call, record, .zero) }
            return try await proceed(call, afterUnknown: record)
        case (.insert, _):
            guard !isLast else { throw inFlight(call, record, .zero) }
            return .look(try await insert(call))
        case (.execute, nil), (.unknown, nil):
            preconditionFailure("Nothing stands under the key \(call.key)")
        }
    }

    /// Nothing is written before it is decided that another execution takes over: until then the late owner, the only
    /// one who knows, can settle under its own fence.
    private func proceed(_ call: IdempotentCall, afterUnknown record: Record) async throws -> Step {
        let probed: ProbeResult<Output>
        switch ifUnknown {
        case .park: throw outcomeUnknown(call.key, record, nil)
        case .reexecute: return .look(try await claim(call))
        case .probe(let probe):
            do {
                probed = try await probe(execution(call, record, followsUnknown: true).context)
            } catch {
                throw outcomeUnknown(call.key, record, error)
            }
        }
        if case .unknown = probed { throw outcomeUnknown(call.key, record, nil) }
        let sight = try await claim(call)
        guard case .standing(let claimed?, let now) = sight, case .execute = try decide(call, claimed, now) else {
            return .look(sight)
        }
        let execution = execution(call, claimed, followsUnknown: false)
        guard claimed.isNextClaim(of: record) else {
            // Another execution came and went since the probe was asked, so its answer is about the wrong one.
            _ = try await settle(execution, .leaveUnknown)
            return .look(try await insert(call))
        }
        switch probed {
        case .applied(let value):
            return .done(.recovered(execution, value))
        case .notApplied:
            emit(.reclaimed, call.key, claimed.fence)
            return .done(.execute(execution))
        case .unknown:
            preconditionFailure("An undecided probe claims nothing")
        }
    }

    private func outcomeUnknown(
        _ key: IdempotencyKey, _ record: Record, _ cause: (any Error)?
    ) -> IdempotencyOutcomeUnknown {
        emit(.unknown, key, record.fence)
        return IdempotencyOutcomeUnknown(key: key, fence: record.fence, cause: cause)
    }

    private func inFlight(_ call: IdempotentCall, _ record: Record?, _ rest: Duration) -> IdempotencyInFlight {
        emit(.inFlight, call.key, record?.fence)
        return IdempotencyInFlight(key: call.key, retryAfter: rest)
    }

    private func decide(_ call: IdempotentCall, _ record: Record?, _ now: Timestamp) throws -> KeyDecision {
        try reading(call.key) {
            try KeyDecision(standing: record, now: now, fingerprint: call.fingerprint, nonce: call.holder.nonce)
        }
    }

    private func reading<Value>(_ key: IdempotencyKey, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            emit(.unreadable, key, nil, error)
            throw IdempotencyRecordUnreadable(key: key, cause: error)
        }
    }

    private func execution(
        _ call: IdempotentCall, _ record: Record, followsUnknown: Bool
    ) -> IdempotentExecution {
        let context = IdempotencyContext(key: call.key, fence: record.fence, attempt: record.claims)
        return IdempotentExecution(
            context: context, fingerprint: call.fingerprint, leaseUntil: record.leaseUntil,
            followsUnknown: followsUnknown)
    }

    private func insert(_ call: IdempotentCall) async throws(StoreError) -> Sight {
        let body = KeyBody(fingerprint: call.fingerprint).bytes
        let content = RecordContent(state: KeyState.inProgress, body: body)
        let lease = Lease(self.lease, holder: call.holder)
        var sight: Sight
        do throws(StoreError) {
            switch try await store.commit([.insert(call.key.recordID, content, lease: lease)]) {
            case .conflict(let conflict):
                sight = .standing(conflict.standing, now: conflict.now)
            case .committed(let committed):
                return .inserted(execution(call, committed))
            }
        } catch {
            sight = try await look(call.key, after: error)
        }
        // An insert of unknown outcome is recognised by its holder, also if it is found only by the next one. A record
        // that was handed out again since is another call's, held through a late claim of this one.
        sight = try await renewed(sight, for: call)
        guard case .standing(let record?, _) = sight, record.holder?.nonce == call.holder.nonce, record.claims == 1
        else { return sight }
        return .inserted(execution(call, record, followsUnknown: false))
    }

    /// Renews a claim of this call that is found only after its lease has passed: nothing starts under a dead lease,
    /// which anybody may claim at that moment.
    private func renewed(_ sight: Sight, for call: IdempotentCall) async throws(StoreError) -> Sight {
        guard case .standing(var record?, let now) = sight, record.holder?.nonce == call.holder.nonce,
            !record.isHeld(at: now)
        else { return sight }
        switch try await store.extend(record.id, fence: record.fence, lease: lease) {
        case .lost(let now, let standing):
            return .standing(standing, now: now)
        case .extended(let now, let until):
            record.leaseUntil = until
            return .standing(record, now: now)
        }
    }

    private func execution(_ call: IdempotentCall, _ committed: CommitAnswer.Committed) -> IdempotentExecution {
        guard let fence = committed.fences.first else {
            preconditionFailure("A store answers an insert with the record's fence")
        }
        return IdempotentExecution(
            context: IdempotencyContext(key: call.key, fence: fence, attempt: 1), fingerprint: call.fingerprint,
            leaseUntil: committed.now.advanced(by: lease), followsUnknown: false)
    }

    private func claim(_ call: IdempotentCall) async throws(StoreError) -> Sight {
        let request = ClaimRequest(.ids([call.key.recordID]), lease: Lease(lease, holder: call.holder))
        do throws(StoreError) {
            let answer = try await store.claim(request)
            return .standing(answer.claimed.first ?? answer.standing.first, now: answer.now)
        } catch {
            return try await renewed(try await look(call.key, after: error), for: call)
        }
    }

    /// Reads once after an unknown outcome; any other error, and one of the reading, ends the call.
    private func look(_ key: IdempotencyKey, after error: StoreError) async throws(StoreError) -> Sight {
        guard case .outcomeUnknown = error else { throw error }
        do throws(StoreError) {
            let answer = try await store.read([key.recordID])
            return .standing(answer.records.first ?? nil, now: answer.now)
        } catch _ {
            throw error
        }
    }
}
