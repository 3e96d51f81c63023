// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An operation that takes effect once per key, or whose caller is told that nobody can know.
///
/// ```swift
/// let charge = IdempotentOperation<Receipt>("charge", store: store, codec: .json, ifUnknown: .park)
///
/// let result = try await charge.run(idempotencyKey, tenant: account, fingerprint: Fingerprint {
///     $0.field("amount", order.amount)
///     $0.field("currency", order.currency)
/// }) { context in
///     try await provider.charge(order, idempotencyKey: context.downstreamKey("charge"))
/// }
/// ```
///
/// The first request with a key claims it, runs the handler and stores its value. A duplicate gets the stored value, or
/// is turned away while the first still runs. A request with another fingerprint is turned away always. What happens
/// after an execution that nobody knows the end of is ``UnknownPolicy``'s, which has no default.
///
/// The claim is durable before the handler starts, and the outcome before ``run(_:fingerprint:_:)`` returns, as
/// ``/RecordStores/RecordStore/durability`` defines it. Deterministic refusals, such as a declined card, are outcomes:
/// return them as values, and duplicates get them too.
public struct IdempotentOperation<Output: Sendable>: Sendable {
    /// The operation's name, a part of every key: 1 to 255 bytes.
    public let name: String
    let store: any RecordStore
    let codec: OutputCodec<Output>
    let lease: Duration
    let retention: Duration
    let ifUnknown: UnknownPolicy<Output>
    let classify: (@Sendable (any Error) -> FailureKind?)?
    let onEvent: (@Sendable (IdempotencyEvent) -> Void)?

    /// An operation that keeps its keys in `store`.
    ///
    /// - Parameters:
    ///   - name: The operation's name, the same in every process and version; 1 to 255 bytes, no control characters.
    ///   - store: Where the keys are kept. What its answers survive is what the promise survives.
    ///   - codec: How an outcome is stored.
    ///   - lease: How long an execution has the key to itself; longer than the handler ever runs, so give the handler a
    ///     time limit. A handler that takes longer can still settle as long as nobody else has claimed the key.
    ///   - retention: How long an outcome is replayed, counted from its completion; longer than any client tries again.
    ///     At most 36,500 days.
    ///   - ifUnknown: What to do after an execution whose outcome is not known.
    ///   - classify: What a handler's error says about the effect; `nil`, and without it every error, falls to the
    ///     rule: one that conforms to `NotApplied` frees the key, any other leaves the outcome unknown,
    ///     `CancellationError` among them. A handler with more than one effect needs it, because a rejection of the
    ///     second says nothing of the first.
    ///   - onEvent: Told what happens to keys, after it is durable.
    public init(
        _ name: String, store: any RecordStore, codec: OutputCodec<Output>, lease: Duration = .seconds(30),
        retention: Duration = .seconds(24 * 3_600), ifUnknown: UnknownPolicy<Output>,
        classify: (@Sendable (any Error) -> FailureKind?)? = nil,
        onEvent: (@Sendable (IdempotencyEvent) -> Void)? = nil
    ) {
        do { try IdempotencyKey.check("operation", name) } catch { preconditionFailure("\(error)") }
        precondition(lease > .zero, "A lease is longer than zero, not \(lease)")
        let longest = Duration.seconds(36_500 * 86_400)
        precondition(
            retention > .zero && retention <= longest,
            "A retention is more than zero and at most \(longest), not \(retention)")
        self.name = name
        self.store = store
        self.codec = codec
        self.lease = lease
        self.retention = retention
        self.ifUnknown = ifUnknown
        self.classify = classify
        self.onEvent = onEvent
    }

    /// Runs the handler if the key is new, and gives the stored outcome if it is not.
    ///
    /// The handler runs in the caller's task and isolation. An error of its own comes out unchanged; it frees the key
    /// if it is classified as `notApplied`, or not classified and conforms to `NotApplied`; otherwise it leaves the
    /// outcome unknown. In a re-execution no
    /// error frees the key, because it says nothing of the earlier execution, unless a probe has cleared that up.
    ///
    /// If the task is cancelled before the handler starts, nothing runs and the key stays as it was. A handler that
    /// was started decides itself what cancellation does; its outcome is stored in any case.
    ///
    /// - Throws: the handler's error; ``IdempotencyMismatch``, ``IdempotencyInFlight``, ``IdempotencyOutcomeUnknown``
    ///   or ``IdempotencyRecordUnreadable`` if the request was turned away; `StoreError` if the store failed before the
    ///   handler could run; ``IdempotencyLeaseLost`` or ``IdempotencyUnsettled``, with the value, if the handler
    ///   returned and its value could not be stored; `CancellationError`.
    public func run(
        _ key: IdempotencyKey, fingerprint: Fingerprint, _ operation: (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        precondition(key.operation.utf8.elementsEqual(name.utf8), "The key \(key) is not one of the operation \(name)")
        try Task.checkCancellation()
        let call = IdempotentCall(key: key, fingerprint: fingerprint, holder: .new())
        switch try await acquire(call) {
        case .answered(let result):
            return result
        case .recovered(let execution, let value):
            return try await complete(execution, with: value, recovered: true)
        case .execute(let execution):
            return try await execute(execution, operation)
        }
    }

    /// Runs the handler if the key of that tenant is new, and gives the stored outcome if it is not.
    ///
    /// - Throws: ``IdempotencyKeyRefused``, and what ``run(_:fingerprint:_:)`` throws.
    public func run(
        _ key: String, tenant: String, fingerprint: Fingerprint,
        _ operation: (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        let key = try IdempotencyKey(tenant: tenant, operation: name, key: key)
        return try await run(key, fingerprint: fingerprint, operation)
    }

    private func execute(
        _ execution: IdempotentExecution, _ operation: (IdempotencyContext) async throws -> Output
    ) async throws -> IdempotentResult<Output> {
        if Task.isCancelled {
            await giveUp(execution, .notApplied)
            throw CancellationError()
        }
        let value: Output
        do {
            value = try await operation(execution.context)
        } catch {
            await giveUp(execution, kind(of: error))
            throw error
        }
        return try await complete(execution, with: value, recovered: false)
    }

    private func kind(of error: any Error) -> FailureKind {
        classify?(error) ?? (error is any NotApplied ? .notApplied : .unknown)
    }

    func emit(
        _ outcome: IdempotencyEvent.Outcome, _ key: IdempotencyKey, _ fence: Fence? = nil, _ error: (any Error)? = nil
    ) {
        guard let onEvent else { return }
        onEvent(IdempotencyEvent(operation: name, outcome: outcome, key: key, fence: fence, error: error))
    }
}

/// One call of ``IdempotentOperation/run(_:fingerprint:_:)``; its holder's nonce marks every claim it makes.
struct IdempotentCall: Sendable {
    let key: IdempotencyKey
    let fingerprint: Fingerprint
    let holder: Holder
}

/// A claim that a call holds: what its handler gets to know, and what settling needs.
struct IdempotentExecution: Sendable {
    let context: IdempotencyContext
    let fingerprint: Fingerprint
    let leaseUntil: Timestamp?
    /// Whether an execution before this one may have taken effect, so that the key must not become free.
    let followsUnknown: Bool
}
