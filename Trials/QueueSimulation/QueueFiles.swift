// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Synchronization

/// A store in files on a simulated disk, as the process has it that has opened it last: each process finds what the one
/// before it has left.
///
/// Every call is over when it returns, and what it waits for is done meanwhile; so the same calls make the same files.
final class QueueFiles: RecordStore {
    private struct State {
        var disk = SimulatedDisk()
        var store: SteppedStore?
        var lives: UInt64 = 0
        /// How far the wall clock is off.
        var skew = Duration.zero
        /// Whether the disk stops at some operation.
        var isDoomed = false
        var isOver = false
    }

    private static let endless = Int.max / 2

    private let clock: ManualClock
    private let random: RandomSource
    private let files: FileDurability
    private let state = Locked(State())

    init(
        _ clock: ManualClock, _ random: RandomSource, _ durability: FileDurability
    ) throws(FileStoreError) {
        self.clock = clock
        self.random = random
        files = durability
        try open()
    }

    // MARK: Ends

    /// Whether it is over with the process that has the store open: nothing of what it does now will be there.
    var isOver: Bool { state.withLock { $0.isOver || $0.disk.failureCount > 0 } }

    /// The process that has the store open has died.
    func end() { state.withLock { $0.isOver = true } }

    /// Whether the disk is to stop, or has.
    var isDoomed: Bool { state.withLock { $0.isDoomed } }

    /// Stops the disk in so many operations.
    func stop(after count: Int, writing bytes: Int) {
        state.withLock { state in
            state.disk.stop(after: count, writing: bytes)
            state.isDoomed = true
        }
    }

    /// Lets the disk go on, if it has not stopped yet.
    func live() {
        state.withLock { state in
            state.disk.stop(after: Self.endless)
            state.isDoomed = false
        }
    }

    /// Another process opens what is left.
    ///
    /// - Parameters:
    ///   - losesPower: Whether what was not synced is lost.
    ///   - opensInPieces: Whether the disk may stop again while the store is opened, over and over.
    func reopen(losingPower losesPower: Bool, opensInPieces: Bool) throws(FileStoreError) {
        let (disk, store) = state.withLock { ($0.disk, $0.store) }
        disk.stop()
        // It has nothing to write to any more, and leaves the directory to the next one.
        try? store?.close()
        let next = losesPower ? disk.powerCut(disk.randomCut(random)) : disk.killed()
        let skews: [Duration] = [.zero, .zero, .seconds(2), .seconds(-2), .seconds(-3_600)]
        let skew = skews[Int(random.draw(upTo: Int64(skews.count - 1)))]
        state.withLock { state in
            state.disk = next
            state.isOver = false
            state.skew += skew
        }
        while opensInPieces, random.draw(upTo: 5) == 0 {
            stop(after: Int(random.draw(upTo: 11)), writing: Int(random.draw(upTo: 599)))
            do throws(FileStoreError) {
                try open()
                return
            } catch {
                guard case .failed = error, isOver else { throw error }
                state.withLock { $0.disk = $0.disk.powerCut($0.disk.randomCut(random)) }
            }
        }
        try open()
        live()
    }

    private func open() throws(FileStoreError) {
        let (disk, life, skew) = state.withLock { state in
            state.lives += 1
            return (state.disk, state.lives, state.skew)
        }
        let store = try SteppedStore(
            "/store", on: disk, durability: files, clock: clock, process: life,
            wallTime: SteppedStore.start.advanced(by: clock.now.offset + skew))
        state.withLock { $0.store = store }
    }

    // MARK: Commits that nobody hears of

    /// The records that changes are about, as they stand.
    func standing(_ changes: [Change]) throws(StoreError) -> ReadAnswer {
        let ids = changes.flatMap { [$0.id] + ($0.destination.map { [$0] } ?? []) }
        return try run { store throws(StoreError) in try await store.read(ids) }
    }

    /// What has become of a commit that was the last thing before the end; `nil` if it is not in.
    ///
    /// - Throws: ``Torn``
    func outcome(of changes: [Change], since before: ReadAnswer) throws -> CommitAnswer.Committed? {
        let after = try standing(changes)
        var records = zip(before.records, after.records).makeIterator()
        var found: [Bool] = []
        var fences: [Fence] = []
        for change in changes {
            guard let own = records.next() else { break }
            switch change {
            case .insert, .replace:
                found.append(own.1 != nil && own.1?.fence != own.0?.fence)
                own.1.map { fences.append($0.fence) }
            case .move:
                guard let destination = records.next() else { break }
                found.append(own.1 == nil && own.0 != nil && destination.1?.fence != destination.0?.fence)
                destination.1.map { fences.append($0.fence) }
            case .delete: found.append(own.0 != nil && own.1 == nil)
            case .assert: break
            }
        }
        guard found.contains(true) else { return nil }
        guard !found.contains(false) else { throw Torn() }
        return CommitAnswer.Committed(now: before.now, fences: fences)
    }

    /// A part of a commit is in, and another is not.
    struct Torn: Error {}

    // MARK: Calls

    private func run<Answer: Sendable>(
        _ body: @escaping @Sendable (FileRecordStore) async throws(StoreError) -> Answer
    ) throws(StoreError) -> Answer {
        guard let store = state.withLock({ $0.store }) else { throw .closed }
        do {
            return try store.run { store in try await body(store) }
        } catch let error as StoreError {
            throw error
        } catch {
            throw .outcomeUnknown(StoreFailure(operation: "simulated", subject: "\(error)", code: 0))
        }
    }

    /// Lets the store do some of what it does by itself.
    private func work() {
        guard let store = state.withLock({ $0.store }) else { return }
        for _ in 0..<random.draw(upTo: 3) where !store.step() { break }
    }

    /// The holder is the process that has the store open, whoever runs the simulation.
    private func own(_ lease: Lease) -> Lease {
        let process = state.withLock { $0.store?.process }
        return Lease(
            lease.duration, holder: Holder(nonce: lease.holder.nonce, process: process ?? lease.holder.process))
    }

    var durability: Durability { .everyCommit }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try run { store throws(StoreError) in try await store.read(ids) }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        work()
        let changes = changes.map { change in
            guard case .insert(let id, let content, let lease?) = change else { return change }
            return .insert(id, content, lease: own(lease))
        }
        return try run { store throws(StoreError) in try await store.commit(changes) }
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        work()
        var request = request
        request.lease = own(request.lease)
        return try run { [request] store throws(StoreError) in try await store.claim(request) }
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        work()
        return try run { store throws(StoreError) in try await store.extend(id, fence: fence, lease: lease) }
    }

    func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try run { store throws(StoreError) in
            try await store.scan(collection, state: state, after: position, limit: limit)
        }
    }

    func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try run { store throws(StoreError) in try await store.statistics(of: collection) }
    }

    func purgeExpired(limit: Int) async throws(StoreError) -> Int {
        work()
        return try run { store throws(StoreError) in try await store.purgeExpired(limit: limit) }
    }

    func close() async throws(StoreError) {}
}
