// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@testable import payment_server

/// A client of one connection that does what it likes, one step at a time.
struct RawClient {
    struct TooSlow: Error {}

    private let socket: Descriptor

    /// Connects; the server need not let it in for that.
    init(port: UInt16) throws {
        socket = try Loopback.connect(port: port)
        try wait(for: POLLOUT)
    }

    /// Sends all of the text.
    func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            try wait(for: POLLOUT)
            rest = rest.dropFirst(try Loopback.send(rest, to: socket))
        }
    }

    /// The next bytes, at most so many; none if the server has closed the connection.
    func receive(upTo count: Int = 1 << 16) throws -> [UInt8] {
        try wait(for: POLLIN)
        do {
            return try socket.read(upTo: count)
        } catch let error where error.code == ECONNRESET {
            return []
        }
    }

    /// Everything until the server closes the connection.
    func receiveAll(pieces count: Int = 1 << 16) throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let bytes = try receive(upTo: count)
            if bytes.isEmpty { return all }
            all += bytes
        }
    }

    /// Everything up to and with that text.
    func receive(through end: String) throws -> String {
        var text = ""
        while !text.hasSuffix(end) {
            let bytes = try receive()
            if bytes.isEmpty { return text + " and no more" }
            text += String(decoding: bytes, as: UTF8.self)
        }
        return text
    }

    /// Has the connection reset instead of closed when the client is let go of.
    func resetAtEnd() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(socket.raw, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }

    private func wait(for events: Int32) throws {
        var polled = pollfd(fd: socket.raw, events: Int16(events), revents: 0)
        guard unsafe poll(&polled, 1, 60_000) == 1 else { throw TooSlow() }
    }
}
