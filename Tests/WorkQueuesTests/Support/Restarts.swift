// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting

/// One store in the hands of one process after the other: of files each opens what the one before it has left, and a
/// store in memory stays the same, since it would go with its process.
final class Restarts {
    let clock: ManualClock
    private(set) var store: any RecordStore
    private let directory: TemporaryDirectory?
    private var lives: UInt64 = 1

    init(_ kind: StoreKind, _ clock: ManualClock) throws {
        self.clock = clock
        guard kind.description == "in files" else {
            (directory, store) = (nil, InMemoryRecordStore(clock: clock))
            return
        }
        let directory = try TemporaryDirectory()
        self.directory = directory
        store = try Self.open(directory, clock, life: 1, wallClockIsOff: .zero)
    }

    /// The next process opens the store.
    ///
    /// - Parameter off: How far the wall clock is off then.
    func restart(wallClockIsOff off: Duration = .zero) async throws {
        guard let directory else { return }
        try await store.close()
        lives += 1
        store = try Self.open(directory, clock, life: lives, wallClockIsOff: off)
    }

    private static func open(
        _ directory: TemporaryDirectory, _ clock: ManualClock, life: UInt64, wallClockIsOff off: Duration
    ) throws -> FileRecordStore {
        try FileRecordStore(
            directory: directory.path + "/store", clock: clock, fileSystem: SystemFileSystem(),
            process: ProcessIdentity(host: "test", pid: 1, instance: life),
            wallTime: SteppedStore.start.advanced(by: clock.now.offset + off))
    }
}
