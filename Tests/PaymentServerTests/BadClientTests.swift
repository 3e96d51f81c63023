// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting
import Testing

@testable import payment_server

/// Clients that take what they can get, and what is left for the others.
@Suite(.timeLimit(.minutes(10))) struct BadClientTests {
    /// A server whose time stands still unless it is moved, and whose requests are answered by the test.
    private final class Stage {
        let clock = ManualClock()
        let server: HTTPServer
        private let stop: Descriptor
        private var last: HTTPServer.Exchange?

        init(connectionLimit: Int) throws {
            let (output, input) = try Descriptor.pipe()
            stop = input
            server = try HTTPServer(port: 0, connectionLimit: connectionLimit, stops: [output], clock: clock)
            server.start { Issue.record("\($0)") }
        }

        func connect() throws -> RawClient { try RawClient(port: server.port) }

        func next() async throws -> HTTPServer.Exchange {
            var requests = server.requests.makeAsyncIterator()
            let exchange = await requests.next()
            return try #require(exchange)
        }

        func answer(_ exchange: HTTPServer.Exchange, _ body: [UInt8] = Array("ok".utf8)) {
            last = exchange
            server.answer(exchange, with: HTTPResponseRecord(status: 200, body: body))
        }

        /// Moves the time, and lets the server notice, by an answer that comes too late.
        func advance(by duration: Duration) throws {
            clock.advance(by: duration)
            answer(try #require(last))
        }

        /// Asks for something and gets it.
        func ask(_ client: RawClient, _ path: String) async throws {
            try client.send(BadClientTests.get(path))
            let exchange = try await next()
            #expect(exchange.request.path == path)
            answer(exchange)
            #expect(try client.receive(through: "ok").hasPrefix("HTTP/1.1 200 OK"))
        }
    }

    private static func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }

    @Test func `who has been idle longest makes room for who wants to come in, after a second and not before`()
        async throws
    {
        let stage = try Stage(connectionLimit: 3)
        let (busy, idler, idle) = (try stage.connect(), try stage.connect(), try stage.connect())
        try await stage.ask(idler, "/1")
        try await stage.ask(busy, "/2")
        try stage.advance(by: .milliseconds(500))
        try await stage.ask(idle, "/3")
        let late = try stage.connect()
        try late.send(Self.get("/late"))
        // Whoever were let in would have been read while these were answered.
        try stage.advance(by: .nanoseconds(499_999_999))
        for turn in 0..<5 { try await stage.ask(busy, "/busy/\(turn)") }

        // Nobody tells the server: it looks by itself when somebody's time is up.
        stage.clock.advance(by: .nanoseconds(1))
        let exchange = try await stage.next()
        #expect(exchange.request.path == "/late")
        #expect(try idler.receive().isEmpty)
        stage.answer(exchange)
        #expect(try late.receive(through: "ok").hasPrefix("HTTP/1.1 200 OK"))
        // The others are where they were.
        try await stage.ask(idle, "/4")
        try await stage.ask(busy, "/5")
    }

    @Test func `a request that has begun to come makes room like an idle client, however it goes on`() async throws {
        let stage = try Stage(connectionLimit: 1)
        let slow = try stage.connect()
        try slow.send(Self.get("/1") + "GET /2 HT")
        let first = try await stage.next()
        stage.answer(first)
        _ = try slow.receive(through: "ok")
        try stage.advance(by: .milliseconds(999))
        try slow.send("TP/1.1\r\nHo")
        let late = try stage.connect()
        try stage.advance(by: .milliseconds(1))
        try await stage.ask(late, "/late")
        #expect(try slow.receiveAll().isEmpty)
    }

    @Test func `a request that is answered keeps its place, and gets its answer`() async throws {
        let stage = try Stage(connectionLimit: 2)
        let (client, other) = (try stage.connect(), try stage.connect())
        try await stage.ask(other, "/1")
        try client.send(Self.get("/long"))
        let exchange = try await stage.next()
        try stage.advance(by: .seconds(3_600))
        // The other one had to go, or has used up its time.
        let (late, later) = (try stage.connect(), try stage.connect())
        try await stage.ask(late, "/2")
        try later.send(Self.get("/later"))
        try await stage.ask(late, "/3")
        stage.answer(exchange)
        #expect(try client.receive(through: "ok").hasPrefix("HTTP/1.1 200 OK"))
        // What it did meanwhile is no idleness.
        try await stage.ask(client, "/4")
    }

    @Test func `a client that is gone keeps its place until its request is answered, so that nobody has more of them`()
        async throws
    {
        let stage = try Stage(connectionLimit: 3)
        let prober = try stage.connect()
        try await stage.ask(prober, "/0")
        var held: [HTTPServer.Exchange] = []
        for number in 1...2 {
            let client = try stage.connect()
            client.resetAtEnd()
            try client.send(Self.get("/gone/\(number)"))
            held.append(try await stage.next())
        }
        let late = try stage.connect()
        try late.send(Self.get("/late"))
        for turn in 0..<5 { try await stage.ask(prober, "/probe/\(turn)") }
        stage.answer(held[0])
        let exchange = try await stage.next()
        #expect(exchange.request.path == "/late")
        stage.answer(exchange)
        #expect(try late.receive(through: "ok").hasPrefix("HTTP/1.1 200 OK"))
        stage.answer(held[1])
        try await stage.ask(prober, "/end")
    }

    /// More than the buffers of both sides take.
    private static let large = [UInt8](repeating: UInt8(ascii: "x"), count: 16 << 20)

    @Test func `a response that the client takes in pieces comes whole`() async throws {
        let stage = try Stage(connectionLimit: 1)
        let client = try stage.connect()
        try client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        stage.answer(try await stage.next(), Array(Self.large.prefix(8 << 20)))
        let bytes = try client.receiveAll(pieces: 10_007)
        #expect(bytes.starts(with: Array("HTTP/1.1 200 OK\r\n".utf8)))
        #expect(bytes.count { $0 == UInt8(ascii: "x") } == 8 << 20)
    }

    @Test(arguments: [true, false])
    func `a client that does not take its response loses its place after ten seconds, or when it is gone`(
        isGone: Bool
    ) async throws {
        let stage = try Stage(connectionLimit: 1)
        var client: RawClient? = try stage.connect()
        try client?.send(Self.get("/"))
        stage.answer(try await stage.next(), Self.large)
        // The response is on its way.
        #expect(try client?.receive(upTo: 1) == [UInt8(ascii: "H")])
        let late = try stage.connect()
        if isGone {
            client?.resetAtEnd()
            client = nil
        } else {
            try stage.advance(by: .seconds(10))
        }
        try await stage.ask(late, "/late")
        if let client { #expect(try client.receiveAll().count < Self.large.count) }
    }

    @Test func `a client that sends for ever is answered, and what it sends is dropped for two seconds`() async throws {
        let stage = try Stage(connectionLimit: 2)
        let (other, client) = (try stage.connect(), try stage.connect())
        try await stage.ask(other, "/1")
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n")
        let answer = try client.receive(through: "}")
        #expect(answer.hasPrefix("HTTP/1.1 413 ") && answer.contains("\r\nConnection: close\r\n"))
        for _ in 0..<100 { try client.send(String(repeating: "x", count: 100_000)) }
        try stage.advance(by: .seconds(2))
        #expect(try client.receiveAll().isEmpty)
    }
}
