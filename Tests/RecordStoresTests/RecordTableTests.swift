// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Testing

@testable import RecordStores

private let start = Timestamp(nanosecondsSince1970: 1_000_000_000_000)

@Suite struct RecordTableTests {
    private func content(
        _ state: String = "ready", order: String? = nil, due: RecordContent.When = .after(.zero),
        expires: RecordContent.When = .never
    ) -> RecordContent {
        RecordContent(state: state, orderKey: order, due: due, expires: expires)
    }

    private func keys(_ answer: ClaimAnswer) -> [String] { answer.claimed.map(\.id.key) }

    @Test func `only the head of an order key is claimed, and its end promotes the next in the same commit`() throws {
        var table = RecordTable(now: start)
        _ = try table.commit(
            ["a", "b", "c"].map { .insert(RecordID("q", $0), content(order: "k"), lease: nil) }, at: start)
        let lease = Lease(.seconds(10))
        let first = try table.claim(.due(collection: "q", limit: 10), lease: lease, at: start)
        #expect(keys(first) == ["a"])
        #expect(first.nextDueIn == .seconds(10))
        let head = try #require(first.claimed.first)
        _ = try table.commit([.delete(head.id, expecting: head.fence)], at: start)
        let second = try table.claim(.due(collection: "q", limit: 10), lease: lease, at: start)
        #expect(keys(second) == ["b"])
    }

    @Test func `a claim that names a record twice, or a host without end, is refused and claims nothing`() throws {
        var table = RecordTable(now: start)
        let id = RecordID("q", "a")
        _ = try table.commit([.insert(id, content())], at: start)
        let process = ProcessIdentity(host: String(repeating: "h", count: 65), pid: 1, instance: 1)
        let endless = Lease(.seconds(1), holder: Holder(nonce: 1, process: process))
        let host = RefusedInput(field: "host of the holder", size: 65, allowed: RecordLimits.host)
        #expect(throws: StoreError.refused(host)) { try table.claim(.ids([id]), lease: endless, at: start) }
        #expect(throws: StoreError.refused(host)) {
            try table.commit([.insert(RecordID("q", "b"), content(), lease: endless)], at: start)
        }
        let twice = RefusedInput(field: "claims of one record", size: 2, allowed: 1...1)
        #expect(throws: StoreError.refused(twice)) {
            try table.claim(.ids([id, id]), lease: Lease(.seconds(1)), at: start)
        }
        #expect(try table.read([id, RecordID("q", "b")], at: start).records.map { $0?.claims } == [0, nil])
    }

    @Test func `an expired head makes room for the next without a purge`() throws {
        var table = RecordTable(now: start)
        _ = try table.commit(
            [
                .insert(RecordID("q", "a"), content(order: "k", due: .never, expires: .after(.seconds(5)))),
                .insert(RecordID("q", "b"), content(order: "k")),
            ], at: start)
        let lease = Lease(.seconds(10))
        let before = try table.claim(.due(collection: "q", limit: 1), lease: lease, at: start)
        #expect(before.claimed.isEmpty && before.nextDueIn == .seconds(5))
        let after = try table.claim(
            .due(collection: "q", limit: 1), lease: lease, at: start.advanced(by: .seconds(5)))
        #expect(keys(after) == ["b"])
    }

    @Test func `any number of expired heads is out of the way, of a claim by name and of the order of what is due`()
        throws
    {
        var table = RecordTable(now: start)
        let expiring = (0..<20).map {
            Change.insert(RecordID("q", "e\($0)"), content(order: "k", expires: .after(.seconds(1))))
        }
        let behind = RecordID("q", "behind")
        _ = try table.commit(expiring + [.insert(behind, content(order: "k"))], at: start)
        // Twenty lines of which each head expires, and a record without a line that is due after those behind them.
        let lines = (0..<20).flatMap { number -> [Change] in
            let order = "l\(number)"
            return [
                .insert(RecordID("p", "h\(number)"), content(order: order, due: .never, expires: .after(.seconds(1)))),
                .insert(RecordID("p", "n\(number)"), content(order: order)),
            ]
        }
        _ = try table.commit(lines, at: start)
        _ = try table.commit([.insert(RecordID("p", "free"), content(due: .after(.nanoseconds(1))))], at: start)
        let later = start.advanced(by: .seconds(1))
        let lease = Lease(.seconds(10))
        let named = try table.claim(.ids([behind]), lease: lease, at: later)
        #expect(keys(named) == ["behind"] && named.standing.isEmpty)
        let due = try table.claim(.due(collection: "p", limit: 100), lease: lease, at: later)
        #expect(keys(due) == (0..<20).map { "n\($0)" } + ["free"])
    }

    @Test func `alarms and lines that are outdated do not gather`() throws {
        var table = RecordTable(now: start)
        let blocker = RecordID("q", "blocker")
        _ = try table.commit([.insert(blocker, content(order: "k", due: .after(.seconds(1_000_000))))], at: start)
        for round in 0..<2_000 {
            let id = RecordID("q", "passer-by")
            let answer = try table.commit(
                [.insert(id, content(order: "k", expires: .after(.seconds(500_000))))],
                at: start.advanced(by: .milliseconds(round)))
            guard case .committed(let committed) = answer, let fence = committed.fences.first else {
                Issue.record("round \(round) was refused")
                return
            }
            _ = try table.commit([.delete(id, expecting: fence)], at: start)
        }
        #expect(table.count == 1)
        #expect(table.slots.count == 2)
        #expect(table.expiring.count <= 100)
        #expect(table.collections[0].due.count <= 100)
        #expect(try #require(table.collections[0].lines[ByteText("k")]).waiting.count <= 100)
        #expect(Array(table.collections[0].byPosition.entries(after: nil)).count <= 100)
    }

    @Test func `the alarms of a small collection do not gather beside a large one`() throws {
        var table = RecordTable(now: start)
        for number in 0..<2_000 {
            _ = try table.commit([.insert(RecordID("large", "\(number)"), content())], at: start)
        }
        let id = RecordID("small", "a")
        _ = try table.commit(
            [.insert(id, content(expires: .after(.seconds(1))), lease: Lease(.seconds(10)))], at: start)
        let fence = try #require(try table.read([id], at: start).records[0]?.fence)
        for _ in 0..<1_000 { _ = try table.extend(id, fence: fence, lease: .seconds(10), at: start) }
        #expect(table.collections.allSatisfy { $0.due.count <= 2 * $0.count + 64 })
        #expect(table.collections.allSatisfy { $0.ends.count <= 2 * $0.count + 64 })
    }

    @Test(arguments: [UInt64(1), 2, 3]) func `replaying the effects of random work gives the same table`(
        seed: UInt64
    ) throws {
        var random = RandomSource.seeded(seed)
        var table = RecordTable(now: start, recordingEffects: true)
        var copy = RecordTable(now: start)
        var now = start
        for _ in 0..<3_000 {
            now = now.advanced(by: .milliseconds(Int.random(in: 0...50, using: &random)))
            try randomOperation(&table, now, &random)
            let expired = table.takeExpired().map { RecordEffect.remove($0) }
            for effect in expired + table.takeEffects() {
                let isRestored = copy.restore(effect)
                #expect(isRestored)
            }
        }
        #expect(
            copy.stored(inCollection: 0, after: nil, bytes: .max)
                == table.stored(inCollection: 0, after: nil, bytes: .max))
        #expect(copy.bytes == table.bytes)
        #expect(copy.nextFence == table.nextFence)
        #expect(copy.nextPosition == table.nextPosition)
    }

    @Test func `a record that is replayed under the name before its last keeps its place`() throws {
        let time = Timestamp(nanosecondsSince1970: 0)
        func record(_ key: String, fence: UInt64) -> Record {
            Record(id: RecordID("c", key), fence: Fence(rawValue: fence), position: 7, state: "s", createdAt: time)
        }
        var table = RecordTable(now: time)
        // A snapshot may show what came while it was written; the journal then tells it once more from the beginning.
        let effects: [RecordEffect] = [
            .put(record("new", fence: 3)), .put(record("old", fence: 2)), .remove(RecordID("c", "old")),
            .put(record("new", fence: 3)),
        ]
        let fit = effects.map { table.restore($0) }
        #expect(fit == [true, true, true, true])
        let page = try table.scan("c", state: nil, after: nil, limit: 10, at: time)
        #expect(page.records == [record("new", fence: 3)])
        #expect(table.stored(inCollection: 0, after: nil, bytes: .max) == page.records && table.count == 1)
    }

    private func randomOperation(
        _ table: inout RecordTable, _ now: Timestamp, _ random: inout RandomSource
    ) throws {
        let id = RecordID("c", "key-\(Int.random(in: 0..<20, using: &random))")
        let standing = try table.read([id], at: now).records[0]
        let content = content(
            "s\(Int.random(in: 0..<3, using: &random))", order: Bool.random(using: &random) ? "k" : nil,
            due: .after(.milliseconds(Int.random(in: 0...200, using: &random))),
            expires: Bool.random(using: &random) ? .after(.milliseconds(400)) : .never)
        let lease = Lease(.milliseconds(Int.random(in: 0...100, using: &random)))
        switch (Int.random(in: 0..<5, using: &random), standing) {
        case (0, let record?):
            _ = try table.commit([.delete(id, expecting: record.fence)], at: now)
        case (1, let record?):
            _ = try table.extend(id, fence: record.fence, lease: .milliseconds(50), at: now)
        case (2, let record?):
            _ = try table.commit([.replace(id, expecting: record.fence, with: content, lease: .end)], at: now)
        case (3, _):
            _ = try table.claim(.due(collection: "c", limit: 3), lease: lease, at: now)
        default:
            _ = try table.commit([.insert(id, content, lease: lease)], at: now)
        }
    }
}
