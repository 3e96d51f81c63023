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

/// An open file descriptor, closed when its value goes away.
struct Descriptor: ~Copyable, Sendable {
    let raw: Int32

    init(owning raw: Int32) { self.raw = raw }

    deinit { _ = close(raw) }

    /// Opens a file so that no child inherits it; a file that it creates is for its owner alone.
    static func open(_ path: String, _ flags: Int32) throws(SystemError) -> Descriptor {
        while true {
            let raw = systemOpen(path, flags | O_CLOEXEC, 0o600)
            if raw >= 0 { return Descriptor(owning: raw) }
            guard errno == EINTR else { throw .last("open") }
        }
    }

    /// Reads what is there, at most `count` bytes and at least one; nothing at the end of the file.
    borrowing func read(upTo count: Int) throws(SystemError) -> [UInt8] {
        try Self.read(raw, upTo: count)
    }

    /// The same for a descriptor that somebody else owns, such as standard input.
    static func read(_ raw: Int32, upTo count: Int) throws(SystemError) -> [UInt8] {
        while true {
            var status = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                unsafe status = systemRead(raw, buffer.baseAddress, count)
                initialized = max(0, status)
            }
            if status >= 0 { return bytes }
            guard errno == EINTR else { throw .last("read") }
        }
    }

    /// Writes all of the bytes.
    ///
    /// - Throws: if that failed, and then any beginning of them may have been written.
    borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
        try Self.write(raw, bytes)
    }

    /// The same for a descriptor that somebody else owns, such as standard output.
    static func write(_ raw: Int32, _ bytes: [UInt8]) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let status = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
                return unsafe systemWrite(raw, rest.baseAddress, rest.count)
            }
            if status >= 0 {
                written += status
            } else if errno != EINTR {
                throw .last("write")
            }
        }
    }

    /// Waits until what was written is on the disk.
    borrowing func synchronize() throws(SystemError) {
        #if canImport(Darwin)
        let status = fcntl(raw, F_FULLFSYNC)
        #else
        let status = fdatasync(raw)
        #endif
        guard status == 0 else { throw .last("fdatasync") }
    }
}
