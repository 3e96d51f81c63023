// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization

/// A store as a process sees it that is gone after so many commits: the last one is in or is not, and nobody hears of it.
final class MortalStore: RecordStoreWrapper {
    let base: any RecordStore
    private let left: Locked<Int?>
    private let applies: Bool

    init(_ base: any RecordStore, dyingAfter commits: Int?, applies: Bool) {
        self.base = base
        self.applies = applies
        left = Locked(commits)
    }

    private var isDead: Bool { left.withLock { $0 == 0 } }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let isLast = left.withLock { left in
            guard let count = left, count > 0 else { return false }
            left = count - 1
            return count == 1
        }
        if isLast, applies { _ = try await base.commit(changes) }
        if isDead { throw .unavailable(FailingStore.failure) }
        return try await base.commit(changes)
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        if isDead { throw .unavailable(FailingStore.failure) }
        return try await base.read(ids)
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        if isDead { throw .unavailable(FailingStore.failure) }
        return try await base.extend(id, fence: fence, lease: lease)
    }
}
