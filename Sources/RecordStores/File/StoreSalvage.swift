// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What was saved of a damaged store.
public struct SalvageReport: Hashable, Sendable {
    /// Bytes that could not be read as what the store had written there.
    public struct Loss: Hashable, Sendable, CustomStringConvertible {
        /// The file that they are in.
        public let file: String
        /// Where they begin.
        public let offset: Int
        /// How many they are; `nil` if the file is missing as a whole.
        public let bytes: Int?

        /// The file, and which bytes of it.
        public var description: String {
            bytes.map { "\($0) bytes of \(file) from byte \(offset) on" } ?? "\(file) as a whole"
        }
    }

    /// What could not be read, in the order of the files.
    public let losses: [Loss]
    /// How many frames were read.
    public let framesReplayed: Int
    /// How many records the new store has.
    public let records: Int
}

extension FileRecordStore {
    /// Saves what can be read of a store that does not open, into a new directory; the old one stays as it is.
    ///
    /// A commit whose bytes are damaged is left out as a whole, and the commits behind it are kept. So a record may stand
    /// as it was before its last change, and one that was deleted may be there again: look through
    /// ``SalvageReport/losses`` and the records before the new store goes to work. Nobody holds any of them, and each has
    /// a fence of a new incarnation: whoever still has one from the old store changes nothing in the new one.
    ///
    /// - Parameters:
    ///   - directory: the directory of the damaged store, which no process may have open.
    ///   - newDirectory: where the new store goes; it must not exist, or be empty.
    /// - Throws: ``FileStoreError/occupied(directory:)`` if there is something in the new directory;
    ///   ``FileStoreError/inUse(directory:pid:)`` if the old one is open; ``FileStoreError/missing(file:)`` if there is
    ///   no file of a store in it; ``FileStoreError/unsupportedFormat(file:version:)`` if another version of the package
    ///   wrote it, which is no damage; ``FileStoreError/failed(_:)`` if a file cannot be read or written. There is
    ///   nothing under the new directory's name then, or all of the new store if nothing but the last sync failed.
    public static func salvage(
        _ directory: String, into newDirectory: String
    ) throws(FileStoreError) -> SalvageReport {
        try salvage(directory, into: newDirectory, fileSystem: SystemFileSystem())
    }

    package static func salvage(
        _ directory: String, into newDirectory: String, fileSystem: any FileSystem
    ) throws(FileStoreError) -> SalvageReport {
        let (directory, newDirectory) = (directory.withoutTrailingSlashes, newDirectory.withoutTrailingSlashes)
        // Locking a directory makes it, and there is nothing to save where there is no store.
        let found = try opening { () throws(StoreFailure) in
            try StoreFiles(path: directory, fileSystem: fileSystem).numbers()
        }
        guard !found.journals.isEmpty || !found.snapshots.isEmpty else {
            throw .missing(file: StoreFiles(path: directory, fileSystem: fileSystem).file(.journal, 1))
        }
        let old = try StoreDirectory(directory, fileSystem: fileSystem)
        defer { old.release() }
        if let names = try? fileSystem.names(in: newDirectory), !names.isEmpty {
            throw .occupied(directory: newDirectory)
        }
        var salvage = Salvage(old.files)
        try salvage.run()
        // Only damage that has its checksum brings numbers this far; what the new store began with could not be read.
        let table = salvage.content.table
        guard table.nextFence.incarnation < .max - 1, table.nextPosition <= JournalFormat.largestCount >> 1 else {
            throw .failed(StoreFailure(operation: "next incarnation", subject: directory, code: 0))
        }
        // Under another name until all of it is there.
        let new = try StoreDirectory(newDirectory + ".new", fileSystem: fileSystem)
        defer { new.release() }
        let report = SalvageReport(
            losses: salvage.losses, framesReplayed: salvage.framesReplayed, records: salvage.content.table.count)
        try opening { () throws(StoreFailure) in
            try new.files.removeLeftovers(below: .max, keeping: 0)
            try salvage.write(into: new.files)
            try fileSystem.rename(newDirectory + ".new", to: newDirectory)
            try fileSystem.syncDirectory(new.files.parent)
        }
        return report
    }
}

/// Reads what can be read.
private struct Salvage {
    let files: StoreFiles
    var content = StoreFiles.Content()
    var losses: [SalvageReport.Loss] = []
    var framesReplayed = 0
    /// The names under which positions were seen last.
    private var names: [UInt64: RecordID] = [:]

    /// How many journals are told to be missing between any two.
    private static let mostMissing = 1_000

    init(_ files: StoreFiles) { self.files = files }

    mutating func run() throws(FileStoreError) {
        let files = files
        let numbers = try opening { () throws(StoreFailure) in try files.numbers() }
        var contents: [(name: String, kind: JournalFormat.Kind, bytes: [UInt8])] = []
        func take(_ kind: JournalFormat.Kind, _ number: UInt64) throws(FileStoreError) {
            let name = files.file(kind, number)
            contents.append((name, kind, try opening { () throws(StoreFailure) in try files.fileSystem.read(name) }))
        }
        let first = numbers.snapshots.last ?? 1
        if let snapshot = numbers.snapshots.last { try take(.snapshot, snapshot) }
        let journals = numbers.journals.filter { $0 >= first }
        for number in journals { try take(.journal, number) }
        // All files of a store have the same generation, so one header that is whole serves for all.
        var headers: [FileHeader?] = []
        var otherVersion: FileStoreError?
        for content in contents {
            do throws(JournalReader.Failure) {
                headers.append(try FileHeader(content.bytes, kind: content.kind))
            } catch {
                headers.append(nil)
                if case .otherVersion(let version) = error {
                    otherVersion = .unsupportedFormat(file: content.name, version: version)
                }
            }
        }
        guard let generation = headers.lazy.compactMap({ $0?.generation }).first else {
            if let otherVersion { throw otherVersion }
            losses = contents.map { .init(file: $0.name, offset: 0, bytes: $0.bytes.count) }
            return
        }
        for (content, header) in zip(contents, headers) {
            if header == nil { losses.append(.init(file: content.name, offset: 0, bytes: JournalFormat.headerLength)) }
            let header = header ?? FileHeader(kind: content.kind, generation: generation, firstSequence: 1)
            read(JournalReader(salvaging: content.bytes, header), of: content.name)
        }
        for (number, next) in zip([first - 1] + journals, journals + [.max]) where next < .max {
            // A number that is far off is a stray file's.
            for missing in ((number + 1)..<next).prefix(Self.mostMissing) {
                losses.append(.init(file: files.file(.journal, missing), offset: 0, bytes: nil))
            }
        }
    }

    private mutating func read(_ start: JournalReader, of name: String) {
        var reader = start
        while true {
            while let entry = try? reader.next() {
                framesReplayed += 1
                switch entry {
                case .records(let records): for record in records { restore(.put(record)) }
                case .end(let end): content.table.counters = end.counters
                case .commit(let effects, let time):
                    content.table.advance(to: time)
                    for effect in effects { restore(effect) }
                case .opened, .seal: _ = content.replay(entry)
                }
            }
            guard let skipped = reader.skip() else { break }
            guard !skipped.isEmpty else { continue }
            losses.append(.init(file: name, offset: skipped.lowerBound, bytes: skipped.count))
        }
        if let bytes = reader.bytesLeft { losses.append(.init(file: name, offset: reader.offset, bytes: bytes)) }
    }

    /// Carries out an effect again. A position belongs to one record for all its life: if it comes up under another name,
    /// the record was moved there by a frame that is lost.
    private mutating func restore(_ effect: RecordEffect) {
        if case .put(let record) = effect, let name = names.updateValue(record.id, forKey: record.position),
            name != record.id, let slot = content.table.storedPlace(of: name).slot,
            content.table[slot].position == record.position
        {
            _ = content.table.restore(.remove(name))
        }
        _ = content.table.restore(effect)
    }

    /// Writes a new store with the records.
    mutating func write(into newFiles: StoreFiles) throws(StoreFailure) {
        var table = content.table
        let nobody = ProcessIdentity(host: "", pid: 0, instance: RandomSource.system.next())
        table.advance(to: .wallClock)
        table.endLeases(exceptOf: nobody, at: table.now)
        table.beginIncarnation()
        let counters = table.counters
        var writer = try JournalWriter(continuing: StoreFiles.Content(), in: newFiles, layout: FileStoreLayout())
        defer { writer.file.close() }
        func write(_ entry: JournalEntry) throws(StoreFailure) {
            var pending = PendingFrames()
            pending.append(entry, weight: 1)
            if let full = try writer.makeRoom(pending.frameBytes) { throw full }
            try writer.write(pending)
        }
        try write(.opened(.init(counters: counters, losesPower: false, process: .current)))
        for number in table.collectionNumbers.values {
            var position: UInt64?
            while let records = table.stored(inCollection: number, after: position, bytes: 65_536),
                let last = records.last
            {
                let effects = records.map { record in
                    var record = record
                    record.fence = table.takeFence()
                    return RecordEffect.put(record)
                }
                try write(.commit(effects, at: table.now))
                position = last.position
            }
        }
        try writer.sync()
        try write(.seal(at: table.now))
        try writer.sync()
    }
}
