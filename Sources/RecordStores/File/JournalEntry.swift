// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a frame says.
enum JournalEntry {
    /// The first frame after an opening: who opened the store, and from where on it counts.
    case opened(Opening)
    /// One commit.
    case commit([RecordEffect], at: Timestamp)
    /// The store was closed; nothing before this was lost.
    case seal(at: Timestamp)
    /// Records of a snapshot.
    case records([Record])
    /// The end of a snapshot.
    case end(SnapshotEnd)

    /// What an opening found and set.
    struct Opening: Equatable {
        var counters: TableCounters
        /// Whether loss of power may take answered frames of this opening.
        var losesPower: Bool
        var process: ProcessIdentity
    }

    /// What a snapshot says of itself once all records are in.
    struct SnapshotEnd: Equatable {
        var counters: TableCounters
        /// How many records it has.
        var records: UInt64
        /// The last frame of the journal that any of the records may show.
        var coveredThrough: UInt64
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        encode(into: &writer)
        return writer.bytes
    }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .opened(let opening):
            writer.write(UInt8(1))
            opening.counters.encode(into: &writer)
            writer.write(UInt8(opening.losesPower ? 1 : 0))
            opening.process.encode(into: &writer)
        case .commit(let effects, let time):
            writer.write(UInt8(2))
            writer.write(time.nanosecondsSince1970)
            writer.write(variable: UInt64(effects.count))
            for effect in effects { effect.encode(into: &writer) }
        case .seal(let time):
            writer.write(UInt8(3))
            writer.write(time.nanosecondsSince1970)
        case .records(let records):
            writer.write(UInt8(4))
            writer.write(variable: UInt64(records.count))
            for record in records { record.encode(into: &writer) }
        case .end(let end):
            writer.write(UInt8(5))
            end.counters.encode(into: &writer)
            writer.write(end.records)
            writer.write(end.coveredThrough)
        }
    }

    init(_ payload: ArraySlice<UInt8>) throws(MalformedBytes) {
        var reader = ByteReader(payload)
        switch try reader.readUInt8() {
        case 1:
            let counters = try TableCounters(from: &reader)
            let mode = try reader.readUInt8()
            guard mode <= 1 else { throw MalformedBytes(offset: 0) }
            self = .opened(
                Opening(counters: counters, losesPower: mode == 1, process: try ProcessIdentity(from: &reader)))
        case 2:
            let time = Timestamp(nanosecondsSince1970: try reader.readInt64())
            var effects: [RecordEffect] = []
            for _ in 0..<(try reader.readCount()) { effects.append(try RecordEffect(from: &reader)) }
            self = .commit(effects, at: time)
        case 3:
            self = .seal(at: Timestamp(nanosecondsSince1970: try reader.readInt64()))
        case 4:
            var records: [Record] = []
            for _ in 0..<(try reader.readCount()) { records.append(try Record(from: &reader)) }
            self = .records(records)
        case 5:
            let end = SnapshotEnd(
                counters: try TableCounters(from: &reader), records: try reader.readUInt64(),
                coveredThrough: try reader.readUInt64())
            guard max(end.records, end.coveredThrough) <= JournalFormat.largestCount else {
                throw MalformedBytes(offset: 0)
            }
            self = .end(end)
        default:
            throw MalformedBytes(offset: 0)
        }
        try reader.finish()
    }
}

/// What a table counts beside its records, and how far its time has come.
struct TableCounters: Equatable {
    var nextFence: Fence
    var nextPosition: UInt64
    var now: Timestamp

    func encode(into writer: inout ByteWriter) {
        writer.write(nextFence.rawValue)
        writer.write(nextPosition)
        writer.write(now.nanosecondsSince1970)
    }

    init(nextFence: Fence, nextPosition: UInt64, now: Timestamp) {
        self.nextFence = nextFence
        self.nextPosition = nextPosition
        self.now = now
    }

    init(from reader: inout ByteReader) throws(MalformedBytes) {
        nextFence = try Fence(from: &reader)
        nextPosition = try reader.readUInt64()
        guard nextPosition <= JournalFormat.largestCount else { throw MalformedBytes(offset: 0) }
        now = Timestamp(nanosecondsSince1970: try reader.readInt64())
    }
}

extension RecordTable {
    /// The counters as they stand, or further on.
    var counters: TableCounters {
        get { TableCounters(nextFence: nextFence, nextPosition: nextPosition, now: now) }
        set {
            nextFence = max(nextFence, newValue.nextFence)
            nextPosition = max(nextPosition, newValue.nextPosition)
            now = max(now, newValue.now)
        }
    }
}
