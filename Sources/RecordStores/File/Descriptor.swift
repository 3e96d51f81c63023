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

/// An open file of the system.
final class Descriptor: WritableFile, FileLock {
    let number: Int32
    private let path: String
    private let isOpen = Atomic<Bool>(true)

    init(_ path: String, flags: Int32) throws(StoreFailure) {
        var opened: Int32
        repeat {
            opened = unsafe open(path, flags | O_CLOEXEC, 0o600)
        } while opened < 0 && errno == EINTR
        guard opened >= 0 else { throw StoreFailure(operation: "open", subject: path, code: errno) }
        number = opened
        self.path = path
    }

    deinit { close() }

    func write(_ bytes: [UInt8], at offset: Int) throws(StoreFailure) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                return unsafe pwrite(number, rest.baseAddress, rest.count, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw StoreFailure(operation: "write", subject: path, code: count < 0 ? errno : ENOSPC)
            }
            done += count
        }
    }

    func sync() throws(StoreFailure) {
        #if canImport(Darwin)
        // fsync leaves the data in the drive's cache there. Where the volume cannot flush it, fsync is all there is.
        if fcntl(number, F_FULLFSYNC) == 0 { return }
        guard errno == ENOTSUP, fsync(number) == 0 else {
            throw StoreFailure(operation: "sync", subject: path, code: errno)
        }
        #else
        // An interruption counts as a failure: it may have used up the one report of a write that failed.
        guard fdatasync(number) == 0 else { throw StoreFailure(operation: "sync", subject: path, code: errno) }
        #endif
    }

    func isLinked() throws(StoreFailure) -> Bool {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else {
            throw StoreFailure(operation: "examine", subject: path, code: errno)
        }
        return status.st_nlink > 0
    }

    func readAll() throws(StoreFailure) -> [UInt8] {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else {
            throw StoreFailure(operation: "examine", subject: path, code: errno)
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                return unsafe pread(number, rest.baseAddress, rest.count, off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StoreFailure(operation: "read", subject: path, code: errno) }
            guard count > 0 else { break }
            done += count
        }
        bytes.removeLast(bytes.count - done)
        return bytes
    }

    /// Closes the file, once.
    func close() {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        closeFile(number)
    }

    /// Closing the file lets go of its lock.
    func release() { close() }
}

// The system's function, where the method of the same name hides it.
private func closeFile(_ number: Int32) { close(number) }
