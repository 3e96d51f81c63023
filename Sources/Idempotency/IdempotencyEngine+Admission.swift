// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension IdempotencyEngine {
    /// How a call goes on.
    enum Admission {
        /// The outcome is stored, since a time that was so long ago.
        case answered(IdempotencyOutcome, at: Timestamp, age: Duration)
        /// A probe found the outcome; the call holds the key to store it.
        case recovered(IdempotencyExecution, any Sendable)
        /// The call holds the key; its handler is to run.
        case execute(IdempotencyExecution, followsUnknown: Bool)
        /// The key cannot be claimed and the handler is to run all the same.
        case unprotected(StoreError)
    }

    private enum Step {
        case done(Admission)
        case look(IdempotencyClaimAnswer)
    }

    /// How often a call looks: every look after the first means that another call has settled the key meanwhile, or
    /// that the store did not say what came of a claim.
    private var looks: Int { 7 }

    /// Claims the key or says how else the call goes on; waits for the first execution if that is the policy.
    func admit(_ call: Call) async throws -> Admission {
        do {
            guard case .wait(let limit) = options.ifInFlight else { return try await look(call) }
            return try await wait(call, upTo: limit)
        } catch let error as StoreError {
            emit(.storeFailed, call.key, nil, error)
            throw error
        } catch let error as IdempotencyInFlight {
            emit(.inFlight, call.key)
            throw error
        }
    }

    private func wait(_ call: Call, upTo limit: Duration) async throws -> Admission {
        let waiter = waiters.add(call.key)
        defer { waiters.remove(waiter) }
        let end = time.now().addingSaturating(limit.nanosecondsRoundedUp)
        // Of an execution in another process nothing is heard.
        var pause = Duration.milliseconds(10)
        while true {
            do {
                return try await look(call)
            } catch let inFlight as IdempotencyInFlight {
                let rest = Duration.nanoseconds(end.subtractingSaturating(time.now()))
                guard rest > .zero else { throw inFlight }
                let lease = max(inFlight.retryAfter ?? .zero, .milliseconds(1))
                try await waiters.wait(waiter, atMost: min(pause, lease, rest), time)
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    private func look(_ call: Call) async throws -> Admission {
        var answer: IdempotencyClaimAnswer
        do throws(StoreError) {
            answer = try await claim(call)
        } catch {
            if options.ifStoreFails == .runUnprotected, !error.isRefusal { return .unprotected(error) }
            throw error
        }
        // The commonest way.
        if case .acquired(let execution) = answer { return admit(call, execution) }
        var look = 1
        while true {
            switch try await proceed(call, answer, isLast: look == looks) {
            case .done(let admission): return admission
            case .look(let next): answer = next
            }
            look += 1
        }
    }

    private func admit(_ call: Call, _ execution: IdempotencyExecution) -> Admission {
        emit(.new, call.key, execution.fence)
        return .execute(execution, followsUnknown: false)
    }

    private func proceed(
        _ call: Call, _ answer: IdempotencyClaimAnswer, isLast: Bool
    ) async throws -> Step {
        switch answer {
        case .acquired(let execution):
            return .done(admit(call, execution))
        case .absent:
            guard !isLast else { throw IdempotencyInFlight(key: call.key, retryAfter: .zero) }
            return .look(try await claim(call))
        case .standing(let entry):
            try check(call, entry)
            switch entry.state {
            case .completed(let outcome, let completedAt, let age):
                return .done(.answered(outcome, at: completedAt, age: age))
            case .inProgress where entry.holder?.nonce == call.holder.nonce:
                return try await proceed(call, ownClaim: entry.execution, isLast: isLast)
            case .inProgress(let rest):
                throw IdempotencyInFlight(key: call.key, retryAfter: rest)
            case .unknown(let reason):
                guard !isLast else { throw IdempotencyInFlight(key: call.key, retryAfter: .zero) }
                return try await proceed(call, afterUnknown: entry, reason)
            case .unreadable(let description):
                throw unreadable(call.key, UnreadableEntry(description: description))
            }
        }
    }

    /// The fingerprint is compared before everything else, so a mismatch is told even while the first request runs.
    private func check(_ call: Call, _ entry: IdempotencyEntry) throws {
        if case .unreadable = entry.state { return }
        let comparison = call.fingerprint.compared(to: entry.execution.fingerprint)
        if comparison == .same || comparison == .incomparable && options.acceptsIncomparable { return }
        emit(.mismatch, call.key)
        throw IdempotencyMismatch(key: call.key, isIncomparable: comparison == .incomparable)
    }

    /// A claim of this call that was carried out although the store did not say so, or said it too late, on an execution
    /// that may not be the one it was made for.
    private func proceed(
        _ call: Call, ownClaim execution: IdempotencyExecution, isLast: Bool
    ) async throws -> Step {
        if case .probe = ifUnknown {
            // No probe was asked about the execution before.
            _ = try await store.markUnknown(execution, because: .claimedInError)
            guard !isLast else { throw IdempotencyInFlight(key: call.key, retryAfter: .zero) }
            return .look(try await claim(call))
        }
        emit(.reclaimed, call.key, execution.fence)
        return .done(.execute(execution, followsUnknown: true))
    }

    /// Nothing is written before it is decided that another execution takes over: until then the late owner, the only
    /// one who knows, can settle under its own fence.
    private func proceed(
        _ call: Call, afterUnknown entry: IdempotencyEntry, _ reason: IdempotencyUnknownReason
    ) async throws -> Step {
        let unknown = UnknownExecution(entry.execution, reason)
        let probed: ProbeResult<any Sendable>?
        switch ifUnknown {
        case .park: throw outcomeUnknown(unknown, nil)
        case .reexecute: probed = nil
        case .probe(let probe):
            do { probed = try await probe(unknown) } catch { throw outcomeUnknown(unknown, error) }
            if case .unknown = probed { throw outcomeUnknown(unknown, nil) }
        }
        let answer = try await claim(call, takingOver: entry)
        guard case .acquired(let execution) = answer else { return .look(answer) }
        if case .applied(let value) = probed { return .done(.recovered(execution, value)) }
        emit(.reclaimed, call.key, execution.fence)
        return .done(.execute(execution, followsUnknown: probed == nil))
    }

    private func outcomeUnknown(_ execution: UnknownExecution, _ cause: (any Error)?) -> IdempotencyOutcomeUnknown {
        emit(.unknown, execution.key, execution.fence)
        return IdempotencyOutcomeUnknown(execution: execution, cause: cause)
    }

    // MARK: Claims

    private func claim(
        _ call: Call, takingOver entry: IdempotencyEntry? = nil
    ) async throws(StoreError) -> IdempotencyClaimAnswer {
        let claim = IdempotencyClaim(
            key: call.key, fingerprint: call.fingerprint.stored, holder: call.holder, lease: options.lease,
            takingOver: entry)
        let sent = time.now()
        let answer: IdempotencyClaimAnswer
        do throws(StoreError) {
            answer = try await store.claim(claim)
        } catch {
            guard case .outcomeUnknown = error else { throw error }
            answer = try await read(call.key, after: error)
        }
        guard isToBeRenewed(answer, of: call, sent) else { return answer }
        return try await renewed(answer, of: call)
    }

    /// Reads once after an unknown outcome; an error of the reading leaves it at that.
    private func read(
        _ key: IdempotencyKey, after failure: StoreError
    ) async throws(StoreError) -> IdempotencyClaimAnswer {
        do throws(StoreError) {
            return try await store.read(key).map { .standing($0) } ?? .absent
        } catch {
            throw failure
        }
    }

    /// Whether it is a claim of this call, by its holder, whose lease may have run for a third already, or has passed,
    /// before it was known: nothing starts under a dead lease, which anybody may claim at that moment.
    private func isToBeRenewed(_ answer: IdempotencyClaimAnswer, of call: Call, _ sent: Int64) -> Bool {
        switch answer {
        case .absent: return false
        case .acquired: return time.now() - sent >= (options.lease / 3).nanosecondsRoundedUp
        case .standing(let entry):
            guard entry.holder?.nonce == call.holder.nonce else { return false }
            switch entry.state {
            case .completed, .unreadable: return false
            case .inProgress, .unknown: return true
            }
        }
    }

    /// The answer after a renewal of the call's own claim.
    ///
    /// A first attempt is this call's own insert. A later one that is found is a claim that may have been carried out
    /// late, on another execution than the one it was made for.
    private func renewed(
        _ answer: IdempotencyClaimAnswer, of call: Call
    ) async throws(StoreError) -> IdempotencyClaimAnswer {
        let claimed: IdempotencyExecution
        switch answer {
        case .absent: return answer
        case .acquired(let execution): claimed = execution
        case .standing(let entry): claimed = entry.execution
        }
        let execution: IdempotencyExecution
        switch try await store.extend(claimed, by: options.lease) {
        case .lost(let standing): return standing.map { .standing($0) } ?? .absent
        case .held(let extended): execution = extended
        }
        guard case .standing(let entry) = answer, execution.attempt > 1 else { return .acquired(execution) }
        return .standing(
            IdempotencyEntry(
                execution: execution, holder: entry.holder, settledUnder: entry.settledUnder,
                incarnation: entry.incarnation, state: .inProgress(leaseRemaining: options.lease)))
    }
}

extension StoreError {
    /// Whether the store did not take what it was asked, which is a mistake and no failure.
    fileprivate var isRefusal: Bool { if case .refused = self { true } else { false } }
}
