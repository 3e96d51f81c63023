// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The files of a store's directory in one piece of bytes, so that a fuzzer can change all of them.
///
/// | bytes | |
/// |---|---|
/// | 1 | 1: headers, sequence numbers and checksums are made whole, so that what is behind them is reached; |
/// | | 2: the store is also salvaged; 4: it is also compacted |
/// | | then for each file: |
/// | 1 | its number, from 1 on, and 128 more for a snapshot |
/// | 1 | how many pages of 4,096 bytes it is filled up to with zeros, at most 8 |
/// | 2 | how many bytes follow, the low byte first |
struct StoreContainer {
    struct File {
        let isSnapshot: Bool
        let number: UInt8
        var bytes: [UInt8]

        var name: String {
            let digits = String(number)
            let zeros = String(repeating: "0", count: 12 - digits.count)
            return "\(isSnapshot ? "snapshot" : "journal")-\(zeros)\(digits).log"
        }
    }

    private static let page = 4_096
    private static let generation: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    let isMended: Bool
    let salvages: Bool
    let compacts: Bool
    private(set) var files: [File] = []

    init(_ bytes: some Collection<UInt8>) {
        var rest = bytes[...]
        let flags = rest.popFirst() ?? 0
        isMended = flags & 1 != 0
        salvages = flags & 2 != 0
        compacts = flags & 4 != 0
        while files.count < 8, let tag = rest.popFirst(), let pages = rest.popFirst(), let low = rest.popFirst(),
            let high = rest.popFirst()
        {
            var content = Array(rest.prefix(Int(high) << 8 | Int(low)))
            rest = rest.dropFirst(content.count)
            content += [UInt8](repeating: 0, count: max(0, Int(min(pages, 8)) * Self.page - content.count))
            files.append(File(isSnapshot: tag & 0x80 != 0, number: max(1, tag & 0x7F), bytes: content))
        }
        if isMended { mend() }
    }

    /// The container of files, by their names, without the zeros at their ends.
    static func pack(_ files: [(name: String, bytes: [UInt8])], flags: UInt8) -> [UInt8] {
        var container = [flags]
        for (name, bytes) in files {
            guard let number = UInt8(name.dropLast(4).suffix(3)) else { continue }
            let count = bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
            let pages = UInt8(name.hasPrefix("snapshot") ? 0 : bytes.count / page)
            container += [number | (name.hasPrefix("snapshot") ? 0x80 : 0), pages]
            container += [UInt8(truncatingIfNeeded: count), UInt8(truncatingIfNeeded: count >> 8)]
            container += bytes.prefix(count)
        }
        return container
    }

    // MARK: What makes a file whole

    private mutating func mend() {
        let snapshot = files.indices.last { files[$0].isSnapshot }
        var next: UInt64 = 1
        for index in files.indices where !files[index].isSnapshot {
            mendHeader(of: index, firstSequence: next)
            next = mendFrames(of: index, from: next)
        }
        guard let snapshot else { return }
        mendHeader(of: snapshot, firstSequence: 1)
        _ = mendFrames(of: snapshot, from: 1)
    }

    private mutating func mendHeader(of index: Int, firstSequence: UInt64) {
        guard files[index].bytes.count >= 64 else { return }
        let kind = files[index].isSnapshot ? "RELSNAPS" : "RELJOURN"
        files[index].bytes.replaceSubrange(0..<8, with: Array(kind.utf8))
        files[index].bytes.replaceSubrange(8..<16, with: [1, 0, 0, 0, 64, 0, 0, 0])
        files[index].bytes.replaceSubrange(16..<24, with: Self.generation)
        put(firstSequence, count: 8, at: 24, of: index)
        put(UInt64(Self.checksum(of: files[index].bytes[..<60])), count: 4, at: 60, of: index)
    }

    /// Returns the number of the frame that comes next.
    private mutating func mendFrames(of index: Int, from first: UInt64) -> UInt64 {
        var (sequence, offset) = (first, 64)
        while offset + 25 <= files[index].bytes.count {
            let bytes = files[index].bytes
            let wanted = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            guard wanted > 0 else { break }
            let length = min(wanted, bytes.count - offset - 24)
            let end = offset + 24 + length
            put(UInt64(length), count: 4, at: offset, of: index)
            put(sequence, count: 8, at: offset + 8, of: index)
            let frame = files[index].bytes[offset..<end]
            let checked = Self.generation + frame.prefix(4) + frame.dropFirst(8)
            put(UInt64(Self.checksum(of: checked[...])), count: 4, at: offset + 4, of: index)
            offset = (end + 7) / 8 * 8
            sequence += 1
        }
        return sequence
    }

    private mutating func put(_ value: UInt64, count: Int, at offset: Int, of index: Int) {
        for byte in 0..<count {
            files[index].bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
        }
    }

    /// CRC32C (RFC 3720, section 12.1), bit by bit.
    private static func checksum(of bytes: ArraySlice<UInt8>) -> UInt32 {
        var checksum = UInt32.max
        for byte in bytes {
            checksum ^= UInt32(byte)
            for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 0 ? 0 : 0x82F6_3B78) }
        }
        return ~checksum
    }
}
