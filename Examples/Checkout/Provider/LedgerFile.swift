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

/// The provider's ledger on the disk: JSON Lines, one entry a line, only ever appended to.
struct LedgerFile: ~Copyable, Sendable {
    private let file: Descriptor
    let path: String

    /// Opens the ledger, or makes an empty one, and hands over its entries from the oldest on.
    ///
    /// The ledger is locked: one process at a time may write it. A last line that was not written to its end is cut
    /// off: nobody was told of it.
    ///
    /// - Throws: a ``Failure`` if the ledger cannot be opened, is in use, or has a damaged line before its last.
    init(opening path: String, _ entry: (LedgerEntry) -> Void) throws(Failure) {
        func unusable(_ reason: String) -> Failure {
            Failure("cannot open the ledger: \(path): \(reason)", exitCode: .cannotStart)
        }
        let file: Descriptor
        do {
            file = try Self.open(path)
        } catch {
            throw unusable(error.reason)
        }
        guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw unusable(errno == EWOULDBLOCK ? "in use by another process" : SystemError.last("flock").reason)
        }
        let whole = try Self.replay(file, path, entry)
        guard ftruncate(file.raw, off_t(whole)) == 0 else { throw unusable(SystemError.last("ftruncate").reason) }
        self.file = file
        self.path = path
    }

    /// Reads the entries of a ledger that another process may be writing; a last line without its end is left out.
    static func read(_ path: String) throws(Failure) -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        do {
            let file = try Descriptor.open(path, O_RDONLY)
            _ = try replay(file, path) { entries.append($0) }
        } catch let error as SystemError {
            throw Failure("cannot read the ledger: \(path): \(error.reason)", exitCode: .cannotStart)
        } catch {
            throw error as? Failure ?? Failure("cannot read the ledger: \(path): \(error)", exitCode: .cannotStart)
        }
        return entries
    }

    /// Appends an entry and waits until it is on the disk.
    ///
    /// After a failure nobody knows what is on the disk, so the provider must end.
    borrowing func append(_ entry: LedgerEntry) throws(Failure) {
        do {
            try file.write(JSON.line(entry))
            try file.synchronize()
        } catch {
            throw Failure("cannot write the ledger: \(path): \(error)", exitCode: .failed)
        }
    }

    /// The number of bytes up to the end of the last whole entry.
    private static func replay(
        _ file: borrowing Descriptor, _ path: String, _ entry: (LedgerEntry) -> Void
    ) throws(Failure) -> Int {
        var lines = LineSplitter(limit: 1 << 20)
        var whole = 0
        var number = 0
        var damaged: Int?
        while true {
            let bytes: [UInt8]
            do { bytes = try file.read(upTo: 64 * 1024) } catch {
                throw Failure("cannot read the ledger: \(path): \(error.reason)", exitCode: .cannotStart)
            }
            guard !bytes.isEmpty else { return whole }
            lines.append(bytes)
            while let line = lines.next() {
                number += 1
                if let damaged {
                    throw Failure("the ledger is damaged: \(path): line \(damaged)", exitCode: .cannotStart)
                }
                guard case .whole(let text) = line, let value = try? JSON.decode(LedgerEntry.self, from: text) else {
                    damaged = number
                    continue
                }
                entry(value)
                whole += text.count + 1
            }
        }
    }

    /// Opens the file; a new one's name is made durable, too.
    private static func open(_ path: String) throws(SystemError) -> Descriptor {
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND)
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = try Descriptor.open(parent, O_RDONLY | O_DIRECTORY)
        guard fsync(directory.raw) == 0 else { throw .last("fsync") }
        return file
    }
}
