// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import Testing

private let response = HTTPResponseRecord(
    status: 201,
    fields: [
        HTTPFieldLine("Content-Type", "application/json"), HTTPFieldLine("Location", "/charges/1"),
        HTTPFieldLine("link", "<a>"), HTTPFieldLine("Link", "<é>"), HTTPFieldLine("empty", ""),
    ], body: [0, 255, 10])

@Suite struct HTTPResponseRecordTests {
    @Test(arguments: [
        response, HTTPResponseRecord(status: 100), HTTPResponseRecord(status: 999, body: []),
        HTTPResponseRecord(status: 200, body: [UInt8](repeating: 7, count: 300)),
        HTTPResponseRecord(
            status: 200, fields: (0..<30).map { HTTPFieldLine("n\($0)", String(repeating: "v", count: $0)) }),
    ])
    func `a response reads back, and no part of it does`(response: HTTPResponseRecord) throws {
        let bytes = response.encoded
        #expect(try HTTPResponseRecord(encoded: bytes) == response)
        for count in bytes.indices {
            #expect(throws: MalformedBytes.self) { try HTTPResponseRecord(encoded: Array(bytes.prefix(count))) }
        }
        #expect(throws: MalformedBytes.self) { try HTTPResponseRecord(encoded: bytes + [0]) }
    }

    /// Stores keep responses for as long as outcomes are retained, so version 1 must never change.
    @Test func `version 1 stays what it is`() {
        let response = HTTPResponseRecord(status: 200, fields: [HTTPFieldLine("a", "bc")], body: [9, 8])
        #expect(response.encoded == [1, 0xC8, 0x01, 1, 1, 0x61, 2, 0x62, 0x63, 2, 9, 8])
    }

    @Test(
        arguments: [
            [], [0, 0xC8, 0x01, 0, 0], [2, 0xC8, 0x01, 0, 0], [1, 99, 0, 0], [1, 0xE8, 0x07, 0, 0],
            [1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0, 0],
            [1, 0xC8, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0], [1, 0xC8, 0x01, 1, 1, 0xFF, 0, 0],
            [1, 0xC8, 0x01, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
        ] as [[UInt8]])
    func `malformed bytes are refused`(bytes: [UInt8]) {
        #expect(throws: MalformedBytes.self) { try HTTPResponseRecord(encoded: bytes) }
    }

    @Test func `fields of one connection, one transfer or one session are not stored`() {
        let response = HTTPResponseRecord(
            status: 200,
            fields: [
                HTTPFieldLine("Connection", "close, X-Hop"), HTTPFieldLine("connection", "\tX-Other"),
                HTTPFieldLine("x-hop", "1"), HTTPFieldLine("X-OTHER", "1"), HTTPFieldLine("X-Kept", "1"),
                HTTPFieldLine("Keep-Alive", "timeout=5"), HTTPFieldLine("Proxy-Connection", "close"),
                HTTPFieldLine("TE", "trailers"), HTTPFieldLine("Trailer", "Expires"), HTTPFieldLine("Upgrade", "h2c"),
                HTTPFieldLine("TRANSFER-ENCODING", "chunked"), HTTPFieldLine("Content-Length", "2"),
                HTTPFieldLine("Date", "Sat, 21 Nov 2026 12:00:00 GMT"), HTTPFieldLine("Set-Cookie", "session=1"),
                HTTPFieldLine("ETag", "1"), HTTPFieldLine("X-Kept", "2"),
            ], body: [1])
        let kept = [HTTPFieldLine("X-Kept", "1"), HTTPFieldLine("ETag", "1"), HTTPFieldLine("X-Kept", "2")]
        #expect(response.removingFields() == HTTPResponseRecord(status: 200, fields: kept, body: [1]))
        #expect(response.removingFields(["etag"]).fields.count == response.fields.count - 3)
    }

    @Test func `a field that is set stands once`() {
        let marked = response.setting("LINK", to: "x").setting("new", to: "y")
        #expect(marked.fields.map(\.name) == ["Content-Type", "Location", "empty", "LINK", "new"])
        #expect(marked.status == 201 && marked.body == response.body)
    }

    @Test func `a status without three digits ends the process`() async {
        await #expect(processExitsWith: .failure) { _ = HTTPResponseRecord(status: 99) }
        await #expect(processExitsWith: .failure) { _ = HTTPResponseRecord(status: 1_000) }
    }
}

@Suite struct HTTPFingerprintTests {
    private func print(
        _ method: String = "POST", _ path: String = "/a", _ query: String? = nil, _ fields: [(String, String)] = [],
        _ body: String = "b"
    ) -> Fingerprint {
        Fingerprint(
            method: method, path: path, query: query, fields: fields.map { HTTPFieldLine($0.0, $0.1) },
            body: Array(body.utf8))
    }

    @Test func `every part counts, and the order and the case of the fields' names do not`() {
        let different = [
            print(), print("PATCH"), print("POST", "/b"), print("POST", "/a", ""), print("POST", "/a", "b"),
            print("POST", "/a?b"), print("POST", "/a", nil, [("body", "b")], ""), print("POST", "/a", nil, [], ""),
            print("POST", "/a", nil, [("a", "")]), print("POST", "/a", nil, [("a", "1")]),
            print("POST", "/a", nil, [("a", "1"), ("a", "2")]), print("POST", "/a", nil, [("a", "2"), ("a", "1")]),
            print("POST", "/a", nil, [("a", "1"), ("b", "2")]),
        ]
        #expect(Set(different).count == different.count)
        let one = print("POST", "/a", nil, [("Accept", "1"), ("b", "2"), ("ACCEPT", "3")])
        #expect(one == print("POST", "/a", nil, [("B", "2"), ("accept", "1"), ("Accept", "3")]))
        #expect(one == print("POST", "/a", nil, [("b", "2"), ("accept", "1, 3")]))
    }

    @Test func `it can be made by a key`() throws {
        let key = try testKey("k")
        let keyed = Fingerprint(method: "POST", path: "/a", body: [1], keys: [key, .unkeyed])
        #expect(keyed.description.hasPrefix("v1:hmac-sha256:k:"))
        #expect(keyed.compared(to: Fingerprint(method: "POST", path: "/a", body: [1]).stored) == .same)
    }
}
