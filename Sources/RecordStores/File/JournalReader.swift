// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Reads a store's file from front to back, and tells a torn tail from damage.
struct JournalReader {
    /// How the frames of the newest journal end.
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
        /// The header is not one of such a file, or has been changed.
        case badHeader
        /// The file was written in another format.
        case otherVersion(UInt32)
        /// A frame that had been on the medium is not there any more, or the file has been cut.
        case damaged(offset: Int)
    }

    let header: FileHeader
    let bytes: [UInt8]
    private(set) var nextSequence: UInt64
    /// Where the next frame begins.
    private(set) var offset = JournalFormat.headerLength
    /// Where those of the last frames begin that no frame knows to be on the medium.
    private var unconfirmed: ArraySlice<Int> = []
    /// How many pages the file has had.
    private var pages: UInt32
    private var isSealed = false
    private let isSalvaging: Bool

    init(_ bytes: [UInt8], kind: JournalFormat.Kind) throws(Failure) {
        header = try FileHeader(bytes, kind: kind)
        self.bytes = bytes
        isSalvaging = false
        pages = header.pages
        nextSequence = kind == .journal ? header.firstSequence : 1
    }

    /// Reads what can be read of a file whose header is known from elsewhere; the frames may begin with any number.
    init(salvaging bytes: [UInt8], _ header: FileHeader) {
        self.header = header
        self.bytes = bytes
        isSalvaging = true
        pages = 0
        nextSequence = 1
    }

    /// How many bytes there are behind the whole frames, up to the last that is not zero; `nil` if there are none.
    var bytesLeft: Int? { lastByte.map { $0 + 1 - offset } }

    /// Whether there is no frame in the file, nor the start of one.
    var isEmpty: Bool { isAtStart && lastByte == nil }

    private var isAtStart: Bool { offset == JournalFormat.headerLength }

    /// Up to where everything is known to have been on the medium.
    var confirmedOffset: Int { unconfirmed.first ?? offset }

    /// The next frame's entry; `nil` where the whole frames end.
    mutating func next() throws(Failure) -> JournalEntry? {
        guard let frame = frame(at: offset), frame.header.sequence == nextSequence else { return nil }
        let entry: JournalEntry
        do {
            entry = try JournalEntry(frame.payload)
        } catch {
            // The checksum holds, so these bytes are what was written: no torn write looks like this.
            throw .damaged(offset: offset)
        }
        unconfirmed.append(offset)
        unconfirmed.removeFirst(max(0, unconfirmed.count - Int(frame.header.unsynced) - 1))
        pages = max(pages, frame.header.pages)
        offset = JournalFormat.aligned(frame.payload.endIndex)
        nextSequence += 1
        if case .seal = entry { isSealed = true } else { isSealed = false }
        return entry
    }

    /// How the newest journal ends, once ``next()`` has given `nil`.
    ///
    /// Frames that were written together may reach the medium in any order, so a whole frame behind a broken one proves
    /// nothing by itself. But every frame tells which of those before it were safe when it was made: a broken place
    /// among them was whole once.
    func end() throws(Failure) -> End {
        guard bytes.count >= Int(pages) * JournalFormat.page else { throw .damaged(offset: bytes.count) }
        guard let lastByte else { return isSealed ? .sealed : .open }
        guard !isCutInFrame else { throw .damaged(offset: bytes.count) }
        var candidate = offset + 8
        while candidate <= lastByte {
            if frame(at: candidate, syncing: nextSequence) != nil { throw .damaged(offset: offset) }
            candidate += 8
        }
        return .torn(droppedBytes: lastByte + 1 - offset)
    }

    /// Whether the file ends within the next frame, which was the first to be written after the file had grown.
    ///
    /// This takes no checksum: of a header that never got to the medium as a whole, a number is there or it is zero.
    private var isCutInFrame: Bool {
        guard let start = frameStart(at: offset), start.header.sequence == nextSequence else { return false }
        return start.end > bytes.count && Int(start.header.pages) * JournalFormat.page > bytes.count
    }

    /// The last byte behind the whole frames that is not zero.
    private var lastByte: Int? {
        unsafe bytes.withUnsafeBytes { buffer in
            var end = buffer.count
            // By the word, since there may be megabytes of zeros.
            while end - 8 >= offset, unsafe buffer.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 {
                end -= 8
            }
            while end > offset, unsafe buffer[end - 1] == 0 { end -= 1 }
            return end > offset ? end - 1 : nil
        }
    }

    /// Goes on behind a broken place, at the next whole frame; returns what it skipped, `nil` if no frame follows.
    mutating func skip() -> Range<Int>? {
        let start = offset
        // At the start of a file, the first frame may only have another number than expected.
        let isFirst = isAtStart && frame(at: start).map { (try? JournalEntry($0.payload)) != nil } ?? false
        var candidate = isFirst ? start : start + 8
        while candidate <= bytes.count - JournalFormat.frameHeaderLength {
            if let frame = frame(at: candidate) {
                (offset, nextSequence) = (candidate, frame.header.sequence)
                return start..<candidate
            }
            candidate += 8
        }
        return nil
    }

    private struct Frame {
        let header: FrameHeader
        let payload: ArraySlice<UInt8>
    }

    /// What stands at the start of a frame.
    private struct FrameStart {
        let header: FrameHeader
        let checksum: UInt32
        /// Where the payload ends.
        let end: Int
    }

    private func frameStart(at start: Int) -> FrameStart? {
        let payloadStart = start + JournalFormat.frameHeaderLength
        guard payloadStart <= bytes.count else { return nil }
        var reader = ByteReader(bytes[start..<payloadStart])
        guard let length = try? Int(reader.readUInt32()), JournalFormat.payloadLength.contains(length),
            let checksum = try? reader.readUInt32(), let sequence = try? reader.readUInt64(),
            let unsynced = try? reader.readUInt32(), let pages = try? reader.readUInt32()
        else { return nil }
        let header = FrameHeader(sequence: sequence, unsynced: unsynced, pages: pages)
        return FrameStart(header: header, checksum: checksum, end: payloadStart + length)
    }

    /// The frame at an offset, if a whole one stands there that can come after what was read; with `syncing` only if it
    /// knows the frame of that number to be on the medium.
    private func frame(at start: Int, syncing number: UInt64? = nil) -> Frame? {
        guard let found = frameStart(at: start), found.end <= bytes.count else { return nil }
        let sequence = found.header.sequence
        // No frame is shorter than 32 bytes, which bounds how far a sequence number can have come.
        guard sequence >= nextSequence, sequence <= JournalFormat.largestCount,
            isSalvaging || sequence - nextSequence <= UInt64(start - offset) / 32 + 1,
            number.map({ sequence - $0 > UInt64(found.header.unsynced) }) ?? true,
            found.checksum == JournalFormat.checksum(ofFrame: bytes[start..<found.end], generation: header.generation)
        else { return nil }
        let payload = bytes[(start + JournalFormat.frameHeaderLength)..<found.end]
        return Frame(header: found.header, payload: payload)
    }
}
