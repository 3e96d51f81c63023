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
/// The first request with a key claims it, runs the handler and stores what came of it. A duplicate gets the same, and
/// while the first still runs it is turned away or waits. A request with another fingerprint is turned away always.
/// What happens after an execution that nobody knows the end of is ``UnknownPolicy``'s, which has no default.
///
/// The claim is durable before the handler starts, and the outcome before ``run(_:fingerprint:_:)`` returns, as
/// ``IdempotencyStore/durability`` defines it.
///
/// An operation is made once and kept. Its copies share what they know of the executions of this process; another one
/// of the same name finds out from the store.
public struct IdempotentOperation<Output: Sendable>: Sendable {
    /// The operation's name, a part of every key: 1 to 255 bytes.
    public let name: String
    let engine: IdempotencyEngine
    let codec: OutputCodec<Output>
    let errors: ErrorCodec?
    let keys: KeyPolicy
    let classify: (@Sendable (Result<Output, any Error>) -> IdempotencyVerdict?)?

    /// The bytes that an encoded value may have at most, whatever is asked for.
    public static var allowedOutputSize: ClosedRange<Int> { 0...IdempotencyOutcome.longest }

    /// An operation that keeps its keys in `store`.
    ///
    /// - Parameters:
    ///   - name: The operation's name, the same in every process and version; 1 to 255 bytes, no control characters.
    ///   - store: Where the keys are kept. What its answers survive is what the promise survives.
    ///   - codec: How a value is stored; also the place for encryption.
    ///   - errors: How an error is stored that is classified as ``IdempotencyVerdict/store``. Without it the outcome of
    ///     such an error is unknown.
    ///   - lease: How long an execution has the key to itself after its last sign of life. It is renewed at every third
    ///     of it while the handler runs, so it says how soon a crash is noticed, not how long a handler may take.
    ///   - longestHold: For how long an execution is renewed; its last lease may end later. A handler
    ///     that takes longer hangs: its outcome counts as unknown then, and it can still settle it as long as nobody else
    ///     has claimed the key.
    ///   - retention: How long an outcome is replayed, counted from its completion; longer than any client tries again.
    ///     At most 36,500 days.
    ///   - maximumOutputSize: The bytes of the largest encoded value that is kept. Of a larger one only the fact is kept
    ///     that the operation is done: duplicates get ``IdempotencyOutputOmitted``, and nothing runs again.
    ///   - ifUnknown: What to do after an execution whose outcome is not known.
    ///   - ifInFlight: What becomes of a duplicate that comes while the first request is executed.
    ///   - ifStoreFails: What becomes of a request whose key cannot be claimed.
    ///   - keys: Whether a request needs a key.
    ///   - acceptsIncomparable: Whether a fingerprint that cannot be compared with the stored one, because its version,
    ///     algorithm or key is another, counts as equal; by default it is a mismatch.
    ///   - classify: What is kept of a handler's outcome; `nil`, and without it every outcome, falls to the rule: a
    ///     value is stored, an error that conforms to `NotApplied` frees the key unless there is a checkpoint, which tells
    ///     of an effect before, and any other leaves the outcome unknown, `CancellationError` among them. A handler with more than one effect needs it, because a rejection of the
    ///     second says nothing of the first.
    ///   - clock: Measures renewals and waits. The store has a time of its own.
    ///   - onEvent: Told what happens to keys, after it is durable.
    public init(
        _ name: String, store: any IdempotencyStore, codec: OutputCodec<Output>, errors: ErrorCodec? = nil,
        lease: Duration = .seconds(30), longestHold: Duration = .seconds(3_600),
        retention: Duration = .seconds(24 * 3_600), maximumOutputSize: Int = 262_144,
        ifUnknown: UnknownPolicy<Output>, ifInFlight: InFlightPolicy = .refuse,
        ifStoreFails: StoreFailurePolicy = .refuse, keys: KeyPolicy = .required, acceptsIncomparable: Bool = false,
        classify: (@Sendable (Result<Output, any Error>) -> IdempotencyVerdict?)? = nil,
        clock: any Clock<Duration> = ContinuousClock(), onEvent: (@Sendable (IdempotencyEvent) -> Void)? = nil
    ) {
        do { try IdempotencyKey.check("operation", name) } catch { preconditionFailure("\(error)") }
        precondition(lease > .zero, "A lease is longer than zero, not \(lease)")
        precondition(longestHold > .zero, "The longest hold is longer than zero, not \(longestHold)")
        let longest = Duration.seconds(36_500 * 86_400)
        precondition(
            retention > .zero && retention <= longest,
            "A retention is more than zero and at most \(longest), not \(retention)")
        precondition(
            Self.allowedOutputSize.contains(maximumOutputSize),
            "The largest output has \(Self.allowedOutputSize) bytes, not \(maximumOutputSize)")
        if case .wait(let limit) = ifInFlight {
            precondition(limit > .zero, "A wait is longer than zero, not \(limit)")
        }
        self.name = name
        self.codec = codec
        self.errors = errors
        self.keys = keys
        self.classify = classify
        let options = IdempotencyEngine.Options(
            lease: lease, longestHold: longestHold, retention: retention, maximumOutputSize: maximumOutputSize,
            ifInFlight: ifInFlight, ifStoreFails: ifStoreFails, acceptsIncomparable: acceptsIncomparable)
        engine = IdempotencyEngine(name, store, options, ifUnknown.erased, TimeSource(clock), onEvent)
    }

    /// Where its keys are kept.
    public var store: any IdempotencyStore { engine.store }

    /// An operation that keeps its keys among the records of `store`; else as the other one.
    public init(
        _ name: String, store: some RecordStore, codec: OutputCodec<Output>, errors: ErrorCodec? = nil,
        lease: Duration = .seconds(30), longestHold: Duration = .seconds(3_600),
        retention: Duration = .seconds(24 * 3_600), maximumOutputSize: Int = 262_144,
        ifUnknown: UnknownPolicy<Output>, ifInFlight: InFlightPolicy = .refuse,
        ifStoreFails: StoreFailurePolicy = .refuse, keys: KeyPolicy = .required, acceptsIncomparable: Bool = false,
        classify: (@Sendable (Result<Output, any Error>) -> IdempotencyVerdict?)? = nil,
        clock: any Clock<Duration> = ContinuousClock(), onEvent: (@Sendable (IdempotencyEvent) -> Void)? = nil
    ) {
        self.init(
            name, store: RecordIdempotencyStore(store), codec: codec, errors: errors, lease: lease,
            longestHold: longestHold, retention: retention, maximumOutputSize: maximumOutputSize, ifUnknown: ifUnknown,
            ifInFlight: ifInFlight, ifStoreFails: ifStoreFails, keys: keys, acceptsIncomparable: acceptsIncomparable,
            classify: classify, clock: clock, onEvent: onEvent)
    }
}
