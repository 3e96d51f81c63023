// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import Synchronization
internal import WorkQueues

extension Row {
    private static let workers = 64

    static let workQueues = [
        Row(
            "WorkQueues", "in memory: enqueue + receive + complete", floor: Floor.dictionary,
            count: .fixed(20_000, smoke: 500)
        ) { meter in
            let (queue, keys) = (WorkQueue("benchmark", store: InMemoryRecordStore()), Keys.all)
            return try await meter.async { count in
                var done = 0
                for number in 0..<count where try await pass(keys[number], number, through: queue) { done += 1 }
                return done
            }
        },
        Row(
            "WorkQueues", backlogOfAThousand, floor: Floor.dictionaryHit, count: .fixed(500, smoke: 50)
        ) { meter in
            try await receive(meter, backlog: 2 * meter.count, from: InMemoryRecordStore())
        },
        Row(
            "WorkQueues", "in memory: receive, backlog of 1 M", floor: backlogOfAThousand,
            count: .fixed(500, smoke: 1), rounds: largeRounds
        ) { meter in
            try await receive(meter, backlog: 2_000 * meter.count, from: InMemoryRecordStore())
        },
        Row(
            "WorkQueues", throughFile, floor: Floor.committerOfThree, count: .fixed(20_000, smoke: 640),
            usesFiles: true, details: { try await fileDetails($0) }
        ) { meter in
            try await passThroughFile(meter)
        },
        Row(
            "WorkQueues", throughFile + ", behind 1,000 others", floor: throughFile,
            count: .fixed(20_000, smoke: 640), usesFiles: true
        ) { meter in
            try await passThroughFile(meter, backlog: 1_000)
        },
        Row(
            "WorkQueues", throughFile + ", behind 1 M others", floor: throughFile + ", behind 1,000 others",
            // To put a million items takes half a minute.
            count: .fixed(20_000, smoke: 640), rounds: 2, usesFiles: true
        ) { meter in
            // A smoke run makes do with less.
            try await passThroughFile(meter, backlog: 50 * meter.count)
        },
        Row(
            "WorkQueues", "file: 64 producers + a consumer of 64 handlers", floor: Floor.committerOfThree,
            count: .fixed(20_000, smoke: 640), usesFiles: true,
            details: { [rate(of: try await consume($0))] }
        ) { meter in
            try await consume(meter)
        },
    ]

    private static let backlogOfAThousand = "in memory: receive, backlog of 1,000"
    private static let throughFile = "file: enqueue + receive + complete, 64 workers"

    /// Puts an item, takes the next one and completes it. Whoever has put one finds one, since nobody takes more than
    /// they have put; it need not be their own.
    private static func pass(_ key: String, _ number: Int, through queue: WorkQueue) async throws -> Bool {
        guard try await queue.enqueue(NewWorkItem(id: key, payload: Keys.response(number))) == .enqueued,
            let delivery = try await queue.receive().first, delivery.item.payload.count == 256
        else { return false }
        try await delivery.complete()
        return true
    }

    /// Has as many tasks put items as there are handlers, until every item is done.
    private static func consume(_ meter: Meter) async throws -> Sample {
        let store = try FileRecordStore(directory: meter.scratch.newPath("queue"))
        let left = Atomic(meter.count)
        let keys = Keys.all
        let (end, signal) = AsyncStream.makeStream(of: Never.self)
        let queue = WorkQueue("benchmark", store: store) { event in
            guard case .completed = event.kind else { return }
            if left.wrappingSubtract(1, ordering: .relaxed).newValue == 0 { signal.finish() }
        }
        let consumer = Consumer(queue, concurrency: workers) { item in
            guard item.payload.count == 256 else { throw WrongMeasurement(expected: 256, actual: item.payload.count) }
        }
        let sample = try await meter.async { count in
            async let run: Void = consumer.run()
            _ = try await concurrently(workers, count) { number, _ in
                try await queue.enqueue(NewWorkItem(id: keys[number], payload: Keys.response(number))) == .enqueued
            }
            for await _ in end {}
            consumer.shutDown()
            try await run
            return count - (try await queue.statistics().depth)
        }
        try await store.close()
        return sample
    }

    /// Receives items from the front of a backlog, one at a time.
    private static func receive(
        _ meter: Meter, backlog: Int, from store: some RecordStore
    ) async throws -> Sample {
        let queue = try await queue(of: backlog, on: store)
        return try await meter.async { count in
            var done = 0
            for _ in 0..<count { done += try await queue.receive().count }
            return done
        }
    }

    /// Has workers put, take and complete items behind others that wait, so that there are always as many.
    private static func passThroughFile(_ meter: Meter, backlog: Int = 0) async throws -> Sample {
        let directory = try meter.scratch.newPath("queue")
        // A store that is opened has nothing left to write from before.
        let filled = try FileRecordStore(directory: directory)
        _ = try await queue(of: backlog, on: filled)
        try await filled.close()
        let store = try FileRecordStore(directory: directory)
        let (queue, keys) = (WorkQueue("benchmark", store: store), Keys.all)
        let sample = try await meter.async { count in
            try await concurrently(workers, count) { number, _ in try await pass(keys[number], number, through: queue) }
        }
        try await store.close()
        return sample
    }

    private static func queue(of count: Int, on store: some RecordStore) async throws -> WorkQueue {
        let (queue, keys, batch) = (WorkQueue("benchmark", store: store), Keys.first(count), 333)
        for start in stride(from: 0, to: count, by: batch) {
            let numbers = start..<min(start + batch, count)
            try await queue.enqueue(
                numbers.map { NewWorkItem(id: "waiting-" + keys[$0], payload: Keys.response($0)) })
        }
        return queue
    }

    // MARK: Details

    private static func rate(of sample: Sample) -> Detail {
        Detail(name: "items/s", value: 1e9 / sample.nanosecondsPerOperation, unit: "")
    }

    /// The rate of items, the time that one takes, and how many syncs there are for each.
    private static func fileDetails(_ meter: Meter) async throws -> [Detail] {
        let fileSystem = CountingFileSystem()
        let store = try FileRecordStore(
            directory: meter.scratch.newPath("queue"), committer: .ownThread, clock: ContinuousClock(),
            fileSystem: fileSystem)
        let (queue, keys, times) = (WorkQueue("benchmark", store: store), Keys.all, Times())
        let syncsBefore = fileSystem.syncs.load(ordering: .relaxed)
        let sample = try await meter.async { count in
            try await concurrently(workers, count) { number, _ in
                let start = ContinuousClock.now
                guard try await pass(keys[number], number, through: queue) else { return false }
                times.add(start.duration(to: .now))
                return true
            }
        }
        let syncs = fileSystem.syncs.load(ordering: .relaxed) - syncsBefore
        try await store.close()
        return [rate(of: sample)] + times.details
            + [Detail(name: "syncs per item", value: Double(syncs) / Double(meter.count), unit: "")]
    }
}
