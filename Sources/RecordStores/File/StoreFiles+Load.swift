// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension StoreFiles {
    /// What the files of a directory amount to.
    struct Content {
        var table = RecordTable(now: Timestamp(nanosecondsSince1970: 0), recordingEffects: true)
        var lastEnd = OpeningReport.LastEnd.new
        var framesReplayed = 0
        /// Whether frames may be missing that were answered, if the store was not closed.
        var losesPower = false
        /// The number of the first file that counts.
        var first: UInt64 = 1
        /// The bytes of the files that a snapshot would take the place of.
        var journalBytes = 0
        /// The newest journal; `nil` if there is none.
        var tail: JournalTail?
    }

    /// Reads every file that counts. Nothing is changed.
    func load() throws(FileStoreError) -> Content {
        var content = Content()
        let numbers = try opening { () throws(StoreFailure) in try self.numbers() }
        var coveredThrough: UInt64 = 0
        var snapshot: FileHeader?
        if let number = numbers.snapshots.last {
            content.first = number
            (coveredThrough, snapshot) = try loadSnapshot(number, into: &content)
        }
        let journals = numbers.journals.filter { $0 >= content.first }
        guard !journals.isEmpty else {
            if snapshot != nil { throw .missing(file: file(.journal, content.first)) }
            return content
        }
        for (index, number) in journals.enumerated() where number != content.first + UInt64(index) {
            throw .missing(file: file(.journal, content.first + UInt64(index)))
        }
        let tail = try replay(journals, from: snapshot, through: coveredThrough, into: &content)
        content.tail = tail
        guard tail.nextSequence > coveredThrough else {
            throw .damaged(file: file(.journal, tail.number), offset: tail.end)
        }
        return content
    }

    /// Puts the records of a snapshot into the table; returns the last frame that they may show.
    private func loadSnapshot(
        _ number: UInt64, into content: inout Content
    ) throws(FileStoreError) -> (coveredThrough: UInt64, FileHeader) {
        let name = file(.snapshot, number)
        var reader = try reader(.snapshot, name)
        var end: JournalEntry.SnapshotEnd?
        while let entry = try naming(name, { () throws(JournalReader.Failure) in try reader.next() }) {
            content.framesReplayed += 1
            switch entry {
            case .records(let records) where end == nil:
                for record in records { _ = content.table.restore(.put(record)) }
            case .end(let snapshotEnd) where end == nil:
                end = snapshotEnd
            default:
                throw .damaged(file: name, offset: reader.offset)
            }
        }
        guard let end, end.records >= content.table.count, reader.offset == reader.bytes.count else {
            throw .damaged(file: name, offset: reader.offset)
        }
        content.table.counters = end.counters
        return (end.coveredThrough, reader.header)
    }

    /// Replays the journals, of which the first has to go on from the snapshot; returns the end of the newest.
    private func replay(
        _ numbers: [UInt64], from snapshot: FileHeader?, through coveredThrough: UInt64, into content: inout Content
    ) throws(FileStoreError) -> JournalTail {
        var (number, rest) = (numbers[0], numbers.dropFirst())
        var reader = try reader(.journal, file(.journal, number))
        guard snapshot.map({ $0.generation == reader.header.generation }) ?? true else {
            throw .damaged(file: file(.journal, number), offset: 0)
        }
        guard reader.header.firstSequence == snapshot?.firstSequence ?? 1 else {
            throw .damaged(file: file(.journal, number), offset: JournalFormat.headerLength)
        }
        while true {
            let name = file(.journal, number)
            // Only an opening settles it: a journal without frames has not kept what was left out because of it.
            content.losesPower = content.losesPower || reader.header.losesPower
            while let entry = try naming(name, { () throws(JournalReader.Failure) in try reader.next() }) {
                content.framesReplayed += 1
                // A snapshot may show what came while it was written; what goes before that does not fit it.
                let isFit = content.replay(entry) || reader.nextSequence - 1 <= coveredThrough
                guard isFit else { throw .damaged(file: name, offset: reader.offset) }
            }
            content.journalBytes += reader.offset
            guard let next = rest.popFirst() else { break }
            let following = try self.reader(.journal, file(.journal, next))
            // A change of journals that failed half-way leaves an empty one, and the store goes on with the one before.
            if rest.isEmpty, following.isEmpty, following.header.firstSequence < reader.nextSequence { break }
            guard following.header.generation == reader.header.generation else {
                throw .damaged(file: file(.journal, next), offset: 0)
            }
            guard following.header.firstSequence == reader.nextSequence else {
                throw .damaged(file: name, offset: reader.offset)
            }
            (number, reader) = (next, following)
        }
        let end = try naming(file(.journal, number)) { () throws(JournalReader.Failure) in try reader.end() }
        content.lastEnd = .init(end)
        return JournalTail(number, reader, isSealed: end == .sealed)
    }

    func reader(_ kind: JournalFormat.Kind, _ name: String) throws(FileStoreError) -> JournalReader {
        let bytes = try opening { () throws(StoreFailure) in try fileSystem.read(name) }
        return try naming(name) { () throws(JournalReader.Failure) in try JournalReader(bytes, kind: kind) }
    }

    /// Gives a failure to read the name of the file.
    private func naming<Value>(
        _ name: String, _ body: () throws(JournalReader.Failure) -> Value
    ) throws(FileStoreError) -> Value {
        do throws(JournalReader.Failure) {
            return try body()
        } catch {
            switch error {
            case .badHeader: throw .damaged(file: name, offset: 0)
            case .otherVersion(let version): throw .unsupportedFormat(file: name, version: version)
            case .damaged(let offset): throw .damaged(file: name, offset: offset)
            }
        }
    }
}

/// Where the newest journal can be continued.
struct JournalTail {
    let number: UInt64
    let generation: UInt64
    let nextSequence: UInt64
    /// Where the whole frames end.
    let end: Int
    let isSealed: Bool
    /// The bytes of the last frames that no frame knows to be on the medium.
    let unconfirmed: ArraySlice<UInt8>
    /// Where the file ends.
    let size: Int

    init(_ number: UInt64, _ reader: JournalReader, isSealed: Bool) {
        self.number = number
        self.isSealed = isSealed
        generation = reader.header.generation
        nextSequence = reader.nextSequence
        end = reader.offset
        unconfirmed = reader.bytes[reader.confirmedOffset..<reader.offset]
        size = reader.bytes.count
    }
}

extension StoreFiles.Content {
    /// Carries out a journal's entry again; `false` if it does not fit what stands.
    mutating func replay(_ entry: JournalEntry) -> Bool {
        switch entry {
        case .opened(let opening):
            table.counters = opening.counters
            losesPower = opening.losesPower
            return true
        case .commit(let effects, let time):
            table.advance(to: time)
            return effects.reduce(true) { table.restore($1) && $0 }
        case .seal(let time):
            table.advance(to: time)
            return true
        case .records, .end:
            return false
        }
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
