// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The bytes of a store's files, format version 1. All integers are little-endian. The article "The format of the files"
/// has all of it, and the rules for whoever reads them.
///
/// A file is a header of 64 bytes and then frames, each at an offset that is a multiple of eight. A *journal* holds the
/// commits in their order; a *snapshot* holds every record as it was while the snapshot was written.
///
/// | header at | bytes | |
/// |---|---|---|
/// | 0 | 8 | `RELJOURN` or `RELSNAPS` |
/// | 8 | 4 | format version |
/// | 12 | 4 | length of the header |
/// | 16 | 8 | generation: a random number of the store, and part of every checksum in it |
/// | 24 | 8 | journal: sequence number of its first frame; snapshot: of the first frame to replay on top of it |
/// | 32 | 4 | journal: pages of 4,096 bytes that the file had when it got its name; snapshot: zero |
/// | 36 | 1 | journal: 1 if loss of power may take answered frames of the opening that made it, else zero |
/// | 37 | 23 | zero |
/// | 60 | 4 | CRC32C of the 60 bytes before |
///
/// | frame at | bytes | |
/// |---|---|---|
/// | 0 | 4 | length of the payload, 1 to 64 MiB; zero where no frame has been written yet |
/// | 4 | 4 | CRC32C of the generation and of the whole frame but this field and the padding |
/// | 8 | 8 | sequence number: one more than that of the frame before, also from one journal to the next |
/// | 16 | 4 | how many of the frames just before this one were not known to be on the medium when it was written |
/// | 20 | 4 | how many pages of 4,096 bytes of the file were known to be on the medium then |
/// | 24 | n | payload, padded with zeros to a multiple of eight |
///
/// A frame is only written to pages of the file that are on the medium, as zeros. So a file that is shorter than any of
/// its frames says has been cut. The frames of a snapshot count from one, and the last two fields are zero in them.
enum JournalFormat {
    static let version: UInt32 = 1
    static let headerLength = 64
    static let frameHeaderLength = 24
    /// More than a commit within all limits takes, whose headers may take twice what their text does.
    static let payloadLength = 1...67_108_864
    static let page = 4_096
    /// The largest sequence number, position or number of claims that is taken: one can always count on from it.
    static let largestCount = UInt64(1) << 62

    /// What a file is for.
    enum Kind: String {
        case journal = "RELJOURN"
        case snapshot = "RELSNAPS"
    }

    static func aligned(_ offset: Int) -> Int { (offset + 7) & ~7 }

    /// The bytes that a frame around a payload of that length takes.
    static func frameLength(payload: Int) -> Int { aligned(frameHeaderLength + payload) }

    /// The end of the page in which the byte before `offset` lies.
    static func pageEnd(_ offset: Int) -> Int { (offset + page - 1) / page * page }

    static func checksum(ofFrame frame: ArraySlice<UInt8>, generation: UInt64) -> UInt32 {
        var checksum = CRC32C()
        checksum.add(generation)
        checksum.add(frame.prefix(4))
        checksum.add(frame.dropFirst(8))
        return checksum.value
    }
}

/// What a file begins with.
struct FileHeader {
    let kind: JournalFormat.Kind
    let generation: UInt64
    let firstSequence: UInt64
    var pages: UInt32 = 0
    var losesPower = false

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        for byte in kind.rawValue.utf8 { writer.write(byte) }
        writer.write(JournalFormat.version)
        writer.write(UInt32(JournalFormat.headerLength))
        writer.write(generation)
        writer.write(firstSequence)
        writer.write(pages)
        writer.write(UInt8(losesPower ? 1 : 0))
        while writer.bytes.count < JournalFormat.headerLength - 4 { writer.write(UInt8(0)) }
        var checksum = CRC32C()
        checksum.add(writer.bytes[...])
        writer.write(checksum.value)
        return writer.bytes
    }

    init(
        kind: JournalFormat.Kind, generation: UInt64, firstSequence: UInt64, pages: UInt32 = 0, losesPower: Bool = false
    ) {
        self.kind = kind
        self.generation = generation
        self.firstSequence = firstSequence
        self.pages = pages
        self.losesPower = losesPower
    }

    init(_ bytes: [UInt8], kind: JournalFormat.Kind) throws(JournalReader.Failure) {
        let length = JournalFormat.headerLength
        guard bytes.count >= length, bytes.starts(with: kind.rawValue.utf8) else { throw .badHeader }
        var reader = ByteReader(bytes[8..<length])
        var end = ByteReader(bytes[(length - 4)..<length])
        var checksum = CRC32C()
        checksum.add(bytes[..<(length - 4)])
        // The version is looked at first: another one may have another header.
        guard let version = try? reader.readUInt32() else { throw .badHeader }
        guard version == JournalFormat.version else { throw .otherVersion(version) }
        guard (try? reader.readUInt32()) != nil, let generation = try? reader.readUInt64(),
            let firstSequence = try? reader.readUInt64(), let pages = try? reader.readUInt32(),
            let losesPower = try? reader.readUInt8(), let expected = try? end.readUInt32(), expected == checksum.value,
            (1...JournalFormat.largestCount).contains(firstSequence)
        else { throw .badHeader }
        self.init(
            kind: kind, generation: generation, firstSequence: firstSequence, pages: pages, losesPower: losesPower != 0)
    }
}

/// What stands before a payload.
struct FrameHeader {
    let sequence: UInt64
    /// How many of the frames before may not be on the medium.
    let unsynced: UInt32
    /// How many pages of the file are on the medium.
    let pages: UInt32

    /// Appends a frame around the payload.
    func append(_ payload: ArraySlice<UInt8>, to bytes: inout [UInt8], generation: UInt64) {
        precondition(JournalFormat.payloadLength.contains(payload.count), "A frame of \(payload.count) bytes")
        let start = bytes.count
        bytes.appendLittleEndian(UInt32(payload.count))
        bytes.appendLittleEndian(UInt32(0))
        bytes.appendLittleEndian(sequence)
        bytes.appendLittleEndian(unsynced)
        bytes.appendLittleEndian(pages)
        bytes.append(contentsOf: payload)
        let checksum = JournalFormat.checksum(ofFrame: bytes[start...], generation: generation)
        for index in 0..<4 { bytes[start + 4 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index))) }
        while (bytes.count - start) % 8 != 0 { bytes.append(0) }
    }
}

extension [UInt8] {
    /// Appends the bytes of a number, the lowest first.
    fileprivate mutating func appendLittleEndian<Number: FixedWidthInteger>(_ number: Number) {
        unsafe Swift.withUnsafeBytes(of: number.littleEndian) { unsafe append(contentsOf: $0) }
    }
}
