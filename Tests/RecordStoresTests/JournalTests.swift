// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Testing

@testable import RecordStores

@Suite struct JournalTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A journal that nothing writes but `step()`.
    private func journal(_ fileSystem: any FileSystem = SystemFileSystem()) throws -> Journal {
        let files = StoreFiles(path: directory.path, fileSystem: fileSystem)
        var layout = FileStoreLayout()
        layout.reserve = 4_096
        layout.steps = 4_096...8_192
        let start = Timestamp(nanosecondsSince1970: 1)
        return Journal(
            try JournalWriter(continuing: StoreFiles.Content(), in: files, layout: layout),
            opening: .init(
                counters: TableCounters(nextFence: .first, nextPosition: 1, now: start), losesPower: false,
                process: .current),
            isSealed: false, durability: .everyCommit, committer: .ownThread, time: TimeSource(ManualClock()),
            hooks: .init(
                page: { _, _, _ in preconditionFailure("No snapshot was asked for") }, liveBytes: { .max },
                onEvent: { _ in }, onEnd: {}))
    }

    private func entry(_ number: Int) -> JournalEntry {
        .commit([.remove(RecordID("c", "\(number)"))], at: Timestamp(nanosecondsSince1970: Int64(number)))
    }

    @Test func `a seal is written only when everything before it is synced`() throws {
        let journal = try journal()
        _ = journal.append(entry(1), weight: 1)
        _ = journal.append(entry(2), weight: 1)
        let wrote = journal.step()
        _ = journal.append(entry(3), weight: 1)
        journal.startFinishing(at: Timestamp(nanosecondsSince1970: 9))
        #expect(wrote)
        while journal.step() {}

        let files = StoreFiles(path: directory.path, fileSystem: SystemFileSystem())
        var reader = try files.reader(.journal, files.file(.journal, 1))
        var (offsets, entries): ([Int], [JournalEntry]) = ([], [])
        while let entry = try reader.next() {
            entries.append(entry)
            offsets.append(reader.confirmedOffset)
        }
        // The first three were written together with what an opening begins with, and each frame tells what it knew.
        #expect(entries.count == 5)
        #expect(offsets[0] == offsets[1] && offsets[1] == offsets[2])
        #expect(offsets[3] > offsets[2] && offsets[4] > offsets[3])
        guard case .seal(let time) = entries[4] else {
            Issue.record("the journal ends with \(entries[4])")
            return
        }
        #expect(time == Timestamp(nanosecondsSince1970: 9))
        #expect(try reader.end() == .sealed)
    }

    @Test func `what nothing was appended to is sealed once and not written again`() throws {
        let journal = try journal()
        journal.startFinishing(at: Timestamp(nanosecondsSince1970: 9))
        while journal.step() {}
        let files = StoreFiles(path: directory.path, fileSystem: SystemFileSystem())
        let content = try files.load()
        #expect(content.lastEnd == .closed)
        #expect(content.framesReplayed == 2)
        // The seal knows that the opening is on the medium, so damage to that is not taken for a torn write.
        var reader = try files.reader(.journal, files.file(.journal, 1))
        var offsets: [Int] = []
        while try reader.next() != nil { offsets.append(reader.confirmedOffset) }
        #expect(offsets.count == 2 && offsets[1] > offsets[0])
    }
}
