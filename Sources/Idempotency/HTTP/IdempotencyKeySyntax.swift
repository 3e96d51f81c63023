// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How the `Idempotency-Key` field of a request is written.
///
/// The draft draft-ietf-httpapi-idempotency-key-header makes it an Item of RFC 9651 that is a String:
/// `Idempotency-Key: "8e03978e-40d5-43e8-bc93-6894a57f9324"`. Its parameters are checked and have no meaning. Many
/// clients in the field send the bare key instead.
public enum IdempotencyKeySyntax: Hashable, Sendable {
    /// The draft's: a quoted string, in which a backslash escapes a quote or a backslash.
    case string
    /// The draft's, or the bare key: visible ASCII without comma, semicolon, quote and backslash. `"abc"` and `abc` are
    /// the same key.
    case stringOrBare

    /// The key that those field lines carry, 1 to 255 characters of ASCII.
    ///
    /// A key is never cut, and of several none is chosen: both would make one key of two.
    ///
    /// - Parameter lines: The values of all lines of the field, in any order.
    /// - Throws: ``IdempotencyKeyFieldRefused`` saying what is wrong.
    public func parse(_ lines: [String]) throws(IdempotencyKeyFieldRefused) -> String {
        guard let line = lines.first else { throw .missing }
        guard lines.count == 1 else { throw .repeated(lines: lines.count) }
        let bytes = Array(line.utf8)
        var rest = bytes[...]
        while let byte = rest.first, Self.isWhitespace(byte) { rest.removeFirst() }
        while let byte = rest.last, Self.isWhitespace(byte) { rest.removeLast() }
        let key: [UInt8]
        if self == .stringOrBare, let first = rest.first, first != UInt8(ascii: "\"") {
            key = try Self.bareKey(rest)
        } else {
            var parser = StructuredFieldParser(rest)
            key = try parser.parseStringItem()
        }
        guard IdempotencyKey.allowed.contains(key.count) else {
            throw .size(RefusedInput(field: "Idempotency-Key", size: key.count, allowed: IdempotencyKey.allowed))
        }
        return String(decoding: key, as: UTF8.self)
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func bareKey(_ bytes: ArraySlice<UInt8>) throws(IdempotencyKeyFieldRefused) -> [UInt8] {
        for (index, byte) in zip(bytes.indices, bytes) {
            switch byte {
            case UInt8(ascii: ","): throw .list(at: index)
            case UInt8(ascii: ";"), UInt8(ascii: "\""), UInt8(ascii: "\\"): throw .character(byte, at: index)
            case 0x21...0x7E: continue
            default: throw .character(byte, at: index)
            }
        }
        return Array(bytes)
    }
}

/// An `Idempotency-Key` field that is not taken; nothing was stored and nothing ran.
///
/// Offsets count the bytes of the field's value.
public enum IdempotencyKeyFieldRefused: Permanent, Hashable, CustomStringConvertible {
    /// There is no field, and one is required.
    case missing
    /// The field has several lines.
    case repeated(lines: Int)
    /// The field has several values, the first of which ends there.
    case list(at: Int)
    /// The value is not a quoted string.
    case notAString
    /// The closing quote is missing.
    case unterminated
    /// A byte that a key may not have.
    case character(UInt8, at: Int)
    /// A backslash that escapes neither a quote nor a backslash.
    case escape(at: Int)
    /// What follows the string is not parameters.
    case parameters(at: Int)
    /// The key is empty or longer than 255 bytes.
    case size(RefusedInput)

    /// What is wrong.
    public var description: String {
        switch self {
        case .missing: "the field is missing"
        case .repeated(let lines): "the field has \(lines) lines"
        case .list(let offset): "the field has more than one value, at byte \(offset)"
        case .notAString: "the value is not a string in quotes"
        case .unterminated: "the closing quote is missing"
        case .character(let byte, let offset): "the byte 0x\(String(byte, radix: 16)) at byte \(offset) is not allowed"
        case .escape(let offset): "the escape at byte \(offset) is not one"
        case .parameters(let offset): "the parameters are malformed at byte \(offset)"
        case .size(let input): "\(input)"
        }
    }
}
