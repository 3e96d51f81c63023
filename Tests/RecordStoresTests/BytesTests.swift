// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import RecordStores

@Suite struct BytesTests {
    @Test(arguments: [UInt64(0), 1, 127, 128, 16_383, 16_384, UInt64(Int64.max), .max])
    func `a variable number is read back from as few bytes as its bits need`(value: UInt64) throws {
        var writer = ByteWriter()
        writer.write(variable: value)
        #expect(writer.bytes.count == max(1, (64 - value.leadingZeroBitCount + 6) / 7))
        var reader = ByteReader(writer.bytes)
        #expect(try reader.readVariable() == value)
        try reader.finish()
    }

    @Test func `everything that is written is read back`() throws {
        var writer = ByteWriter()
        writer.write(UInt8(7))
        writer.write(UInt32(0x0102_0304))
        writer.write(Int64.min)
        writer.write("héllo")
        writer.write([1, 2, 3])
        writer.write("x" as String?) { $0.write($1) }
        writer.write(nil as String?) { $0.write($1) }
        #expect(writer.bytes[1...4] == [4, 3, 2, 1])
        var reader = ByteReader(writer.bytes)
        #expect(try reader.readUInt8() == 7)
        #expect(try reader.readUInt32() == 0x0102_0304)
        #expect(try reader.readInt64() == .min)
        #expect(try reader.readString() == "héllo")
        #expect(try reader.readBytes() == [1, 2, 3])
        for expected in ["x", nil] {
            let read = try reader.readOptional { reader throws(MalformedBytes) in try reader.readString() }
            #expect(read == expected)
        }
        try reader.finish()
    }

    @Test(
        arguments: [
            [0x80], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        ] as [[UInt8]])
    func `a number that does not end or does not fit is malformed`(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        #expect(throws: MalformedBytes.self) { try reader.readVariable() }
    }

    @Test func `a length beyond the input is malformed and allocates nothing`() {
        var reader = ByteReader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 2])
        #expect(throws: MalformedBytes.self) { try reader.readBytes() }
        var text = ByteReader([2, 0xC3, 0x28])
        #expect(throws: MalformedBytes.self) { try text.readString() }
        #expect(throws: MalformedBytes(offset: 0)) { try ByteReader([1]).finish() }
    }

    @Test(arguments: [
        ("", UInt32(0)), ("123456789", 0xE306_9283), ("The quick brown fox jumps over the lazy dog", 0x2262_0404),
    ])
    func `the checksum is the Castagnoli one`(text: String, expected: UInt32) {
        let bytes = Array(text.utf8)
        for split in 0...bytes.count {
            var checksum = CRC32C()
            checksum.add(bytes[..<split])
            checksum.add(bytes[split...])
            #expect(checksum.value == expected)
        }
        var zeros = CRC32C()
        zeros.add([UInt8](repeating: 0, count: 32)[...])
        #expect(zeros.value == 0x8A91_36AA)
    }

    @Test(arguments: [UInt64(11), 12, 13]) func `a reader of random bytes ends, and never reads past them`(seed: UInt64)
    {
        var random = RandomSource.seeded(seed)
        for _ in 0..<5_000 {
            let payload = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...(Bool.random(using: &random) ? 4 : 255), using: &random)
            }
            _ = try? JournalEntry(payload[...])
            _ = try? JournalReader(payload, kind: .journal)
        }
    }
}
