// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores

/// A store in memory of which single operations, what goes in or what comes out can be replaced, to plant a bug.
struct AlteredStore: RecordStore {
    typealias Base = InMemoryRecordStore

    let base: Base
    /// Every batch before it is carried out.
    var altersChange: @Sendable (Change) -> Change = { $0 }
    /// Every record before it is shown; `nil` hides it.
    var altersRecord: @Sendable (Record, Timestamp) -> Record? = { record, _ in record }
    var reads: @Sendable (Base, [RecordID]) async throws(StoreError) -> ReadAnswer = {
        base, ids async throws(StoreError) in
        try await base.read(ids)
    }
    var commits: @Sendable (Base, [Change]) async throws(StoreError) -> CommitAnswer = {
        base, changes async throws(StoreError) in
        try await base.commit(changes)
    }
    var claims: @Sendable (Base, ClaimRequest) async throws(StoreError) -> ClaimAnswer = {
        base, request async throws(StoreError) in
        try await base.claim(request)
    }
    var extends: @Sendable (Base, RecordID, Fence, Duration) async throws(StoreError) -> ExtendAnswer = {
        base, id, fence, lease async throws(StoreError) in try await base.extend(id, fence: fence, lease: lease)
    }
    var scans: @Sendable (Base, _ collection: String, String?, UInt64?, Int) async throws(StoreError) -> ScanAnswer = {
        base, name, state, position, limit async throws(StoreError) in
        try await base.scan(name, state: state, after: position, limit: limit)
    }
    var counts: @Sendable (Base, String) async throws(StoreError) -> CollectionStatistics = {
        base, name async throws(StoreError) in
        try await base.statistics(of: name)
    }

    init(_ base: Base) { self.base = base }

    var durability: Durability { base.durability }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        let answer = try await reads(base, ids)
        return ReadAnswer(now: answer.now, records: answer.records.map { show($0, answer.now) })
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        switch try await commits(base, changes.map(altersChange)) {
        case .committed(let committed):
            return .committed(committed)
        case .conflict(let conflict):
            let standing = show(conflict.standing, conflict.now)
            return .conflict(.init(now: conflict.now, index: conflict.index, standing: standing))
        }
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        let answer = try await claims(base, request)
        return ClaimAnswer(
            now: answer.now, claimed: answer.claimed.compactMap { show($0, answer.now) },
            standing: answer.standing.compactMap { show($0, answer.now) }, nextDueIn: answer.nextDueIn)
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        switch try await extends(base, id, fence, lease) {
        case .extended(let now, let until): .extended(now: now, until: until)
        case .lost(let now, let standing): .lost(now: now, standing: show(standing, now))
        }
    }

    func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        let answer = try await scans(base, collection, state, position, limit)
        return ScanAnswer(
            now: answer.now, records: answer.records.compactMap { show($0, answer.now) }, next: answer.next)
    }

    func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await counts(base, collection)
    }

    func purgeExpired(limit: Int) async throws(StoreError) -> Int { try await base.purgeExpired(limit: limit) }

    func close() async throws(StoreError) { try await base.close() }

    private func show(_ record: Record?, _ now: Timestamp) -> Record? { record.flatMap { altersRecord($0, now) } }
}

extension AlteredStore {
    /// A store that uses what the protocol leaves open: its pages are short, and what is held counts with the end of its
    /// lease where nothing else is due.
    static func loose(_ base: Base) -> AlteredStore {
        var store = AlteredStore(base)
        store.scans = { base, name, state, position, limit async throws(StoreError) in
            // Of what comes next, whatever its state, two are looked at.
            let page = try await base.scan(
                name, state: nil, after: position, limit: limit > 1_000 ? limit : min(2, limit))
            let records = page.records.filter { state == nil || $0.state == state }
            return ScanAnswer(now: page.now, records: records, next: page.records.last?.position)
        }
        store.counts = { base, name async throws(StoreError) in
            let statistics = try await base.statistics(of: name)
            let now = statistics.now
            guard statistics.oldestDue.map({ $0 > now }) ?? true else { return statistics }
            var lines: Set<String> = []
            let heads = try await base.scan(name, state: nil, after: nil, limit: 1_000).records.filter { record in
                record.orderKey.map { lines.insert($0).inserted } ?? true
            }
            let since = heads.compactMap { record in record.dueAt.map { max($0, record.leaseUntil ?? $0) } }
            return CollectionStatistics(
                now: now, counts: statistics.counts, oldestDue: since.min(), oldestCreated: statistics.oldestCreated)
        }
        return store
    }
}

extension Change {
    /// The same change with other content, if it has any.
    func with(_ alter: (inout RecordContent) -> Void) -> Change {
        switch self {
        case .insert(let id, var content, let lease):
            alter(&content)
            return .insert(id, content, lease: lease)
        case .replace(let id, let fence, var content, let lease):
            alter(&content)
            return .replace(id, expecting: fence, with: content, lease: lease)
        case .move(let id, let destination, let fence, var content, let lease):
            alter(&content)
            return .move(id, to: destination, expecting: fence, with: content, lease: lease)
        case .delete, .assert:
            return self
        }
    }

    /// The same change with other names and fences.
    func with(id: RecordID, fence: (Fence) -> Fence = { $0 }) -> Change {
        switch self {
        case .insert(_, let content, let lease): .insert(id, content, lease: lease)
        case .replace(_, let old, let content, let lease):
            .replace(id, expecting: fence(old), with: content, lease: lease)
        case .move(_, let destination, let old, let content, let lease):
            .move(id, to: destination, expecting: fence(old), with: content, lease: lease)
        case .delete(_, let old): .delete(id, expecting: fence(old))
        case .assert(_, let old): .assert(id, old.map(fence))
        }
    }
}
