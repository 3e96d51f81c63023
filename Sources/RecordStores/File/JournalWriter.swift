// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Frames that wait to be written.
struct PendingFrames {
    /// The payloads, one after the other.
    private(set) var payloads = ByteWriter()
    private(set) var lengths: [Int] = []
    /// The bytes of the frames around them.
    private(set) var frameBytes = 0
    /// How many records they change, and no fewer than there are frames.
    private(set) var weight: UInt64 = 0
    /// Whether they have to be synced whatever the store declares.
    var mustSync = false

    var isEmpty: Bool { lengths.isEmpty }

    mutating func append(_ entry: JournalEntry, weight: Int) {
        let start = payloads.bytes.count
        entry.encode(into: &payloads)
        let length = payloads.bytes.count - start
        lengths.append(length)
        frameBytes += JournalFormat.frameLength(payload: length)
        self.weight += UInt64(weight)
    }

    /// Forgets the frames, and keeps the room for them unless they were unusually large.
    mutating func removeAll() {
        if frameBytes > 1_048_576 {
            self = PendingFrames()
            return
        }
        payloads.removeAll()
        lengths.removeAll(keepingCapacity: true)
        frameBytes = 0
        weight = 0
        mustSync = false
    }
}

/// Writes the files of a store, one operation after the other; which one comes next is the ``Journal``'s to say.
struct JournalWriter {
    let files: StoreFiles
    let layout: FileStoreLayout
    let generation: UInt64
    private let losesPower: Bool
    private(set) var file: JournalFile
    /// The last frame that is written.
    private(set) var written: UInt64
    /// The last frame that is on the medium.
    private(set) var synced: UInt64
    /// How many records the frames change that are written and not synced.
    private(set) var unsyncedWeight: UInt64 = 0
    /// Bytes in the files that the next snapshot takes the place of.
    private(set) var replaceableBytes: Int
    /// The same, when the snapshot was begun that is being written.
    private var bytesBeforeSnapshot = 0
    /// Bytes of the journal from which on another one is begun; further on each time that fails.
    private var longestJournal: Int
    private(set) var snapshot: SnapshotWriter?
    private var frames: [UInt8] = []

    /// Continues the newest journal of a store, or makes the first one.
    init(
        continuing content: StoreFiles.Content, in files: StoreFiles, layout: FileStoreLayout, losesPower: Bool = false,
        random: RandomSource = .system
    ) throws(StoreFailure) {
        self.files = files
        self.losesPower = losesPower
        self.layout = layout
        let room = layout.reserve + layout.steps.lowerBound
        // The names that were found may be known to the system alone. What goes on in a file, or removes another, relies
        // on its name.
        try files.fileSystem.syncDirectory(files.parent)
        try files.fileSystem.syncDirectory(files.path)
        try files.removeLeftovers(below: content.first, keeping: content.tail?.number ?? 0)
        if let tail = content.tail {
            generation = tail.generation
            file = try JournalFile(continuing: tail, in: files, room: room)
        } else {
            generation = random.next()
            file = try JournalFile(
                1, in: files, generation: generation, firstSequence: 1, losesPower: losesPower, room: room)
        }
        written = (content.tail?.nextSequence ?? 1) - 1
        synced = written
        replaceableBytes = content.journalBytes
        longestJournal = layout.journal
    }

    // MARK: Frames

    mutating func write(_ pending: PendingFrames) throws(StoreFailure) {
        frames.removeAll(keepingCapacity: true)
        frames.reserveCapacity(pending.frameBytes)
        var (start, sequence) = (0, written)
        for length in pending.lengths {
            sequence += 1
            FrameHeader(sequence: sequence, unsynced: UInt32(clamping: sequence - synced - 1), pages: file.pages)
                .append(pending.payloads.bytes[start..<start + length], to: &frames, generation: generation)
            start += length
        }
        try file.write(frames)
        written = sequence
        unsyncedWeight += pending.weight
        replaceableBytes += frames.count
        if frames.count > 1_048_576 { frames = [] }
    }

    mutating func sync() throws(StoreFailure) {
        try file.sync()
        synced = written
        unsyncedWeight = 0
    }

    // MARK: Room

    /// More than a caller asks for who changes a few records.
    private var largeRoom: Int { 2 * max(layout.reserve, 1_048_576) }

    /// How many bytes a journal is filled ahead of what is kept in reserve.
    private var step: Int { min(max(file.end / 4, layout.steps.lowerBound), layout.steps.upperBound) }

    /// Whether it is time to fill the file further.
    var isShortOfRoom: Bool { file.roomToCome < layout.reserve + step }

    /// Fills the file one step further; it will be there at the next sync. The failure if the disk is full.
    mutating func fillAhead() throws(StoreFailure) -> StoreFailure? {
        try file.grow(toRoom: max(file.roomToCome, layout.reserve) + step)
    }

    /// Fills the file until it has so much room, and syncs it. The failure if the disk is full.
    mutating func makeRoom(_ room: Int) throws(StoreFailure) -> StoreFailure? {
        // Large frames get twice their room, or small ones that are appended meanwhile could take it from them again and
        // again.
        let failure = try file.grow(toRoom: room > largeRoom ? 2 * room : room)
        try sync()
        return failure
    }

    /// Sees to it that frames of so many bytes have their place; if they cannot have it, nobody goes on in the file.
    mutating func requireRoom(_ room: Int) throws(StoreFailure) {
        guard file.room < room else { return }
        do throws(StoreFailure) {
            if let full = try makeRoom(room) { throw full }
        } catch {
            file.close()
            throw error
        }
    }

    // MARK: Journals

    var isAtEndOfJournal: Bool { file.end >= longestJournal }

    /// Goes on in a new journal, with no less room; everything that is written has to be synced. If that fails, the
    /// present journal goes on.
    mutating func beginJournal() throws(StoreFailure) {
        longestJournal = file.end + layout.journal
        try files.checkPlace()
        let next = try JournalFile(
            file.number + 1, in: files, generation: generation, firstSequence: written + 1,
            losesPower: losesPower, room: max(file.room, layout.reserve + layout.steps.lowerBound))
        file.close()
        file = next
        longestJournal = layout.journal
    }

    // MARK: Snapshots

    /// Whether a snapshot of so many bytes is worth the work.
    func isWorthCompacting(live: Int) -> Bool { replaceableBytes >= max(layout.smallestCompaction, 2 * live) }

    /// Begins the journal that goes on from a snapshot, and the snapshot; everything that is written has to be synced.
    mutating func beginSnapshot() throws(StoreFailure) {
        bytesBeforeSnapshot = replaceableBytes
        replaceableBytes = 0
        try beginJournal()
        snapshot = try SnapshotWriter(
            file.number, in: files, generation: generation, firstSequence: written + 1, layout: layout)
    }

    /// Copies one more piece into the snapshot.
    mutating func copyIntoSnapshot(_ page: (SnapshotCursor, Int) -> SnapshotPage) throws(StoreFailure) {
        try snapshot?.copy(from: page)
    }

    /// Lets the snapshot take the place of what was before it; every frame that it may show has to be synced.
    mutating func finishSnapshot() throws(StoreFailure) {
        guard var finished = snapshot else { return }
        try files.checkPlace()
        try finished.finish(in: files)
        snapshot = nil
        bytesBeforeSnapshot = 0
        try files.removeLeftovers(below: finished.number, keeping: file.number)
    }

    /// Gives the snapshot up, if there is one. The next is tried when the journals have grown by half.
    mutating func abandonSnapshot() {
        snapshot?.abandon(in: files)
        snapshot = nil
        replaceableBytes += bytesBeforeSnapshot / 2
        bytesBeforeSnapshot = 0
    }
}
