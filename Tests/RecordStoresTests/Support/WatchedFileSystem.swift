// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import RecordStores

/// A file system that tells before it syncs a file, on the thread that asked for it.
final class WatchedFileSystem: FileSystem {
    private let base: any FileSystem
    private let watcher = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ base: any FileSystem) { self.base = base }

    /// Is called once, by the next sync.
    func onNextSync(_ body: @escaping @Sendable () -> Void) { watcher.withLock { $0 = body } }

    fileprivate func tell() {
        let body = watcher.withLock { watcher in
            defer { watcher = nil }
            return watcher
        }
        body?()
    }

    func createDirectory(_ path: String) throws(StoreFailure) { try base.createDirectory(path) }
    func identity(of path: String) throws(StoreFailure) -> String { try base.identity(of: path) }
    func names(in directory: String) throws(StoreFailure) -> [String] { try base.names(in: directory) }
    func lock(_ path: String) throws(StoreFailure) -> FileLockAnswer { try base.lock(path) }
    func read(_ path: String) throws(StoreFailure) -> [UInt8] { try base.read(path) }
    func rename(_ path: String, to newPath: String) throws(StoreFailure) { try base.rename(path, to: newPath) }
    func remove(_ path: String) throws(StoreFailure) { try base.remove(path) }
    func syncDirectory(_ path: String) throws(StoreFailure) { try base.syncDirectory(path) }

    func open(_ path: String, isNew: Bool) throws(StoreFailure) -> any WritableFile {
        WatchedFile(base: try base.open(path, isNew: isNew), owner: self)
    }
}

private struct WatchedFile: WritableFile {
    let base: any WritableFile
    let owner: WatchedFileSystem

    func write(_ bytes: [UInt8], at offset: Int) throws(StoreFailure) { try base.write(bytes, at: offset) }

    func sync() throws(StoreFailure) {
        owner.tell()
        try base.sync()
    }

    func isLinked() throws(StoreFailure) -> Bool { try base.isLinked() }
    func close() { base.close() }
}
