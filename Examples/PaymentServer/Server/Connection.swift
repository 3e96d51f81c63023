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

internal import Idempotency

/// A connection: a socket and what happens on it. For the thread of the reactor alone.
final class Connection {
    /// `nil` once it is closed.
    private var socket: Descriptor?
    private var state: ConnectionState

    init(_ socket: Descriptor, now: Int64) {
        self.socket = socket
        state = ConnectionState(now: now)
    }

    /// Whether it takes one of the server's places: also when the client is gone, as long as somebody answers its
    /// request, or a client that comes and goes could have any number of them answered.
    var isInUse: Bool { socket != nil || state.isAnswering }

    var deadline: Int64? { socket == nil ? nil : state.deadline }

    /// From when on it may be closed to let somebody else in.
    var yieldsAt: Int64? { socket == nil ? nil : state.yieldsAt }

    /// What to wait for.
    var polled: pollfd {
        let events = (state.wantsInput ? POLLIN : 0) | (state.unsent.isEmpty ? 0 : POLLOUT)
        return pollfd(fd: socket?.raw ?? -1, events: Int16(events), revents: 0)
    }

    /// Does what is possible after `poll`; gives the request that has come, if one has.
    func proceed(_ events: Int16, now: Int64) -> HTTPRequest? {
        guard let socket else { return nil }
        do {
            if events & Int16(POLLERR | POLLNVAL) != 0 || events & Int16(POLLHUP) != 0 && !state.wantsInput {
                close()
                return nil
            }
            if state.wantsInput, events & Int16(POLLIN | POLLHUP) != 0 {
                let bytes = try socket.read(upTo: 16 * 1_024)
                if let request = perform(state.receive(bytes, now: now)) { return request }
            }
            return try send(now: now) ?? perform(state.expire(now: now))
        } catch {
            // The client is gone, or was not ready after all; the next `poll` tells.
            if ![EAGAIN, EWOULDBLOCK].contains(error.code) { close() }
            return nil
        }
    }

    /// Sends the answer, and gives the next request if that was there already.
    func answer(_ response: HTTPResponseRecord, now: Int64) -> HTTPRequest? {
        state.answer(response, now: now)
        do {
            return try send(now: now)
        } catch {
            close()
            return nil
        }
    }

    /// Ends the connection at once. A request that is answered goes on.
    func close() { socket = nil }

    /// Lets the connection end after the request that is under way.
    func drain() { _ = perform(state.drain()) }

    private func send(now: Int64) throws(SystemError) -> HTTPRequest? {
        guard let socket, !state.unsent.isEmpty else { return nil }
        return perform(state.sent(try Loopback.send(state.unsent, to: socket), now: now))
    }

    private func perform(_ action: ConnectionState.Action) -> HTTPRequest? {
        switch action {
        case .none: break
        case .handle(let request): return request
        case .endOutput: if let socket { _ = shutdown(socket.raw, Int32(SHUT_WR)) }
        case .close: close()
        }
        return nil
    }
}
