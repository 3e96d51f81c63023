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

/// Stream sockets of IPv4 on the loopback interface, all of which never wait.
enum Loopback {
    /// A socket that listens at the port, or at a free one if that is 0, and the port.
    static func listen(port: UInt16) throws(SystemError) -> (Descriptor, port: UInt16) {
        let socket = try make()
        // A server that is started again must not wait until the connections of its last life are forgotten.
        try set(SO_REUSEADDR, of: socket)
        var address = address(port)
        guard unsafe call(bind, socket, &address) == 0 else { throw .last("bind") }
        guard systemListen(socket.raw, 1_024) == 0 else { throw .last("listen") }
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe getsockname(socket.raw, address, &size)
            }
        }
        guard status == 0 else { throw .last("getsockname") }
        return (socket, UInt16(bigEndian: address.sin_port))
    }

    /// A socket that is being connected to the port; an error of the connection comes with the first write.
    static func connect(port: UInt16) throws(SystemError) -> Descriptor {
        let socket = try make()
        var address = address(port)
        guard unsafe call(systemConnect, socket, &address) == 0 || errno == EINPROGRESS else { throw .last("connect") }
        return socket
    }

    /// The next connection of a listener; `nil` if none waits, or the one that did is gone.
    static func accept(from listener: Descriptor) throws(SystemError) -> Descriptor? {
        let raw = systemAccept(listener.raw)
        if raw < 0, [EAGAIN, EWOULDBLOCK, EINTR, ECONNABORTED].contains(errno) { return nil }
        let socket = try Descriptor("accept", owning: raw)
        try prepare(socket)
        return socket
    }

    /// Sends what the socket takes now and says how much that was.
    static func send(_ bytes: ArraySlice<UInt8>, to socket: Descriptor) throws(SystemError) -> Int {
        #if canImport(Darwin)
        let flags: Int32 = 0
        #else
        let flags = Int32(MSG_NOSIGNAL)
        #endif
        let status = unsafe bytes.withUnsafeBytes {
            unsafe systemSend(socket.raw, $0.baseAddress, $0.count, flags)
        }
        if status >= 0 { return status }
        guard [EAGAIN, EWOULDBLOCK, EINTR].contains(errno) else { throw .last("send") }
        return 0
    }

    private static func make() throws(SystemError) -> Descriptor {
        #if canImport(Glibc)
        let type = Int32(SOCK_STREAM.rawValue)
        #else
        let type = SOCK_STREAM
        #endif
        let socket = try Descriptor("socket", owning: socket(AF_INET, type, 0))
        try prepare(socket)
        return socket
    }

    private static func prepare(_ socket: Descriptor) throws(SystemError) {
        try socket.makeNonBlocking()
        #if canImport(Darwin)
        try set(SO_NOSIGPIPE, of: socket)
        #endif
    }

    private static func set(_ option: Int32, of socket: Descriptor) throws(SystemError) {
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(socket.raw, SOL_SOCKET, option, &on, size) == 0 else { throw .last("setsockopt") }
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ socket: Descriptor,
        _ address: inout sockaddr_in
    ) -> Int32 {
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe function(socket.raw, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

// The system calls that are called from functions of the same name, where their own names mean something else.

private func systemListen(_ raw: Int32, _ backlog: Int32) -> Int32 { listen(raw, backlog) }

private func systemConnect(_ raw: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    unsafe connect(raw, address, length)
}

private func systemAccept(_ raw: Int32) -> Int32 { accept(raw, nil, nil) }

private func systemSend(_ raw: Int32, _ buffer: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    unsafe send(raw, buffer, count, flags)
}
