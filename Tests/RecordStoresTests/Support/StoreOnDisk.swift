// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting

@testable import RecordStores

/// A file store together with the simulated disk that it lives on. The wall clock shows the same at every opening, so
/// that a store which was open for some time finds it set back.
struct StoreOnDisk: RecordStoreWrapper {
    let disk: SimulatedDisk
    let committer: FileCommitter
    let base: any RecordStore

    init(
        _ disk: SimulatedDisk, _ durability: FileDurability, _ committer: FileCommitter, _ clock: ManualClock,
        _ process: ProcessIdentity = .current
    ) throws {
        self.disk = disk
        self.committer = committer
        base = try FileRecordStore(
            directory: "/store", durability: durability, committer: committer, clock: clock, fileSystem: disk,
            layout: .small, process: process, wallTime: Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000))
    }

    /// The disk as it is found when everything is lost now that the store's durability does not keep.
    func diskAfterCrash(_ random: RandomSource) -> SimulatedDisk {
        // What goes on while a cut is drawn would change what it counts.
        let disk = disk.killed()
        return durability == .everyCommit ? disk.powerCut(disk.randomCut(random)) : disk
    }
}

extension FileCommitter {
    /// The next opening's, so that a story has both.
    var other: FileCommitter { self == .caller ? .ownThread : .caller }
}
