// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization

/// A store of which single calls fail.
final class FailingStore: RecordStoreWrapper {
    /// What the next commit does.
    enum Fault {
        /// The change is in, and nobody is told.
        case appliedUnknown
        /// The change is not in, and nobody is told.
        case droppedUnknown
        case unavailable
    }

    private struct Faults {
        var commits: [Fault?] = []
        var commitCount = 0
        var extends: [Fault?] = []
        var claims: [StoreError?] = []
        var failsToExtend = false
    }

    let base: any RecordStore
    private let faults = Locked(Faults())

    init(_ base: any RecordStore) { self.base = base }

    static let failure = StoreFailure(operation: "sync", subject: "test", code: 0)

    /// Lets the next commits fail, in this order; `nil` lets one pass.
    func failCommits(_ next: Fault?...) { faults.withLock { $0.commits += next } }
    func failClaims(_ next: StoreError...) { failClaims(next) }
    func failClaims(_ next: [StoreError?]) { faults.withLock { $0.claims += next } }
    func failExtends(_ next: Fault?...) { faults.withLock { $0.extends += next } }

    /// How many commits there were.
    var commitCount: Int { faults.withLock { $0.commitCount } }

    /// Whether holds cannot be extended, as long as it is set.
    var failsToExtend: Bool {
        get { faults.withLock { $0.failsToExtend } }
        set { faults.withLock { $0.failsToExtend = newValue } }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let fault = faults.withLock { faults in
            faults.commitCount += 1
            return faults.commits.isEmpty ? nil : faults.commits.removeFirst()
        }
        switch fault {
        case nil: return try await base.commit(changes)
        case .unavailable: throw .unavailable(Self.failure)
        case .droppedUnknown: throw .outcomeUnknown(Self.failure)
        case .appliedUnknown:
            _ = try await base.commit(changes)
            throw .outcomeUnknown(Self.failure)
        }
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        if let error = faults.withLock({ $0.claims.isEmpty ? nil : $0.claims.removeFirst() }) { throw error }
        return try await base.claim(request)
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        if failsToExtend { throw .unavailable(Self.failure) }
        let fault = faults.withLock { $0.extends.isEmpty ? nil : $0.extends.removeFirst() }
        switch fault {
        case nil: return try await base.extend(id, fence: fence, lease: lease)
        case .unavailable: throw .unavailable(Self.failure)
        case .droppedUnknown: throw .outcomeUnknown(Self.failure)
        case .appliedUnknown:
            _ = try await base.extend(id, fence: fence, lease: lease)
            throw .outcomeUnknown(Self.failure)
        }
    }
}
