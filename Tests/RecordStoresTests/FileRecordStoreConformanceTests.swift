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
private struct StoreInDirectory: RecordStoreWrapper {
    let directory: TemporaryDirectory
    let base: any RecordStore

    init(_ directory: TemporaryDirectory, _ clock: ManualClock) throws {
        self.directory = directory
        base = try FileRecordStore(directory: directory.path, clock: clock)
    }
}
