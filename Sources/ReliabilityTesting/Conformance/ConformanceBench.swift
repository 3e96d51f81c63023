// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import Synchronization

/// A store under test, its clock, and the short forms in which checks speak to it.
struct ConformanceBench: Sendable {
    /// The collection that checks use when it does not matter.
    static let collection = "records"

    /// Every store that a check has opened, so that each is closed in the end.
    private final class Opened: Sendable {
        private let stores = Locked<[Int: any RecordStore]>([:])
        var all: [any RecordStore] { stores.withLock { $0.sorted { $0.key < $1.key }.map(\.value) } }

        func add(_ store: any RecordStore, number: Int) { stores.withLock { $0[number] = store } }
        func remove(number: Int) { stores.withLock { $0[number] = nil } }
    }

    let suite: RecordStoreConformance
    let clock: ManualClock
    let store: any RecordStore
    private let opened: Opened
    /// How many stores the check has had before.
    private let number: Int

    private init(
        suite: RecordStoreConformance, clock: ManualClock, store: any RecordStore, opened: Opened, number: Int = 0
    ) {
        self.suite = suite
        self.clock = clock
        self.store = store
        self.opened = opened
        self.number = number
        opened.add(store, number: number)
    }

    /// Runs `body` with a new store, and closes the store also when `body` throws.
    static func with(
        _ suite: RecordStoreConformance, _ body: (ConformanceBench) async throws -> Void
    ) async throws {
        try await with(suite, suite.makeStore, body)
    }

    /// Runs `body` with a new store that takes so many records, if the suite was told how to make one.
    static func with(
        _ suite: RecordStoreConformance, capacity: Int, _ body: (ConformanceBench) async throws -> Void
    ) async throws {
        guard let make = suite.makeLimitedStore else { return }
        try await with(suite, { try await make(capacity, $0) }, body)
    }

    private static func with(
        _ suite: RecordStoreConformance, _ make: RecordStoreConformance.MakeStore,
        _ body: (ConformanceBench) async throws -> Void
    ) async throws {
        let (clock, opened) = (ManualClock(), Opened())
        let store = try await make(clock)
        do {
            try await body(ConformanceBench(suite: suite, clock: clock, store: store, opened: opened))
        } catch {
            // The violation tells more than a close that fails after it.
            for store in opened.all { try? await store.close() }
            throw error
        }
        for store in opened.all { try await store.close() }
    }

    /// The same with the store closed and opened again; `nil` if the suite was not told how.
    func reopened() async throws -> ConformanceBench? {
        guard let reopen = suite.reopen else { return nil }
        let store = try await reopen(store, clock)
        return ConformanceBench(suite: suite, clock: clock, store: store, opened: opened, number: number + 1)
    }

    /// Whether ``crashed(as:)`` gives a store.
    var canCrash: Bool { suite.crash != nil && store.durability != .process }

    /// The same after a crash, opened by another process or by that one; `nil` if the suite was not told how to, or if
    /// the store does not outlive its process.
    func crashed(as process: ProcessIdentity = .another()) async throws -> ConformanceBench? {
        guard let crash = suite.crash, canCrash else { return nil }
        let store = try await crash(store, clock, process)
        opened.remove(number: number)
        return ConformanceBench(suite: suite, clock: clock, store: store, opened: opened, number: number + 1)
    }

    func id(_ key: String, in collection: String = collection) -> RecordID { RecordID(collection, key) }

    func advance(by duration: Duration) { clock.advance(by: duration) }

    // MARK: Commits

    /// Commits changes that have to go through; returns the fences.
    @discardableResult
    func commit(_ changes: Change...) async throws -> [Fence] {
        switch try await store.commit(changes) {
        case .committed(let committed): return committed.fences
        case .conflict(let conflict): throw Violation("\(brief(changes)) met a conflict: \(conflict)")
        }
    }

    private func brief(_ changes: [Change]) -> String {
        changes.count > 3 ? "a batch of \(changes.count)" : changes.map { "\($0)" }.joined(separator: ", ")
    }

    /// Commits changes that have to meet a conflict; returns it.
    func conflict(_ changes: Change...) async throws -> CommitAnswer.Conflict {
        switch try await store.commit(changes) {
        case .committed: throw Violation("\(brief(changes)) went through, expected a conflict")
        case .conflict(let conflict): return conflict
        }
    }

    private func onlyFence(_ fences: [Fence]) throws -> Fence {
        guard let fence = fences.first, fences.count == 1 else {
            throw Violation("one change was answered with the fences \(fences)")
        }
        return fence
    }

    @discardableResult
    func insert(_ id: RecordID, _ content: RecordContent = .plain, lease: Lease? = nil) async throws -> Fence {
        try onlyFence(try await commit(.insert(id, content, lease: lease)))
    }

    @discardableResult
    func replace(
        _ id: RecordID, _ fence: Fence, with content: RecordContent = .plain, lease: LeaseChange = .keep
    ) async throws -> Fence {
        try onlyFence(try await commit(.replace(id, expecting: fence, with: content, lease: lease)))
    }

    @discardableResult
    func move(
        _ id: RecordID, to destination: RecordID, _ fence: Fence, with content: RecordContent = .plain,
        lease: LeaseChange = .keep
    ) async throws -> Fence {
        try onlyFence(
            try await commit(.move(id, to: destination, expecting: fence, with: content, lease: lease)))
    }

    func delete(_ id: RecordID, _ fence: Fence) async throws {
        let fences = try await commit(.delete(id, expecting: fence))
        try require(fences, is: [], "the fences of a delete")
    }

    /// The error that an operation ends with, if it does.
    func error(_ operation: (any RecordStore) async throws(StoreError) -> Void) async -> StoreError? {
        do throws(StoreError) {
            try await operation(store)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Reads

    func find(_ id: RecordID) async throws -> Record? {
        let records = try await store.read([id]).records
        try require(records.count, is: 1, "the number of answers to a read of one name")
        return records[0]
    }

    /// The record, which has to stand there.
    func record(_ id: RecordID) async throws -> Record {
        guard let record = try await find(id) else { throw Violation("\(id) is absent") }
        return record
    }

    func requireAbsent(_ id: RecordID, _ when: String) async throws {
        let record = try await find(id)
        try require(record == nil, "\(id) is there \(when)")
    }

    /// The store's time.
    func now() async throws -> Timestamp { try await store.read([id("no such record")]).now }

    /// Every record of a collection past a position, page by page.
    func scanAll(
        _ collection: String = collection, state: String? = nil, after position: UInt64? = nil, limit: Int = 1_000
    ) async throws -> [Record] {
        var records: [Record] = []
        var after = position
        for _ in 0..<10_000 {
            let page = try await store.scan(collection, state: state, after: after, limit: limit)
            try require(page.records.count <= limit, "a page of \(limit) has \(page.records.count) records")
            records += page.records
            guard let next = page.next else { return records }
            try require(after.map { next > $0 } ?? true, "the page after \(after ?? 0) leads back to \(next)")
            after = next
        }
        throw Violation("a scan does not come to an end")
    }

    // MARK: Claims

    func claim(_ ids: RecordID..., lease: Lease = Lease(.seconds(60))) async throws -> ClaimAnswer {
        try await store.claim(ClaimRequest(.ids(ids), lease: lease))
    }

    func claimDue(
        in collection: String = collection, limit: Int = 1_000, lease: Lease = Lease(.seconds(60))
    ) async throws -> ClaimAnswer {
        try await store.claim(ClaimRequest(.due(collection: collection, limit: limit), lease: lease))
    }

    /// Claims one record by name, which has to succeed.
    func hold(_ id: RecordID, lease: Lease = Lease(.seconds(60))) async throws -> Record {
        let answer = try await claim(id, lease: lease)
        guard let record = answer.claimed.first, answer.claimed.count == 1, answer.standing.isEmpty else {
            throw Violation("a claim of \(id) got \(answer.claimed.map(\.id)), standing \(answer.standing.map(\.id))")
        }
        return record
    }

    /// Requires that the record stands there and cannot be claimed by name.
    func requireUnclaimable(_ id: RecordID, _ why: String) async throws {
        let answer = try await claim(id)
        try require(answer.claimed.isEmpty, "\(id) was claimed, \(why)")
        try require(answer.standing.map(\.id), is: [id], "what stands in the way of a claim, \(why),")
    }

    /// Requires that a claim of everything due gets exactly those keys, in that order.
    @discardableResult
    func requireDue(
        _ keys: [String], in collection: String = collection, lease: Lease = Lease(.seconds(60)), _ when: String
    ) async throws -> ClaimAnswer {
        let answer = try await claimDue(in: collection, lease: lease)
        try require(answer.claimed.map(\.id.key), is: keys, "what is handed out \(when)")
        return answer
    }
}

extension RecordContent {
    /// Content of no account.
    static var plain: RecordContent { RecordContent(state: "plain") }

    /// Content that may be claimed after that time, by default at once.
    static func due(
        after delay: Duration = .zero, order: String? = nil, expires: When = .never
    ) -> RecordContent {
        RecordContent(state: "due", orderKey: order, due: .after(delay), expires: expires)
    }
}

extension Lease {
    /// One that stands when a store is opened again, which may take its time from the system's clock then, and no check
    /// knows how long it waits for a processor.
    static let overOpenings = Lease(.seconds(86_400))
}

extension ProcessIdentity {
    /// A process that there has not been before.
    static func another() -> ProcessIdentity {
        ProcessIdentity(host: "elsewhere", pid: 1, instance: RandomSource.system.next())
    }
}
