// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A fingerprint as a store keeps it: which version, algorithm and key made it, and the digest.
///
/// | Text | Bytes | Made by |
/// |---|---|---|
/// | `none` | `00` | ``Fingerprint/none`` |
/// | `v1:sha256:<digest>` | `11`, the digest | version 1 without a key |
/// | `v1:hmac-sha256:<id>:<digest>` | `12`, the length of the identifier, the identifier, the digest | version 1 by a key |
/// | `v<version>:<number>:<rest>` | version and number in a nibble each, the rest | a later version, read as bytes |
/// | `v<version>:<name>:<rest>` | `FF`, the text | a later version, read as text |
///
/// Digests in texts are 64 lower-case hexadecimal digits. What a later version made is kept as it is and compares as
/// ``FingerprintComparison/incomparable``, so that an older process neither fails on it nor spoils it.
public struct StoredFingerprint: Hashable, Sendable, LosslessStringConvertible {
    /// The bytes that the text of a later version's fingerprint may have.
    static let longestText = 512

    private enum Form: Hashable {
        case none
        case sha256(SHA256)
        case keyed(id: String, SHA256)
        /// The text of what this version cannot compare.
        case opaque(String)
    }

    private let form: Form

    private init(_ form: Form) { self.form = form }

    init(sha256 digest: SHA256) { form = .sha256(digest) }

    init(keyed digest: SHA256, by id: String) { form = .keyed(id: id, digest) }

    static let none = StoredFingerprint(.none)

    func compared(to other: StoredFingerprint) -> FingerprintComparison {
        switch (form, other.form) {
        case (.none, .none): .same
        case (.sha256(let own), .sha256(let other)): own == other ? .same : .different
        case (.keyed(let id, let own), .keyed(let otherID, let other)) where id == otherID:
            own == other ? .same : .different
        case (.none, _), (.sha256, _), (.keyed, _), (.opaque, _): .incomparable
        }
    }
}

// MARK: - Text

extension StoredFingerprint {
    /// The text of a form, as the table shows.
    public var description: String {
        switch form {
        case .none: "none"
        case .sha256(let digest): "v1:sha256:\(digest.hexadecimal)"
        case .keyed(let id, let digest): "v1:hmac-sha256:\(id):\(digest.hexadecimal)"
        case .opaque(let text): text
        }
    }

    /// Reads the text of a fingerprint; `nil` if it does not have one of the forms exactly.
    public init?(_ description: String) {
        if description == "none" {
            form = .none
            return
        }
        let parts = description.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let version = Self.version(parts[0]) else { return nil }
        let (algorithm, rest) = (parts[1], parts[2])
        switch (version, algorithm) {
        case (1, "sha256"):
            guard let digest = SHA256(hexadecimal: rest.utf8) else { return nil }
            form = .sha256(digest)
        case (1, "hmac-sha256"):
            let keyed = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard keyed.count == 2, FingerprintKey.isID(keyed[0]), let digest = SHA256(hexadecimal: keyed[1].utf8)
            else { return nil }
            form = .keyed(id: String(keyed[0]), digest)
        default:
            guard Self.isOpaque(version, algorithm, rest), description.utf8.count <= Self.longestText else {
                return nil
            }
            form = .opaque(description)
        }
    }

    /// The number after `v`: 1 to 65,535, without leading zeros.
    private static func version(_ text: Substring) -> UInt16? {
        guard text.first == "v", let version = UInt16(text.dropFirst()), version > 0, text == "v\(version)" else {
            return nil
        }
        return version
    }

    /// Whether a later version may write this: an algorithm by its name and something visible, or by its number and
    /// bytes in hexadecimal digits.
    private static func isOpaque(_ version: UInt16, _ algorithm: Substring, _ rest: Substring) -> Bool {
        guard !rest.isEmpty else { return false }
        if let number = UInt8(algorithm) {
            return code(version, number) != nil && algorithm == "\(number)" && [UInt8](hexadecimal: rest.utf8) != nil
        }
        return "a"..."z" ~= algorithm.first ?? " "
            && algorithm.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789-".utf8.contains($0) }
            && rest.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

// MARK: - Bytes

extension StoredFingerprint {
    /// The first byte of a form that carries its text.
    private static let textCode: UInt8 = 0xFF

    /// The first byte of an algorithm that has a number and no name here; `nil` if there is none.
    private static func code(_ version: UInt16, _ number: UInt8) -> UInt8? {
        guard (1...15).contains(version), number <= 15 else { return nil }
        let code = UInt8(version) << 4 | number
        return [0x11, 0x12, textCode].contains(code) ? nil : code
    }

    /// The bytes of a form, as the table shows: the digest and 1 byte, or 2 and the key's identifier.
    package var bytes: [UInt8] {
        switch form {
        case .none: return [0x00]
        case .sha256(let digest): return [0x11] + digest.bytes
        case .keyed(let id, let digest): return [0x12, UInt8(id.utf8.count)] + id.utf8 + digest.bytes
        case .opaque(let text):
            let parts = text.split(separator: ":", maxSplits: 2)
            if let version = Self.version(parts[0]), let number = UInt8(parts[1]),
                let code = Self.code(version, number), let rest = [UInt8](hexadecimal: parts[2].utf8)
            {
                return [code] + rest
            }
            return [Self.textCode] + text.utf8
        }
    }

    /// Reads the bytes of a fingerprint, all of them.
    ///
    /// - Throws: `MalformedBytes` if they do not have one of the forms exactly.
    package init(bytes: [UInt8]) throws(MalformedBytes) {
        guard let code = bytes.first else { throw MalformedBytes(offset: 0) }
        let rest = bytes.dropFirst()
        switch code {
        case 0x00:
            guard rest.isEmpty else { throw MalformedBytes(offset: 1) }
            form = .none
        case 0x11:
            form = .sha256(try Self.digest(rest))
        case 0x12:
            var reader = ByteReader(rest)
            let count = Int(try reader.readUInt8())
            guard rest.count == 1 + count + 32,
                let id = String(validating: rest.dropFirst().prefix(count), as: UTF8.self), FingerprintKey.isID(id)
            else { throw MalformedBytes(offset: 1) }
            form = .keyed(id: id, try Self.digest(rest.suffix(32)))
        case Self.textCode:
            guard let text = String(validating: rest, as: UTF8.self), let read = StoredFingerprint(text),
                read.bytes == bytes
            else { throw MalformedBytes(offset: 1) }
            self = read
        default:
            let text = "v\(code >> 4):\(code & 15):\(Array(rest).hexadecimal)"
            guard let read = StoredFingerprint(text) else { throw MalformedBytes(offset: 0) }
            self = read
        }
    }

    /// Writes the length of the bytes and the bytes.
    func write(to writer: inout ByteWriter) {
        guard case .sha256(let digest) = form else { return writer.write(bytes) }
        // The commonest form, without an array.
        writer.write(UInt8(33))
        writer.write(UInt8(0x11))
        writer.write(digest.words.0.byteSwapped)
        writer.write(digest.words.1.byteSwapped)
        writer.write(digest.words.2.byteSwapped)
        writer.write(digest.words.3.byteSwapped)
    }

    /// Reads what ``write(to:)`` has written.
    init(from reader: inout ByteReader) throws(MalformedBytes) {
        var ahead = reader
        guard try ahead.readCount() == 33, try ahead.readUInt8() == 0x11 else {
            try self.init(bytes: reader.readBytes())
            return
        }
        reader = ahead
        let words = (
            try reader.readUInt64().byteSwapped, try reader.readUInt64().byteSwapped,
            try reader.readUInt64().byteSwapped, try reader.readUInt64().byteSwapped
        )
        self.init(sha256: SHA256(words: words))
    }

    private static func digest(_ bytes: ArraySlice<UInt8>) throws(MalformedBytes) -> SHA256 {
        guard let digest = SHA256(Array(bytes)) else { throw MalformedBytes(offset: bytes.startIndex) }
        return digest
    }
}
