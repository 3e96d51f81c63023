// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A store's directory: who may open it, which file in it counts, and how one file takes the place of another.
///
/// The file with the highest number counts. A new one is written under another name, synced and then renamed, and only
/// then is the old one removed, so that there is a whole one at every moment.
struct StoreDirectory {
    /// What the files of a directory amount to.
    struct Content {
        var table: RecordTable
        var lastEnd: OpeningReport.LastEnd
        var framesReplayed = 0
        /// Where the newest file can be continued; `nil` if there is none.
        var place: Journal.Place?
        /// The number of the newest file.
        var number: UInt64 = 0
    }

    /// The lock files that are open in this process: a second guard, should the system's lock not tell two openings of
    /// one process apart.
    private static let open = Locked<Set<String>>([])

    let path: String
    let fileSystem: any FileSystem
    private let identity: String
    private let lock: any FileLock

    /// Makes the directory if need be, and locks it against every other opening.
    init(_ path: String, fileSystem: any FileSystem) throws(FileStoreError) {
        self.path = path
        self.fileSystem = fileSystem
        let lockFile = path + "/LOCK"
        let answer = try opening { () throws(StoreFailure) in
            try fileSystem.createDirectory(path)
            return try fileSystem.lock(lockFile)
        }
        switch answer {
        case .locked(let lock): self.lock = lock
        case .held(let pid): throw .inUse(directory: path, pid: pid)
        }
        // The lock file is open for as long as it is listed, so no other file can have the same identity meanwhile.
        let identity = try opening { () throws(StoreFailure) in try fileSystem.identity(of: lockFile) }
        self.identity = identity
        guard Self.open.withLock({ $0.insert(identity).inserted }) else {
            lock.release()
            throw .inUse(directory: path, pid: ProcessIdentity.current.pid)
        }
    }

    /// Lets others open the directory.
    func release() {
        let identity = identity
        Self.open.withLock { _ = $0.remove(identity) }
        lock.release()
    }

    private func file(_ number: UInt64) -> String { "\(path)/\(Self.name(number))" }

    private static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return "journal-\(String(repeating: "0", count: max(0, 12 - digits.count)))\(digits).log"
    }

    private static func number(_ name: String) -> UInt64? {
        guard name.hasPrefix("journal-"), name.hasSuffix(".log"), let number = UInt64(name.dropFirst(8).dropLast(4)),
            number <= JournalFormat.largestCount, name == Self.name(number)
        else { return nil }
        return number
    }

    /// Reads the newest file. Nothing is changed.
    func load() throws(FileStoreError) -> Content {
        var content = Content(
            table: RecordTable(now: Timestamp(nanosecondsSince1970: 0), recordingEffects: true), lastEnd: .new)
        let names = try opening { () throws(StoreFailure) in try fileSystem.names(in: path) }
        guard let newest = names.compactMap(Self.number).max() else { return content }
        content.number = newest
        let bytes = try opening { () throws(StoreFailure) in try fileSystem.read(file(newest)) }
        let name = file(content.number)
        do throws(JournalReader.Failure) {
            var reader = try JournalReader(bytes)
            while let entry = try reader.next() {
                content.framesReplayed += 1
                guard content.table.replay(entry) else { throw .damaged(offset: reader.offset) }
            }
            let end = try reader.end()
            content.lastEnd = .init(end)
            content.place = Journal.Place(
                generation: reader.generation, offset: reader.offset, nextSequence: reader.nextSequence,
                isSealed: end == .sealed)
        } catch {
            switch error {
            case .badHeader: throw .damaged(file: name, offset: 0)
            case .otherVersion(let version): throw .unsupportedFormat(file: name, version: version)
            case .damaged(let offset): throw .damaged(file: name, offset: offset)
            }
        }
        return content
    }

    /// Removes what an interrupted replacement left behind.
    func removeLeftovers(keeping number: UInt64) throws(StoreFailure) {
        let names = try fileSystem.names(in: path).filter { name in
            name.hasSuffix(".new") || Self.number(name).map { $0 != number } ?? false
        }
        guard !names.isEmpty else { return }
        for name in names { try fileSystem.remove("\(path)/\(name)") }
        try fileSystem.syncDirectory(path)
    }

    /// Writes the live records into a new file, which from then on is the store's; the old one is removed.
    func rewrite(
        _ content: inout Content, at now: Timestamp, generation: UInt64
    ) throws(StoreFailure) -> Journal.Place {
        let number = content.number + 1
        var bytes = JournalFormat.header(generation: generation, firstSequence: 1)
        var sequence: UInt64 = 1
        // The file gets its name only when all of it is synced, so whoever reads a frame may count on those before it.
        func append(_ entry: JournalEntry) {
            JournalFormat.appendFrame(
                entry.encoded(), to: &bytes, sequence: sequence, syncedThrough: UInt64(bytes.count),
                generation: generation)
            sequence += 1
        }
        let checkpoint = JournalEntry.checkpoint(
            nextFence: content.table.nextFence, nextPosition: content.table.nextPosition, at: now)
        append(checkpoint)
        for record in content.table.liveRecords(at: now) { append(.commit([.put(record)], at: now)) }
        // Once more, so that the last record too has a frame behind it that tells damage from a torn write.
        append(checkpoint)
        let newFile = file(number) + ".new"
        let handle = try fileSystem.open(newFile, isNew: true)
        defer { handle.close() }
        try handle.write(bytes, at: 0)
        try handle.sync()
        try fileSystem.rename(newFile, to: file(number))
        try fileSystem.syncDirectory(path)
        // The first file of a store: the directory's own name may be as new.
        if content.number == 0 { try fileSystem.syncDirectory(parent) }
        try removeLeftovers(keeping: number)
        content.number = number
        return Journal.Place(generation: generation, offset: bytes.count, nextSequence: sequence, isSealed: false)
    }

    /// Writes the seal that the newest file ends with once more and syncs it.
    ///
    /// Everything before a seal was synced when it was written. The seal itself may be shown by a system that never got
    /// it to the medium, and what is written behind it would then be behind a gap.
    func confirmSeal(at place: Journal.Place, of number: UInt64) throws(StoreFailure) {
        let payload = JournalEntry.seal.encoded()
        let start = place.offset - JournalFormat.aligned(JournalFormat.frameHeaderLength + payload.count)
        var bytes: [UInt8] = []
        JournalFormat.appendFrame(
            payload, to: &bytes, sequence: place.nextSequence - 1, syncedThrough: UInt64(start),
            generation: place.generation)
        let handle = try fileSystem.open(file(number), isNew: false)
        defer { handle.close() }
        try handle.write(bytes, at: start)
        try handle.sync()
    }

    /// The directory that holds the store's own.
    private var parent: String {
        let trimmed = path.reversed().drop { $0 == "/" }
        let parent = String(trimmed.drop { $0 != "/" }.reversed())
        return parent.isEmpty ? "." : parent
    }

    /// Opens the newest file for writing.
    func openNewest(_ content: Content) throws(StoreFailure) -> any WritableFile {
        try fileSystem.open(file(content.number), isNew: false)
    }
}

extension OpeningReport.LastEnd {
    fileprivate init(_ end: JournalReader.End) {
        switch end {
        case .sealed: self = .closed
        case .open: self = .interrupted
        case .torn(let droppedBytes): self = .torn(droppedBytes: droppedBytes)
        }
    }
}

extension RecordTable {
    /// Carries out a journal's entry again; `false` if it does not fit what stands.
    fileprivate mutating func replay(_ entry: JournalEntry) -> Bool {
        switch entry {
        case .checkpoint(let nextFence, let nextPosition, let time):
            self.nextFence = max(self.nextFence, nextFence)
            self.nextPosition = max(self.nextPosition, nextPosition)
            now = max(now, time)
            return true
        case .commit(let effects, let time):
            now = max(now, time)
            return effects.allSatisfy { restore($0) }
        case .seal:
            return true
        }
    }
}
