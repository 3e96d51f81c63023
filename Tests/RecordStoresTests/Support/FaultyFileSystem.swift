// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import RecordStores

/// The real file system with a fault at the n-th operation of a kind.
final class FaultyFileSystem: FileSystem {
    enum Kind: Sendable {
        /// Of anything but zeros.
        case write
        /// Of zeros alone.
        case fill
        case sync
        case rename
        case syncDirectory
        case remove
        case list
        case read
    }

    struct Fault: Sendable {
        var kind: Kind
        /// Counted from 1.
        var at: Int
        var code: Int32
    }

    private let base = SystemFileSystem()
    private let fault: Fault?
    private let locks: Bool
    private let counts = Mutex<[Kind: Int]>([:])

    /// - Parameter locks: Whether locks are the system's; else each is granted to everybody, as on some file systems
    ///   within one process.
    init(_ fault: Fault? = nil, locks: Bool = true) {
        self.fault = fault
        self.locks = locks
    }

    /// How many operations of a kind there were.
    func count(of kind: Kind) -> Int { counts.withLock { $0[kind] ?? 0 } }

    fileprivate func pass(_ kind: Kind, _ subject: String) throws(StoreFailure) {
        let count = counts.withLock { counts -> Int in
            counts[kind, default: 0] += 1
            return counts[kind] ?? 0
        }
        if let fault, fault.kind == kind, fault.at == count {
            throw StoreFailure(operation: "\(kind)", subject: subject, code: fault.code)
        }
    }

    func createDirectory(_ path: String) throws(StoreFailure) { try base.createDirectory(path) }
    func identity(of path: String) throws(StoreFailure) -> String { try base.identity(of: path) }

    func names(in directory: String) throws(StoreFailure) -> [String] {
        try pass(.list, directory)
        return try base.names(in: directory)
    }

    func lock(_ path: String) throws(StoreFailure) -> FileLockAnswer {
        if locks { return try base.lock(path) }
        try base.open(path, isNew: true).close()
        return .locked(NoLock())
    }

    func read(_ path: String) throws(StoreFailure) -> [UInt8] {
        try pass(.read, path)
        return try base.read(path)
    }

    func open(_ path: String, isNew: Bool) throws(StoreFailure) -> any WritableFile {
        FaultyFile(base: try base.open(path, isNew: isNew), path: path, owner: self)
    }

    func rename(_ path: String, to newPath: String) throws(StoreFailure) {
        try pass(.rename, path)
        try base.rename(path, to: newPath)
    }

    func remove(_ path: String) throws(StoreFailure) {
        try pass(.remove, path)
        try base.remove(path)
    }

    func syncDirectory(_ path: String) throws(StoreFailure) {
        try pass(.syncDirectory, path)
        try base.syncDirectory(path)
    }
}

private struct NoLock: FileLock {
    func release() {}
}

private struct FaultyFile: WritableFile {
    let base: any WritableFile
    let path: String
    let owner: FaultyFileSystem

    func write(_ bytes: [UInt8], at offset: Int) throws(StoreFailure) {
        try owner.pass(bytes.contains { $0 != 0 } ? .write : .fill, path)
        try base.write(bytes, at: offset)
    }

    func sync() throws(StoreFailure) {
        try owner.pass(.sync, path)
        try base.sync()
    }

    func isLinked() throws(StoreFailure) -> Bool { try base.isLinked() }

    func close() { base.close() }
}
