// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import Synchronization

extension Row {
    private static let callers = 64
    /// The keys that a store holds before its sample. A new journal grows by small steps and an older one by large
    /// ones, of which a sample with one caller sees few; those with many callers see them all.
    private static let present = Keys.count - 5_000..<Keys.count

    static let fileRecordStores = storeRows + (SQLiteLibrary.shared.map(sqliteRows) ?? [])

    private static let storeRows = [
        Row(
            "RecordStores", "file: claim + complete, 1 caller", floor: Floor.syncZeroed,
            count: .fixed(200, smoke: 5), usesFiles: true,
            details: { try await fileDetails($0, callers: 1) }
        ) { meter in
            try await fileSample(meter, callers: 1)
        },
        Row(
            "RecordStores", "file, the caller writes: claim + complete, 1 caller", floor: Floor.syncZeroed,
            count: .fixed(200, smoke: 5), usesFiles: true,
            details: { try await fileDetails($0, callers: 1, committer: .caller) }
        ) { meter in
            try await fileSample(meter, callers: 1, committer: .caller)
        },
        Row(
            "RecordStores", "file: claim + complete, 64 callers", floor: Floor.committer,
            count: .fixed(20_000, smoke: 640), usesFiles: true,
            details: { try await fileDetails($0, callers: callers) }
        ) { meter in
            try await fileSample(meter, callers: callers)
        },
        Row(
            "RecordStores", "file: reopen, per key of 100 k", floor: Floor.readAndBuild,
            count: .fixed(Keys.count, smoke: 1_000), usesFiles: true
        ) { meter in
            let directory = try await PreparedStore.shared.directory(meter)
            var opened: FileRecordStore?
            let sample = try meter.sync { count in
                let store = try FileRecordStore(directory: directory)
                opened = store
                return store.report.lastEnd == .closed && store.report.records == count ? count : 0
            }
            try await opened?.close()
            return sample
        },
    ]

    /// The same work by SQLite, with the same durability.
    private static func sqliteRows(_ library: SQLiteLibrary) -> [Row] {
        [
            Row(
                "RecordStores", "SQLite WAL FULL: claim + complete, 1 caller",
                floor: "file: claim + complete, 1 caller", count: .fixed(200, smoke: 5), usesFiles: true
            ) { meter in
                let store = try SQLiteKeys(meter.scratch.newPath("sqlite"), library)
                let keys = Keys.all
                return try meter.sync { count in
                    (0..<count).count { store.insert(keys[$0]) && store.complete(keys[$0], Keys.response($0)) }
                }
            },
            Row(
                "RecordStores", "SQLite WAL FULL, group commit: claim + complete, 64 callers",
                floor: "file: claim + complete, 64 callers", count: .fixed(20_000, smoke: 640), usesFiles: true
            ) { meter in
                let store = try SQLiteGroupCommit(meter.scratch.newPath("sqlite"), library)
                let keys = Keys.all
                let sample = try await meter.async { count in
                    try await concurrently(callers, count) { number, _ in
                        guard await store.insert(keys[number]) else { return false }
                        return await store.complete(keys[number], Keys.response(number))
                    }
                }
                await store.end()
                return sample
            },
        ]
    }

    private static func fileSample(
        _ meter: Meter, callers: Int, committer: FileCommitter = .ownThread
    ) async throws -> Sample {
        let store = try FileRecordStore(directory: meter.scratch.newPath("store"), committer: committer)
        try await settleAll(present, in: store)
        let keys = Keys.all
        let sample = try await meter.async { count in
            try await concurrently(callers, count) { number, holder in
                try await settle(keys[number], number, in: store, holder)
            }
        }
        try await store.close()
        return sample
    }

    /// The rate of keys, the time that a key takes, and how many syncs there are for each of its two writes.
    private static func fileDetails(
        _ meter: Meter, callers: Int, committer: FileCommitter = .ownThread
    ) async throws -> [Detail] {
        let fileSystem = CountingFileSystem()
        let store = try FileRecordStore(
            directory: meter.scratch.newPath("store"), committer: committer, clock: ContinuousClock(),
            fileSystem: fileSystem)
        try await settleAll(present, in: store)
        let (keys, times) = (Keys.all, Times())
        let syncsBefore = fileSystem.syncs.load(ordering: .relaxed)
        let sample = try await meter.async { count in
            try await concurrently(callers, count) { number, holder in
                let start = ContinuousClock.now
                guard try await settle(keys[number], number, in: store, holder) else { return false }
                times.add(start.duration(to: .now))
                return true
            }
        }
        let syncs = fileSystem.syncs.load(ordering: .relaxed) - syncsBefore
        try await store.close()
        return [Detail(name: "keys/s", value: 1e9 / sample.nanosecondsPerOperation, unit: "")] + times.details
            + [Detail(name: "syncs per write", value: Double(syncs) / Double(2 * meter.count), unit: "")]
    }
}
