// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import Testing

@testable import payment_server

@Suite struct RequestParserTests {
    @Test(arguments: [
        ("GET /health HTTP/1.1\r\nHost: a\r\n\r\n", "GET /health - keep", ""),
        ("\r\n\r\nGET / HTTP/1.1\r\nhost:a\r\n\r\n", "GET / - keep", ""),
        ("GET /a?b=%20?c HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", "GET /a b=%20?c close", ""),
        ("GET / HTTP/1.0\r\n\r\n", "GET / - close", ""),
        ("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n{\r\n\r\n", "POST /p - keep", "{\r\n\r\n"),
        ("DELETE /p? HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "DELETE /p  keep", ""),
    ])
    func `a request is the same however its bytes come`(text: String, head: String, body: String) throws {
        // Two of them, so that what follows a request is not taken for a part of it.
        let bytes = Array((text + text).utf8)
        for step in 1...bytes.count {
            var parser = RequestParser()
            var requests: [HTTPRequest] = []
            for start in stride(from: 0, to: bytes.count, by: step) {
                parser.append(Array(bytes[start..<min(start + step, bytes.count)]))
                while let request = try parser.next() { requests.append(request) }
            }
            #expect(requests.count == 2 && parser.isEmpty)
            for request in requests {
                let kept = request.keepsAlive ? "keep" : "close"
                #expect("\(request.method) \(request.path) \(request.query ?? "-") \(kept)" == head)
                #expect(String(decoding: request.body, as: UTF8.self) == body)
            }
        }
    }

    @Test func `fields are found by name whatever its case, each line with its value and without the space around it`()
        throws
    {
        var parser = RequestParser()
        parser.append(Array("GET / HTTP/1.1\r\nHost: a\r\nKEY: \t\"a b\" \r\nkey:\r\nX: é\r\n\r\n".utf8))
        let request = try #require(try parser.next())
        #expect(request.values(of: "Key") == ["\"a b\"", ""])
        #expect(request.values(of: "x") == ["é"])
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n", HTTPRefusal.malformed),
        ("GET /\r\nHost: a\r\n", .malformed),
        ("GET / HTTP/1.1 \r\nHost: a\r\n", .malformed),
        ("GET  / HTTP/1.1\r\nHost: a\r\n", .malformed),
        ("GET http://a/ HTTP/1.1\r\nHost: a\r\n", .malformed),
        ("GET /é HTTP/1.1\r\nHost: a\r\n", .malformed),
        ("G(T / HTTP/1.1\r\nHost: a\r\n", .malformed),
        ("GET / HTTX/1.1\r\nHost: a\r\n", .malformed),
        ("GET / HTTP/2.0\r\nHost: a\r\n", .versionNotSupported),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost : a\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\nX: b\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \rb\r\n", .malformed),
        ("POST / HTTP/1.1\r\nHost: a\r\n", .lengthRequired),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", .lengthRequired),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: identity\r\n", .lengthRequired),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", .malformed),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n", .malformed),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n", .malformed),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n", .malformed),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n", .malformed),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n", .bodyTooLarge),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n", .bodyTooLarge),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n", .expectationFailed),
    ])
    func `what is no request is refused, and nothing in it is guessed`(head: String, refusal: HTTPRefusal) {
        var parser = RequestParser()
        parser.append(Array((head + "\r\n").utf8))
        #expect(throws: refusal) { try parser.next() }
    }

    @Test func `the largest head and body are taken, and one byte more is not`() throws {
        for (extra, isTaken) in [(0, true), (1, false)] {
            let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
            let filler = String(repeating: "x", count: RequestParser.headLimit - start.utf8.count + extra)
            var parser = RequestParser()
            parser.append(Array((start + filler + "\r\n\r\n").utf8))
            if isTaken {
                #expect(try parser.next() != nil)
            } else {
                #expect(throws: HTTPRefusal.fieldsTooLarge) { try parser.next() }
            }
        }
        // One that has no end is not waited for.
        var parser = RequestParser()
        parser.append([UInt8](repeating: 0x61, count: RequestParser.headLimit))
        #expect(try parser.next() == nil)
        parser.append([0x61])
        #expect(throws: HTTPRefusal.fieldsTooLarge) { try parser.next() }

        var large = RequestParser()
        large.append(Array("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n".utf8))
        large.append([UInt8](repeating: 1, count: 65_535))
        #expect(try large.next() == nil)
        large.append([2])
        #expect(try large.next()?.body.count == 65_536)
    }

    @Test func `as many fields and empty lines as may be are taken, and one more is not`() throws {
        for (extra, isTaken) in [(0, true), (1, false)] {
            let fields = String(repeating: "X:\r\n", count: RequestParser.fieldLimit - 1 + extra)
            let lines = String(repeating: "\r\n", count: RequestParser.emptyLineLimit + extra)
            for (text, refusal) in [
                ("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", HTTPRefusal.fieldsTooLarge),
                ("\(lines)GET / HTTP/1.1\r\nHost: a\r\n\r\n", .malformed),
            ] {
                var parser = RequestParser()
                // Every request has its own.
                for _ in 1...3 {
                    parser.append(Array(text.utf8))
                    if isTaken {
                        #expect(try parser.next() != nil)
                    } else {
                        #expect(throws: refusal) { try parser.next() }
                        break
                    }
                }
            }
        }
        // Those that come one by one count like all at once.
        var parser = RequestParser()
        for _ in 0..<RequestParser.emptyLineLimit {
            parser.append([0x0D, 0x0A])
            #expect(try parser.next() == nil)
        }
        parser.append([0x0D, 0x0A])
        #expect(throws: HTTPRefusal.malformed) { try parser.next() }
    }

    @Test func `dates are written as HTTP has them`() {
        #expect(httpDate(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(httpDate(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }
}
