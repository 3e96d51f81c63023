// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import RecordStores

@Suite struct FileRecordStoreConformanceTests {
    private static let modes = [FileDurability.everyCommit, .interval(.seconds(1)), .operatingSystem]

    @Test(arguments: RecordStoreConformance.checks) func `it keeps the promise in the files of this system`(
        check: RecordStoreConformance.Check
    ) async throws {
        let conformance = RecordStoreConformance(
            makeStore: { try StoreInDirectory(TemporaryDirectory(), .ownThread, $0) },
            reopen: { store, clock in
                guard let store = store as? StoreInDirectory else { preconditionFailure("\(store) was not made here") }
                try await store.close()
                return try StoreInDirectory(store.directory, store.committer.other, clock)
            })
        try await conformance.exactly.run(check)
    }

    @Test(arguments: RecordStoreConformance.checks, modes) func `it keeps the promise over crashes`(
        check: RecordStoreConformance.Check, durability: FileDurability
    ) async throws {
        try await Self.crashing(durability).run(check)
    }

    /// The suite for a store on a simulated disk, from which every crash takes what it may. At first callers write, after
    /// every other opening the store's thread.
    static func crashing(_ durability: FileDurability) -> RecordStoreConformance {
        let random = RandomSource.seeded(1)
        return RecordStoreConformance(
            makeStore: { try StoreOnDisk(SimulatedDisk(), durability, .caller, $0) },
            reopen: { store, clock in
                guard let store = store as? StoreOnDisk else { preconditionFailure("\(store) was not made here") }
                try await store.close()
                return try StoreOnDisk(store.disk, durability, store.committer.other, clock)
            },
            crash: { store, clock, process in
                guard let store = store as? StoreOnDisk else { preconditionFailure("\(store) was not made here") }
                let disk = store.diskAfterCrash(random)
                return try StoreOnDisk(disk, durability, store.committer.other, clock, process)
            }
        ).exactly
    }
}

/// A file store together with the directory that it lives in, which goes with it.
private struct StoreInDirectory: RecordStoreWrapper {
    let directory: TemporaryDirectory
    let committer: FileCommitter
    let base: any RecordStore

    init(_ directory: TemporaryDirectory, _ committer: FileCommitter, _ clock: ManualClock) throws {
        self.directory = directory
        self.committer = committer
        base = try FileRecordStore(directory: directory.path, committer: committer, clock: clock)
    }
}
