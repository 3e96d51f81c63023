// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import RecordStores

private let time = Timestamp(nanosecondsSince1970: 1)

@Suite struct JournalReaderTests {
    private static func record(
        fence: Fence = .first, changedUnder: Fence? = nil, position: UInt64 = 1, claims: Int = 0
    ) -> JournalEntry {
        let record = Record(
            id: RecordID("c", "k"), fence: fence, changedUnder: changedUnder, position: position, state: "s",
            claims: claims, createdAt: time)
        return .commit([.put(record)], at: time)
    }

    private func journal(_ entry: JournalEntry, firstSequence: UInt64 = 1) -> [UInt8] {
        var bytes = FileHeader(kind: .journal, generation: 7, firstSequence: firstSequence).encoded()
        append(entry, firstSequence, unsynced: 0, to: &bytes)
        return bytes
    }

    private func append(
        _ entry: JournalEntry, _ sequence: UInt64, unsynced: UInt32, pages: UInt32 = 0, to bytes: inout [UInt8]
    ) {
        FrameHeader(sequence: sequence, unsynced: unsynced, pages: pages)
            .append(entry.encoded()[...], to: &bytes, generation: 7)
    }

    private static func opening(fence: Fence = .first, position: UInt64 = 1) -> JournalEntry {
        .opened(
            .init(
                counters: TableCounters(nextFence: fence, nextPosition: position, now: time), losesPower: false,
                process: .current))
    }

    @Test(arguments: [
        record(fence: Fence(rawValue: .max)), record(changedUnder: Fence(rawValue: .max)), record(position: .max),
        record(claims: .max - 1), opening(fence: Fence(rawValue: .max)), opening(position: .max),
        .commit([.hold(RecordID("c", "k"), Fence(rawValue: .max), .new(), until: time, claims: 1)], at: time),
        .commit([.hold(RecordID("c", "k"), .first, .new(), until: time, claims: .max - 1)], at: time),
        .end(
            .init(
                counters: TableCounters(nextFence: .first, nextPosition: 1, now: time), records: 1,
                coveredThrough: .max)),
    ])
    func `a number that leaves no room to count on is damage`(entry: JournalEntry) throws {
        var reader = try JournalReader(journal(entry), kind: .journal)
        #expect(throws: JournalReader.Failure.damaged(offset: 64)) { try reader.next() }
    }

    @Test(arguments: [UInt64(0), .max]) func `a first sequence number that cannot be is a bad header`(first: UInt64) {
        let bytes = FileHeader(kind: .journal, generation: 7, firstSequence: first).encoded()
        #expect(throws: JournalReader.Failure.badHeader) { try JournalReader(bytes, kind: .journal) }
    }

    @Test func `a snapshot is not taken for a journal, nor a newer format for this one`() throws {
        var bytes = journal(Self.opening())
        #expect(throws: JournalReader.Failure.badHeader) { try JournalReader(bytes, kind: .snapshot) }
        bytes[8] = 2
        #expect(throws: JournalReader.Failure.otherVersion(2)) { try JournalReader(bytes, kind: .journal) }
    }

    /// Frames that were written together may reach the medium in any order.
    @Test(arguments: [(UInt32(2), true), (1, true), (0, false)])
    func `a whole frame behind a broken one means damage only if the broken one was known to be synced`(
        unsynced: UInt32, isTorn: Bool
    ) throws {
        var bytes = journal(Self.opening())
        let broken = bytes.count
        append(Self.record(position: 2), 2, unsynced: 0, to: &bytes)
        append(Self.record(position: 3), 3, unsynced: unsynced, to: &bytes)
        bytes[broken + 30] ^= 1
        var reader = try JournalReader(bytes, kind: .journal)
        #expect(try reader.next() != nil)
        #expect(try reader.next() == nil)
        if isTorn {
            let last = try #require(bytes.lastIndex { $0 != 0 })
            #expect(try reader.end() == .torn(droppedBytes: last + 1 - broken))
        } else {
            #expect(throws: JournalReader.Failure.damaged(offset: broken)) { try reader.end() }
        }
    }

    @Test func `a file that is shorter than a frame says has been cut`() throws {
        var bytes = journal(Self.opening())
        append(Self.record(position: 2), 2, unsynced: 0, pages: 2, to: &bytes)
        for (size, isCut) in [(8_192, false), (8_191, true), (bytes.count, true)] {
            let content = bytes + [UInt8](repeating: 0, count: size - bytes.count)
            var reader = try JournalReader(content, kind: .journal)
            while try reader.next() != nil {}
            if isCut {
                #expect(throws: JournalReader.Failure.damaged(offset: size)) { try reader.end() }
            } else {
                #expect(try reader.end() == .open)
            }
        }
    }

    @Test func `a frame whose number leaves no room to count on is none`() throws {
        var bytes = journal(Self.opening())
        let start = bytes.count
        append(.seal(at: time), .max, unsynced: 0, to: &bytes)
        let header = FileHeader(kind: .journal, generation: 7, firstSequence: 1)
        var reader = JournalReader(salvaging: bytes, header)
        #expect(try reader.next() != nil)
        #expect(try reader.next() == nil)
        #expect(reader.skip() == nil)
        #expect(reader.offset == start)
    }

    @Test func `reading goes on behind a broken place at the next whole frame`() throws {
        var bytes = journal(Self.opening())
        let broken = bytes.count
        append(Self.record(position: 2), 2, unsynced: 0, to: &bytes)
        let next = bytes.count
        append(Self.record(position: 3), 3, unsynced: 0, to: &bytes)
        bytes[broken + 30] ^= 1
        var reader = try JournalReader(bytes, kind: .journal)
        while try reader.next() != nil {}
        #expect(reader.skip() == broken..<next)
        #expect(try reader.next() != nil)
        #expect(try reader.next() == nil)
        #expect(reader.skip() == nil)
    }
}
