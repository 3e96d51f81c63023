// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import Testing

@Suite struct SHA256Tests {
    /// The first four and the last are vectors of FIPS 180; the rest cross the boundaries of a block and its padding.
    @Test(arguments: [
        ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
                + "nopqrstu", 1,
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        ("a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
        ("a", 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
        ("a", 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"),
        ("a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
        ("a", 65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"),
        ("a", 119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"),
        ("a", 120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"),
        ("a", 127, "c57e9278af78fa3cab38667bef4ce29d783787a2f731d4e12200270f0c32320a"),
        ("a", 128, "6836cf13bac400e9105071cd6af47084dfacad4e5e302c94bfed24e013afb73e"),
        ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func `the digest is the standard's`(text: String, times: Int, expected: String) {
        let message = Array(String(repeating: text, count: times).utf8)
        #expect(SHA256(of: message).hexadecimal == expected)
    }

    /// A message of that many bytes, none of which is where another length has it.
    private func message(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: 7 * $0 + count) } }

    @Test func `every length up to 200 bytes has the digest that the standard defines`() {
        var all: [UInt8] = []
        for count in 0...200 {
            let digest = SHA256(of: message(count)).bytes
            #expect(digest == definedSHA256(message(count)), "\(count) bytes")
            all += digest
        }
        // Made by another implementation: the digest of the 201 digests.
        #expect(SHA256(of: all).hexadecimal == "e673d33f6940a6d3856d0d305fd88363ae0ba3b96e2411d8ddd5e0dd443f4525")
    }

    @Test func `the parts in which a message comes make no difference`() {
        let message = message(200)
        let whole = SHA256(of: message)
        for first in 0...200 {
            for second in [first, (first + 200) / 2, min(first + 64, 200)] {
                var stream = SHA256Stream()
                for part in [message[..<first], message[first..<second], message[second...]] {
                    stream.update(Array(part))
                }
                #expect(stream.finish() == whole, "cut at \(first) and \(second)")
            }
        }
        var (bytes, text) = (SHA256Stream(), SHA256Stream())
        for byte in message { bytes.update([byte]) }
        #expect(bytes.finish() == whole)
        for part in ["", "é", String(repeating: "ü", count: 100), "z"] { text.update(part) }
        #expect(text.finish() == SHA256(of: Array(("é" + String(repeating: "ü", count: 100) + "z").utf8)))
    }

    @Test func `digests differ if any byte does, and read back`() {
        let bytes = SHA256(of: []).bytes
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 0x10
            #expect(SHA256(other) != SHA256(bytes))
            #expect(SHA256(other)?.bytes == other)
        }
        #expect(SHA256(Array(bytes.dropLast())) == nil)
        #expect(SHA256(bytes + [0]) == nil)
    }
}

private let definedConstants = primes.map { fractionOfRoot($0, 3) }
private let definedStart = primes.prefix(8).map { fractionOfRoot($0, 2) }
private let primes = (2...311).filter { number in !(2..<number).contains { number.isMultiple(of: $0) } }

/// The first 32 bits of the fraction of a number's second or third root.
private func fractionOfRoot(_ number: Int, _ power: Int) -> UInt32 {
    let scaled = UInt128(number) << UInt128(32 * power)
    var root: UInt128 = 0
    for bit in (0..<40).reversed() {
        let candidate = root | 1 << UInt128(bit)
        if (0..<power).reduce(UInt128(1), { product, _ in product * candidate }) <= scaled { root = candidate }
    }
    return UInt32(truncatingIfNeeded: root)
}

/// SHA-256 word for word as FIPS 180-4 defines it, with the constants by their definition.
private func definedSHA256(_ message: [UInt8]) -> [UInt8] {
    var hash = definedStart
    func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
    var padded = message + [0x80]
    while padded.count % 64 != 56 { padded.append(0) }
    padded += (0..<8).reversed().map { UInt8(truncatingIfNeeded: (8 * message.count) >> (8 * $0)) }
    for start in stride(from: 0, to: padded.count, by: 64) {
        var w = (0..<16).map { index in
            padded[(start + 4 * index)..<(start + 4 * index + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        for t in 16..<64 {
            let sigma0 = rotated(w[t - 15], 7) ^ rotated(w[t - 15], 18) ^ w[t - 15] >> 3
            let sigma1 = rotated(w[t - 2], 17) ^ rotated(w[t - 2], 19) ^ w[t - 2] >> 10
            w.append(sigma1 &+ w[t - 7] &+ sigma0 &+ w[t - 16])
        }
        var v = hash
        for t in 0..<64 {
            let sum1 = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25)
            let choice = (v[4] & v[5]) ^ (~v[4] & v[6])
            let t1 = v[7] &+ sum1 &+ choice &+ definedConstants[t] &+ w[t]
            let sum0 = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22)
            let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2])
            v = [t1 &+ sum0 &+ majority, v[0], v[1], v[2], v[3] &+ t1, v[4], v[5], v[6]]
        }
        hash = zip(hash, v).map { $0 &+ $1 }
    }
    return hash.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
}
