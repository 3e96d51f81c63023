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

/// A file descriptor, closed when nobody has it any more.
struct Descriptor: ~Copyable, Sendable {
    let raw: Int32

    init(owning raw: Int32) { self.raw = raw }

    deinit { _ = close(raw) }

    /// A pipe whose ends no child inherits unless they are handed to it; the caller owns both.
    static func pipe() throws(SystemError) -> (readEnd: Int32, writeEnd: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe systemPipe(&ends) == 0 else { throw .last("pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Reads what is there, at least one byte; nothing at the end.
    static func read(_ raw: Int32, upTo count: Int = 65_536) throws(SystemError) -> [UInt8] {
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

    /// Writes all bytes.
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
}

// The system's functions, where methods of the same name hide them.
private func systemPipe(_ ends: UnsafeMutablePointer<Int32>) -> Int32 { unsafe pipe(ends) }

private func systemRead(_ raw: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(raw, buffer, count)
}

private func systemWrite(_ raw: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(raw, buffer, count)
}
