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
    @inline(__always)
    private func run(
        own key: IdempotencyKey, _ fingerprint: Fingerprint,
        _ operation: @escaping (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        try Task.checkCancellation()
        let call = IdempotencyEngine.Call(key: key, fingerprint: fingerprint, holder: .new())
        switch try await engine.admit(call) {
        case .answered(let outcome, let completedAt, let age):
            let value = try replayed(outcome, of: key, completedAt)
            return IdempotentResult(value: value, origin: .replayed(firstCompletedAt: completedAt, age: age))
        case .recovered(let execution, let value):
            guard let value = value as? Output else { preconditionFailure("A probe's answer is one of the operation") }
            defer { engine.waiters.ring(key) }
            let now = try await complete(engine.hold(execution), with: value, isRecovered: true)
            return IdempotentResult(value: value, origin: .replayed(firstCompletedAt: now, age: .zero))
        case .execute(let execution, let followsUnknown):
            defer { engine.waiters.ring(key) }
            let value = try await execute(engine.hold(execution), followsUnknown, operation)
            return IdempotentResult(value: value, origin: .fresh)
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

    private func replayed(
        _ outcome: IdempotencyOutcome, of key: IdempotencyKey, _ completedAt: Timestamp
    ) throws -> Output {
        let failure: any Error
        do {
            switch outcome {
            case .value(let bytes):
                let value = try codec.decode(bytes)
                engine.emit(.replayed, key)
                return value
            case .failure(let bytes):
                guard let errors else { throw UnreadableEntry(description: "an error, and the operation has no codec") }
                failure = try errors.decode(bytes)
            case .omitted(let size):
                failure = IdempotencyOutputOmitted(key: key, size: size, completedAt: completedAt)
            }
        } catch {
            throw engine.unreadable(key, error)
        }
        engine.emit(.replayed, key)
        throw failure
    }

    private func execute(
        _ hold: IdempotencyHold, _ followsUnknown: Bool,
        _ operation: @escaping (IdempotencyContext) async throws -> Output
    ) async throws -> Output {
        if Task.isCancelled {
            await engine.giveUp(hold, followsUnknown: followsUnknown)
            throw CancellationError()
        }
        var value: Output?
        let (time, longest) = (engine.time, engine.options.longestHold)
        let end = await watched {
            value = try await operation(IdempotencyContext(hold))
        } by: {
            await hold.renew(time, upTo: longest)
        }
        // The commonest way, on which nothing is asked twice: generic code looks up each of its types anew.
        if let value, classify == nil, !end.isCancelled {
            _ = try await complete(hold, with: value, isRecovered: false)
            return value
        }
        let result: Result<Output, any Error>
        if let value {
            result = .success(value)
        } else if let failure = end.failure {
            result = .failure(failure)
        } else {
            preconditionFailure("A handler has ended when its renewal has")
        }
        if end.isCancelled { throw IdempotencyLeaseLost(key: hold.key, result: result) }
        try await settle(hold, result, followsUnknown)
        return try result.get()
    }

    /// Settles an execution as its outcome is classified.
    private func settle(
        _ hold: IdempotencyHold, _ result: Result<Output, any Error>, _ followsUnknown: Bool
    ) async throws {
        switch (result, verdict(on: result, hasCheckpoint: hold.execution.checkpoint != nil)) {
        case (.success(let value), .store):
            _ = try await complete(hold, with: value, isRecovered: false)
        case (.failure(let error), .store):
            await engine.keep(error, by: errors, hold)
        case (_, .release) where !followsUnknown:
            await engine.release(hold)
        case (.success, .release), (.success, .unknown):
            await engine.leaveUnknown(hold, because: .declared)
        case (.failure(let error), .release), (.failure(let error), .unknown):
            await engine.leaveUnknown(hold, because: error is CancellationError ? .cancelled : .failed)
        }
    }

    private func verdict(on result: Result<Output, any Error>, hasCheckpoint: Bool) -> IdempotencyVerdict {
        if let verdict = classify?(result) { return verdict }
        return switch result {
        case .success: .store
        case .failure(let error): error is any NotApplied && !hasCheckpoint ? .release : .unknown
        }
    }

    /// Stores the value and says since when it is; a value that cannot be stored comes out in the error.
    private func complete(
        _ hold: IdempotencyHold, with value: Output, isRecovered: Bool
    ) async throws -> Timestamp {
        let bytes: [UInt8]
        do {
            bytes = try codec.encode(value)
        } catch {
            await engine.leaveUnencoded(hold, error)
            throw IdempotencyUnsettled(key: hold.key, value: value, cause: error)
        }
        switch await engine.complete(hold, bytes, isRecovered: isRecovered) {
        case .done(let now): return now
        case .lost: throw IdempotencyLeaseLost(key: hold.key, result: .success(value))
        case .unsettled(let cause): throw IdempotencyUnsettled(key: hold.key, value: value, cause: cause)
        }
    }
}
