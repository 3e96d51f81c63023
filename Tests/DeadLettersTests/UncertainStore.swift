// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

/// A store whose next commits leave their outcome open, with the change in or not.
final class UncertainStore: RecordStoreWrapper {
    let base: any RecordStore
    private let next = Locked([(applied: Bool, then: @Sendable () async throws -> Void)]())

    init(_ base: any RecordStore) { self.base = base }

    /// Lets the next commit fail with an unknown outcome, after or instead of carrying it out.
    ///
    /// - Parameter then: What happens before anybody can look.
    func failNextCommit(applied: Bool, then: @escaping @Sendable () async throws -> Void = {}) {
        next.withLock { $0.append((applied, then)) }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let failing = next.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        guard let failing else { return try await base.commit(changes) }
        if failing.applied { _ = try await base.commit(changes) }
        do { try await failing.then() } catch { Issue.record(error) }
        throw .outcomeUnknown(StoreFailure(operation: "sync", subject: "test", code: 0))
    }
}
