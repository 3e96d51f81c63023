// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

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
        precondition(key.operation.utf8.elementsEqual(name.utf8), "The key \(key) is not one of the operation \(name)")
        try Task.checkCancellation()
        switch try await admit(IdempotentCall(key: key, fingerprint: fingerprint, holder: .new())) {
        case .answered(let result):
            return result
        case .recovered(let execution, let value):
            defer { waiters.ring(key) }
            return try await complete(IdempotencyHold(execution, store, lease: lease), with: value, recovered: true)
        case .execute(let execution, let followsUnknown):
            defer { waiters.ring(key) }
            return try await execute(execution, followsUnknown, operation)
        case .unprotected(let error):
            return try await runUnprotected(key, error, operation)
        }
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
            return try await run(key, fingerprint: fingerprint, operation)
        }
        guard keys == .optional else { throw IdempotencyKeyRefused.missing }
        try Task.checkCancellation()
        let own = "unprotected-\(RandomSource.system.next())-\(RandomSource.system.next())"
        return try await runUnprotected(IdempotencyKey(tenant: tenant, operation: name, key: own), nil, operation)
    }

    private func runUnprotected(
        _ key: IdempotencyKey, _ error: (any Error)?, _ operation: (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        emit(.unprotected, key, nil, error)
        let value = try await operation(IdempotencyContext(unprotected: key))
        return IdempotentResult(value: value, origin: .unprotected)
    }

    private func execute(
        _ execution: IdempotencyExecution, _ followsUnknown: Bool,
        _ operation: @escaping (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        let hold = IdempotencyHold(execution, store, lease: lease)
        if Task.isCancelled {
            await giveUp(hold, followsUnknown ? .unknown(.cancelled) : .release)
            throw CancellationError()
        }
        let ended = await run(Handler(operation: operation, context: IdempotencyContext(execution, hold)), hold)
        if ended.isLost { throw IdempotencyLeaseLost(key: execution.key, result: ended.result) }
        let verdict = verdict(on: ended.result)
        switch (ended.result, verdict) {
        case (.success(let value), .store):
            return try await complete(hold, with: value, recovered: false)
        case (.success(let value), .release), (.success(let value), .unknown):
            await giveUp(hold, verdict == .release && !followsUnknown ? .release : .unknown(.declared))
            return IdempotentResult(value: value, origin: .fresh)
        case (.failure(let error), .store):
            await keep(error, hold)
            throw error
        case (.failure(let error), .release):
            await giveUp(hold, followsUnknown ? .unknown(.failed) : .release)
            throw error
        case (.failure(let error), .unknown):
            await giveUp(hold, .unknown(error is CancellationError ? .cancelled : .failed))
            throw error
        }
    }

    private func verdict(on result: Result<Output, any Error>) -> IdempotencyVerdict {
        if let verdict = classify?(result) { return verdict }
        return switch result {
        case .success: .store
        case .failure(let error): error is any NotApplied ? .release : .unknown
        }
    }

    // MARK: The handler and its lease

    /// How a handler ended.
    private struct Ended {
        var result: Result<Output, any Error>
        /// Whether another execution was seen to have the key while it ran.
        var isLost: Bool
    }

    /// What a child task tells.
    private enum Step: Sendable {
        case ended(Result<Output, any Error>)
        case lost
        /// The lease is not renewed any more.
        case stopped
    }

    /// A handler on its way into a child task.
    ///
    /// Unchecked, because the closure belongs to the caller's isolation: the child runs there, and the caller waits for
    /// the child's end, so never do two threads have it at once.
    private struct Handler: @unchecked Sendable {
        let operation: (IdempotencyContext) async throws -> Output
        let context: IdempotencyContext

        func run() async -> Result<Output, any Error> {
            do { return .success(try await operation(context)) } catch { return .failure(error) }
        }
    }

    /// Runs the handler, and renews its lease if it has not ended by the time it suspends.
    private func run(
        _ handler: Handler, _ hold: IdempotencyHold, isolation: isolated (any Actor)? = #isolation
    ) async -> Ended {
        await withTaskGroup(of: Step.self) { group in
            let hasEnded = Flag()
            group.addImmediateTask {
                // Captured, so that the child is where the caller is.
                _ = isolation
                let result = await handler.run()
                hasEnded.set()
                return .ended(result)
            }
            if !hasEnded.isSet { group.addTask { await renew(hold) } }
            var isLost = false
            while true {
                switch await group.next() {
                case .ended(let result):
                    group.cancelAll()
                    return Ended(result: result, isLost: isLost)
                case .lost:
                    isLost = true
                    group.cancelAll()
                case .stopped: break
                case nil: preconditionFailure("A handler is a task of its group until it has ended")
                }
            }
        }
    }

    /// Renews the lease at every third of it, until it is lost or the handler has ended.
    private func renew(_ hold: IdempotencyHold) async -> Step {
        let start = time.now()
        let longest = longestHold.nanosecondsRoundedUp
        // The only error of the sleep is its cancellation: the handler has ended.
        while (try? await time.sleep(for: lease / 3)) != nil {
            let execution = hold.execution
            guard time.now() - start < longest else {
                emit(.renewalEnded, execution.key, execution.fence)
                return .stopped
            }
            switch await hold.renew() {
            case .renewed: break
            case .failed(let error): emit(.renewalFailed, execution.key, execution.fence, error)
            case .lost:
                emit(.leaseLost, execution.key, execution.fence)
                return .lost
            }
        }
        return .stopped
    }
}

/// Whether something has happened.
private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
