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

/// The real file system, through POSIX calls.
package struct SystemFileSystem: FileSystem {
    package init() {}

    package func createDirectory(_ path: String) throws(StoreFailure) {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw StoreFailure(operation: "create", subject: path, code: errno)
        }
    }

    package func identity(of path: String) throws(StoreFailure) -> String {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            throw StoreFailure(operation: "examine", subject: path, code: errno)
        }
        return "\(status.st_dev):\(status.st_ino)"
    }

    package func names(in directory: String) throws(StoreFailure) -> [String] {
        guard let stream = unsafe opendir(directory) else {
            throw StoreFailure(operation: "list", subject: directory, code: errno)
        }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        // The end and a failure differ by the error number alone.
        errno = 0
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                let capacity = unsafe MemoryLayout.size(ofValue: entry.pointee.d_name)
                return unsafe pointer.withMemoryRebound(to: CChar.self, capacity: capacity) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw StoreFailure(operation: "list", subject: directory, code: errno) }
        return names
    }

    package func lock(_ path: String) throws(StoreFailure) -> FileLockAnswer {
        let file = try Descriptor(path, flags: O_RDWR | O_CREAT)
        guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            defer { file.close() }
            guard code == EWOULDBLOCK else { throw StoreFailure(operation: "lock", subject: path, code: code) }
            let text = String(decoding: try file.readAll(), as: UTF8.self)
            return .held(pid: Int32(text.prefix { $0.isNumber }))
        }
        // Who has it is a courtesy for messages, for which a full disk may have no room; the lock itself is the system's.
        if ftruncate(file.number, 0) == 0 { try? file.write(Array("\(getpid())\n".utf8), at: 0) }
        return .locked(file)
    }

    package func read(_ path: String) throws(StoreFailure) -> [UInt8] {
        let file = try Descriptor(path, flags: O_RDONLY)
        defer { file.close() }
        return try file.readAll()
    }

    package func open(_ path: String, isNew: Bool) throws(StoreFailure) -> any WritableFile {
        try Descriptor(path, flags: O_WRONLY | (isNew ? O_CREAT | O_TRUNC : 0))
    }

    package func rename(_ path: String, to newPath: String) throws(StoreFailure) {
        guard renameFile(path, newPath) == 0 else {
            throw StoreFailure(operation: "rename", subject: path, code: errno)
        }
    }

    package func remove(_ path: String) throws(StoreFailure) {
        guard unsafe unlink(path) == 0 else {
            throw StoreFailure(operation: "remove", subject: path, code: errno)
        }
    }

    package func syncDirectory(_ path: String) throws(StoreFailure) {
        let directory = try Descriptor(path, flags: O_RDONLY | O_DIRECTORY)
        defer { directory.close() }
        guard fsync(directory.number) == 0 else {
            throw StoreFailure(operation: "sync", subject: path, code: errno)
        }
    }
}

// The system's function, where the method of the same name hides it.
private func renameFile(_ path: String, _ newPath: String) -> Int32 { unsafe rename(path, newPath) }
