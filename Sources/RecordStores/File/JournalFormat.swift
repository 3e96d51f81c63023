// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The bytes of a journal file, format version 1. All integers are little-endian.
///
/// A file is a header of 64 bytes and then frames, each at an offset that is a multiple of eight:
///
/// | header at | bytes | |
/// |---|---|---|
/// | 0 | 8 | `RELJOURN` |
/// | 8 | 4 | format version |
/// | 12 | 4 | length of the header |
/// | 16 | 8 | generation: random for each file, and part of every checksum in it |
/// | 24 | 8 | sequence number of the first frame |
/// | 32 | 28 | zero |
/// | 60 | 4 | CRC32C of the 60 bytes before |
///
/// | frame at | bytes | |
/// |---|---|---|
/// | 0 | 4 | length of the payload, 1 to 32 MiB; zero where no frame has been written yet |
/// | 4 | 4 | CRC32C of the generation and of the whole frame but this field |
/// | 8 | 8 | sequence number, one more than that of the frame before |
/// | 16 | 8 | up to which offset the file was known to be on the medium when this frame was made |
/// | 24 | n | payload, padded with zeros to a multiple of eight |
///
/// The frames that a file begins with are all synced before the file gets its name, so each names its own offset there.
enum JournalFormat {
    static let magic = Array("RELJOURN".utf8)
    static let version: UInt32 = 1
    static let headerLength = 64
    static let frameHeaderLength = 24
    static let payloadLength = 1...33_554_432
    /// The largest sequence number, position or number of claims that is taken: one can always count on from it.
    static let largestCount = UInt64(1) << 62

    static func aligned(_ offset: Int) -> Int { (offset + 7) & ~7 }

    static func header(generation: UInt64, firstSequence: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        for byte in magic { writer.write(byte) }
        writer.write(version)
        writer.write(UInt32(headerLength))
        writer.write(generation)
        writer.write(firstSequence)
        while writer.bytes.count < headerLength - 4 { writer.write(UInt8(0)) }
        var checksum = CRC32C()
        checksum.add(writer.bytes[...])
        writer.write(checksum.value)
        return writer.bytes
    }

    /// Appends a frame around the payload.
    static func appendFrame(
        _ payload: [UInt8], to bytes: inout [UInt8], sequence: UInt64, syncedThrough: UInt64, generation: UInt64
    ) {
        precondition(payloadLength.contains(payload.count), "A frame of \(payload.count) bytes")
        var writer = ByteWriter()
        writer.write(UInt32(payload.count))
        writer.write(UInt32(0))
        writer.write(sequence)
        writer.write(syncedThrough)
        let start = bytes.count
        bytes.append(contentsOf: writer.bytes)
        bytes.append(contentsOf: payload)
        let checksum = checksum(ofFrame: bytes[start...], generation: generation)
        for index in 0..<4 { bytes[start + 4 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index))) }
        let padding = aligned(bytes.count - start) - (bytes.count - start)
        bytes.append(contentsOf: repeatElement(0, count: padding))
    }

    static func checksum(ofFrame frame: ArraySlice<UInt8>, generation: UInt64) -> UInt32 {
        var checksum = CRC32C()
        checksum.add(generation)
        checksum.add(frame.prefix(4))
        checksum.add(frame.dropFirst(8))
        return checksum.value
    }
}

/// What a frame says.
enum JournalEntry {
    /// The counters at the start of a file: what the records alone would not tell.
    case checkpoint(nextFence: Fence, nextPosition: UInt64, at: Timestamp)
    /// One commit.
    case commit([RecordEffect], at: Timestamp)
    /// The store was closed; nothing before this was lost.
    case seal

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .checkpoint(let nextFence, let nextPosition, let time):
            writer.write(UInt8(1))
            writer.write(nextFence.rawValue)
            writer.write(nextPosition)
            writer.write(time.nanosecondsSince1970)
        case .commit(let effects, let time):
            writer.write(UInt8(2))
            writer.write(time.nanosecondsSince1970)
            writer.write(variable: UInt64(effects.count))
            for effect in effects { effect.encode(into: &writer) }
        case .seal:
            writer.write(UInt8(3))
        }
        return writer.bytes
    }

    init(_ payload: ArraySlice<UInt8>) throws(MalformedBytes) {
        var reader = ByteReader(payload)
        switch try reader.readUInt8() {
        case 1:
            let nextFence = try Fence(from: &reader)
            let nextPosition = try reader.readUInt64()
            guard nextPosition <= JournalFormat.largestCount else { throw MalformedBytes(offset: 0) }
            self = .checkpoint(
                nextFence: nextFence, nextPosition: nextPosition,
                at: Timestamp(nanosecondsSince1970: try reader.readInt64()))
        case 2:
            let time = Timestamp(nanosecondsSince1970: try reader.readInt64())
            var effects: [RecordEffect] = []
            for _ in 0..<(try reader.readCount()) { effects.append(try RecordEffect(from: &reader)) }
            self = .commit(effects, at: time)
        case 3:
            self = .seal
        default:
            throw MalformedBytes(offset: 0)
        }
        try reader.finish()
    }
}
