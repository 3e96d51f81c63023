// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Synchronization

@testable import RecordStores

/// Shows fences as a version column would have them: 1 on an insert, one more on every change.
final class VersionFences: Sendable {
    private struct Versions {
        /// The number shown for a fence of the store below, and the last number of each record.
        var shown: [Fence: Fence] = [:]
        var last: [RecordID: UInt64] = [:]
        /// The fence of the store below for a number of a record.
        var actual: [RecordID: [Fence: Fence]] = [:]

        mutating func give(_ fence: Fence, to id: RecordID, from number: UInt64) {
            last[id] = number
            shown[fence] = Fence(rawValue: number)
            actual[id, default: [:]][Fence(rawValue: number)] = fence
        }
    }

    private let versions = Locked(Versions())

    func number(_ store: inout AlteredStore) {
        store.altersRecord = { record, _ in
            var record = record
            let shown = self.versions.withLock { $0.shown }
            record.fence = shown[record.fence] ?? record.fence
            record.changedUnder = record.changedUnder.flatMap { shown[$0] }
            return record
        }
        store.commits = { base, changes async throws(StoreError) in
            let actual = self.versions.withLock { $0.actual }
            let translated = changes.map { change in
                change.with(id: change.id) { actual[change.id]?[$0] ?? Fence(rawValue: 0) }
            }
            let answer = try await base.commit(translated)
            guard case .committed(let committed) = answer else { return answer }
            return .committed(.init(now: committed.now, fences: self.number(committed.fences, of: changes)))
        }
        store.claims = { base, request async throws(StoreError) in
            let answer = try await base.claim(request)
            self.versions.withLock { versions in
                for record in answer.claimed {
                    versions.give(record.fence, to: record.id, from: versions.last[record.id, default: 0] + 1)
                }
            }
            return answer
        }
        store.extends = { base, id, fence, lease async throws(StoreError) in
            let actual = self.versions.withLock { $0.actual[id]?[fence] } ?? Fence(rawValue: 0)
            return try await base.extend(id, fence: actual, lease: lease)
        }
    }

    private func number(_ fences: [Fence], of changes: [Change]) -> [Fence] {
        versions.withLock { versions in
            var rest = fences[...]
            return changes.compactMap { change in
                let number: UInt64
                switch change {
                case .insert: number = 1
                case .replace: number = versions.last[change.id, default: 0] + 1
                case .move(_, let destination, _, _, _):
                    number = versions.last[destination, default: 0] + 1
                    versions.give(rest.removeFirst(), to: destination, from: number)
                    return Fence(rawValue: number)
                case .delete, .assert: return nil
                }
                versions.give(rest.removeFirst(), to: change.id, from: number)
                return Fence(rawValue: number)
            }
        }
    }
}

/// Answers statistics as they were after the last change.
final class CachedStatistics: Sendable {
    private let answers = Locked<[String: CollectionStatistics]>([:])

    func cache(_ store: inout AlteredStore) {
        store.commits = { base, changes async throws(StoreError) in
            let answer = try await base.commit(changes)
            for collection in Set(changes.map(\.id.collection)) {
                let statistics = try await base.statistics(of: collection)
                self.answers.withLock { $0[collection] = statistics }
            }
            return answer
        }
        store.counts = { base, name async throws(StoreError) in
            let statistics = try await base.statistics(of: name)
            let counts = self.answers.withLock { $0[name]?.counts } ?? [:]
            return CollectionStatistics(
                now: statistics.now, counts: counts, oldestDue: statistics.oldestDue,
                oldestCreated: statistics.oldestCreated)
        }
    }
}
