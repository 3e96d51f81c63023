// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import RecordStores

@Suite struct StoreSalvageTests {
    private static let source = Result { try DamagedStore.several() }
    private static let target = "/saved"

    private let source: DamagedStore
    private let records: [RecordID: Record]
    private let nextFence: Fence

    init() throws {
        source = try Self.source.get()
        let table = try SteppedStore(DamagedStore.path, on: source.disk.killed(), layout: DamagedStore.layout)
            .store.tableInMemory
        records = Dictionary(uniqueKeysWithValues: table.allRecords.map { ($0.id, $0) })
        nextFence = table.nextFence
    }

    /// What is lost of a store, and where.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// A part of the name of the file that is damaged.
        let file: String
        /// How it is damaged; gives what is to be reported as lost.
        let damage: @Sendable (SimulatedDisk, _ file: String, DamagedStore) throws -> (offset: Int, bytes: Int?)?
        /// Whether records are lost, or show an older state.
        let losesRecords: Bool

        static func flip(_ byte: Int, _ disk: SimulatedDisk, _ file: String) throws {
            var bytes = disk.contents(of: file) ?? []
            bytes[byte] ^= 1
            try disk.setContents(bytes, of: file)
        }
    }

    static let cases = [
        Case(testDescription: "nothing", file: "journal", damage: { _, _, _ in nil }, losesRecords: false),
        Case(
            testDescription: "a frame in the middle", file: "journal",
            damage: { disk, file, store in
                let frames = store.boundaries(of: file)
                try Case.flip(frames[4] + 40, disk, file)
                return (frames[4], frames[6] - frames[4])
            }, losesRecords: true),
        Case(
            testDescription: "the header of a snapshot", file: "snapshot",
            damage: { disk, file, _ in
                try Case.flip(20, disk, file)
                return (0, 64)
            }, losesRecords: false),
        Case(
            testDescription: "a frame of a snapshot", file: "snapshot",
            damage: { disk, file, store in
                let frames = store.boundaries(of: file)
                try Case.flip(frames[4], disk, file)
                return (frames[4], frames[6] - frames[4])
            }, losesRecords: true),
        Case(
            testDescription: "the header of a journal", file: "journal",
            damage: { disk, file, _ in
                try Case.flip(0, disk, file)
                return (0, 64)
            }, losesRecords: false),
        Case(
            testDescription: "a journal as a whole", file: "journal",
            damage: { disk, file, _ in
                try disk.remove(file)
                return (0, nil)
            }, losesRecords: true),
    ]

    @Test func `what is no damage is not salvaged, and a slash at the end of a path is none of its name`() throws {
        let disk = source.disk.killed()
        #expect(throws: FileStoreError.self) {
            try FileRecordStore.salvage("/nothing", into: Self.target, fileSystem: disk)
        }
        #expect(disk.files.allSatisfy { !$0.hasPrefix("/nothing") })
        // A volume that is not mounted looks like this.
        try disk.createDirectory("/empty")
        #expect(throws: FileStoreError.missing(file: "/empty/journal-000000000001.log")) {
            try FileRecordStore.salvage("/empty", into: Self.target, fileSystem: disk)
        }
        #expect(disk.files.allSatisfy { !$0.hasPrefix("/empty") && !$0.hasPrefix(Self.target) })
        let report = try FileRecordStore.salvage(DamagedStore.path + "/", into: Self.target + "/", fileSystem: disk)
        #expect(report.records == records.count)
        #expect(disk.files.contains(Self.target + "/journal-000000000001.log"))

        // Every file of a newer version.
        let newer = source.disk.killed()
        for file in source.files where !file.hasSuffix("LOCK") {
            var bytes = newer.contents(of: file) ?? []
            bytes[8] = 2
            try newer.setContents(bytes, of: file)
        }
        do {
            _ = try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: newer)
            Issue.record("files of a newer format were salvaged")
        } catch {
            guard case .unsupportedFormat(_, 2) = error else {
                Issue.record("\(error)")
                return
            }
        }
        #expect(newer.files.allSatisfy { !$0.hasPrefix(Self.target) })
    }

    @Test(arguments: cases) func `what can be read is saved, and the rest is told`(_ row: Case) throws {
        let files = source.files.filter { $0.contains(row.file) }
        let file = files[files.count / 2]
        let disk = source.disk.killed()
        let loss = try row.damage(disk, file, source)
        let before = disk.tree(DamagedStore.path)
        let report = try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: disk)
        #expect(disk.tree(DamagedStore.path) == before)
        #expect(report.losses == loss.map { [.init(file: file, offset: $0.offset, bytes: $0.bytes)] } ?? [])

        let saved = try SteppedStore(Self.target, on: disk)
        let table = saved.store.tableInMemory
        #expect(saved.store.report.lastEnd == .closed)
        #expect(table.count == report.records)
        #expect(table.nextFence.incarnation == nextFence.incarnation + 1)
        #expect(table.nextFence > nextFence && table.nextPosition > 30)
        let whole = table.allRecords.count { found in
            records[found.id].map { $0.body == found.body && $0.changedUnder == found.changedUnder } ?? false
        }
        #expect(table.allRecords.allSatisfy { $0.fence.incarnation == nextFence.incarnation + 1 })
        #expect(Set(table.allRecords.map(\.fence)).count == table.count)
        #expect(whole >= 10)
        #expect((whole < records.count) == row.losesRecords)
        #expect(row.losesRecords || table.count == records.count)
        #expect(!table.allRecords.contains { $0.isHeld(at: table.now) })
        try saved.close()
    }

    @Test func `of a store without a header that can be read nothing is saved, and all of it is told`() throws {
        let disk = source.disk.killed()
        for file in source.files { try Case.flip(20, disk, file) }
        let report = try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: disk)
        #expect(Set(report.losses.map(\.file)) == Set(source.files))
        #expect(report.losses.allSatisfy { $0.offset == 0 && $0.bytes == source.length(of: $0.file) })
        #expect(report.records == 0 && report.framesReplayed == 0)
    }

    @Test func `nobody holds what was saved, not even the process that did`() throws {
        let disk = SimulatedDisk()
        let store = try SteppedStore(DamagedStore.path, on: disk)
        let lease = Lease(.seconds(1 << 30), holder: Holder(nonce: 1, process: store.process))
        _ = try store.insert(0, lease: lease)
        try store.close()
        _ = try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: disk)
        for (path, isHeld) in [(DamagedStore.path, true), (Self.target, false)] {
            let table = try SteppedStore(path, on: disk.killed()).store.tableInMemory
            #expect(table.allRecords.map { $0.isHeld(at: table.now) } == [isHeld])
        }
    }

    @Test func `a record whose move is lost does not stand under both names`() throws {
        let disk = SimulatedDisk()
        let store = try SteppedStore(DamagedStore.path, on: disk)
        let fence = try store.insert(0)
        let content = RecordContent(state: "last")
        let moved = try store.commit(
            .move(SteppedStore.id(0), to: SteppedStore.id(1), expecting: fence, with: content, lease: .keep))[0]
        try store.commit(.replace(SteppedStore.id(1), expecting: moved, with: content, lease: .keep))
        try store.close()
        let damaged = try DamagedStore(disk)
        // The frames: the opening, the insert, the move, the replace and the seal.
        try Case.flip(damaged.boundaries(of: damaged.files[0])[4] + 30, disk, damaged.files[0])
        let report = try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: disk)
        #expect(report.losses.count == 1 && report.records == 1)
        let saved = try SteppedStore(Self.target, on: disk)
        #expect(try saved.records.map(\.id) == [SteppedStore.id(1)])
        #expect(try saved.records.map(\.state) == ["last"])
    }

    @Test func `numbers of which the next could not be read are not salvaged`() throws {
        for (fence, position) in [(UInt64(0xFFFE) << 48, UInt64(1)), (1 << 48, JournalFormat.largestCount)] {
            let disk = SimulatedDisk()
            var bytes = FileHeader(kind: .journal, generation: 1, firstSequence: 1).encoded()
            let record = Record(
                id: RecordID("c", "k"), fence: Fence(rawValue: fence), position: position, state: "s",
                createdAt: SteppedStore.start)
            FrameHeader(sequence: 1, unsynced: 0, pages: 0).append(
                JournalEntry.commit([.put(record)], at: SteppedStore.start).encoded()[...], to: &bytes, generation: 1)
            try disk.setContents(bytes, of: DamagedStore.path + "/journal-000000000001.log")
            let failure = StoreFailure(operation: "next incarnation", subject: DamagedStore.path, code: 0)
            #expect(throws: FileStoreError.failed(failure)) {
                try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: disk)
            }
            #expect(disk.tree(Self.target).isEmpty)
        }
    }

    @Test func `a stray journal far off is no reason to count every one before it`() throws {
        let disk = source.disk.killed()
        let file = try #require(source.files.last { $0.contains("journal") })
        let bytes = try #require(disk.contents(of: file))
        try disk.setContents(bytes, of: DamagedStore.path + "/journal-4000000000000000000.log")
        let report = try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: disk)
        #expect(report.losses.count == 1_000 && report.records == records.count)
    }

    @Test func `a store that is open is not salvaged, nor into a directory that has something in it`() throws {
        let disk = source.disk.killed()
        let store = try SteppedStore(DamagedStore.path, on: disk, layout: DamagedStore.layout)
        #expect {
            try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: disk)
        } throws: { error in
            if case FileStoreError.inUse = error { true } else { false }
        }
        try store.close()
        try disk.setContents([1], of: Self.target + "/something")
        #expect(throws: FileStoreError.occupied(directory: Self.target)) {
            try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: disk)
        }
        #expect(disk.tree(Self.target) == [Self.target + "/something": [1]])
    }

    @Test func `an empty directory is taken for the new store`() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/old"
        let store = try FileRecordStore(directory: path)
        _ = try await store.commit([.insert(RecordID("c", "k"), RecordContent(state: "s"))])
        try await store.close()
        try SystemFileSystem().createDirectory(directory.path + "/new")
        let report = try FileRecordStore.salvage(path, into: directory.path + "/new")
        #expect(report.records == 1 && report.losses.isEmpty)
        let new = try FileRecordStore(directory: directory.path + "/new")
        #expect(try await new.read([RecordID("c", "k")]).records[0] != nil)
        try await new.close()
    }

    /// Wherever the process or the power ends, there is nothing under the new name or all of it, and one can begin again.
    @Test func `an interrupted salvage leaves nothing under the new name`() throws {
        let whole = source.disk.killed()
        let before = whole.operationCount
        let report = try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: whole)
        let operations = whole.operations.filter { $0.number > before }
        var ends = (nothing: 0, all: 0)
        for (index, operation) in operations.enumerated() {
            // Of the many writes that fill the file, some.
            if operation.kind == .write, operations[max(0, index - 1)].kind == .write, index % 60 != 0 { continue }
            let disk = source.disk.killed()
            disk.stop(after: index, writing: 100)
            let error = #expect(throws: FileStoreError.self) {
                try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: disk)
            }
            guard case .failed = error else {
                Issue.record("at \(operation): \(String(describing: error))")
                return
            }
            for after in [disk.killed(), disk.powerCut(.nothing), disk.powerCut(.everything)] {
                #expect(after.tree(DamagedStore.path) == source.disk.tree(DamagedStore.path))
                if after.tree(Self.target).isEmpty {
                    ends.nothing += 1
                    let again = try FileRecordStore.salvage(DamagedStore.path, into: Self.target, fileSystem: after)
                    #expect(again == report, "after \(operation)")
                } else {
                    ends.all += 1
                    let saved = try SteppedStore(Self.target, on: after)
                    #expect(saved.store.report.records == report.records, "after \(operation)")
                    #expect(saved.store.report.lastEnd == .closed, "after \(operation)")
                }
            }
        }
        #expect(ends.nothing > 30 && ends.all > 0)
    }
}
