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
internal import Synchronization

/// A store's directory: who may open it, and the names of its files.
///
/// The newest snapshot counts, and every journal from its number on; without a snapshot, every journal. A file is
/// written under another name, synced and then renamed, and only then are those removed that it takes the place of: so
/// there is a whole set at every moment.
struct StoreDirectory {
    /// The lock files that are open in this process: a second guard, should the system's lock not tell two openings of
    /// one process apart.
    private static let open = Locked<Set<String>>([])

    let path: String
    let fileSystem: any FileSystem
    private let identity: String
    private let lock: any FileLock

    /// Makes the directory if need be, and locks it against every other opening.
    init(_ path: String, fileSystem: any FileSystem) throws(FileStoreError) {
        let path = path.withoutTrailingSlashes
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

    var files: StoreFiles { StoreFiles(path: path, fileSystem: fileSystem, lock: identity) }
}

/// The files in a store's directory, whoever looks at them.
struct StoreFiles {
    let path: String
    let fileSystem: any FileSystem
    /// The identity of the lock file that belongs to whoever changes the files; `nil` for those who only read them.
    var lock: String?

    static func name(_ kind: JournalFormat.Kind, _ number: UInt64) -> String {
        let digits = String(number)
        return "\(kind.prefix)\(String(repeating: "0", count: max(0, 12 - digits.count)))\(digits).log"
    }

    private static func number(_ kind: JournalFormat.Kind, _ name: String) -> UInt64? {
        guard name.hasPrefix(kind.prefix), name.hasSuffix(".log"),
            let number = UInt64(name.dropFirst(kind.prefix.count).dropLast(4)),
            (1...JournalFormat.largestCount).contains(number), name == Self.name(kind, number)
        else { return nil }
        return number
    }

    func file(_ kind: JournalFormat.Kind, _ number: UInt64) -> String { "\(path)/\(Self.name(kind, number))" }

    /// The numbers of the journals and snapshots there are, the lowest first.
    func numbers() throws(StoreFailure) -> (journals: [UInt64], snapshots: [UInt64]) {
        let names = try fileSystem.names(in: path)
        return (
            names.compactMap { Self.number(.journal, $0) }.sorted(),
            names.compactMap { Self.number(.snapshot, $0) }.sorted()
        )
    }

    /// Throws if the directory is not the one any more that was locked: it was moved, and what is at its place now is
    /// another's.
    func checkPlace() throws(StoreFailure) {
        guard let lock, try fileSystem.identity(of: path + "/LOCK") != lock else { return }
        throw StoreFailure(operation: "find", subject: path, code: ENOENT)
    }

    /// Removes what an interrupted replacement left behind, and what a newer snapshot stands for.
    func removeLeftovers(below first: UInt64, keeping last: UInt64) throws(StoreFailure) {
        let leftovers = try fileSystem.names(in: path).filter { name in
            if let number = Self.number(.journal, name) { return number < first || number > last }
            return Self.number(.snapshot, name).map { $0 < first } ?? name.hasSuffix(".log.new")
        }
        guard !leftovers.isEmpty else { return }
        // From the lowest number on, so that what is left of them has no gap.
        for name in leftovers.sorted() { try fileSystem.remove("\(path)/\(name)") }
        try fileSystem.syncDirectory(path)
    }

    /// Gives a file that is synced its name, durably.
    func publish(_ file: String) throws(StoreFailure) {
        try fileSystem.rename(file + ".new", to: file)
        try fileSystem.syncDirectory(path)
    }

    /// The directory that holds the store's own.
    var parent: String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "." }
}

extension JournalFormat.Kind {
    fileprivate var prefix: String {
        switch self {
        case .journal: "journal-"
        case .snapshot: "snapshot-"
        }
    }
}

extension String {
    /// The path with no slash at its end, so that something can be put behind it.
    var withoutTrailingSlashes: String {
        var path = self[...]
        while path.count > 1, path.last == "/" { path.removeLast() }
        return String(path)
    }
}
