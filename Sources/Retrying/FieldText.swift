// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// The bytes of a field, read from the front.
struct FieldText {
    private var bytes: ArraySlice<UInt8>

    /// The text without the white space around it.
    init(_ text: String) {
        func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        bytes = Array(text.utf8).drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
    }

    var isEmpty: Bool { bytes.isEmpty }

    /// The number, if all of the text is digits; `Int64.max` if it is too large.
    var wholeNumber: Int64? { isEmpty ? nil : Self.number(bytes) }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var number: Int64 = 0
        for byte in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number.multipliedSaturating(by: 10).addingSaturating(Int64(byte - UInt8(ascii: "0")))
        }
        return number
    }

    /// Takes exactly so many digits.
    mutating func take(digits count: Int) -> Int64? {
        guard bytes.count >= count, let number = Self.number(bytes.prefix(count)) else { return nil }
        bytes.removeFirst(count)
        return number
    }

    /// Takes the text if it comes next.
    mutating func take(_ text: String) -> Bool {
        guard bytes.starts(with: text.utf8) else { return false }
        bytes.removeFirst(text.utf8.count)
        return true
    }

    /// Takes the one of the names that comes next, and returns its index.
    mutating func take(oneOf names: [String]) -> Int? {
        for index in names.indices where take(names[index]) { return index }
        return nil
    }
}
