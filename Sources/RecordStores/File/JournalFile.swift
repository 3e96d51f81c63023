// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The journal file that is written to.
///
/// It is filled with zeros ahead of its frames, and a frame is only written where the zeros are on the medium. A sync
/// after an overwrite has no file size and no block map to update, which makes it about a third faster than one after an
/// append, and two to four times on a file system with a journal; blocks that are merely reserved do not help. And the
/// disk cannot be too full for a frame that has its place.
struct JournalFile {
    let number: UInt64
    let path: String
    private let file: any WritableFile
    /// Where the next frame goes.
    private(set) var end: Int
    /// Up to where the file is filled.
    private var filledThrough: Int
    /// Up to where the file is on the medium.
    private var syncedThrough: Int

    /// Whether no frame has been written to it.
    var isEmpty: Bool { end == JournalFormat.headerLength }

    /// How many bytes of frames have their place.
    var room: Int { max(0, syncedThrough - end) }

    /// How many pages of the file are on the medium.
    var pages: UInt32 { UInt32(clamping: syncedThrough / JournalFormat.page) }

    /// Makes the journal of that number, with room for so many bytes of frames.
    init(
        _ number: UInt64, in files: StoreFiles, generation: UInt64, firstSequence: UInt64, losesPower: Bool, room: Int
    ) throws(StoreFailure) {
        self.number = number
        path = files.file(.journal, number)
        end = JournalFormat.headerLength
        let size = JournalFormat.pageEnd(end + room)
        file = try files.fileSystem.open(path + ".new", isNew: true)
        filledThrough = 0
        syncedThrough = 0
        do throws(StoreFailure) {
            try fill(through: size)
            let header = FileHeader(
                kind: .journal, generation: generation, firstSequence: firstSequence,
                pages: UInt32(clamping: size / JournalFormat.page), losesPower: losesPower)
            try file.write(header.encoded(), at: 0)
            try sync()
            try files.publish(path)
        } catch {
            file.close()
            // It may be what fills the disk. If it cannot be removed now, the next opening does.
            try? files.fileSystem.remove(path + ".new")
            throw error
        }
    }

    /// Continues a journal, with room for so many bytes of frames as far as the disk has them.
    ///
    /// What no frame knows to be on the medium is written and synced once more: after a failed sync a system may show
    /// bytes that never got there, and what is written behind them would be behind a gap. A torn frame becomes zeros, so
    /// that nothing of it is ever taken for a frame.
    init(continuing tail: JournalTail, in files: StoreFiles, room: Int) throws(StoreFailure) {
        number = tail.number
        path = files.file(.journal, number)
        end = tail.end
        file = try files.fileSystem.open(path, isNew: false)
        filledThrough = end
        syncedThrough = 0
        do throws(StoreFailure) {
            if !tail.unconfirmed.isEmpty { try file.write(Array(tail.unconfirmed), at: end - tail.unconfirmed.count) }
            try fill(through: tail.size)
            try fillIfPossible(through: JournalFormat.pageEnd(end + room))
            try sync()
        } catch {
            file.close()
            throw error
        }
    }

    /// Writes frames where there is room for them.
    mutating func write(_ bytes: [UInt8]) throws(StoreFailure) {
        precondition(bytes.count <= room, "\(bytes.count) bytes of frames in a room of \(room)")
        try named { () throws(StoreFailure) in try file.write(bytes, at: end) }
        end += bytes.count
    }

    /// Makes everything that was written durable.
    mutating func sync() throws(StoreFailure) {
        try named { () throws(StoreFailure) in try file.sync() }
        syncedThrough = filledThrough
    }

    /// Throws if the file has no name any more, because it or its directory was removed: nobody would find it again.
    func checkName() throws(StoreFailure) {
        guard try file.isLinked() else { throw StoreFailure(operation: "write", subject: path, code: ENOENT) }
    }

    /// Fills the file until there will be room for that many bytes at the next sync; the failure if the disk is full.
    mutating func grow(toRoom room: Int) throws(StoreFailure) -> StoreFailure? {
        try fillIfPossible(through: JournalFormat.pageEnd(end + room))
    }

    /// How many bytes of frames will have their place at the next sync.
    var roomToCome: Int { filledThrough - end }

    func close() { file.close() }

    @discardableResult
    private mutating func fillIfPossible(through newEnd: Int) throws(StoreFailure) -> StoreFailure? {
        do throws(StoreFailure) {
            try fill(through: newEnd)
            return nil
        } catch {
            guard [ENOSPC, EDQUOT, EFBIG].contains(error.code) else { throw error }
            return error
        }
    }

    /// By the page: what is written in one go, a system may keep in its cache as one unit, and then each sync walks the
    /// whole unit for the few bytes that have changed in it.
    private mutating func fill(through newEnd: Int) throws(StoreFailure) {
        while filledThrough < newEnd {
            let pieceEnd = min(JournalFormat.pageEnd(filledThrough + 1), newEnd)
            let isWhole = pieceEnd - filledThrough == JournalFormat.page
            let zeros = isWhole ? Self.zeros : Array(Self.zeros.prefix(pieceEnd - filledThrough))
            try named { () throws(StoreFailure) in try file.write(zeros, at: filledThrough) }
            filledThrough = pieceEnd
        }
    }

    /// Gives a failure the name that the file has, and not the one under which it was made.
    private func named(_ body: () throws(StoreFailure) -> Void) throws(StoreFailure) {
        do throws(StoreFailure) {
            try body()
        } catch {
            throw StoreFailure(operation: error.operation, subject: path, code: error.code)
        }
    }

    private static let zeros = [UInt8](repeating: 0, count: JournalFormat.page)
}
