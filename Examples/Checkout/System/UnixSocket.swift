// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Unix-domain stream sockets.
enum UnixSocket {
    /// A socket that listens at the path, in a file for its owner alone.
    ///
    /// A socket file that nobody listens at any more, as a killed process leaves it behind, is replaced.
    ///
    /// - Throws: `EADDRINUSE` if another process listens there, `EEXIST` if the path is some other file.
    static func listen(at path: String) throws(SystemError) -> Descriptor {
        try removeAbandoned(path)
        let socket = try make()
        var address = try address(path)
        guard unsafe call(bind, socket, &address) == 0 else { throw .last("bind") }
        // Nobody can connect before `listen`, so there is no moment at which others could.
        guard unsafe chmod(path, 0o600) == 0 else { throw .last("chmod") }
        guard systemListen(socket.raw, 128) == 0 else { throw .last("listen") }
        try makeNonBlocking(socket)
        return socket
    }

    /// A socket connected to the path; waits no longer than the timeout for a place in the listener's queue.
    static func connect(to path: String, timeout: Duration) throws(SystemError) -> Descriptor {
        let socket = try make()
        try setSendTimeout(timeout, on: socket)
        var address = try address(path)
        guard unsafe call(systemConnect, socket, &address) == 0 else { throw .last("connect") }
        return socket
    }

    /// The next connection of a listener, non-blocking; `nil` if none waits.
    static func accept(from listener: borrowing Descriptor) -> Descriptor? {
        let raw = systemAccept(listener.raw)
        guard raw >= 0 else { return nil }
        let socket = Descriptor(owning: raw)
        do {
            try prepare(socket.raw)
            try makeNonBlocking(socket)
        } catch {
            return nil
        }
        return socket
    }

    /// Two sockets connected to each other, neither inherited by children.
    static func pair() throws(SystemError) -> (Int32, Int32) {
        var both: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, streamType, 0, &both) == 0 else { throw .last("socketpair") }
        for raw in both { try prepare(raw) }
        return (both[0], both[1])
    }

    /// Sends all of the bytes, or throws within about the timeout.
    ///
    /// A peer that has gone is an error, not a signal. Requires a blocking socket.
    static func send(_ bytes: [UInt8], to socket: borrowing Descriptor, timeout: Duration) throws(SystemError) {
        try setSendTimeout(timeout, on: socket)
        var sent = 0
        while sent < bytes.count {
            let status = sendOnce(bytes[sent...], to: socket)
            if status >= 0 {
                sent += status
            } else if errno != EINTR {
                throw .last("send")
            }
        }
    }

    /// Sends what fits into the socket's buffer; the number of bytes, or a negative number and `errno`.
    static func sendOnce(_ bytes: ArraySlice<UInt8>, to socket: borrowing Descriptor) -> Int {
        #if canImport(Darwin)
        let flags: Int32 = 0
        #else
        let flags = Int32(MSG_NOSIGNAL)
        #endif
        let raw = socket.raw
        return unsafe bytes.withUnsafeBytes { buffer in
            unsafe systemSend(raw, buffer.baseAddress, buffer.count, flags)
        }
    }

    /// A file descriptor that reads and writes without waiting.
    static func makeNonBlocking(_ socket: borrowing Descriptor) throws(SystemError) {
        let flags = fcntl(socket.raw, F_GETFL)
        guard flags >= 0, fcntl(socket.raw, F_SETFL, flags | O_NONBLOCK) == 0 else { throw .last("fcntl") }
    }

    private static func make() throws(SystemError) -> Descriptor {
        let raw = socket(AF_UNIX, streamType, 0)
        guard raw >= 0 else { throw .last("socket") }
        let socket = Descriptor(owning: raw)
        try prepare(socket.raw)
        return socket
    }

    private static func prepare(_ raw: Int32) throws(SystemError) {
        guard fcntl(raw, F_SETFD, FD_CLOEXEC) == 0 else { throw .last("fcntl") }
        #if canImport(Darwin)
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(raw, SOL_SOCKET, SO_NOSIGPIPE, &on, size) == 0 else { throw .last("setsockopt") }
        #endif
    }

    private static func setSendTimeout(_ timeout: Duration, on socket: borrowing Descriptor) throws(SystemError) {
        // Zero would mean no limit at all.
        let microseconds = max(1, timeout.nanosecondsRoundedUp / 1_000)
        var value = timeval()
        value.tv_sec = numericCast(microseconds / 1_000_000)
        value.tv_usec = numericCast(microseconds % 1_000_000)
        let size = socklen_t(MemoryLayout<timeval>.size)
        guard unsafe setsockopt(socket.raw, SOL_SOCKET, SO_SNDTIMEO, &value, size) == 0 else {
            throw .last("setsockopt")
        }
    }

    private static func removeAbandoned(_ path: String) throws(SystemError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError(call: "bind", code: EEXIST) }
        do {
            _ = try connect(to: path, timeout: .seconds(1))
        } catch {
            guard error.code == ECONNREFUSED else { throw error }
            guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .last("unlink") }
            return
        }
        throw SystemError(call: "bind", code: EADDRINUSE)
    }

    /// The path as a socket address; the system limits it to about a hundred bytes.
    private static func address(_ path: String) throws(SystemError) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(call: "bind", code: ENAMETOOLONG)
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return address
    }

    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ socket: borrowing Descriptor,
        _ address: inout sockaddr_un
    ) -> Int32 {
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe function(socket.raw, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static var streamType: Int32 {
        #if canImport(Glibc)
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #elseif canImport(Musl)
        SOCK_STREAM | SOCK_CLOEXEC
        #else
        SOCK_STREAM
        #endif
    }
}
