// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The digest that fingerprints and downstream keys are made of: SHA-256 (FIPS 180-4).
///
/// It is written out here because the toolchain ships none and the package depends on nothing.
struct SHA256: Hashable, Sendable {
    /// The digest, 32 bytes held inline, each word big-endian.
    let words: (UInt64, UInt64, UInt64, UInt64)

    init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// The digest of `message`.
    init(of message: [UInt8]) {
        var stream = SHA256Stream()
        stream.update(message)
        self = stream.finish()
    }

    /// The digest that those bytes are, in the order of the standard; `nil` unless they are 32.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        func word(_ start: Int) -> UInt64 { bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        words = (word(0), word(8), word(16), word(24))
    }

    /// The digest that those digits write; `nil` unless they are 64 lower-case hexadecimal ones.
    init?(hexadecimal digits: some Collection<UInt8>) {
        guard let bytes = [UInt8](hexadecimal: digits) else { return nil }
        self.init(bytes)
    }

    /// The digest in the order of the standard.
    var bytes: [UInt8] {
        let words = [words.0, words.1, words.2, words.3]
        return (0..<32).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> (56 - 8 * UInt64($0 % 8))) }
    }

    /// 64 lower-case hexadecimal digits.
    var hexadecimal: String { bytes.hexadecimal }

    /// Takes the same time wherever the two differ, since one of them may be a keyed digest.
    static func == (lhs: SHA256, rhs: SHA256) -> Bool {
        let (left, right) = (lhs.words, rhs.words)
        return (left.0 ^ right.0) | (left.1 ^ right.1) | (left.2 ^ right.2) | (left.3 ^ right.3) == 0
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

extension [UInt8] {
    /// Two lower-case hexadecimal digits for each byte.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The bytes that those digits write; `nil` unless they are pairs of lower-case hexadecimal ones.
    init?(hexadecimal digits: some Collection<UInt8>) {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var (bytes, high) = ([UInt8](), UInt8?.none)
        bytes.reserveCapacity(digits.count / 2)
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        self = bytes
    }
}
