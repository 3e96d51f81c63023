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

/// What is on a simulated disk, without locks, faults and counters: a value, so that a copy is another disk.
struct SimulatedVolume: Sendable {
    /// A system's error number.
    struct Failure: Error {
        let code: Int32
    }

    static let root = 0

    var files: [Int: SimulatedFile] = [:]
    var directories: [Int: SimulatedDirectory] = [root: SimulatedDirectory()]
    /// What is not on the medium, in the order in which it was made.
    var pending: [PendingChange] = []
    /// How many bytes all files may have together; `nil`: any number.
    var capacity: Int?
    private var nextInode = root + 1

    private func inode(at components: ArraySlice<Substring>) throws(Failure) -> Int {
        var inode = Self.root
        for component in components {
            guard let directory = directories[inode] else { throw Failure(code: ENOTDIR) }
            guard let next = directory.entries[String(component)] else { throw Failure(code: ENOENT) }
            inode = next
        }
        return inode
    }

    private func components(_ path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }

    /// The file or directory at a path.
    func inode(at path: String) throws(Failure) -> Int { try inode(at: components(path)[...]) }

    /// The file at a path.
    func file(at path: String) throws(Failure) -> Int {
        let inode = try inode(at: path)
        guard files[inode] != nil else { throw Failure(code: EISDIR) }
        return inode
    }

    /// The directory at a path.
    func directory(at path: String) throws(Failure) -> Int { try directory(at: components(path)[...]) }

    private func directory(at components: ArraySlice<Substring>) throws(Failure) -> Int {
        let inode = try inode(at: components)
        guard directories[inode] != nil else { throw Failure(code: ENOTDIR) }
        return inode
    }

    /// The directory that holds what a path names, the name there, and who has it.
    private func place(of path: String) throws(Failure) -> (directory: Int, name: String, inode: Int?) {
        let components = components(path)
        guard let name = components.last.map(String.init) else { throw Failure(code: EBUSY) }
        let parent = try directory(at: components.dropLast())
        return (parent, name, directories[parent]?.entries[name])
    }

    private mutating func change(_ directory: Int, _ change: EntryChange) {
        change.apply(to: &directories[directory, default: SimulatedDirectory()].entries)
        pending.append(PendingChange(inode: directory, .entry(change)))
    }

    mutating func createDirectory(_ path: String) throws(Failure) {
        // As with the system's call, what has the name need not be a directory.
        guard !components(path).isEmpty else { return }
        let place = try place(of: path)
        guard place.inode == nil else { return }
        directories[nextInode] = SimulatedDirectory()
        change(place.directory, .link(place.name, nextInode))
        nextInode += 1
    }

    /// The file at a path, made if there is none.
    mutating func createFile(_ path: String) throws(Failure) -> Int {
        let place = try place(of: path)
        if let inode = place.inode {
            guard files[inode] != nil else { throw Failure(code: EISDIR) }
            return inode
        }
        let inode = nextInode
        nextInode += 1
        var file = SimulatedFile(inode: inode)
        file.links = 1
        files[inode] = file
        change(place.directory, .link(place.name, inode))
        return inode
    }

    mutating func rename(_ path: String, to newPath: String) throws(Failure) {
        let place = try place(of: path)
        let newPlace = try self.place(of: newPath)
        guard place.directory == newPlace.directory else { throw Failure(code: EXDEV) }
        guard let inode = place.inode else { throw Failure(code: ENOENT) }
        guard inode != newPlace.inode else { return }
        if let replaced = newPlace.inode {
            guard files[replaced] != nil else { throw Failure(code: EISDIR) }
            files[replaced]?.links -= 1
        }
        change(place.directory, .rename(place.name, to: newPlace.name, inode))
    }

    mutating func remove(_ path: String) throws(Failure) {
        let place = try place(of: path)
        guard let inode = place.inode else { throw Failure(code: ENOENT) }
        guard files[inode] != nil else { throw Failure(code: EISDIR) }
        files[inode]?.links -= 1
        change(place.directory, .unlink(place.name))
    }

    /// Removes a directory and all that is in it.
    mutating func removeTree(_ path: String) throws(Failure) {
        let place = try place(of: path)
        guard let inode = place.inode else { throw Failure(code: ENOENT) }
        for name in directories[inode]?.entries.keys.sorted() ?? [] { try removeTree("\(path)/\(name)") }
        files[inode]?.links -= 1
        change(place.directory, .unlink(place.name))
    }

    mutating func resize(_ inode: Int, to length: Int) { files[inode]?.resize(to: length, pending: &pending) }

    /// Writes at most `limit` bytes, and as many as there is room for.
    mutating func write(_ bytes: [UInt8], at offset: Int, to inode: Int, limit: Int) throws(Failure) {
        var count = min(limit, bytes.count)
        let length = files[inode]?.length ?? 0
        if let capacity, offset + count > length {
            count = min(count, max(0, length + max(0, capacity - usedBytes) - offset))
        }
        files[inode]?.write(bytes, count: count, at: offset, pending: &pending)
        guard count == min(limit, bytes.count) else { throw Failure(code: ENOSPC) }
    }

    /// How many bytes the files have that have a name or are open.
    var usedBytes: Int {
        files.values.reduce(0) { $0 + ($1.links > 0 || $1.openings > 0 ? $1.length : 0) }
    }

    mutating func open(_ inode: Int) { files[inode]?.openings += 1 }

    mutating func close(_ inode: Int) {
        files[inode]?.openings -= 1
        if files[inode]?.links == 0 { dropUnreachable() }
    }

    /// Drops what nobody can reach any more, whatever a loss of power leaves.
    mutating func dropUnreachable() {
        var found: Set = [Self.root]
        var unread = [Self.root]
        while let directory = unread.popLast() {
            guard let content = directories[directory] else { continue }
            var inodes = Array(content.entries.values)
            inodes += content.durableEntries.values
            for change in pending where change.inode == directory { inodes += change.named.map { [$0] } ?? [] }
            for inode in inodes where found.insert(inode).inserted { unread.append(inode) }
        }
        for inode in Array(files.keys) where !found.contains(inode) && files[inode]?.openings == 0 {
            files[inode] = nil
        }
        for inode in Array(directories.keys) where !found.contains(inode) { directories[inode] = nil }
        pending.removeAll { files[$0.inode] == nil && directories[$0.inode] == nil }
    }
}
