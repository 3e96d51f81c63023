// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Reads a journal file from front to back, and tells a torn tail from damage.
struct JournalReader {
    /// How the frames of a file end.
    enum End: Equatable {
        /// After a seal: the store was closed.
        case sealed
        /// After a whole frame, and nothing but zeros follows: the process ended between two writes.
        case open
        /// Before an incomplete frame that was never known to be on the medium: power or process was lost in a write.
        case torn(droppedBytes: Int)
    }

    /// Why a file cannot be read.
    enum Failure: Error, Equatable {
        /// The header is not one of a journal, or has been changed.
        case badHeader
        /// The file was written in another format.
        case otherVersion(UInt32)
        /// A frame that had been on the medium is not there any more.
        case damaged(offset: Int)
    }

    private let bytes: [UInt8]
    let generation: UInt64
    private(set) var nextSequence: UInt64
    /// Where the next frame begins.
    private(set) var offset = JournalFormat.headerLength
    private var isSealed = false

    init(_ bytes: [UInt8]) throws(Failure) {
        let length = JournalFormat.headerLength
        guard bytes.count >= length, bytes.starts(with: JournalFormat.magic) else { throw .badHeader }
        var reader = ByteReader(bytes[JournalFormat.magic.count..<length])
        var end = ByteReader(bytes[(length - 4)..<length])
        var checksum = CRC32C()
        checksum.add(bytes[..<(length - 4)])
        guard let version = try? reader.readUInt32() else { throw .badHeader }
        guard version == JournalFormat.version else { throw .otherVersion(version) }
        guard (try? reader.readUInt32()) != nil, let generation = try? reader.readUInt64(),
            let firstSequence = try? reader.readUInt64(), let expected = try? end.readUInt32(),
            expected == checksum.value, (1...JournalFormat.largestCount).contains(firstSequence)
        else { throw .badHeader }
        self.generation = generation
        nextSequence = firstSequence
        self.bytes = bytes
    }

    /// The next frame's entry; `nil` where the whole frames end.
    mutating func next() throws(Failure) -> JournalEntry? {
        guard let frame = frame(at: offset), frame.sequence == nextSequence else { return nil }
        let entry: JournalEntry
        do {
            entry = try JournalEntry(frame.payload)
        } catch {
            // The checksum holds, so these bytes are what was written: no torn write looks like this.
            throw .damaged(offset: offset)
        }
        offset = JournalFormat.aligned(frame.payload.endIndex)
        nextSequence += 1
        if case .seal = entry { isSealed = true } else { isSealed = false }
        return entry
    }

    /// How the file ends, once ``next()`` has given `nil`.
    ///
    /// Frames that were written together may reach the medium in any order, so a whole frame behind a broken one proves
    /// nothing by itself. But every frame tells up to where the file was safe when it was made: a broken place below
    /// that was whole once.
    func end() throws(Failure) -> End {
        guard let lastByte = bytes[min(offset, bytes.count)...].lastIndex(where: { $0 != 0 }) else {
            return isSealed ? .sealed : .open
        }
        var candidate = offset + 8
        while candidate <= lastByte {
            if frame(at: candidate, syncedBeyond: UInt64(offset)) != nil {
                throw .damaged(offset: offset)
            }
            candidate += 8
        }
        return .torn(droppedBytes: lastByte + 1 - offset)
    }

    private struct Frame {
        let sequence: UInt64
        let payload: ArraySlice<UInt8>
    }

    /// The frame at an offset, if a whole one stands there, and if it knew more to be synced than `syncedBeyond`.
    private func frame(at start: Int, syncedBeyond: UInt64? = nil) -> Frame? {
        let payloadStart = start + JournalFormat.frameHeaderLength
        guard payloadStart <= bytes.count else { return nil }
        var reader = ByteReader(bytes[start..<payloadStart])
        guard let length = try? Int(reader.readUInt32()), JournalFormat.payloadLength.contains(length),
            length <= bytes.count - payloadStart, let checksum = try? reader.readUInt32(),
            let sequence = try? reader.readUInt64(), let syncedThrough = try? reader.readUInt64(),
            // No frame is shorter than 32 bytes, which bounds how far a sequence number can have come.
            sequence >= nextSequence, sequence - nextSequence <= UInt64(start - offset) / 32 + 1,
            syncedBeyond.map({ syncedThrough > $0 }) ?? true
        else { return nil }
        let end = payloadStart + length
        let actual = JournalFormat.checksum(ofFrame: bytes[start..<end], generation: generation)
        guard checksum == actual else { return nil }
        return Frame(sequence: sequence, payload: bytes[payloadStart..<end])
    }
}
