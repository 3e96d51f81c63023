// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a snapshot copies from the table in one go.
struct SnapshotPage {
    let records: [Record]
    /// Where to go on; `nil` once everything is copied.
    let next: SnapshotCursor?
    /// The counters of the table at the time of this page.
    let counters: TableCounters
    /// The last frame that any page so far may show.
    let shows: UInt64
}

/// How far a snapshot has come in the table.
struct SnapshotCursor {
    var collection = 0
    var position: UInt64?
}

/// Writes all records of a table into a file, piece by piece, while the table changes.
///
/// Each piece shows its records as they are when it is copied. The journals from the snapshot's own number on hold every
/// change since before the first piece, and each change gives the same outcome when it is carried out twice: so replaying
/// them on top of the pieces gives the table as it was, whatever came in between.
struct SnapshotWriter {
    let number: UInt64
    let path: String
    private let file: any WritableFile
    private let generation: UInt64
    private let layout: FileStoreLayout
    private var offset: Int
    private var unsynced = 0
    private var nextSequence: UInt64 = 1
    private var records: UInt64 = 0
    private var cursor: SnapshotCursor? = SnapshotCursor()
    private var end: JournalEntry.SnapshotEnd?

    init(
        _ number: UInt64, in files: StoreFiles, generation: UInt64, firstSequence: UInt64, layout: FileStoreLayout
    ) throws(StoreFailure) {
        self.number = number
        self.generation = generation
        self.layout = layout
        path = files.file(.snapshot, number)
        let header = FileHeader(kind: .snapshot, generation: generation, firstSequence: firstSequence).encoded()
        offset = header.count
        file = try files.fileSystem.open(path + ".new", isNew: true)
        do throws(StoreFailure) {
            try file.write(header, at: 0)
        } catch {
            file.close()
            throw error
        }
    }

    /// The last frame that has to be on the medium before the snapshot can end; `nil` while it is being copied.
    var waitsFor: UInt64? { end?.coveredThrough }

    /// Copies the next piece.
    mutating func copy(from page: (SnapshotCursor, Int) -> SnapshotPage) throws(StoreFailure) {
        guard let cursor else { return }
        let page = page(cursor, layout.snapshotPiece)
        records += UInt64(page.records.count)
        if !page.records.isEmpty { try append(.records(page.records)) }
        if unsynced >= layout.snapshotSync {
            try file.sync()
            unsynced = 0
        }
        self.cursor = page.next
        guard page.next == nil else { return }
        end = JournalEntry.SnapshotEnd(counters: page.counters, records: records, coveredThrough: page.shows)
    }

    /// Ends the file and gives it its name; everything up to ``waitsFor`` has to be on the medium.
    mutating func finish(in files: StoreFiles) throws(StoreFailure) {
        guard let end else { preconditionFailure("A snapshot that is still being copied cannot end") }
        try append(.end(end))
        try file.sync()
        file.close()
        try files.publish(path)
    }

    /// Gives the snapshot up. What cannot be removed now is removed by the next opening.
    func abandon(in files: StoreFiles) {
        file.close()
        // Once the directory has been moved, what has this name is another's.
        guard (try? files.checkPlace()) != nil else { return }
        try? files.fileSystem.remove(path + ".new")
    }

    private mutating func append(_ entry: JournalEntry) throws(StoreFailure) {
        var bytes: [UInt8] = []
        FrameHeader(sequence: nextSequence, unsynced: 0, pages: 0)
            .append(entry.encoded()[...], to: &bytes, generation: generation)
        try file.write(bytes, at: offset)
        nextSequence += 1
        offset += bytes.count
        unsynced += bytes.count
    }
}
