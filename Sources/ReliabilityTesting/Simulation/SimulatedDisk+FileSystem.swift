// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores
internal import ReliabilityCore
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

extension SimulatedDisk: FileSystem {
    package func createDirectory(_ path: String) throws(StoreFailure) {
        try perform(.createDirectory, path) { state, _ throws(SimulatedVolume.Failure) in
            try state.volume.createDirectory(path)
        }
    }

    package func identity(of path: String) throws(StoreFailure) -> String {
        let inode = try perform(.identify, path) { state, _ throws(SimulatedVolume.Failure) in
            try state.volume.inode(at: path)
        }
        return "simulated disk \(number):\(inode)"
    }

    package func names(in directory: String) throws(StoreFailure) -> [String] {
        try perform(.list, directory) { state, _ throws(SimulatedVolume.Failure) in
            let inode = try state.volume.directory(at: directory)
            return state.volume.directories[inode]?.entries.keys.sorted() ?? []
        }
    }

    package func lock(_ path: String) throws(StoreFailure) -> FileLockAnswer {
        let (inode, lock) = try perform(.lock, path) { state, _ throws(SimulatedVolume.Failure) in
            let inode = try state.volume.createFile(path)
            return (inode, state.lock(inode))
        }
        return lock.map { .locked(SimulatedLock(disk: self, inode: inode, number: $0)) } ?? .held(pid: pid)
    }

    package func read(_ path: String) throws(StoreFailure) -> [UInt8] {
        try perform(.read, path) { state, _ throws(SimulatedVolume.Failure) in
            state.volume.files[try state.volume.file(at: path)]?.contents ?? []
        }
    }

    package func open(_ path: String, isNew: Bool) throws(StoreFailure) -> any WritableFile {
        let inode = try perform(isNew ? .create : .open, path) { state, _ throws(SimulatedVolume.Failure) in
            let inode = isNew ? try state.volume.createFile(path) : try state.volume.file(at: path)
            if isNew { state.volume.resize(inode, to: 0) }
            state.volume.open(inode)
            return inode
        }
        return OpenSimulatedFile(disk: self, path: path, inode: inode)
    }

    package func rename(_ path: String, to newPath: String) throws(StoreFailure) {
        try perform(.rename, path, to: newPath) { state, _ throws(SimulatedVolume.Failure) in
            try state.volume.rename(path, to: newPath)
        }
    }

    package func remove(_ path: String) throws(StoreFailure) {
        try perform(.remove, path) { state, _ throws(SimulatedVolume.Failure) in try state.volume.remove(path) }
    }

    package func syncDirectory(_ path: String) throws(StoreFailure) {
        try perform(.syncDirectory, path) { state, _ throws(SimulatedVolume.Failure) in
            state.volume.syncDirectory(try state.volume.directory(at: path))
        }
    }

    fileprivate func perform<Value: Sendable>(
        _ kind: DiskOperation.Kind, _ path: String, to newPath: String? = nil, offset: Int = 0, count: Int = 0,
        _ body: (inout DiskState, DiskFault.Effect?) throws(SimulatedVolume.Failure) -> Value
    ) throws(StoreFailure) -> Value {
        takeInterruption(of: kind)?()
        return try state.withLock { state throws(StoreFailure) in
            try state.perform(kind, path, to: newPath, offset: offset, count: count, body)
        }
    }
}

/// A file of a simulated disk that is open for writing.
private final class OpenSimulatedFile: WritableFile {
    private let disk: SimulatedDisk
    private let path: String
    private let inode: Int
    private let isOpen = Atomic<Bool>(true)

    init(disk: SimulatedDisk, path: String, inode: Int) {
        self.disk = disk
        self.path = path
        self.inode = inode
    }

    deinit { close() }

    private func checkOpen() throws(SimulatedVolume.Failure) {
        guard isOpen.load(ordering: .acquiring) else { throw SimulatedVolume.Failure(code: EBADF) }
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(StoreFailure) {
        try disk.perform(.write, path, offset: offset, count: bytes.count) {
            state, effect throws(SimulatedVolume.Failure) in
            try checkOpen()
            guard offset >= 0 else { throw SimulatedVolume.Failure(code: EINVAL) }
            let limit = if case .shortWrite(let limit)? = effect { limit } else { bytes.count }
            try state.volume.write(bytes, at: offset, to: inode, limit: limit)
        }
    }

    func sync() throws(StoreFailure) {
        try disk.perform(.sync, path) { state, effect throws(SimulatedVolume.Failure) in
            try checkOpen()
            if case .forgottenContent(let cut)? = effect {
                state.volume.failSync(inode, keeping: cut)
            } else {
                state.volume.sync(inode)
            }
        }
    }

    func isLinked() throws(StoreFailure) -> Bool {
        try disk.perform(.isLinked, path) { state, _ throws(SimulatedVolume.Failure) in
            try checkOpen()
            return state.volume.files[inode].map { $0.links > 0 } ?? false
        }
    }

    func close() {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        disk.state.withLock { $0.volume.close(inode) }
    }
}

/// A lock on a file of a simulated disk.
private final class SimulatedLock: FileLock {
    private let disk: SimulatedDisk
    private let inode: Int
    private let number: Int

    init(disk: SimulatedDisk, inode: Int, number: Int) {
        self.disk = disk
        self.inode = inode
        self.number = number
    }

    deinit { release() }

    func release() { disk.state.withLock { $0.unlock(inode, number) } }
}
