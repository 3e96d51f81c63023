// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import Synchronization

/// The real file system, counting the syncs of its files.
final class CountingFileSystem: FileSystem {
    private struct File: WritableFile {
        let file: any WritableFile
        let owner: CountingFileSystem

        func write(_ bytes: [UInt8], at offset: Int) throws(StoreFailure) { try file.write(bytes, at: offset) }
        func sync() throws(StoreFailure) {
            owner.syncs.wrappingAdd(1, ordering: .relaxed)
            try file.sync()
        }
        func isLinked() throws(StoreFailure) -> Bool { try file.isLinked() }
        func close() { file.close() }
    }

    let syncs = Atomic<Int>(0)
    private let system = SystemFileSystem()

    func open(_ path: String, isNew: Bool) throws(StoreFailure) -> any WritableFile {
        File(file: try system.open(path, isNew: isNew), owner: self)
    }

    func createDirectory(_ path: String) throws(StoreFailure) { try system.createDirectory(path) }
    func identity(of directory: String) throws(StoreFailure) -> String { try system.identity(of: directory) }
    func names(in directory: String) throws(StoreFailure) -> [String] { try system.names(in: directory) }
    func lock(_ path: String) throws(StoreFailure) -> FileLockAnswer { try system.lock(path) }
    func read(_ path: String) throws(StoreFailure) -> [UInt8] { try system.read(path) }
    func rename(_ path: String, to newPath: String) throws(StoreFailure) { try system.rename(path, to: newPath) }
    func remove(_ path: String) throws(StoreFailure) { try system.remove(path) }
    func syncDirectory(_ path: String) throws(StoreFailure) { try system.syncDirectory(path) }
}
