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

/// A stream socket over a file of the system, closed when it goes: one line each way.
package struct UnixSocket: ~Copyable {
    /// No line is longer.
    private static let longestLine = 64 * 1_024

    package let raw: Int32

    private init(owning raw: Int32) { self.raw = raw }

    deinit { close(raw) }

    /// A socket that listens at a path, for its owner alone, in the place of one that a killed process has left behind.
    package static func listen(at path: String) throws(SystemError) -> UnixSocket {
        let socket = try make()
        var address = try address(path)
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .last("unlink \(path)") }
        guard unsafe call(systemBind, socket, &address) == 0 else { throw .last("bind \(path)") }
        // Nobody can connect before `listen`, so there is no moment at which others could.
        guard unsafe chmod(path, 0o600) == 0 else { throw .last("chmod \(path)") }
        guard systemListen(socket.raw) == 0 else { throw .last("listen") }
        return socket
    }

    package static func connect(to path: String, seconds: Int) throws(SystemError) -> UnixSocket {
        let socket = try make()
        try socket.setTimeouts(seconds)
        var address = try address(path)
        guard unsafe call(systemConnect, socket, &address) == 0 else { throw .last("connect") }
        return socket
    }

    /// The next connection of a listener, which waits for one.
    package func accept(seconds: Int) throws(SystemError) -> UnixSocket {
        let raw = systemAccept(raw)
        guard raw >= 0 else { throw .last("accept") }
        let socket = UnixSocket(owning: raw)
        try socket.prepare()
        try socket.setTimeouts(seconds)
        return socket
    }

    /// Sends a line with its end.
    package func send(_ line: [UInt8]) throws(SystemError) {
        let bytes = line + [0x0A]
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { buffer in
                unsafe systemSend(raw, buffer.baseAddress, buffer.count)
            }
            if count >= 0 { sent += count } else if errno != EINTR { throw .last("send") }
        }
    }

    /// The next line without its end; `nil` if the other side ends, is too slow, or goes on for too long.
    package func line() -> [UInt8]? {
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while line.count < Self.longestLine {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(raw, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            line += buffer[..<count]
            if let end = line.firstIndex(of: 0x0A) { return Array(line[..<end]) }
        }
        return nil
    }

    private static func make() throws(SystemError) -> UnixSocket {
        #if canImport(Glibc)
        let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let raw = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        guard raw >= 0 else { throw .last("socket") }
        let socket = UnixSocket(owning: raw)
        try socket.prepare()
        return socket
    }

    private func prepare() throws(SystemError) {
        guard fcntl(raw, F_SETFD, FD_CLOEXEC) == 0 else { throw .last("fcntl") }
        #if canImport(Darwin)
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(raw, SOL_SOCKET, SO_NOSIGPIPE, &on, size) == 0 else { throw .last("setsockopt") }
        #endif
    }

    private func setTimeouts(_ seconds: Int) throws(SystemError) {
        var value = timeval()
        value.tv_sec = numericCast(seconds)
        let size = socklen_t(MemoryLayout<timeval>.size)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            guard unsafe setsockopt(raw, SOL_SOCKET, option, &value, size) == 0 else { throw .last("setsockopt") }
        }
    }

    /// The path as a socket's address; the system limits it to about a hundred bytes.
    private static func address(_ path: String) throws(SystemError) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(call: "a socket at \(path)", code: ENAMETOOLONG)
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        return address
    }

    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ socket: borrowing UnixSocket,
        _ address: inout sockaddr_un
    ) -> Int32 {
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe function(socket.raw, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

// The system's functions under names that the methods above do not have.

private func systemListen(_ raw: Int32) -> Int32 { listen(raw, 128) }
private func systemAccept(_ raw: Int32) -> Int32 { accept(raw, nil, nil) }

private func systemBind(_ raw: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
    unsafe bind(raw, address, size)
}

private func systemConnect(_ raw: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
    unsafe connect(raw, address, size)
}

private func systemSend(_ raw: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Darwin)
    let flags: Int32 = 0
    #else
    // A peer that has gone is an error, and no signal.
    let flags = Int32(MSG_NOSIGNAL)
    #endif
    return unsafe send(raw, bytes, count, flags)
}
