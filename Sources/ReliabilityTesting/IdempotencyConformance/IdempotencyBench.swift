// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import ReliabilityCore
internal import Synchronization

/// A store under test, its clock, and the short forms in which checks speak to it.
struct IdempotencyBench: Sendable {
    /// The lease of a claim where it does not matter.
    static let lease = Duration.seconds(60)
    /// The retention of an outcome where it does not matter.
    static let retention = Duration.seconds(3_600)

    let suite: IdempotencyStoreConformance
    let clock: ManualClock
    let store: any IdempotencyStore

    /// The store that a check has opened last, so that it is closed in the end.
    private final class Last: Sendable {
        private let store: Locked<any IdempotencyStore>
        init(_ store: any IdempotencyStore) { self.store = Locked(store) }
        var value: any IdempotencyStore { store.withLock { $0 } }
        func set(_ other: any IdempotencyStore) { store.withLock { $0 = other } }
    }

    private let last: Last

    /// Runs `body` with a new store, and closes the store also when `body` throws.
    static func with(
        _ suite: IdempotencyStoreConformance, _ body: (IdempotencyBench) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        let store = try await suite.makeStore(clock)
        let bench = IdempotencyBench(suite: suite, clock: clock, store: store, last: Last(store))
        do {
            try await body(bench)
        } catch {
            // The violation tells more than a close that fails after it.
            try? await suite.close?(bench.last.value)
            throw error
        }
        try await suite.close?(bench.last.value)
    }

    private func over(
        _ open: (any IdempotencyStore, ManualClock) async throws -> any IdempotencyStore
    ) async throws -> IdempotencyBench {
        let next = try await open(store, clock)
        last.set(next)
        return IdempotencyBench(suite: suite, clock: clock, store: next, last: last)
    }

    /// The same with the store closed and opened again; `nil` if the suite was not told how.
    func reopened() async throws -> IdempotencyBench? {
        guard let reopen = suite.reopen else { return nil }
        return try await over(reopen)
    }

    /// The same after a crash; `nil` if the suite was not told how, or if the store does not outlive its process.
    func crashed() async throws -> IdempotencyBench? {
        guard let crash = suite.crash, store.durability != .process else { return nil }
        return try await over(crash)
    }

    func advance(by duration: Duration) { clock.advance(by: duration) }

    func key(
        _ key: String = "key", tenant: String = "tenant", operation: String = "operation"
    ) throws -> IdempotencyKey {
        try IdempotencyKey(tenant: tenant, operation: operation, key: key)
    }

    /// The fingerprint of that number.
    func fingerprint(_ number: Int) -> StoredFingerprint { Fingerprint { $0.field("number", number) }.stored }

    /// The store's time.
    func now() async throws -> Timestamp {
        try await release(try await acquire(try key("the time", operation: "look")))
    }

    // MARK: Claims

    func claim(
        _ key: IdempotencyKey, _ number: Int = 0, by holder: Holder = .new(), for lease: Duration = lease,
        takingOver predecessor: IdempotencyEntry? = nil
    ) async throws -> IdempotencyClaimAnswer {
        try await store.claim(
            IdempotencyClaim(
                key: key, fingerprint: fingerprint(number), holder: holder, lease: lease, takingOver: predecessor))
    }

    /// Claims a key, which has to succeed.
    @discardableResult
    func acquire(
        _ key: IdempotencyKey, _ number: Int = 0, by holder: Holder = .new(), for lease: Duration = lease,
        takingOver predecessor: IdempotencyEntry? = nil
    ) async throws -> IdempotencyExecution {
        let answer = try await claim(key, number, by: holder, for: lease, takingOver: predecessor)
        guard case .acquired(let execution) = answer else { throw Violation("a claim of \(key) got \(answer)") }
        return execution
    }

    /// Claims a key, which has to be refused with what stands there afterwards.
    @discardableResult
    func refused(
        _ key: IdempotencyKey, number: Int = 0, for lease: Duration = lease,
        takingOver predecessor: IdempotencyEntry? = nil, _ when: String
    ) async throws -> IdempotencyEntry {
        let answer = try await claim(key, number, for: lease, takingOver: predecessor)
        guard case .standing(let entry) = answer else { throw Violation("a claim \(when) got \(answer)") }
        try require(entry, is: try await self.entry(key), "what a claim is told \(when)")
        return entry
    }

    /// An execution whose lease has just passed, and its entry.
    @discardableResult
    func lapsed(
        _ key: IdempotencyKey, _ number: Int = 0
    ) async throws -> (execution: IdempotencyExecution, entry: IdempotencyEntry) {
        let execution = try await acquire(key, number)
        advance(by: Self.lease)
        return (execution, try await entry(key))
    }

    // MARK: Settlements

    @discardableResult
    func complete(
        _ execution: IdempotencyExecution, as outcome: IdempotencyOutcome = .value([1, 2, 3]),
        for retention: Duration = retention, alongside changes: [Change] = []
    ) async throws -> Timestamp {
        try settled(
            try await store.complete(execution, as: outcome, retention: retention, alongside: changes), "complete")
    }

    @discardableResult
    func release(_ execution: IdempotencyExecution) async throws -> Timestamp {
        try settled(try await store.release(execution), "release")
    }

    @discardableResult
    func markUnknown(
        _ execution: IdempotencyExecution, because reason: IdempotencyUnknownReason = .failed
    ) async throws -> Timestamp {
        try settled(try await store.markUnknown(execution, because: reason), "mark unknown")
    }

    private func settled(_ answer: IdempotencySettleAnswer, _ call: String) throws -> Timestamp {
        guard case .settled(let at) = answer else { throw Violation("a call to \(call) was answered \(answer)") }
        return at
    }

    func extend(_ execution: IdempotencyExecution, by lease: Duration) async throws -> IdempotencyExecution {
        try held(try await store.extend(execution, by: lease), "an extend")
    }

    @discardableResult
    func checkpoint(
        _ execution: IdempotencyExecution, _ name: String = "begun", _ bytes: [UInt8] = [], by lease: Duration = lease
    ) async throws -> IdempotencyExecution {
        let checkpoint = try IdempotencyCheckpoint(name, bytes)
        return try held(try await store.checkpoint(execution, checkpoint, extendingBy: lease), "a checkpoint")
    }

    private func held(_ answer: IdempotencyHoldAnswer, _ call: String) throws -> IdempotencyExecution {
        guard case .held(let execution) = answer else { throw Violation("\(call) was answered \(answer)") }
        return execution
    }

    // MARK: Looks

    /// The entry, which has to stand there.
    func entry(_ key: IdempotencyKey) async throws -> IdempotencyEntry {
        guard let entry = try await store.read(key) else { throw Violation("\(key) is absent") }
        try require(entry.key, is: key, "the key of what a read found")
        return entry
    }

    func requireAbsent(_ key: IdempotencyKey, _ when: String) async throws {
        let entry = try await store.read(key)
        try require(entry == nil, "\(key) stands \(when): \(entry.map { "\($0.state)" } ?? "")")
    }

    func requireState(
        _ key: IdempotencyKey, _ state: IdempotencyEntry.State, _ when: String
    ) async throws {
        try require(try await entry(key).state, is: state, "the state \(when)")
    }

    /// Every entry that a listing tells, page by page.
    func listed(
        _ operation: String = "operation", limit: Int = 1_000,
        between pages: ([IdempotencyEntry]) async throws -> Void = { _ in }
    ) async throws -> [IdempotencyEntry] {
        var entries: [IdempotencyEntry] = []
        var cursor: IdempotencyCursor?
        for _ in 0..<1_000 {
            let page = try await store.unresolved(operation, after: cursor, limit: limit)
            try require(page.entries.count <= limit, "a page of \(limit) has \(page.entries.count) entries")
            entries += page.entries
            guard let next = page.next else { return entries }
            cursor = next
            try await pages(page.entries)
        }
        throw Violation("a listing does not come to an end")
    }
}
