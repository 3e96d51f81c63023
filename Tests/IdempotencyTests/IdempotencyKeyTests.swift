// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import Testing

@Suite struct IdempotencyKeyTests {
    @Test(arguments: [
        ("", "empty"), (String(repeating: "k", count: 256), "one byte too long"),
        (String(repeating: "é", count: 128), "256 bytes in 128 characters"),
    ])
    func `a part of a size that is not taken is refused by its name`(part: String, why: String) {
        let size = part.utf8.count
        func refusal(_ field: String) -> IdempotencyKeyRefused {
            .size(RefusedInput(field: field, size: size, allowed: 1...255))
        }
        #expect(throws: refusal("tenant")) { try IdempotencyKey(tenant: part, operation: "o", key: "k") }
        #expect(throws: refusal("operation")) { try IdempotencyKey(tenant: "t", operation: part, key: "k") }
        #expect(throws: refusal("key")) { try IdempotencyKey(tenant: "t", operation: "o", key: part) }
    }

    @Test(arguments: ["\0", "\n", "\u{1F}", "\u{7F}", "\u{85}", "\u{9F}"])
    func `control characters are refused`(control: Unicode.Scalar) {
        #expect(throws: IdempotencyKeyRefused.controlCharacter(field: "key", control)) {
            try IdempotencyKey(tenant: "t", operation: "o", key: "a\(control)b")
        }
    }

    @Test func `255 bytes are taken for every part, and the record's name is within its limit`() throws {
        let part = String(repeating: "é", count: 127) + "~"
        let key = try IdempotencyKey(tenant: part, operation: part, key: part)
        #expect(key.recordID.key.utf8.count == 777)
        #expect(RecordLimits.key.contains(777))
        #expect(try IdempotencyKey(tenant: " ", operation: "\u{A0}", key: "x y").key == "x y")
    }

    @Test func `moving a byte from one part to the next makes another key`() throws {
        let parts = [
            ("a", "bc", "d"), ("ab", "c", "d"), ("a", "b", "cd"), ("abc", "d", "1:"), ("a", "1:b", "c"),
            ("a1:b", "c", "1"), ("1", ":", "1:1:"), ("e\u{301}", "o", "k"), ("\u{E9}", "o", "k"),
        ]
        let keys = try parts.map { try IdempotencyKey(tenant: $0.0, operation: $0.1, key: $0.2) }
        #expect(Set(keys).count == parts.count)
        #expect(Set(keys.map(\.recordID)).count == parts.count)
        for key in keys { #expect(IdempotencyKey(key.recordID) == key) }
    }

    @Test(arguments: [
        "", "1:a", "1:a1:b", "1:a1:b2:c", "1:a1:b1:cx", "01:a1:b1:c", "0:1:b1:c", "-1:a1:b1:c", "x:a1:b1:c",
        "9223372036854775807:a1:b1:c", "-99:a1:b1:c", "2:é1:b1:\0",
    ])
    func `a record's name that no key has is not one`(name: String) {
        #expect(IdempotencyKey(RecordID(IdempotencyKey.collection, name)) == nil)
        #expect(IdempotencyKey(RecordID("other", "1:a1:b1:c")) == nil)
    }
}

@Suite struct DownstreamKeyTests {
    private func key(_ tenant: String, _ operation: String, _ key: String) throws -> IdempotencyKey {
        try IdempotencyKey(tenant: tenant, operation: operation, key: key)
    }

    /// Providers have seen these keys, so they must never change.
    @Test func `a downstream key depends on the key and the step alone, and has the form of a UUID`() throws {
        let downstream = try key("acme", "charge", "k").downstreamKey("charge")
        #expect(downstream == "323bcc69-3ab1-880e-93d5-3cdf6f8ba8d0")
    }

    @Test func `every part counts, with its bounds`() throws {
        let keys = try [
            key("a", "b", "c").downstreamKey("d"), key("ab", "c", "d").downstreamKey("e"),
            key("a", "bc", "d").downstreamKey("e"), key("a", "b", "cd").downstreamKey("e"),
            key("a", "b", "c").downstreamKey("de"), key("a", "b", "c").downstreamKey(""),
        ]
        #expect(Set(keys).count == keys.count)
        for key in keys {
            #expect(key.utf8.count == 36)
            let parts = key.split(separator: "-")
            #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
            #expect(parts[2].first == "8" && "89ab".contains(parts[3].first ?? " "))
            #expect(key.allSatisfy { "0123456789abcdef-".contains($0) })
        }
    }
}
