// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What loss of power may take from a file store; the end of its process never takes anything that was answered.
public enum FileDurability: Hashable, Sendable {
    /// Nothing: every answer waits until what it is computed from is on the medium.
    case everyCommit
    /// What was answered in the last so much time, and while the sync that ends it took: frames are synced that often.
    case interval(Duration)
    /// Whatever the operating system had not written by itself. The store syncs only when it is closed, when a file needs
    /// room or another is begun, and once in a million changes.
    case operatingSystem

    /// The same as every store declares it.
    var declared: Durability {
        switch self {
        case .everyCommit: .everyCommit
        case .interval(let interval): .interval(interval)
        case .operatingSystem: .operatingSystem
        }
    }

    /// Whether loss of power may take what was answered.
    var losesPower: Bool { self != .everyCommit }
}

/// What a file store tells while it is open.
public enum FileStoreEvent: Hashable, Sendable {
    /// A failed write or sync has ended the store: it has to be opened again once the cause is gone.
    case failed(StoreFailure)
    /// The disk is full: from now on no record is inserted, and what is in reserve serves the records that stand.
    case full(StoreFailure)
    /// There is room for new records again.
    case roomAgain
    /// The live records were written into a snapshot, and the files that it takes the place of were removed.
    case compacted
    /// A snapshot or a new journal could not be written. The store goes on as it was, and tries again later.
    case compactionFailed(StoreFailure)
}
