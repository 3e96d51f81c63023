// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a store's answers survive, named by what can be lost.
public enum Durability: Hashable, Sendable {
    /// The end of the process takes everything: the store lives in it.
    case process
    /// The end of the process takes nothing; the end of the operating system, as by loss of power, takes what it had
    /// not written to the medium by itself.
    case operatingSystem
    /// The end of the process takes nothing; loss of power takes at most what was answered in the last so much time,
    /// and while the sync that ends it took.
    case interval(Duration)
    /// Neither takes anything: an answer waits until what it is computed from is on the medium.
    case everyCommit
}

/// Fenced records: the one storage protocol under idempotency keys, queues, dead letters and sagas.
///
/// A module is a state machine over this protocol and runs on every store; a store is written once and gets every
/// module. The in-memory store and the file store are two forms of one table, which is the model for every other.
///
/// **Promises.** Every store keeps them, and the conformance suite in `ReliabilityTesting` checks them:
///
/// 1. *Fences.* A fence is never given out twice in a store's life, and fences grow per record, also over deletes. A
///    change under a stale fence changes nothing and is told what stands there.
/// 2. *Nothing undurable shows.* Every answer waits until everything that it was computed from is durable, as
///    ``durability`` defines it.
/// 3. *Atomic.* A batch is in as a whole or not at all, over any collections of the store.
/// 4. *Outcome unknown* is an answer of its own, ``StoreError/outcomeUnknown(_:)``. When it is thrown, or at the latest
///    when the same store answers again, the change is in or never will be. After it, read once:
///    ``Record/changedUnder`` equal to the fence that was named means that the change is in; after a move, read the
///    new name.
/// 5. *Order.* The record with the lowest position of an order key is its head. Only heads can be claimed: a head
///    blocks its key also while it is held or not yet due. Deleting or moving it promotes the next in the same commit.
/// 6. *Expiry.* An expired record is absent to every operation. A held record never expires.
/// 7. *Time* is the store's. Callers pass durations. A server's clock may be set back: then leases and lifetimes last
///    longer and what is due comes later; fences and positions go on growing.
/// 8. *Holding.* A record is claimed only if nobody holds it. The fence that a claim gives is the right to change the
///    record, and it outlasts the lease until somebody else claims. A module changes a record that is held by another
///    under no circumstances: a store cannot tell the holder from somebody who has read the fence.
/// 9. *Reopening.* Where one process at a time has the store, opening it after another ends that process's leases at
///    once; leases of the same process stand. In a store that processes share, opening ends nobody's leases: they end
///    by their time.
/// 10. *Wake-up.* A claim that waits is woken by the commit that makes a record due, or by the due time; nothing polls.
///
/// **Cancellation.** Only the wait of a claim ends when the task is cancelled; it then returns what it finds without
/// waiting. Every other operation runs to its end and tells it, so that a settlement is never cut in two.
public protocol RecordStore: Sendable {
    /// What the store's answers survive.
    var durability: Durability { get }

    /// The records of those names, at most 1,000.
    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer

    /// Carries out 1 to 1,000 changes as one, each record in at most one of them.
    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer

    /// Holds records that nobody holds: those named, or those that are due.
    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer

    /// Moves the end of a hold to `lease` from now; keeps the fence.
    ///
    /// A hold whose lease has passed can be extended as long as nobody else has claimed the record.
    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer

    /// A page of a collection by position, of one state if given; at most 1,000 records.
    func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer

    /// Counts by state and the oldest records of a collection; works also when no worker runs.
    func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics

    /// Frees the space of at most `limit` expired records and says how many; correctness never depends on it.
    func purgeExpired(limit: Int) async throws(StoreError) -> Int

    /// Ends the store: waits for what was handed over, wakes waiting claims, frees files and locks.
    ///
    /// Closing twice is harmless. Every other later call throws ``StoreError/closed``.
    func close() async throws(StoreError)
}
