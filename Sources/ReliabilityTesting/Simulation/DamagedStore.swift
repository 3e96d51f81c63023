// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores

/// A closed store of several files on a simulated disk, and what every damage to one of them has to lead to.
///
/// The classification is drawn from the bytes by the description of the format alone, not by the reader that is judged.
package struct DamagedStore: Sendable {
    /// What is done to a file.
    package enum Damage: Hashable, Sendable {
        /// One bit is another, counted from the lowest of the first byte.
        case bit(Int)
        /// The file ends there.
        case truncation(Int)
    }

    /// A damage that does not lead to what it has to.
    package struct Unexpected: Error, CustomStringConvertible {
        package let description: String
    }

    /// What a file contains, by its ranges.
    struct Anatomy {
        /// The frames, without their padding.
        var frames: [Range<Int>] = []
        /// How many bytes of the file the frames know to have been on the medium.
        var confirmedLength: Int
        let isSnapshot: Bool
        /// Whether another journal follows.
        var isContinued = false

        init(_ bytes: [UInt8], isSnapshot: Bool) {
            func number(at offset: Int) -> Int {
                bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            }
            self.isSnapshot = isSnapshot
            confirmedLength = isSnapshot ? bytes.count : number(at: 32) * 4_096
            var offset = 64
            while offset + 24 <= bytes.count, case let length = number(at: offset), length > 0 {
                frames.append(offset..<offset + 24 + length)
                if !isSnapshot { confirmedLength = max(confirmedLength, number(at: offset + 20) * 4_096) }
                offset = (offset + 24 + length + 7) / 8 * 8
            }
        }

        /// Whether the store must not open after that. What it may open after takes nothing from it.
        func isFatal(_ damage: Damage) -> Bool {
            let end = frames.last?.upperBound ?? 64
            switch damage {
            case .truncation(let length):
                return length < (isContinued && !isSnapshot ? end : confirmedLength)
            case .bit(let bit):
                let byte = bit / 8
                if byte < 64 { return true }
                // The last frame of the last journal is the seal, which nothing comes after that could miss it.
                let known = isSnapshot || isContinued ? frames[...] : frames.dropLast()
                return known.contains { $0.contains(byte) }
            }
        }
    }

    package static let path = "/store"

    package let disk: SimulatedDisk
    /// The paths of the files of which one can be damaged.
    package let files: [String]
    private let contents: [String: [UInt8]]
    private let anatomies: [String: Anatomy]
    private let records: [Record]
    private let counters: [UInt64]

    /// Takes a store that was closed.
    package init(_ disk: SimulatedDisk) throws {
        self.disk = disk
        files = disk.files.filter { $0.hasSuffix(".log") }
        var contents: [String: [UInt8]] = [:]
        var anatomies: [String: Anatomy] = [:]
        for file in files {
            let bytes = disk.contents(of: file) ?? []
            contents[file] = bytes
            anatomies[file] = Anatomy(bytes, isSnapshot: file.contains("/snapshot-"))
        }
        for file in files.filter({ $0.contains("/journal-") }).dropLast() { anatomies[file]?.isContinued = true }
        (self.contents, self.anatomies) = (contents, anatomies)
        let (records, counters) = try Self.open(disk.killed())
        (self.records, self.counters) = (records, counters)
    }

    /// How many bytes a file has.
    package func length(of file: String) -> Int { contents[file]?.count ?? 0 }

    /// Where the frames of a file begin and end.
    package func boundaries(of file: String) -> [Int] {
        anatomies[file]?.frames.flatMap { [$0.lowerBound, $0.upperBound] } ?? []
    }

    /// Opens a store, closes it, and returns what it held.
    private static func open(_ disk: SimulatedDisk) throws -> ([Record], [UInt64]) {
        // Later than anything that happened, so that it does not matter what the last frame of all says of the time.
        let later = SteppedStore.start.advanced(by: .seconds(86_400))
        let opened = try SteppedStore(path, on: disk, layout: layout, process: 9, wallTime: later)
        let table = opened.store.tableInMemory
        try opened.close()
        let records = table.allRecords.sorted { $0.position < $1.position }
        return (records, [table.nextFence.rawValue, table.nextPosition])
    }

    /// Damages a file and opens the store.
    ///
    /// - Returns: whether the store refused to open.
    /// - Throws: ``Unexpected`` if it opened with other content or though something is lost, did not open though nothing
    ///   is, named another file, or changed a file while it refused.
    @discardableResult
    package func check(_ damage: Damage, of file: String) throws -> Bool {
        let damaged: SimulatedDisk
        switch damage {
        case .bit(let bit): damaged = try disk.corrupted(file, bit: bit)
        case .truncation(let length): damaged = try disk.truncated(file, to: length)
        }
        let isFatal = anatomies[file]?.isFatal(damage) ?? false
        let refusal = try refusal(of: damaged, "\(damage) of \(file)")
        guard isFatal == (refusal != nil) else {
            throw Unexpected(description: "\(damage) of \(file): \(refusal.map { "\($0)" } ?? "opened")")
        }
        if let refusal, refusal.file != file {
            throw Unexpected(description: "\(damage) of \(file): \(refusal)")
        }
        return isFatal
    }

    /// Opens a store that may have been damaged; `nil` if it has the content that it had before.
    ///
    /// - Throws: ``Unexpected`` if it has another, or if a file was changed though the store did not open.
    package func refusal(of damaged: SimulatedDisk, _ what: String) throws -> FileStoreError? {
        let before = damaged.killed()
        do {
            let (records, counters) = try Self.open(damaged)
            guard records == self.records, counters == self.counters else {
                throw Unexpected(description: "\(what): opened with other content")
            }
            return nil
        } catch let error as FileStoreError {
            guard damaged.files == before.files,
                before.files.allSatisfy({ damaged.contents(of: $0) == before.contents(of: $0) })
            else { throw Unexpected(description: "\(what): files were changed, and then \(error)") }
            return error
        }
    }
}

extension FileStoreError {
    /// The file that it blames.
    package var file: String? {
        switch self {
        case .damaged(let file, _), .missing(let file), .unsupportedFormat(let file, _): file
        case .failed(let failure): failure.subject
        case .inUse, .occupied: nil
        }
    }
}
