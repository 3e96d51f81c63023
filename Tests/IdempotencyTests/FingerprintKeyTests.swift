// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import Testing

/// The test cases 1 to 4, 6 and 7 of RFC 4231.
private let vectors: [([UInt8], [UInt8], String)] = [
    (
        [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
        Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
        [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
        Array(1...25), [UInt8](repeating: 0xCD, count: 50),
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    ),
    (
        [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    (
        [UInt8](repeating: 0xAA, count: 131),
        Array(
            ("This is a test using a larger than block-size key and a larger than block-size data. "
                + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    ),
]

@Suite struct FingerprintKeyTests {
    @Test(arguments: vectors)
    func `the code is the standard's`(secret: [UInt8], message: [UInt8], expected: String) {
        #expect(HMACSHA256(secret: secret).authenticate(message).hexadecimal == expected)
    }

    @Test func `a secret of exactly one block is not hashed, and one of a byte more is`() {
        let message = Array("m".utf8)
        func code(_ secret: [UInt8]) -> SHA256 { HMACSHA256(secret: secret).authenticate(message) }
        let (block, longer) = ([UInt8](repeating: 7, count: 64), [UInt8](repeating: 7, count: 65))
        #expect(code(block) != code(SHA256(of: block).bytes))
        #expect(code(longer) == code(SHA256(of: longer).bytes))
    }

    @Test(arguments: [1, 64]) func `names of up to 64 visible bytes are taken`(count: Int) throws {
        let id = String(repeating: "~", count: count)
        #expect(try testKey(id).id == id)
        #expect(try testKey("!\"#$%&'()*+,-./;<=>?@[]^_`{|}").id == "!\"#$%&'()*+,-./;<=>?@[]^_`{|}")
        #expect(FingerprintKey.unkeyed.id == nil)
    }

    @Test func `names and secrets that are not taken are refused with the reason`() throws {
        let secret = [UInt8](repeating: 1, count: 16)
        func refusal(_ field: String, _ size: Int, _ allowed: ClosedRange<Int>) -> FingerprintKeyRefused {
            .size(RefusedInput(field: field, size: size, allowed: allowed))
        }
        let rows: [(String, [UInt8], FingerprintKeyRefused)] = [
            ("", secret, refusal("id", 0, 1...64)),
            (String(repeating: "a", count: 65), secret, refusal("id", 65, 1...64)),
            ("a:b", secret, .character(":")),
            ("a b", secret, .character(" ")),
            ("a\u{7F}", secret, .character("\u{7F}")),
            ("é", secret, .character("é")),
            ("a", [], refusal("secret", 0, 16...1_024)),
            ("a", Array(secret.dropLast()), refusal("secret", 15, 16...1_024)),
            ("a", [UInt8](repeating: 1, count: 1_025), refusal("secret", 1_025, 16...1_024)),
        ]
        for (id, secret, expected) in rows {
            #expect(throws: expected) { try FingerprintKey(id: id, secret: secret) }
        }
        #expect(FingerprintKeyRefused.character(":").description == "id contains U+3A")
        #expect(refusal("secret", 15, 16...1_024).description == "secret is 15, allowed are 16 to 1024")
        _ = try FingerprintKey(id: "a", secret: secret)
        _ = try FingerprintKey(id: "a", secret: [UInt8](repeating: 1, count: 1_024))
    }

    @Test func `no text of a key shows anything but its name`() throws {
        let key = try testKey("2026-11")
        var dumped = ""
        dump([key], to: &dumped)
        #expect("\(key)" == "fingerprint key 2026-11")
        #expect(String(reflecting: key) == "fingerprint key 2026-11")
        #expect("\(FingerprintKey.unkeyed)" == "no fingerprint key")
        #expect(Array(Mirror(reflecting: key).children.compactMap(\.label)) == ["id"])
        #expect(dumped.contains("2026-11"))
        #expect(!dumped.contains("code") && !dumped.contains("inner"))
    }
}
