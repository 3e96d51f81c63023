// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An item of a structured field (RFC 9651), as far as the fields of rate limits have them.
struct StructuredItem: Equatable {
    enum Value: Equatable {
        case string(String)
        case integer(Int)
        /// A decimal, a token, a boolean, a date or a display string: known to be well formed, of no meaning here.
        case other
        case bytes([UInt8])
    }

    var value: Value
    var parameters: [String: Value] = [:]

    /// The largest integer that a structured field can have, and its negative is the smallest.
    static let largestInteger = 999_999_999_999_999

    static func integer(_ value: Int) -> String { "\(min(max(value, -largestInteger), largestInteger))" }

    static func string(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\" + String(scalar)
            case " "..."~": text.unicodeScalars.append(scalar)
            default: text += "_"
            }
        }
        return text + "\""
    }

    static func bytes(_ value: [UInt8]) -> String { ":" + Base64.text(value) + ":" }
}

/// Reads a list of items with parameters, or a dictionary of them, from the values of a structured field; the form is
/// that of RFC 9651.
struct StructuredListParser {
    private var rest: Substring.UTF8View

    /// The items; `nil` if the field is malformed, or has an inner list, which none of these fields has.
    static func items(_ values: [String]) -> [StructuredItem]? {
        var items: [StructuredItem] = []
        let isWellFormed = read(values) { parser in
            guard let item = parser.item() else { return false }
            items.append(item)
            return true
        }
        return isWellFormed ? items : nil
    }

    /// The members of a dictionary; `nil` if the field is malformed.
    static func members(_ values: [String]) -> [String: StructuredItem]? {
        var members: [String: StructuredItem] = [:]
        let isWellFormed = read(values) { parser in
            guard let key = parser.key() else { return false }
            // A key alone is a boolean.
            members[key] = parser.take(UInt8(ascii: "=")) ? parser.item() : parser.parameters(of: .other)
            return members[key] != nil
        }
        return isWellFormed ? members : nil
    }

    /// Reads what stands between commas, as long as `element` finds what it looks for; `false` if it does not.
    private static func read(_ values: [String], _ element: (inout StructuredListParser) -> Bool) -> Bool {
        // What is split over several lines reads as one, joined by commas.
        let text = values.joined(separator: ",")
        var parser = StructuredListParser(rest: text[...].utf8)
        parser.skip { $0 == UInt8(ascii: " ") }
        while !parser.rest.isEmpty {
            guard element(&parser) else { return false }
            parser.skipBlanks()
            guard !parser.rest.isEmpty else { return true }
            guard parser.take(UInt8(ascii: ",")) else { return false }
            parser.skipBlanks()
            // A comma at the end is malformed.
            guard !parser.rest.isEmpty else { return false }
        }
        return true
    }

    private mutating func item() -> StructuredItem? { value().flatMap { parameters(of: $0) } }

    private mutating func parameters(of value: StructuredItem.Value) -> StructuredItem? {
        var item = StructuredItem(value: value)
        while take(UInt8(ascii: ";")) {
            skip { $0 == UInt8(ascii: " ") }
            guard let key = key() else { return nil }
            guard take(UInt8(ascii: "=")) else {
                item.parameters[key] = .other
                continue
            }
            guard let value = self.value() else { return nil }
            item.parameters[key] = value
        }
        return item
    }

    private mutating func key() -> String? {
        guard let first = rest.first, Self.isLowercase(first) || first == UInt8(ascii: "*") else { return nil }
        let bytes = takeAll { Self.isLowercase($0) || Self.isDigit($0) || "_-.*".utf8.contains($0) }
        return String(bytes)
    }

    private mutating func value() -> StructuredItem.Value? {
        switch rest.first {
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: ":"): return byteSequence()
        case UInt8(ascii: "?"): return boolean()
        case UInt8(ascii: "@"):
            rest.removeFirst()
            guard case .integer = number() else { return nil }
            return .other
        case UInt8(ascii: "%"):
            rest.removeFirst()
            guard string() != nil else { return nil }
            return .other
        case .some(let byte) where Self.isDigit(byte) || byte == UInt8(ascii: "-"): return number()
        case .some(let byte) where Self.isLetter(byte) || byte == UInt8(ascii: "*"): return token()
        default: return nil
        }
    }

    private mutating func string() -> StructuredItem.Value? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                return .string(String(decoding: bytes, as: UTF8.self))
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst(), next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") else {
                    return nil
                }
                bytes.append(next)
            case 0x20...0x7E:
                bytes.append(byte)
            default:
                return nil
            }
        }
        return nil
    }

    private mutating func number() -> StructuredItem.Value? {
        let isNegative = take(UInt8(ascii: "-"))
        let whole = takeAll(Self.isDigit)
        guard !whole.isEmpty, whole.count <= 15 else { return nil }
        if take(UInt8(ascii: ".")) {
            let fraction = takeAll(Self.isDigit)
            return (1...3).contains(fraction.count) && whole.count <= 12 ? .other : nil
        }
        return Int(Substring(whole)).map { .integer(isNegative ? -$0 : $0) }
    }

    private mutating func byteSequence() -> StructuredItem.Value? {
        guard take(UInt8(ascii: ":")) else { return nil }
        let text = takeAll { $0 != UInt8(ascii: ":") }
        guard take(UInt8(ascii: ":")) else { return nil }
        return Base64.bytes(text).map { .bytes($0) }
    }

    private mutating func boolean() -> StructuredItem.Value? {
        rest.removeFirst()
        return take(UInt8(ascii: "0")) || take(UInt8(ascii: "1")) ? .other : nil
    }

    private mutating func token() -> StructuredItem.Value? {
        let isToken = { (byte: UInt8) in
            Self.isLetter(byte) || Self.isDigit(byte) || "!#$%&'*+-.^_`|~:/".utf8.contains(byte)
        }
        return takeAll(isToken).isEmpty ? nil : .other
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func takeAll(_ isWanted: (UInt8) -> Bool) -> Substring {
        let taken = rest.prefix(while: isWanted)
        rest = rest.dropFirst(taken.count)
        return Substring(taken)
    }

    private mutating func skip(_ isSkipped: (UInt8) -> Bool) { rest = rest.drop(while: isSkipped) }

    private mutating func skipBlanks() { skip { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isLowercase(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { isLowercase(byte | 0x20) }
}
