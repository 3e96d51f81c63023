// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting

@testable import RecordStores

/// The stores of which the files are kept in `Golden/v1`, so that what this version once wrote can always be read.
///
/// Each is made step by step with fixed times, processes and random numbers, and so has the same bytes whenever it is
/// made. A test compares these with the files that are kept; ``write(to:)`` makes these from nothing.
enum GoldenStore: String, CaseIterable {
    /// One journal, closed.
    case closed
    /// A snapshot and two journals, closed, with everything that a record can have and a commit can do.
    case several
    /// A journal of which the last write did not get to its end.
    case torn
    /// A store that may lose answers with the power, whose process ended.
    case weaker

    static var folder: String {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(2)
        return parts.joined(separator: "/") + "/Golden/v1"
    }

    /// A disk with the store as it is made now.
    func made() throws -> SimulatedDisk {
        switch self {
        case .closed: try Self.makeClosed()
        case .several: try Self.makeSeveral()
        case .torn: try Self.makeTorn()
        case .weaker: try Self.makeWeaker()
        }
    }

    /// A disk with the store as it is kept.
    func kept() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let folder = "\(Self.folder)/\(rawValue)"
        for name in try SystemFileSystem().names(in: folder) where name.hasSuffix(".log") {
            try disk.setContents(try SystemFileSystem().read("\(folder)/\(name)"), of: "\(SteppedStore.path)/\(name)")
        }
        return disk
    }

    /// Writes all of them below a directory: only for a new version of the format, into a folder of its own.
    static func write(to directory: String) throws {
        let files = SystemFileSystem()
        for store in allCases {
            let disk = try store.made()
            try files.createDirectory("\(directory)/\(store.rawValue)")
            for (path, bytes) in disk.tree(SteppedStore.path) where path.hasSuffix(".log") {
                let name = path.dropFirst(SteppedStore.path.count)
                let file = try files.open("\(directory)/\(store.rawValue)\(name)", isNew: true)
                try file.write(bytes, at: 0)
                file.close()
            }
        }
    }

    private static func open(
        _ disk: SimulatedDisk, _ durability: FileDurability = .everyCommit, process: UInt64 = 1,
        clock: ManualClock = ManualClock()
    ) throws -> SteppedStore {
        var layout = DamagedStore.layout
        layout.journal = 2_000
        return try SteppedStore(
            SteppedStore.path, on: disk, durability: durability, clock: clock, layout: layout, process: process)
    }

    private static func makeClosed() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try open(disk)
        for number in 0..<3 { _ = try store.insert(number, bytes: number) }
        try store.close()
        return disk
    }

    private static func makeTorn() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try open(disk)
        for number in 0..<3 { _ = try store.insert(number, bytes: number) }
        disk.stop(writing: 30)
        _ = store.start { try await $0.commit([.delete(SteppedStore.id(0), expecting: .first)]) }
        store.stepUntilIdle()
        return disk.killed()
    }

    private static func makeWeaker() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try open(disk, .operatingSystem)
        for number in 0..<3 { _ = try store.insert(number, bytes: number) }
        store.stepUntilIdle()
        return disk.killed()
    }

    private static func makeSeveral() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let clock = ManualClock()
        try disk.setContents(firstJournal(), of: SteppedStore.path + "/journal-000000000001.log")
        let store = try open(disk, clock: clock)
        let plain = try store.insert(0, bytes: 100)
        let gone = try store.insert(1)
        let full = RecordContent(
            state: "all", body: Array(0...255), headers: ["träce": "ü 🙂", "b": "", "a": "1"], orderKey: "順",
            due: .after(.seconds(30)), expires: .after(.seconds(86_400)))
        let holder = Holder(nonce: 5, process: store.process)
        try store.commit(
            .insert(RecordID("größe", "e\u{301}/\0"), full, lease: Lease(.seconds(600), holder: holder)),
            .insert(RecordID("brief", "b"), RecordContent(state: "s", expires: .after(.seconds(1)))))
        try store.run { try await $0.compact() }
        clock.advance(by: .seconds(2))
        let moved = try store.commit(
            .move(
                SteppedStore.id(0), to: RecordID("moved", "m"), expecting: plain,
                with: RecordContent(state: "moved", body: [1]), lease: .keep),
            .delete(SteppedStore.id(1), expecting: gone),
            .insert(SteppedStore.id(2), RecordContent(state: "new", due: .after(.zero))))[0]
        try store.commit(
            .replace(
                RecordID("moved", "m"), expecting: moved, with: RecordContent(state: "again", due: .unchanged),
                lease: .end))
        let claim = ClaimRequest(.ids([SteppedStore.id(2)]), lease: Lease(.seconds(60), holder: holder))
        let fence = try store.run { try await $0.claim(claim) }.claimed[0].fence
        _ = try store.run { try await $0.extend(SteppedStore.id(2), fence: fence, lease: .seconds(90)) }
        for number in 10..<12 { _ = try store.insert(number, bytes: 700) }
        try store.close()
        return disk
    }

    /// As a store leaves it that has lived twice before.
    private static func firstJournal() -> [UInt8] {
        let counters = TableCounters(
            nextFence: Fence(rawValue: 3 << 48 | 7), nextPosition: 1_000, now: SteppedStore.start)
        let entries: [JournalEntry] = [
            .opened(.init(counters: counters, losesPower: false, process: .init(host: "gone", pid: 2, instance: 3))),
            .seal(at: SteppedStore.start),
        ]
        var bytes = FileHeader(kind: .journal, generation: 0x0123_4567_89AB_CDEF, firstSequence: 1, pages: 1).encoded()
        for (index, entry) in entries.enumerated() {
            FrameHeader(sequence: UInt64(index + 1), unsynced: 0, pages: 1)
                .append(entry.encoded()[...], to: &bytes, generation: 0x0123_4567_89AB_CDEF)
        }
        return bytes + [UInt8](repeating: 0, count: JournalFormat.page - bytes.count)
    }
}
