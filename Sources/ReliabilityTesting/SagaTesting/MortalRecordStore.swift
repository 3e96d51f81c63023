// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import Synchronization

/// A store whose process ends at a commit or claim: just before it, or just after it. From then on everything fails.
final class MortalRecordStore: RecordStoreWrapper {
    let base: any RecordStore
    private let point: Int
    private let isApplied: Bool
    private let count = Locked(0)

    /// - Parameters:
    ///   - point: The number of the commit or claim; the first is 1.
    ///   - applied: Whether it is in.
    init(_ base: any RecordStore, dyingAt point: Int, applied: Bool) {
        self.base = base
        self.point = point
        isApplied = applied
    }

    var isDead: Bool { count.withLock { $0 >= point } }

    private static let death = StoreError.unavailable(
        StoreFailure(operation: "call", subject: "a process that has ended", code: 0))

    private func check() throws(StoreError) {
        if isDead { throw Self.death }
    }

    /// Counts a durable point; whether the process ends there.
    private func ends() throws(StoreError) -> Bool {
        try check()
        return count.withLock { count in
            count += 1
            return count == point
        }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        guard try ends() else { return try await base.commit(changes) }
        if isApplied { _ = try await base.commit(changes) }
        throw Self.death
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        guard try ends() else { return try await base.claim(request) }
        if isApplied { _ = try await base.claim(request) }
        throw Self.death
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try check()
        return try await base.read(ids)
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try check()
        return try await base.extend(id, fence: fence, lease: lease)
    }
}
