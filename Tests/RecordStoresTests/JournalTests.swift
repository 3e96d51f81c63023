// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import RecordStores

/// A file that keeps what is done to it, and holds up its first write of frames until it is told to go on.
private final class SlowFile: WritableFile {
    enum Operation: Equatable {
        case write(at: Int, [UInt8])
        case sync
    }

    let operations = Mutex<[Operation]>([])
    let hasBegun = Parker()
    let mayGoOn = Parker()

    func write(_ bytes: [UInt8], at offset: Int) {
        // The zeros ahead of the frames are no matter here.
        guard bytes.contains(where: { $0 != 0 }) else { return }
        let isFirst = operations.withLock { operations in
            operations.append(.write(at: offset, bytes))
            return operations.count == 1
        }
        guard isFirst else { return }
        hasBegun.wake()
        mayGoOn.park()
    }

    func sync() { operations.withLock { $0.append(.sync) } }

    func close() {}
}

@Suite struct JournalTests {
    @Test func `a seal is written only when everything before it is synced`() async throws {
        let file = SlowFile()
        let place = Journal.Place(generation: 7, offset: 64, nextSequence: 1, isSealed: false)
        let journal = try Journal(file, at: place, path: "a file") { _ in }
        let entry = JournalEntry.checkpoint(
            nextFence: .first, nextPosition: 1, at: Timestamp(nanosecondsSince1970: 1))
        _ = journal.append(entry)
        file.hasBegun.park()
        _ = journal.append(entry)
        journal.startFinishing()
        file.mayGoOn.wake()
        #expect(await journal.finish() == nil)

        func frame(_ entry: JournalEntry, sequence: UInt64, at offset: Int, syncedThrough: UInt64) -> SlowFile.Operation
        {
            var bytes: [UInt8] = []
            JournalFormat.appendFrame(
                entry.encoded(), to: &bytes, sequence: sequence, syncedThrough: syncedThrough, generation: 7)
            return .write(at: offset, bytes)
        }
        let expected = [
            frame(entry, sequence: 1, at: 64, syncedThrough: 64), .sync,
            frame(entry, sequence: 2, at: 120, syncedThrough: 64), .sync,
            frame(.seal, sequence: 3, at: 176, syncedThrough: 176), .sync,
        ]
        #expect(file.operations.withLock { $0 } == expected)
    }
}
