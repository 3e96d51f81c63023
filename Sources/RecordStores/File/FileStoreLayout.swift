// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The sizes by which a file store goes; tests make them small.
package struct FileStoreLayout: Sendable {
    /// Bytes of frames after which the next journal is begun.
    package var journal = 33_554_432
    /// Bytes of a journal that are left to changes of records that stand, once the disk is full.
    package var reserve = 1_048_576
    /// By how many bytes a journal is filled ahead at least and at most; in between, by a quarter of its length.
    package var steps = 65_536...1_048_576
    /// Bytes of journals from which on they are replaced by a snapshot, if that saves half of them.
    package var smallestCompaction = 8_388_608
    /// Bytes of records that are copied into a snapshot in one go.
    package var snapshotPiece = 65_536
    /// Bytes of a snapshot that are written before they are synced.
    package var snapshotSync = 4_194_304
    /// How much may be lost when frames are not synced one by one, counted in records that they change. So many fences
    /// and positions are left out after such a loss.
    package var unsynced: UInt64 = 1_048_576

    package init() {}
}
