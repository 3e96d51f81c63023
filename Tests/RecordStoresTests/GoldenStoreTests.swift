// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import ReliabilityTesting
import Testing

@testable import RecordStores

/// What version 1 of the format wrote is read, and is still what is written.
@Suite struct GoldenStoreTests {
    private static func time(_ seconds: Int64) -> Timestamp {
        Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000 + seconds * 1_000_000_000)
    }

    private static func plain(_ number: Int) -> Record {
        Record(
            id: RecordID("c", "key-\(number)"), fence: Fence(rawValue: 1 << 48 | UInt64(number + 1)), dueAt: time(0),
            position: UInt64(number + 1), state: "s", createdAt: time(0),
            body: [UInt8](repeating: 7, count: number))
    }

    private static let holder = Holder(nonce: 5, process: ProcessIdentity(host: "simulated", pid: 7, instance: 1))

    private static let several: [Record] = [
        Record(
            id: RecordID("moved", "m"), fence: Fence(rawValue: 3 << 48 | 13),
            changedUnder: Fence(rawValue: 3 << 48 | 11), position: 1_000, state: "again", createdAt: time(0)),
        Record(
            id: RecordID("größe", "e\u{301}/\0"), fence: Fence(rawValue: 3 << 48 | 9), holder: holder,
            leaseUntil: time(600), dueAt: time(30), position: 1_002, orderKey: "順", expiresAt: time(86_400),
            state: "all", claims: 1, createdAt: time(0), headers: ["träce": "ü 🙂", "b": "", "a": "1"],
            body: Array(0...255)),
        Record(
            id: RecordID("c", "key-2"), fence: Fence(rawValue: 3 << 48 | 14), holder: holder, leaseUntil: time(92),
            dueAt: time(2), position: 1_004, state: "new", claims: 1, createdAt: time(2)),
        Record(
            id: RecordID("c", "key-10"), fence: Fence(rawValue: 3 << 48 | 15), dueAt: time(2), position: 1_005,
            state: "s", createdAt: time(2), body: [UInt8](repeating: 7, count: 700)),
        Record(
            id: RecordID("c", "key-11"), fence: Fence(rawValue: 3 << 48 | 16), dueAt: time(2), position: 1_006,
            state: "s", createdAt: time(2), body: [UInt8](repeating: 7, count: 700)),
    ]

    private static func expected(_ store: GoldenStore) -> (records: [Record], counters: TableCounters) {
        switch store {
        case .closed, .torn, .weaker:
            (
                (0..<3).map(plain),
                TableCounters(nextFence: Fence(rawValue: 1 << 48 | 4), nextPosition: 4, now: time(0))
            )
        case .several:
            (several, TableCounters(nextFence: Fence(rawValue: 3 << 48 | 17), nextPosition: 1_007, now: time(2)))
        }
    }

    @Test(arguments: GoldenStore.allCases) func `what was once written is read`(store: GoldenStore) throws {
        let disk = try store.kept()
        let content = try StoreFiles(path: SteppedStore.path, fileSystem: disk).load()
        let (records, counters) = Self.expected(store)
        #expect(content.table.allRecords.sorted { $0.position < $1.position } == records)
        #expect(content.table.counters == counters)
        switch store {
        case .closed, .several: #expect(content.lastEnd == .closed)
        case .torn: #expect(content.lastEnd == .torn(droppedBytes: 30))
        case .weaker: #expect(content.lastEnd == .interrupted)
        }
        #expect(content.losesPower == (store == .weaker))
        #expect(content.first == (store == .several ? 2 : 1))
        // And the store goes on with it.
        let opened = try SteppedStore(SteppedStore.path, on: disk, layout: DamagedStore.layout, process: 2)
        let next = try opened.insert(99)
        let skipped = store == .weaker ? DamagedStore.layout.unsynced : 0
        #expect(next.rawValue == counters.nextFence.rawValue + skipped)
        #expect(!opened.store.tableInMemory.allRecords.contains { $0.isHeld(at: opened.store.tableInMemory.now) })
        try opened.close()
    }

    @Test(arguments: GoldenStore.allCases) func `the same is written, byte by byte`(store: GoldenStore) throws {
        let (made, kept) = (try store.made(), try store.kept())
        #expect(made.files.filter { $0.hasSuffix(".log") } == kept.files)
        for file in kept.files {
            let (new, old) = (made.contents(of: file) ?? [], kept.contents(of: file) ?? [])
            let first = zip(new, old).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            #expect(new.count == old.count && first == nil, "\(file) from byte \(first ?? -1) on")
        }
    }

    /// `RELIABILITY_GOLDEN=<directory> swift test --disable-xctest --filter GoldenStoreTests`
    @Test(.enabled(if: unsafe getenv("RELIABILITY_GOLDEN") != nil, "writes files, for a new format"))
    func `the files are made from nothing`() throws {
        guard let directory = unsafe getenv("RELIABILITY_GOLDEN") else { return }
        try GoldenStore.write(to: unsafe String(cString: directory))
    }
}
