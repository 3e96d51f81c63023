// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Idempotency
import Testing

@testable import payment_server

/// The server in this process, over real sockets.
@Suite struct HTTPServerTests {
    /// Sends requests on a thread of their own, each on its own connection.
    private func send(_ count: Int, to port: UInt16) async throws -> [Answer?] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "client").async {
                let requests = (0..<count).map { Array("GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n".utf8) }
                continuation.resume(with: Result { try Client.send(requests, to: port, connections: count) })
            }
        }
    }

    private func answer(_ exchange: HTTPServer.Exchange, of server: HTTPServer) {
        server.answer(exchange, with: HTTPResponseRecord(status: 200, body: Array(exchange.request.path.utf8)))
    }

    @Test func `connections beyond the limit wait for their turn, and each gets its own answer`() async throws {
        let (output, input) = try Descriptor.pipe()
        let server = try HTTPServer(port: 0, connectionLimit: 3, stops: [output])
        server.start { Issue.record("\($0)") }
        async let answers = send(40, to: server.port)
        // The answers come in another order than the requests.
        var held: [HTTPServer.Exchange] = []
        var count = 0
        for await exchange in server.requests {
            held.append(exchange)
            #expect(held.count <= 3)
            count += 1
            if held.count == 3 || count == 40 {
                for exchange in held.reversed() { answer(exchange, of: server) }
                held = []
            }
            if count == 40 { break }
        }
        #expect(try await answers.map { $0?.body } == (0..<40).map { "/\($0)" })
        withExtendedLifetime(input) {}
    }

    @Test(arguments: [(0, 1), (65, 1), (66, 2), (100, 36), (575, 511), (576, 512), (577, 512), (Int.max, 512)])
    func `there are fewer places where few files may be open`(files: Int, places: Int) {
        #expect(HTTPServer.places(files: files) == places)
    }

    @Test func `a stop turns away who has not been let in, and lets the others have their answers`() async throws {
        // Nothing else refers to the end that is let go of below.
        var pipe: (output: Descriptor, input: Descriptor)? = try Descriptor.pipe()
        let output = try #require(pipe?.output)
        let server = try HTTPServer(port: 0, connectionLimit: 2, stops: [output])
        server.start { Issue.record("\($0)") }
        async let answers = send(5, to: server.port)
        var held: [HTTPServer.Exchange] = []
        for await exchange in server.requests {
            held.append(exchange)
            if held.count > 2 { answer(exchange, of: server) }
            guard held.count == 2 else { continue }
            // The end of the pipe; the requests end when these two have their answers.
            pipe = nil
            for exchange in held { answer(exchange, of: server) }
        }
        #expect(held.count == 2 && pipe == nil)
        #expect(try await answers.compactMap { $0 }.count == 2)
    }
}
