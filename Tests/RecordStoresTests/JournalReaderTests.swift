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
        var bytes = JournalFormat.header(generation: 7, firstSequence: firstSequence)
        JournalFormat.appendFrame(
            entry.encoded(), to: &bytes, sequence: firstSequence, syncedThrough: 0, generation: 7)
        return bytes
    }

    @Test(arguments: [
        record(fence: Fence(rawValue: .max)), record(changedUnder: Fence(rawValue: .max)), record(position: .max),
        record(claims: .max - 1), .checkpoint(nextFence: Fence(rawValue: .max), nextPosition: 1, at: time),
        .checkpoint(nextFence: .first, nextPosition: .max, at: time),
        .commit(
            [.hold(RecordID("c", "k"), Fence(rawValue: .max), .new(), until: time)], at: time),
    ])
    func `a number that leaves no room to count on is damage`(entry: JournalEntry) throws {
        var reader = try JournalReader(journal(entry))
        #expect(throws: JournalReader.Failure.damaged(offset: 64)) { try reader.next() }
    }

    @Test(arguments: [UInt64(0), .max]) func `a first sequence number that cannot be is a bad header`(first: UInt64) {
        let bytes = journal(.checkpoint(nextFence: .first, nextPosition: 1, at: time), firstSequence: first)
        #expect(throws: JournalReader.Failure.badHeader) { try JournalReader(bytes) }
    }

    /// Frames that were written together may reach the medium in any order.
    @Test(arguments: [(UInt64(0), true), (64, true), (1_000_000, false)])
    func `a whole frame behind a broken one means damage only if the broken place was known to be synced`(
        syncedThrough: UInt64, isTorn: Bool
    ) throws {
        var bytes = journal(.checkpoint(nextFence: .first, nextPosition: 1, at: time))
        let broken = bytes.count
        for sequence in UInt64(2)...3 {
            JournalFormat.appendFrame(
                Self.record(position: sequence).encoded(), to: &bytes, sequence: sequence,
                syncedThrough: sequence == 3 ? syncedThrough : 0, generation: 7)
        }
        bytes[broken + 30] ^= 1
        var reader = try JournalReader(bytes)
        #expect(try reader.next() != nil)
        #expect(try reader.next() == nil)
        if isTorn {
            let last = try #require(bytes.lastIndex { $0 != 0 })
            #expect(try reader.end() == .torn(droppedBytes: last + 1 - broken))
        } else {
            #expect(throws: JournalReader.Failure.damaged(offset: broken)) { try reader.end() }
        }
    }
}
