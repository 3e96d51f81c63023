// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import tenant_limits

@Suite struct KeyRuleTests {
    private static func line(
        client: String = "h", user: [UInt8] = [45], request: String = "GET / HTTP/1.1"
    ) throws -> AccessLine {
        let bytes = Array("\(client) - ".utf8) + user + Array(" [10/Oct/2000:13:55:36 -0700] \"\(request)\" 200 1".utf8)
        return try AccessLine(bytes[...])
    }

    @Test(arguments: [
        ("198.51.100.7", "198.51.100.7"), ("client.example", "client.example"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:DB8:1:2::6", "2001:db8:1:2::/64"),
        ("2001:0db8:0001:0002::", "2001:db8:1:2::/64"), ("2001:db8::1", "2001:db8:0:0::/64"), ("::1", "0:0:0:0::/64"),
        ("::", "0:0:0:0::/64"), ("1:2:3:4:5:6:7::", "1:2:3:4::/64"), ("fe80::1%eth0", "fe80:0:0:0::/64"),
        // An IPv4 address in IPv6 form is the IPv4 address.
        ("::ffff:198.51.100.7", "198.51.100.7"), ("::FFFF:c633:6407", "198.51.100.7"),
        ("64:ff9b::198.51.100.7", "64:ff9b:0:0::/64"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4::/64"),
        // What looks like an address and is none stays as it is.
        (":", ":"), (":::", ":::"), ("1:2:3:4:5:6:7", "1:2:3:4:5:6:7"), ("1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:9"),
        ("1::2::3", "1::2::3"), ("::1::", "::1::"), ("12345::", "12345::"), ("g::", "g::"),
        ("1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7:8:"),
        (":1:2:3:4:5:6:7:8", ":1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:8::"),
        ("::1.2.3", "::1.2.3"), ("::1.2.3.256", "::1.2.3.256"), ("::1.2.3.4:5", "::1.2.3.4:5"), ("%:", "%:"),
        ("example.org:443", "example.org:443"),
    ])
    func `a client is an address, or an IPv6 network`(_ client: String, _ key: String) throws {
        #expect(try KeyRule.client.key(of: Self.line(client: client)) == key)
    }

    @Test(arguments: [
        ("GET /api/orders?page=2 HTTP/1.1", "/api"), ("GET /api", "/api"), ("GET /?a=/b HTTP/1.1", "/"),
        ("GET /a#b/c HTTP/1.1", "/a"), ("GET //a HTTP/1.1", "/"), ("POST /a/ HTTP/1.1", "/a"),
        ("OPTIONS * HTTP/1.1", "-"),
        ("CONNECT example.org:443 HTTP/1.1", "-"), ("-", "-"), ("", "-"), ("/a", "-"), (#"\x16\x03\x01"#, "-"),
    ])
    func `a path has a first part`(_ request: String, _ key: String) throws {
        #expect(try KeyRule.pathPrefix.key(of: Self.line(request: request)) == key)
    }

    @Test func `a user need not be UTF-8, and a key has a longest length`() throws {
        #expect(try KeyRule.user.key(of: Self.line(user: [0x61, 0xFF, 0xC3])) == "a\u{FFFD}\u{FFFD}")
        let longest = Array(repeating: UInt8(ascii: "u"), count: KeyRule.longest)
        #expect(try KeyRule.user.key(of: Self.line(user: longest)).utf8.count == KeyRule.longest)
        let line = try Self.line(user: longest + [0x75])
        #expect(throws: AccessLine.Problem.keyTooLong) { try KeyRule.user.key(of: line) }
        #expect(try KeyRule.client.key(of: line) == "h")
    }
}

@Suite struct DisplayTests {
    @Test(arguments: [
        ("198.51.100.7", "198.51.100.7"), ("a\u{1B}[2Jb\n\u{202E}c\u{FFFE}", #"a\u{1b}[2Jb\u{a}\u{202e}c\u{fffe}"#),
        (String(repeating: "x", count: 40), String(repeating: "x", count: 40)),
        (String(repeating: "x", count: 41), String(repeating: "x", count: 39) + "…"), ("Zoë 山", "Zoë 山"),
    ])
    func `what a stranger wrote does nothing to a terminal`(_ text: String, _ shown: String) {
        #expect(text.displayed == shown)
    }
}
