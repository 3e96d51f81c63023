// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension IdempotentOperation {
    /// Runs the handler if the key is new, and gives the stored outcome if it is not.
    ///
    /// The handler runs in a child of the caller's task, in the caller's isolation. An error of its own comes out
    /// unchanged, also on a replay if it was stored. In a re-execution no error frees the key, because it says nothing of
    /// the earlier execution, unless a probe has cleared that up.
    ///
    /// If the task is cancelled before the handler starts, nothing runs and the key stays as it was. A handler that
    /// was started is cancelled with it and decides itself what that does; its outcome is stored in any case. It is
    /// cancelled too when the store says that another execution has claimed the key.
    ///
    /// - Throws: the handler's error; ``IdempotencyMismatch``, ``IdempotencyInFlight``, ``IdempotencyOutcomeUnknown``,
    ///   ``IdempotencyOutputOmitted`` or ``IdempotencyRecordUnreadable`` if the request was turned away; `StoreError` if
    ///   the store failed before the handler could run; ``IdempotencyLeaseLost`` or ``IdempotencyUnsettled``, with what
    ///   the handler returned, if that could not be stored; `CancellationError`.
    public func run(
        _ key: IdempotencyKey, fingerprint: Fingerprint,
        _ operation: @escaping (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        precondition(key.isOf(name), "The key \(key) is not one of the operation \(name)")
        return try await run(own: key, fingerprint, operation)
    }

    /// Runs the handler if the key of that tenant is new, and gives the stored outcome if it is not. Without a key it
    /// goes by ``KeyPolicy``.
    ///
    /// - Throws: ``IdempotencyKeyRefused``, and what ``run(_:fingerprint:_:)`` throws.
    public func run(
        _ key: String?, tenant: String, fingerprint: Fingerprint,
        _ operation: @escaping (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        if let key {
            let key = try IdempotencyKey(tenant: tenant, operation: name, key: key)
            return try await run(own: key, fingerprint, operation)
        }
        guard keys == .optional else { throw IdempotencyKeyRefused.missing }
        return try await runWithoutKey(tenant: tenant, operation)
    }

    func runWithoutKey(
        tenant: String, _ operation: (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        try Task.checkCancellation()
        let own = "unprotected-\(RandomSource.system.next())-\(RandomSource.system.next())"
        return try await runUnprotected(IdempotencyKey(tenant: tenant, operation: name, key: own), nil, operation)
    }

    /// With a key of this operation.
    private func run(
        own key: IdempotencyKey, _ fingerprint: Fingerprint,
        _ operation: @escaping (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        try Task.checkCancellation()
        let call = IdempotencyEngine.Call(key: key, fingerprint: fingerprint, holder: .new())
        switch try await engine.admit(call) {
        case .answered(let outcome, let completedAt, let age):
            return try replay(outcome, of: key, completedAt, age)
        case .recovered(let execution, let value):
            guard let value = value as? Output else { preconditionFailure("A probe's answer is one of the operation") }
            defer { engine.waiters.ring(key) }
            return try await complete(engine.hold(execution), with: value, recovered: true)
        case .execute(let execution, let followsUnknown):
            defer { engine.waiters.ring(key) }
            return try await execute(execution, followsUnknown, operation)
        case .unprotected(let error):
            return try await runUnprotected(key, error, operation)
        }
    }

    private func runUnprotected(
        _ key: IdempotencyKey, _ error: (any Error)?, _ operation: (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        engine.emit(.unprotected, key, nil, error)
        let value = try await operation(IdempotencyContext(unprotected: key))
        return IdempotentResult(value: value, origin: .unprotected)
    }

    private func replay(
        _ outcome: IdempotencyOutcome, of key: IdempotencyKey, _ completedAt: Timestamp, _ age: Duration
    ) throws -> IdempotentResult<Output> {
        let replayed: Result<Output, any Error>
        do {
            switch outcome {
            case .value(let bytes): replayed = .success(try codec.decode(bytes))
            case .failure(let bytes):
                guard let errors else { throw UnreadableEntry(description: "an error, and the operation has no codec") }
                replayed = .failure(try errors.decode(bytes))
            case .omitted(let size):
                replayed = .failure(IdempotencyOutputOmitted(key: key, size: size, completedAt: completedAt))
            }
        } catch {
            throw engine.unreadable(key, error)
        }
        engine.emit(.replayed, key)
        return IdempotentResult(
            value: try replayed.get(), origin: .replayed(firstCompletedAt: completedAt, age: age))
    }

    private func execute(
        _ execution: IdempotencyExecution, _ followsUnknown: Bool,
        _ operation: @escaping (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        let hold = engine.hold(execution)
        if Task.isCancelled {
            // A checkpoint tells that an execution before this one has taken effect up to there.
            if followsUnknown || execution.checkpoint != nil {
                await engine.leaveUnknown(hold, because: .cancelled)
            } else {
                await engine.release(hold)
            }
            throw CancellationError()
        }
        let context = IdempotencyContext(execution, hold)
        var ended: Result<Output, any Error>?
        let isLost = await hold.renewing(engine.time, upTo: engine.options.longestHold) {
            do { ended = .success(try await operation(context)) } catch { ended = .failure(error) }
        }
        guard let result = ended else { preconditionFailure("A handler has ended when its renewal has") }
        if isLost { throw IdempotencyLeaseLost(key: execution.key, result: result) }
        switch (result, verdict(on: result, hasCheckpoint: hold.execution.checkpoint != nil)) {
        case (.success(let value), .store):
            return try await complete(hold, with: value, recovered: false)
        case (.failure(let error), .store):
            await keep(error, hold)
        case (_, .release) where !followsUnknown:
            await engine.release(hold)
        case (.success, .release), (.success, .unknown):
            await engine.leaveUnknown(hold, because: .declared)
        case (.failure(let error), .release), (.failure(let error), .unknown):
            await engine.leaveUnknown(hold, because: error is CancellationError ? .cancelled : .failed)
        }
        return IdempotentResult(value: try result.get(), origin: .fresh)
    }

    private func verdict(on result: Result<Output, any Error>, hasCheckpoint: Bool) -> IdempotencyVerdict {
        if let verdict = classify?(result) { return verdict }
        return switch result {
        case .success: .store
        case .failure(let error): error is any NotApplied && !hasCheckpoint ? .release : .unknown
        }
    }

    /// Stores the value and gives it back; a value that cannot be stored comes out in the error.
    private func complete(
        _ hold: IdempotencyHold, with value: Output, recovered: Bool
    ) async throws -> IdempotentResult<Output> {
        let execution = hold.execution
        let (key, fence) = (execution.key, execution.fence)
        let outcome: IdempotencyOutcome
        do {
            outcome = engine.kept(try codec.encode(value))
        } catch {
            engine.emit(.storeFailed, key, fence, error)
            await engine.leaveUnknown(hold, because: .unsettled)
            throw IdempotencyUnsettled(key: key, value: value, cause: error)
        }
        let settled: IdempotencyEngine.Settled
        do throws(StoreError) {
            settled = try await engine.settle(execution, .complete(outcome, alongside: hold.changes))
        } catch {
            engine.emit(.storeFailed, key, fence, error)
            // What the store does not take, such as changes that name a record twice, it will not take later either.
            if case .refused = error { await engine.leaveUnknown(hold, because: .unsettled) }
            throw IdempotencyUnsettled(key: key, value: value, cause: error)
        }
        switch settled {
        case .lost:
            engine.emit(.leaseLost, key, fence)
            throw IdempotencyLeaseLost(key: key, result: .success(value))
        case .conflict(let conflict):
            await engine.leaveUnknown(hold, because: .unsettled)
            throw IdempotencyUnsettled(key: key, value: value, cause: IdempotencyChangeConflict(conflict: conflict))
        case .done(let now):
            if case .omitted = outcome { engine.emit(.outputOmitted, key, fence) }
            if recovered {
                engine.emit(.recovered, key, fence)
                return IdempotentResult(value: value, origin: .replayed(firstCompletedAt: now, age: .zero))
            }
            engine.emit(execution.leaseUntil <= now ? .completedLate : .completed, key, fence)
            return IdempotentResult(value: value, origin: .fresh)
        }
    }

    /// Stores an error that duplicates get too; what fails here is told by an event, because the caller gets the error
    /// in any case.
    private func keep(_ error: any Error, _ hold: IdempotencyHold) async {
        let bytes: [UInt8]?
        do {
            bytes = try errors?.encode(error)
        } catch {
            engine.emit(.storeFailed, hold.execution.key, hold.execution.fence, error)
            return await engine.leaveUnknown(hold, because: .unsettled)
        }
        guard let bytes else { return await engine.leaveUnknown(hold, because: .failed) }
        guard bytes.count <= engine.options.maximumOutputSize else {
            return await engine.leaveUnknown(hold, because: .unsettled)
        }
        await engine.end(hold, .complete(.failure(bytes), alongside: []), as: .failed)
    }
}
