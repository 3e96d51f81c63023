// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// The end of a store, and promise 9 as far as one process can show it.
extension RecordStoreConformance {
    static let closingChecks = [
        Check("closing twice is harmless, and every later call says that the store is closed") { bench in
            let id = bench.id("a")
            let fence = try await bench.insert(id, .due())
            for _ in 0..<3 { try await bench.store.close() }
            let lease = Lease(.seconds(1))
            let collection = ConformanceBench.collection
            try await requireClosed(bench, "read") { store throws(StoreError) in _ = try await store.read([id]) }
            try await requireClosed(bench, "commit") { store throws(StoreError) in
                _ = try await store.commit([.delete(id, expecting: fence)])
            }
            try await requireClosed(bench, "claim by name") { store throws(StoreError) in
                _ = try await store.claim(ClaimRequest(.ids([id]), lease: lease))
            }
            try await requireClosed(bench, "claim that may wait") { store throws(StoreError) in
                _ = try await store.claim(
                    ClaimRequest(.due(collection: collection, limit: 1), lease: lease, waitUpTo: .seconds(5)))
            }
            try await requireClosed(bench, "extend") { store throws(StoreError) in
                _ = try await store.extend(id, fence: fence, lease: .seconds(1))
            }
            try await requireClosed(bench, "scan") { store throws(StoreError) in
                _ = try await store.scan(collection, state: nil, after: nil, limit: 1)
            }
            try await requireClosed(bench, "statistics") { store throws(StoreError) in
                _ = try await store.statistics(of: collection)
            }
            try await requireClosed(bench, "purge") { store throws(StoreError) in
                _ = try await store.purgeExpired(limit: 1)
            }
        },
        Check("closing ends the claims that wait", promise: 10) { bench in
            let answers = try await bench.answers(
                of: [bench.waiter(), bench.waiter(in: "other")], once: [{ try await bench.store.close() }])
            for answer in answers {
                switch answer {
                case .success(let answer):
                    try require(answer.claimed, are: [], "what a claim gets when the store closes")
                case .failure(let error): try require(error, is: .closed, "the error of a claim when the store closes")
                }
            }
        },
    ]

    static let reopeningChecks = [
        Check("what stands before a store is opened again stands after it", promise: 9) { bench in
            let ids = ["a", "b", "c", "gone", "expired"].map { bench.id($0) }
            let content = RecordContent(
                state: "x", body: Array(0...255), headers: ["h": "é"], orderKey: "k", due: .after(.seconds(3)),
                expires: .after(.seconds(86_400)))
            let fence = try await bench.insert(ids[0], content)
            try await bench.replace(ids[0], fence, with: content)
            try await bench.insert(ids[1], content, lease: .overOpenings)
            _ = try await bench.hold(ids[0], lease: .overOpenings)
            try await bench.insert(ids[2])
            try await bench.delete(ids[3], try await bench.insert(ids[3]))
            try await bench.insert(ids[4], .due(expires: .after(.zero)))
            let before = try await bench.store.read(ids).records
            let counts = try await bench.store.statistics(of: ConformanceBench.collection).counts
            guard let bench = try await bench.reopened() else { return }
            try require(try await bench.scanAll(), are: before.compactMap(\.self), "what stands after reopening")
            try require(try await bench.store.read(ids).records, is: before, "the records after reopening")
            try require(
                try await bench.store.statistics(of: ConformanceBench.collection).counts, is: counts, "the counts")
        },
        Check("fences and positions go on growing when a store is opened again, also over deletes", promise: 1) {
            bench in
            let (a, b) = (bench.id("a"), bench.id("b"))
            let kept = try await bench.insert(a)
            let last = try await bench.insert(b)
            let position = try await bench.record(b).position
            let held = try await bench.hold(b)
            try await bench.delete(b, held.fence)
            guard let bench = try await bench.reopened() else { return }
            let next = try await bench.insert(b)
            try require(next > held.fence, "reopened, a fence \(next) follows \(held.fence) and \(last)")
            let record = try await bench.record(b)
            try require(record.position > position, "reopened, position \(record.position) follows \(position)")
            let claimed = try await bench.hold(a).fence
            try require(claimed > kept, "reopened, a claim's fence \(claimed) follows \(kept)")
            guard let again = try await bench.reopened() else { return }
            let third = try await again.replace(b, next)
            try require(third > max(next, claimed), "reopened twice, a fence \(third) follows \(max(next, claimed))")
        },
        Check("leases and order stand when the same process opens a store again", promise: 9) { bench in
            let (a, b) = (bench.id("a"), bench.id("b"))
            for id in [a, b] { try await bench.insert(id, .due(order: "k")) }
            let held = try await bench.hold(a, lease: .overOpenings)
            guard let bench = try await bench.reopened() else { return }
            try require(try await bench.record(a), is: held, "a held record after reopening")
            try await bench.requireUnclaimable(a, "held before the store was opened again")
            try await bench.requireDue([], "behind a head that is held")
            try await bench.delete(a, held.fence)
            try await bench.requireDue(["b"], "when the head was deleted by its holder")
        },
        Check("time does not go back when a store is opened again", promise: 7) { bench in
            bench.advance(by: .seconds(86_400))
            try await bench.insert(bench.id("a"), .due())
            let before = try await bench.record(bench.id("a")).createdAt
            guard let bench = try await bench.reopened() else { return }
            let now = try await bench.now()
            try require(now >= before, "reopened, the time is \(now) after \(before)")
            try await bench.requireDue(["a"], "when it was due before the store was opened again")
        },
    ]

    private static func requireClosed(
        _ bench: ConformanceBench, _ name: String, _ operation: (any RecordStore) async throws(StoreError) -> Void
    ) async throws {
        let error = await bench.error(operation)
        try require(error, is: .closed, "the error of a \(name) after the store was closed")
    }
}
