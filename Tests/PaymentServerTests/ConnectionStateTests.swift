// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import Testing

@testable import payment_server

@Suite struct ConnectionStateTests {
    private static let second: Int64 = 1_000_000_000
    private static let get = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    private static let request = HTTPRequest(
        method: "GET", path: "/", fields: [HTTPFieldLine("Host", "a")], body: [], keepsAlive: true)
    private static let response = HTTPResponseRecord(status: 200, body: Array("ok".utf8))

    private static func status(_ state: ConnectionState) -> Int? {
        Int(String(decoding: state.unsent, as: UTF8.self).split(separator: " ")[1])
    }

    @Test func `one request after the other is handed over, and nothing is read while one is answered`() {
        var state = ConnectionState(now: 0)
        #expect(state.receive(Self.get + Self.get, now: 0) == .handle(Self.request))
        for isLast in [false, true] {
            #expect(!state.wantsInput && state.deadline == nil && state.unsent.isEmpty)
            state.answer(Self.response, now: 0)
            let count = state.unsent.count
            #expect(state.sent(count - 1, now: 0) == .none)
            #expect(!state.wantsInput && state.unsent.count == 1)
            #expect(state.sent(1, now: 0) == (isLast ? .none : .handle(Self.request)))
        }
        #expect(state.wantsInput)
        #expect(state.receive([], now: 0) == .close)
    }

    @Test(arguments: ["Connection: close\r\n", ""])
    func `a connection that is to end says so, tells its end, and drops what still comes`(field: String) {
        var state = ConnectionState(now: 0)
        let bytes = Array("GET / HTTP/1.\(field.isEmpty ? 0 : 1)\r\nHost: a\r\n\(field)\r\n".utf8)
        guard case .handle = state.receive(bytes, now: 0) else { Issue.record("no request"); return }
        state.answer(Self.response, now: 0)
        #expect(String(decoding: state.unsent, as: UTF8.self).contains("\r\nConnection: close\r\n"))
        #expect(state.sent(state.unsent.count, now: 0) == .endOutput)
        #expect(state.receive(Self.get, now: 0) == .none)
        #expect(state.unsent.isEmpty)
        #expect(state.receive([], now: 0) == .close)
    }

    @Test func `a refused request is answered, and what the client still sends is read so that it gets the answer`() {
        var state = ConnectionState(now: 0)
        #expect(state.receive(Array("POST / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), now: 0) == .none)
        #expect(Self.status(state) == 411)
        #expect(state.sent(state.unsent.count, now: 0) == .endOutput)
        #expect(state.receive([1, 2, 3], now: 0) == .none)
        #expect(state.expire(now: 2 * Self.second - 1) == .none)
        #expect(state.expire(now: 2 * Self.second) == .close)
    }

    @Test func `a client that is silent between requests is let go after a minute, and not before`() {
        var state = ConnectionState(now: 0)
        #expect(state.expire(now: 60 * Self.second - 1) == .none)
        #expect(state.expire(now: 60 * Self.second) == .close)
    }

    @Test func `a request that comes too slowly is refused, however often a byte of it comes`() {
        var state = ConnectionState(now: 0)
        for second in 0..<10 {
            #expect(state.receive([Self.get[second]], now: Int64(second) * Self.second) == .none)
            #expect(state.deadline == 10 * Self.second)
        }
        #expect(state.expire(now: 10 * Self.second - 1) == .none)
        #expect(state.unsent.isEmpty)
        #expect(state.expire(now: 10 * Self.second) == .none)
        #expect(Self.status(state) == 408)
    }

    @Test func `a client that does not take its response is let go`() {
        var state = ConnectionState(now: 0)
        _ = state.receive(Self.get, now: 0)
        state.answer(Self.response, now: 5 * Self.second)
        #expect(state.sent(1, now: 14 * Self.second) == .none)
        #expect(state.expire(now: 15 * Self.second - 1) == .none)
        #expect(state.expire(now: 15 * Self.second) == .close)
    }

    @Test func `a connection that is drained ends at once if idle, and else after the request that has begun to come`()
    {
        var idle = ConnectionState(now: 0)
        #expect(idle.drain() == .close)
        var state = ConnectionState(now: 0)
        #expect(state.receive([Self.get[0]], now: 0) == .none)
        #expect(state.drain() == .none)
        #expect(state.receive(Array(Self.get.dropFirst()), now: 0) == .handle(Self.request))
        #expect(state.drain() == .none)
        state.answer(Self.response, now: 0)
        #expect(String(decoding: state.unsent, as: UTF8.self).contains("\r\nConnection: close\r\n"))
        #expect(state.sent(state.unsent.count, now: 0) == .endOutput)
    }

    @Test func `a connection yields its place a second after its client's turn has begun, and never in the server's`() {
        var state = ConnectionState(now: 0)
        #expect(state.yieldsAt == Self.second)
        #expect(state.receive(Array(Self.get[..<5]), now: 2 * Self.second) == .none)
        #expect(state.receive(Array(Self.get[5..<10]), now: 4 * Self.second) == .none)
        #expect(state.yieldsAt == 3 * Self.second)
        #expect(state.receive(Array(Self.get[10...]), now: 5 * Self.second) == .handle(Self.request))
        #expect(state.yieldsAt == nil && state.isAnswering)
        state.answer(Self.response, now: 6 * Self.second)
        #expect(state.yieldsAt == nil && !state.isAnswering)
        #expect(state.sent(state.unsent.count, now: 7 * Self.second) == .none)
        #expect(state.yieldsAt == 8 * Self.second)
        #expect(state.receive(Array("nonsense\r\n\r\n".utf8), now: 8 * Self.second) == .none)
        #expect(state.yieldsAt == nil)
        #expect(state.sent(state.unsent.count, now: 9 * Self.second) == .endOutput)
        #expect(state.yieldsAt == nil)
    }

    @Test func `the response to HEAD has the length of the body and no body`() {
        var state = ConnectionState(now: 0)
        _ = state.receive(Array("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), now: 0)
        state.answer(Self.response, now: 0)
        let text = String(decoding: state.unsent, as: UTF8.self)
        #expect(text.hasSuffix("Content-Length: 2\r\n\r\n"))
    }
}
