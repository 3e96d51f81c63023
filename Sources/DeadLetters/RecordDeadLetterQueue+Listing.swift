// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Some letters of a queue, oldest first.
public struct DeadLetterPage: Hashable, Sendable {
    /// The letters, in the order in which they were put.
    public let letters: [DeadLetter]
    /// Letters of this page that this version of the package cannot read; they stay where they are.
    public let unreadable: [UnreadableDeadLetter]
    /// Pass it as `after` to get the next page; `nil` on the last one.
    public let next: UInt64?
}

/// How many letters a queue holds and since when.
public struct DeadLetterStatistics: Hashable, Sendable {
    /// How many letters there are.
    public var depth: Int { byReason.values.reduce(0, +) }
    /// How many there are of each reason, by its code.
    public let byReason: [String: Int]
    /// How long ago the oldest letter came into the store, of one that was an item when that was enqueued; `nil` if
    /// there is none.
    public let oldestAge: Duration?
}

extension RecordDeadLetterQueue {
    /// A page of the letters that a filter lets through, oldest first.
    ///
    /// A page looks at no more than `limit` letters, so one of a narrow filter may be empty although more follow: `next`
    /// alone tells.
    ///
    /// - Parameters:
    ///   - filter: Which letters are wanted; by default all.
    ///   - after: The `next` of the page before; by default the listing starts with the oldest.
    ///   - limit: 1 to 1,000 letters, by default 100.
    public func list(
        _ filter: DeadLetterFilter = .all, after: UInt64? = nil, limit: Int = 100
    ) async throws(StoreError) -> DeadLetterPage {
        let page = try await store.scan(collection, state: filter.reason, after: after, limit: limit)
        var (letters, unreadable): ([DeadLetter], [UnreadableDeadLetter]) = ([], [])
        for record in page.records {
            do throws(UnreadableDeadLetter) {
                letters.append(try DeadLetter(record))
            } catch {
                unreadable.append(error)
            }
        }
        return DeadLetterPage(letters: letters.filter(filter.matches), unreadable: unreadable, next: page.next)
    }

    /// The letter of that name, or `nil` if there is none.
    ///
    /// - Throws: ``/RecordStores/StoreError``, or ``UnreadableDeadLetter``.
    public func read(_ id: String) async throws -> DeadLetter? {
        try await record(id).map { record throws(UnreadableDeadLetter) in try DeadLetter(record) }
    }

    /// How many letters there are, by reason, and how old the oldest is; read from the store, so it works without any
    /// worker.
    public func statistics() async throws(StoreError) -> DeadLetterStatistics {
        let statistics = try await store.statistics(of: collection)
        return DeadLetterStatistics(
            byReason: statistics.counts,
            oldestAge: statistics.oldestCreated.map { max(.zero, $0.duration(to: statistics.now)) })
    }
}
