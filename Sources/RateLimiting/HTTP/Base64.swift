// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The base64 of RFC 4648, section 4.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let chunk = bytes[start..<min(start + 3, bytes.count)]
            var bits = chunk.reduce(0) { $0 << 8 | UInt32($1) }
            bits <<= UInt32(24 - chunk.count * 8)
            for place in 0..<4 {
                let shift = UInt32(18 - place * 6)
                text.append(place <= chunk.count ? alphabet[Int(bits >> shift & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes; `nil` if the text has another character, or a length that no bytes have. Padding may be left out, and
    /// bits that go with no byte are not looked at.
    static func bytes(_ text: Substring) -> [UInt8]? {
        var (bits, count) = (UInt32(0), 0)
        var bytes: [UInt8] = []
        var isPadding = false
        var length = 0
        for character in text.utf8 {
            length += 1
            if character == UInt8(ascii: "=") {
                isPadding = true
                continue
            }
            guard !isPadding, let value = alphabet.firstIndex(of: character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        // Six bits alone are no byte, and padding fills up four characters.
        return count == 6 || isPadding && length % 4 != 0 ? nil : bytes
    }
}
