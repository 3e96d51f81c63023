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

/// An open file, socket or pipe, closed when nobody refers to it any more. No child inherits it.
final class Descriptor: Sendable {
    let raw: Int32

    /// How many a process may have open at a time.
    static var limit: Int {
        let limit = sysconf(Int32(_SC_OPEN_MAX))
        return limit < 0 ? .max : limit
    }

    /// Takes over a descriptor that a system call has just given.
    ///
    /// - Throws: if there is none, or it cannot be kept from children.
    init(_ call: String, owning raw: Int32) throws(SystemError) {
        guard raw >= 0 else { throw .last(call) }
        self.raw = raw
        guard fcntl(raw, F_SETFD, FD_CLOEXEC) == 0 else { throw .last("fcntl") }
    }

    deinit { _ = close(raw) }

    /// Opens a file; one that is made is for its owner alone.
    static func open(_ path: String, _ flags: Int32) throws(SystemError) -> Descriptor {
        try Descriptor("open", owning: systemOpen(path, flags | O_CLOEXEC, 0o600))
    }

    /// Two ends of a pipe.
    static func pipe() throws(SystemError) -> (output: Descriptor, input: Descriptor) {
        var both: [Int32] = [-1, -1]
        guard unsafe systemPipe(&both) == 0 else { throw .last("pipe") }
        return (try Descriptor("pipe", owning: both[0]), try Descriptor("pipe", owning: both[1]))
    }

    /// Makes reading and writing never wait.
    func makeNonBlocking() throws(SystemError) {
        let flags = fcntl(raw, F_GETFL)
        guard flags >= 0, fcntl(raw, F_SETFL, flags | O_NONBLOCK) == 0 else { throw .last("fcntl") }
    }

    /// Reads what is there, at most `count` bytes; none at the end.
    func read(upTo count: Int) throws(SystemError) -> [UInt8] {
        while true {
            var status = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                status = unsafe systemRead(raw, buffer.baseAddress, count)
                initialized = max(0, status)
            }
            if status >= 0 { return bytes }
            guard errno == EINTR else { throw .last("read") }
        }
    }

    /// Writes all of the bytes.
    ///
    /// - Throws: if that failed, and then any beginning of them may have been written.
    func write(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let status = unsafe rest.withUnsafeBytes { unsafe systemWrite(raw, $0.baseAddress, $0.count) }
            if status >= 0 { rest = rest.dropFirst(status) } else if errno != EINTR { throw .last("write") }
        }
    }

    /// Waits until what was written is on the disk.
    func synchronize() throws(SystemError) {
        #if canImport(Darwin)
        let status = fcntl(raw, F_FULLFSYNC)
        #else
        let status = fsync(raw)
        #endif
        guard status == 0 else { throw .last("fsync") }
    }
}

// The system calls that are called from functions of the same name, where their own names mean something else.

private func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { unsafe open(path, flags, mode) }

private func systemPipe(_ both: UnsafeMutablePointer<Int32>) -> Int32 { unsafe pipe(both) }

private func systemRead(_ raw: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(raw, buffer, count)
}

func systemWrite(_ raw: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(raw, buffer, count)
}
