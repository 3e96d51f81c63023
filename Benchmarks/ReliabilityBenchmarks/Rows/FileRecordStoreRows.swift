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

    static let fileRecordStores = [
        Row(
            "RecordStores", "file: claim + complete, 1 caller", floor: Floor.syncZeroed,
            count: .fixed(200, smoke: 5), usesFiles: true,
            details: { try await fileDetails($0, callers: 1) }
        ) { meter in
            try await fileSample(meter, callers: 1)
        },
        Row(
            "RecordStores", "file: claim + complete, 64 callers", floor: Floor.syncZeroed,
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

    private static func fileSample(_ meter: Meter, callers: Int) async throws -> Sample {
        let store = try FileRecordStore(directory: meter.scratch.newPath("store"))
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
    private static func fileDetails(_ meter: Meter, callers: Int) async throws -> [Detail] {
        let fileSystem = CountingFileSystem()
        let store = try FileRecordStore(
            directory: meter.scratch.newPath("store"), clock: ContinuousClock(), fileSystem: fileSystem)
        try await settleAll(present, in: store)
        let (keys, times) = (Keys.all, Times())
        let syncsBefore = fileSystem.syncs.load(ordering: .relaxed)
        let sample = try await meter.async { count in
            try await concurrently(callers, count) { number, holder in
                let start = ContinuousClock.now
                guard try await settle(keys[number], number, in: store, holder) else { return false }
                let time = start.duration(to: .now)
                times.add(Double(time.components.attoseconds) / 1e9)
                return true
            }
        }
        let syncs = fileSystem.syncs.load(ordering: .relaxed) - syncsBefore
        try await store.close()
        let sorted = times.sorted
        func percentile(_ share: Double) -> Double { sorted[Int(Double(sorted.count - 1) * share)] }
        return [
            Detail(name: "keys/s", value: 1e9 / sample.nanosecondsPerOperation, unit: ""),
            Detail(name: "p50", value: percentile(0.5), unit: "ns"),
            Detail(name: "p99", value: percentile(0.99), unit: "ns"),
            Detail(name: "syncs per write", value: Double(syncs) / Double(2 * meter.count), unit: ""),
        ]
    }

    /// Spreads numbers evenly over tasks that run at the same time, each with a holder of its own; returns for how many
    /// of them the operation held true.
    private static func concurrently(
        _ callers: Int, _ count: Int, _ operation: @escaping @Sendable (Int, Holder) async throws -> Bool
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    let holder = Holder.new()
                    var done = 0
                    for number in stride(from: caller, to: count, by: callers) {
                        if try await operation(number, holder) { done += 1 }
                    }
                    return done
                }
            }
            return try await group.reduce(0, +)
        }
    }
}

/// How long each operation of many tasks took.
private final class Times: Sendable {
    private let values = Mutex<[Double]>([])

    func add(_ value: Double) { values.withLock { $0.append(value) } }
    var sorted: [Double] { values.withLock { $0.sorted() } }
}
