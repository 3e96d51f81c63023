// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Writes the fixed, little-endian encoding that bodies and journals use.
///
/// Integers are fixed-width or LEB128 variable-length; strings and byte arrays carry their length; an optional is one
/// byte that says whether a value follows. The layout is written out here and never follows that of memory.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Forgets what was written, and keeps the room for it.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
    package mutating func reserveCapacity(_ count: Int) { bytes.reserveCapacity(count) }
    package mutating func write(_ value: UInt8) { bytes.append(value) }
    package mutating func write(_ value: UInt32) { write(fixed: value) }
    package mutating func write(_ value: UInt64) { write(fixed: value) }
    package mutating func write(_ value: Int64) { write(fixed: value) }

    /// A number of 1 to 10 bytes, shorter for smaller numbers.
    package mutating func write(variable value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func write(_ string: String) {
        write(variable: UInt64(string.utf8.count))
        bytes.append(contentsOf: string.utf8)
    }

    package mutating func write(_ array: [UInt8]) {
        write(variable: UInt64(array.count))
        bytes.append(contentsOf: array)
    }

    package mutating func write<Value>(_ optional: Value?, _ body: (inout ByteWriter, Value) -> Void) {
        guard let value = optional else { return write(UInt8(0)) }
        write(UInt8(1))
        body(&self, value)
    }

    private mutating func write(fixed value: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }
}

/// Bytes that do not have the encoding that they should have.
package struct MalformedBytes: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where in the bytes the reading stopped.
    package let offset: Int

    package init(offset: Int) { self.offset = offset }

    package var description: String { "malformed at byte \(offset)" }
}

/// Reads what ``ByteWriter`` wrote; malformed input throws and never allocates more than the input holds.
package struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// How many bytes have not been read.
    package var remaining: Int { bytes.endIndex - position }

    package mutating func readUInt8() throws(MalformedBytes) -> UInt8 {
        guard remaining >= 1 else { throw malformed }
        defer { position += 1 }
        return bytes[position]
    }

    package mutating func readUInt32() throws(MalformedBytes) -> UInt32 { UInt32(try fixed(count: 4)) }
    package mutating func readUInt64() throws(MalformedBytes) -> UInt64 { try fixed(count: 8) }
    package mutating func readInt64() throws(MalformedBytes) -> Int64 { Int64(bitPattern: try fixed(count: 8)) }

    package mutating func readVariable() throws(MalformedBytes) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            let byte = try readUInt8()
            let bits = UInt64(byte & 0x7F)
            guard shift < 63 || bits <= 1 else { throw malformed }
            value |= bits << shift
            if byte < 0x80 { return value }
        }
        throw malformed
    }

    /// A count of things of which each takes at least one byte of what remains.
    package mutating func readCount() throws(MalformedBytes) -> Int {
        guard let count = Int(exactly: try readVariable()), count <= remaining else { throw malformed }
        return count
    }

    package mutating func readBytes() throws(MalformedBytes) -> [UInt8] {
        let count = try readCount()
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    package mutating func readString() throws(MalformedBytes) -> String {
        guard let string = String(validating: try readBytes(), as: UTF8.self) else { throw malformed }
        return string
    }

    package mutating func readOptional<Value>(
        _ body: (inout ByteReader) throws(MalformedBytes) -> Value
    ) throws(MalformedBytes) -> Value? {
        switch try readUInt8() {
        case 0: return nil
        case 1: return try body(&self)
        default: throw malformed
        }
    }

    /// Throws unless every byte has been read.
    package func finish() throws(MalformedBytes) {
        guard remaining == 0 else { throw malformed }
    }

    /// The error that says where the reading stands.
    package var malformed: MalformedBytes { MalformedBytes(offset: position - bytes.startIndex) }

    private mutating func fixed(count: Int) throws(MalformedBytes) -> UInt64 {
        guard remaining >= count else { throw malformed }
        defer { position += count }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[position + index]) << (8 * UInt64(index)) }
        return value
    }
}
