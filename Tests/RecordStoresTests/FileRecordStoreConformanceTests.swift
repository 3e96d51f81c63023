// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Synchronization
import Testing

@testable import RecordStores

@Suite struct FileRecordStoreConformanceTests {
    private let conformance = RecordStoreConformance(
        makeStore: { try StoreInDirectory(TemporaryDirectory(), $0) },
        reopen: { store, clock in
            guard let store = store as? StoreInDirectory else { preconditionFailure("\(store) was not made here") }
            try await store.close()
            return try StoreInDirectory(store.directory, clock)
        })

    @Test(arguments: RecordStoreConformance.checks) func `it keeps the promise`(
        check: RecordStoreConformance.Check
    ) async throws {
        try await conformance.run(check)
    }
}

/// A file store together with the directory that it lives in, which goes with it.
private struct StoreInDirectory: RecordStore {
    let directory: TemporaryDirectory
    let base: FileRecordStore

    init(_ directory: TemporaryDirectory, _ clock: ManualClock) throws {
        self.directory = directory
        base = try FileRecordStore(directory: directory.path, clock: clock)
    }

    var durability: Durability { base.durability }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer { try await base.read(ids) }
    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer { try await base.commit(changes) }
    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer { try await base.claim(request) }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try await base.extend(id, fence: fence, lease: lease)
    }

    func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try await base.scan(collection, state: state, after: position, limit: limit)
    }

    func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await base.statistics(of: collection)
    }

    func purgeExpired(limit: Int) async throws(StoreError) -> Int { try await base.purgeExpired(limit: limit) }
    func close() async throws(StoreError) { try await base.close() }
}
