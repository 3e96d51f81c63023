// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import Testing

private let digits = String(repeating: "0123456789abcdef", count: 4)
private let digest: [UInt8] = (0..<4).flatMap { _ in [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF] }
private let longID = String(repeating: "~", count: 64)

private let forms: [(String, [UInt8])] = [
    ("none", [0x00]),
    ("v1:sha256:\(digits)", [0x11] + digest),
    ("v1:hmac-sha256:a:\(digits)", [0x12, 1, 0x61] + digest),
    ("v1:hmac-sha256:\(longID):\(digits)", [0x12, 64] + [UInt8](repeating: 0x7E, count: 64) + digest),
    // What later versions may write.
    ("v1:0:00", [0x10, 0x00]),
    ("v1:3:ff", [0x13, 0xFF]),
    ("v2:1:\(digits)", [0x21] + digest),
    ("v15:14:00ff", [0xFE, 0x00, 0xFF]),
    ("v2:sha3:\(digits)", [0xFF] + Array("v2:sha3:\(digits)".utf8)),
    ("v1:sha512:x", [0xFF] + Array("v1:sha512:x".utf8)),
    ("v2:sha256:x:y~!", [0xFF] + Array("v2:sha256:x:y~!".utf8)),
    ("v16:a-1:0", [0xFF] + Array("v16:a-1:0".utf8)),
    ("v65535:z:0", [0xFF] + Array("v65535:z:0".utf8)),
]

private let malformed: [[UInt8]] = [
    [], [0x00, 0x00], [0x01], [0x0F, 1], [0x11], [0x12], [0x12, 0] + digest, [0x12, 1, 0x3A] + digest,
    [0x12, 1, 0x20] + digest, [0x12, 1, 0xFF] + digest, [0x12, 2, 0x61] + digest, [0x12, 255] + digest,
    [0x12, 65] + [UInt8](repeating: 0x7E, count: 65) + digest, [0x13], [0xFF], [0xFF, 0xFF],
    [0x21] + [UInt8](repeating: 0, count: 254),
]

@Suite struct StoredFingerprintTests {
    /// Stores keep both forms, so neither must ever change.
    @Test(arguments: forms)
    func `text and bytes say the same and read back`(text: String, bytes: [UInt8]) throws {
        let stored = try #require(StoredFingerprint(text))
        #expect(stored.description == text)
        #expect(stored.bytes == bytes)
        let read = try StoredFingerprint(bytes: bytes)
        #expect(read == stored)
        #expect(read.description == text)
        if text.hasPrefix("v1:sha256") || text.hasPrefix("v1:hmac") {
            for count in bytes.indices {
                #expect(throws: MalformedBytes.self) { try StoredFingerprint(bytes: Array(bytes.prefix(count))) }
            }
            #expect(throws: MalformedBytes.self) { try StoredFingerprint(bytes: bytes + [0]) }
        }
    }

    @Test func `what is made is what is read`() throws {
        let fingerprints = [
            .none, Fingerprint { _ in }, Fingerprint(keys: [try testKey("k")]) { $0.field("a", 1) },
        ]
        for stored in fingerprints.map(\.stored) {
            #expect(StoredFingerprint(stored.description) == stored)
            #expect(try StoredFingerprint(bytes: stored.bytes) == stored)
        }
    }

    @Test(arguments: [
        "", "None", "none:", "v1", "v1:", "v1:sha256", "v1:sha256:", "v1:sha256:\(digits.dropLast())",
        "v1:sha256:\(digits)0", "v1:sha256:\(digits.uppercased())", "v1:sha256:\(digits.dropLast())g",
        "v1:sha256:\(digits):", "v1:sha256: \(digits)", " v1:sha256:\(digits)", "V1:sha256:\(digits)",
        "1:sha256:\(digits)", "v01:sha256:\(digits)", "v+1:sha256:\(digits)", "v0:sha256:\(digits)",
        "v-1:sha256:\(digits)", "v65536:sha256:\(digits)", "v١:sha256:\(digits)",
        "v1:hmac-sha256:\(digits)", "v1:hmac-sha256::\(digits)", "v1:hmac-sha256:a b:\(digits)",
        "v1:hmac-sha256:é:\(digits)", "v1:hmac-sha256:~\(longID):\(digits)", "v1:hmac-sha256:a:b:\(digits)",
        "v1:hmac-sha256:a:", "v1:hmac-sha256:a:\(digits.dropLast())",
        // Numbers stand for algorithms without a name, and only where the bytes have room for them.
        "v1:1:\(digits)", "v1:2:\(digits)", "v15:15:00", "v16:1:00", "v2:16:00", "v2:256:00", "v2:01:00",
        "v2:+1:00", "v2:1:0", "v2:1:", "v2:1:FF", "v2:1:zz",
        "v2:Sha3:0", "v2:-a:0", "v2:1a:0", "v2::0", "v2:a", "v2:a:", "v2:a_b:0", "v2:é:0", "v2:a: ", "v2:a:é",
        "v2:a:\u{7F}", "v2:a:\(String(repeating: "0", count: 508))",
    ])
    func `a text that is not exactly one of the forms is not read`(text: String) {
        #expect(StoredFingerprint(text) == nil)
        #expect(throws: MalformedBytes.self) { try StoredFingerprint(bytes: [0xFF] + Array(text.utf8)) }
    }

    @Test(arguments: malformed)
    func `bytes that are not exactly one of the forms are not read`(bytes: [UInt8]) {
        #expect(throws: MalformedBytes.self) { try StoredFingerprint(bytes: bytes) }
    }

    /// Each form has one writing in each alphabet, so equal fingerprints are equal bytes.
    @Test(arguments: ["none", "v1:sha256:\(digits)", "v1:hmac-sha256:a:\(digits)", "v2:1:00"])
    func `bytes that carry a text are for what has no shorter form`(text: String) {
        #expect(throws: MalformedBytes.self) { try StoredFingerprint(bytes: [0xFF] + Array(text.utf8)) }
    }

    @Test func `the longest forms are taken`() throws {
        #expect(StoredFingerprint("v2:a:\(String(repeating: "0", count: 507))") != nil)
        #expect(try StoredFingerprint(bytes: [0x21] + [UInt8](repeating: 0, count: 253)).bytes.count == 254)
    }
}
