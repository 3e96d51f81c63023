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
    /// The keys of this operation whose outcome is unknown: those that were left so, and those whose lease has passed.
    ///
    /// - Parameters:
    ///   - cursor: Where the page before ended; `nil` for the first.
    ///   - limit: How many keys are looked at, 1 to 1,000. A page may have fewer, also none; only `next` tells whether
    ///     there are more.
    /// - Throws: `StoreError`.
    public func unresolved(
        after cursor: IdempotencyCursor? = nil, limit: Int = 100
    ) async throws -> (executions: [UnknownExecution], next: IdempotencyCursor?) {
        let page = try await store.unresolved(name, after: cursor, limit: limit)
        let executions = page.entries.compactMap { entry -> UnknownExecution? in
            guard case .unknown(let reason) = entry.state else { return nil }
            return UnknownExecution(entry.execution, reason)
        }
        return (executions, page.next)
    }

    /// Settles a key whose outcome is unknown: one that was left so, or whose execution's lease has passed.
    ///
    /// To find such keys, see ``unresolved(after:limit:)``. An execution that is still running after its lease can no
    /// longer settle the key afterwards, so release a key only when the effect can no longer come.
    ///
    /// An answer is about one execution. Name it by ``UnknownExecution/fence``: if another execution has ended without a
    /// known outcome since, or a late owner of this one, the answer is refused instead of being taken for theirs. Look
    /// again then.
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
        precondition(key.isOf(name), "The key \(key) is not one of the operation \(name)")
        var outcome: IdempotencyOutcome?
        if case .completed(let value) = resolution { outcome = engine.kept(try codec.encode(value)) }
        let entry = try checkUnknown(key, try await store.read(key))
        guard entry.execution.fence == fence else {
            guard case .unknown(let reason) = entry.state else {
                throw IdempotencyInFlight(key: key, retryAfter: .zero)
            }
            throw IdempotencyOutcomeUnknown(execution: UnknownExecution(entry.execution, reason), cause: nil)
        }
        // Claimed only now that it is known to be no completed key.
        let claim = IdempotencyClaim(
            key: key, fingerprint: entry.execution.fingerprint, holder: .new(), lease: engine.options.lease,
            takingOver: entry)
        let execution: IdempotencyExecution
        switch try await store.claim(claim) {
        case .acquired(let acquired): execution = acquired
        case .absent: throw IdempotencyNothingToResolve(key: key, completedAt: nil)
        case .standing(let standing):
            _ = try checkUnknown(key, standing)
            // Another execution came and went since the look, so the answer is about the wrong one.
            throw IdempotencyInFlight(key: key, retryAfter: .zero)
        }
        let settlement = outcome.map { IdempotencyEngine.Settlement.complete($0, alongside: []) } ?? .release
        guard case .done = try await engine.settle(execution, settlement) else {
            throw IdempotencyInFlight(key: key, retryAfter: .zero)
        }
        engine.waiters.ring(key)
        engine.emit(.resolved, key, execution.fence)
    }

    /// The entry, if its outcome is unknown.
    private func checkUnknown(_ key: IdempotencyKey, _ entry: IdempotencyEntry?) throws -> IdempotencyEntry {
        guard let entry else { throw IdempotencyNothingToResolve(key: key, completedAt: nil) }
        switch entry.state {
        case .unknown: return entry
        case .completed(_, let completedAt, _): throw IdempotencyNothingToResolve(key: key, completedAt: completedAt)
        case .inProgress(let rest): throw IdempotencyInFlight(key: key, retryAfter: rest)
        case .unreadable(let description):
            throw engine.unreadable(key, UnreadableEntry(description: description))
        }
    }
}
