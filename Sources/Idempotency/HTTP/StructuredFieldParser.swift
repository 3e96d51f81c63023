// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Parses a structured field (RFC 9651) that is an Item and a String.
struct StructuredFieldParser {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The string, without its parameters, if it and they are all there is.
    mutating func parseStringItem() throws(IdempotencyKeyFieldRefused) -> [UInt8] {
        guard next == UInt8(ascii: "\"") else { throw .notAString }
        let string = try parseString()
        guard parseParameters() else { throw .parameters(at: position) }
        skipSpaces()
        if next == UInt8(ascii: ",") { throw .list(at: position) }
        guard next == nil else { throw .parameters(at: position) }
        return string
    }

    private var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    /// Steps over the next byte if it is that one.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Steps over the bytes that are allowed and says how many they are.
    private mutating func skip(while isAllowed: (UInt8) -> Bool) -> Int {
        let start = position
        while let byte = next, isAllowed(byte) { position += 1 }
        return position - start
    }

    private mutating func skipSpaces() { _ = skip { $0 == 0x20 } }

    /// Section 4.2.5.
    private mutating func parseString() throws(IdempotencyKeyFieldRefused) -> [UInt8] {
        var string: [UInt8] = []
        position += 1
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return string
            case UInt8(ascii: "\\"):
                position += 1
                guard let escaped = next, [UInt8(ascii: "\""), UInt8(ascii: "\\")].contains(escaped) else {
                    throw .escape(at: position - 1)
                }
                string.append(escaped)
            case 0x20...0x7E: string.append(byte)
            default: throw .character(byte, at: position)
            }
            position += 1
        }
        throw .unterminated
    }

    /// Section 4.2.3.2; says whether they are well formed, and stops where they are not.
    private mutating func parseParameters() -> Bool {
        while take(";") {
            skipSpaces()
            guard let first = next, first.isLowerCase || first == UInt8(ascii: "*") else { return false }
            _ = skip { $0.isLowerCase || $0.isDigit || "_-.*".utf8.contains($0) }
            if take("="), !parseBareItem() { return false }
        }
        return true
    }

    /// Section 4.2.3.1.
    private mutating func parseBareItem() -> Bool {
        switch next {
        case UInt8(ascii: "\""): return (try? parseString()) != nil
        case UInt8(ascii: "-"), .some(0x30...0x39): return parseNumber(isDecimalAllowed: true)
        case UInt8(ascii: ":"): return parseByteSequence()
        case UInt8(ascii: "?"):
            position += 1
            return take("0") || take("1")
        case UInt8(ascii: "@"):
            position += 1
            return parseNumber(isDecimalAllowed: false)
        case UInt8(ascii: "%"): return parseDisplayString()
        case .some(let byte) where byte.isLetter || byte == UInt8(ascii: "*"):
            _ = skip { $0.isLetter || $0.isDigit || "!#$%&'*+-.^_`|~:/".utf8.contains($0) }
            return true
        case .some, nil: return false
        }
    }

    /// At most 15 digits, or 12, a point and 1 to 3.
    private mutating func parseNumber(isDecimalAllowed: Bool) -> Bool {
        _ = take("-")
        let whole = skip(while: \.isDigit)
        guard isDecimalAllowed, (1...12).contains(whole), take(".") else { return (1...15).contains(whole) }
        return (1...3).contains(skip(while: \.isDigit))
    }

    private mutating func parseByteSequence() -> Bool {
        position += 1
        let count = skip { $0.isLetter || $0.isDigit || "+/".utf8.contains($0) }
        let padding = skip { $0 == UInt8(ascii: "=") }
        return padding <= 2 && (padding == 0 || (count + padding).isMultiple(of: 4)) && count % 4 != 1 && take(":")
    }

    private mutating func parseDisplayString() -> Bool {
        position += 1
        guard take("\"") else { return false }
        var decoded: [UInt8] = []
        while let byte = next, (0x20...0x7E).contains(byte) {
            position += 1
            if byte == UInt8(ascii: "\"") { return String(validating: decoded, as: UTF8.self) != nil }
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            guard let escaped = [UInt8](hexadecimal: bytes[position...].prefix(2)), escaped.count == 1 else {
                return false
            }
            decoded += escaped
            position += 2
        }
        return false
    }
}

extension UInt8 {
    fileprivate var isLowerCase: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    fileprivate var isLetter: Bool { isLowerCase || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
