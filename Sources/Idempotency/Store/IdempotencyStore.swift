// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Where idempotency keys are kept: what ``IdempotentOperation`` asks of a table.
///
/// ``RecordIdempotencyStore`` is this protocol over any record store; ``InMemoryIdempotencyStore`` and
/// ``FileIdempotencyStore`` make one with a store of its own. Write a conformance for a table that you have already, such
/// as one in the database that also keeps your orders: each operation is one statement there, and a look at what stands if
/// it changed nothing. The conformance suite in
/// `ReliabilityTesting`, `IdempotencyStoreConformance`, checks what follows.
///
/// **Promises.**
///
/// 1. *Claiming is atomic.* Of any number of calls that claim a key at once, one gets it.
/// 2. *Fences.* Every execution has a fence of its own that is larger than every fence the key had before, also after the
///    key was released, has expired or was purged. A call under a fence that is no longer the key's changes nothing and
///    is answered with what stands there, looked at after the refusal. A settlement may leave the fence as it is; an
///    execution is settled once, and nothing is taken under its fence after that.
/// 3. *A lease is not the outcome's lifetime.* An execution is in progress until its lease has passed and unknown from
///    then on, whatever the clock of a caller shows; nobody gets its key without naming it. Its owner can settle it late,
///    as long as nobody has.
/// 4. *Completed keys* are kept for their retention, counted from the completion, and are absent after it. Keys in
///    progress and unknown ones never expire.
/// 5. *Nothing undurable shows*: an answer waits until everything that it shows is as durable as ``durability`` says.
/// 6. *Outcome unknown* is an error of its own, `StoreError.outcomeUnknown`; when it is thrown, or at the latest when the
///    same store answers again, the call's change is in or never will be. ``IdempotencyEntry/settledUnder`` and
///    ``IdempotencyEntry/holder`` then tell which.
/// 7. *Time* is the store's own.
/// 8. *Cancellation* ends no operation half-way: each runs to its end and tells it.
public protocol IdempotencyStore: Sendable {
    /// What the store's answers survive.
    var durability: Durability { get }

    /// Whether ``complete(_:as:retention:alongside:)`` takes changes of records; `false` unless the store says otherwise.
    var takesChanges: Bool { get }

    /// Starts an execution of a key that is free; of one that is not, only if the claim names the unknown execution that
    /// stands there as the one it takes over from.
    func claim(_ claim: IdempotencyClaim) async throws(StoreError) -> IdempotencyClaimAnswer

    /// Keeps an execution's outcome for `retention` from now and ends its lease.
    ///
    /// - Parameters:
    ///   - execution: The execution that has ended.
    ///   - retention: How long the outcome is kept.
    ///   - outcome: Of at most ``IdempotencyOutcome/longest`` bytes.
    ///   - changes: Changes of records of a record store that are in if and only if the outcome is; none where
    ///     ``takesChanges`` is `false`.
    func complete(
        _ execution: IdempotencyExecution, as outcome: IdempotencyOutcome, retention: Duration,
        alongside changes: [Change]
    ) async throws(StoreError) -> IdempotencySettleAnswer

    /// Makes the key of an execution free.
    func release(_ execution: IdempotencyExecution) async throws(StoreError) -> IdempotencySettleAnswer

    /// Ends an execution's lease and keeps that its outcome is unknown.
    func markUnknown(
        _ execution: IdempotencyExecution, because reason: IdempotencyUnknownReason
    ) async throws(StoreError) -> IdempotencySettleAnswer

    /// Moves the end of an execution's lease to `lease` from now, also of one whose lease has passed. The fence stays:
    /// renewals go beside the owner's own calls.
    func extend(
        _ execution: IdempotencyExecution, by lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer

    /// Keeps a checkpoint in the place of the one before, and moves the end of the lease as ``extend(_:by:)`` does. It
    /// gives a new fence; the one that it was kept under is stale from then on.
    func checkpoint(
        _ execution: IdempotencyExecution, _ checkpoint: IdempotencyCheckpoint, extendingBy lease: Duration
    ) async throws(StoreError) -> IdempotencyHoldAnswer

    /// What stands under a key; `nil` if it is free.
    func read(_ key: IdempotencyKey) async throws(StoreError) -> IdempotencyEntry?

    /// A page of the keys of an operation whose outcome is unknown: left so, or with a lease that has passed.
    ///
    /// - Parameters:
    ///   - operation: The operation's name, compared byte by byte.
    ///   - cursor: Where the page before ended; `nil` for the first.
    ///   - limit: How many keys are looked at, 1 to 1,000; a page may have fewer, also none.
    func unresolved(
        _ operation: String, after cursor: IdempotencyCursor?, limit: Int
    ) async throws(StoreError) -> IdempotencyPage

    /// Frees the space of at most `limit` expired keys and says how many; correctness never depends on it. A store that
    /// keeps other things beside keys may count these too.
    func purge(limit: Int) async throws(StoreError) -> Int
}

extension IdempotencyStore {
    /// `false`: the store takes no changes of records.
    public var takesChanges: Bool { false }
}

/// What a call asks for when it wants to execute a key.
public struct IdempotencyClaim: Hashable, Sendable {
    /// The key.
    public let key: IdempotencyKey
    /// What is kept as the request's fingerprint if the key is free.
    public let fingerprint: StoredFingerprint
    /// Who claims; its nonce tells this call from every other.
    public let holder: Holder
    /// How long the execution has the key to itself, unless it is extended.
    public let lease: Duration
    /// The unknown execution to take over from; `nil` if only a free key is wanted.
    public var predecessor: IdempotencyEntry? { predecessors.first }
    /// At most one: an array, because an entry is large and most claims have none.
    private let predecessors: [IdempotencyEntry]

    /// A claim from its parts.
    public init(
        key: IdempotencyKey, fingerprint: StoredFingerprint, holder: Holder, lease: Duration,
        takingOver predecessor: IdempotencyEntry? = nil
    ) {
        self.key = key
        self.fingerprint = fingerprint
        self.holder = holder
        self.lease = lease
        predecessors = predecessor.map { [$0] } ?? []
    }
}

/// What became of a claim.
public enum IdempotencyClaimAnswer: Hashable, Sendable {
    /// The caller executes the key.
    case acquired(IdempotencyExecution)
    /// The key was not free, or another execution than the named one stands there.
    indirect case standing(IdempotencyEntry)
    /// Nothing stands there any more that could be taken over; the key is free.
    case absent
}

/// What became of the end of an execution.
public enum IdempotencySettleAnswer: Hashable, Sendable {
    /// It is in, since `at` by the store's time.
    case settled(at: Timestamp)
    /// The key is not this execution's any more, and nothing was changed; what stands there instead.
    indirect case lost(IdempotencyEntry?)
    /// The key is still this execution's and nothing was changed, because one of the changes alongside did not find what
    /// it expected; its index counts those changes.
    indirect case conflict(CommitAnswer.Conflict)
}

/// What became of a wish to hold a key longer.
public enum IdempotencyHoldAnswer: Hashable, Sendable {
    /// The execution goes on; the next call of it names this value.
    case held(IdempotencyExecution)
    /// The key is not this execution's any more; what stands there instead.
    indirect case lost(IdempotencyEntry?)
}
