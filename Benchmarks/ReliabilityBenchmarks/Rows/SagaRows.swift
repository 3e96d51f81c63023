// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import Sagas
internal import Synchronization

extension Row {
    private static let inFlight = 64

    static let sagas = [
        Row(
            "Sagas", "in memory: 3 empty steps, 64 in flight", floor: Floor.dictionary,
            count: .fixed(20_000, smoke: 200)
        ) { meter in
            try await drive(meter, InMemoryRecordStore())
        },
        Row(
            "Sagas", "file: 3 empty steps, 64 in flight", floor: Floor.committerOfSix,
            count: .fixed(20_000, smoke: 200), usesFiles: true, details: { try await fileDetails($0) }
        ) { meter in
            try await drive(meter, FileRecordStore(directory: meter.scratch.newPath("sagas")))
        },
        Row(
            "Sagas", firstCall, floor: Floor.readAndBuild, count: .fixed(100_000, smoke: 1_000), rounds: 4,
            usesFiles: true,
            details: { meter in
                let sample = try await callFirst(meter)
                let seconds = sample.nanosecondsPerOperation * Double(sample.operations) / 1e9
                return [Detail(name: "seconds to the first call", value: seconds, unit: "")]
            }
        ) { meter in
            try await callFirst(meter)
        },
    ]

    private static let firstCall = "file: open to the first call, per saga of 100 k"

    /// Three steps that do nothing and can be undone.
    private static func definition(_ onCall: @escaping @Sendable () -> Void = {}) -> SagaDefinition<Int> {
        func step(_ name: String) -> SagaStep<Int, Void> {
            SagaStep(name, ifUnknown: .reexecute) { _ in
                onCall()
            } compensation: { _ in
            }
        }
        return SagaDefinition("benchmark", version: 1) {
            step("first")
            step("second")
            step("third")
        }
    }

    /// Starts sagas by as many tasks as are driven at once, until every saga is completed.
    private static func drive(_ meter: Meter, _ store: some RecordStore) async throws -> Sample {
        let (definition, keys) = (definition(), Keys.all)
        let left = Atomic(meter.count)
        let (end, signal) = AsyncStream.makeStream(of: Never.self)
        let sagas = SagaCoordinator(
            "benchmark", store: store, definitions: definition, concurrency: inFlight
        ) { event in
            guard case .completed = event.kind else { return }
            if left.wrappingSubtract(1, ordering: .relaxed).newValue == 0 { signal.finish() }
        }
        let sample = try await meter.async { count in
            async let run: Void = sagas.run()
            let started = try await concurrently(inFlight, count) { number, _ in
                try await sagas.start(definition, id: keys[number], input: number)
                return true
            }
            for await _ in end {}
            sagas.shutDown()
            try await run
            return min(started, try await sagas.statistics().counts["completed"] ?? 0)
        }
        try await store.close()
        return sample
    }

    /// Opens a store of sagas that have all to be driven, until the first action is called.
    private static func callFirst(_ meter: Meter) async throws -> Sample {
        let directory = try await PreparedSagas.shared.directory(meter, definition())
        let (calls, signal) = AsyncStream.makeStream(of: Never.self)
        var opened: FileRecordStore?
        var running: SagaCoordinator?
        let sample = try await withThrowingTaskGroup(of: Void.self) { group in
            let sample = try await meter.async { count in
                let store = try FileRecordStore(directory: directory)
                let sagas = SagaCoordinator("benchmark", store: store, definitions: definition { signal.finish() })
                (opened, running) = (store, sagas)
                group.addTask { try await sagas.run() }
                for await _ in calls {}
                return count
            }
            running?.shutDown()
            try await group.waitForAll()
            return sample
        }
        try await opened?.close()
        return sample
    }

    /// The rate of sagas, and how many syncs there are for each.
    private static func fileDetails(_ meter: Meter) async throws -> [Detail] {
        let fileSystem = CountingFileSystem()
        let store = try FileRecordStore(
            directory: meter.scratch.newPath("sagas"), committer: .ownThread, clock: ContinuousClock(),
            fileSystem: fileSystem)
        let syncsBefore = fileSystem.syncs.load(ordering: .relaxed)
        let sample = try await drive(meter, store)
        let syncs = fileSystem.syncs.load(ordering: .relaxed) - syncsBefore
        return [
            Detail(name: "sagas/s", value: 1e9 / sample.nanosecondsPerOperation, unit: ""),
            Detail(name: "syncs per saga", value: Double(syncs) / Double(meter.count), unit: ""),
        ]
    }
}

/// A store on the disk with sagas that were started and not driven; made once for all samples.
private actor PreparedSagas {
    static let shared = PreparedSagas()

    private var made: String?

    func directory(_ meter: Meter, _ definition: SagaDefinition<Int>) async throws -> String {
        if let made { return made }
        let directory = try meter.scratch.newPath("started")
        let store = try FileRecordStore(directory: directory)
        let (sagas, keys, batch) = (SagaCoordinator("benchmark", store: store, definitions: definition), Keys.all, 500)
        for start in stride(from: 0, to: meter.count, by: batch) {
            let numbers = start..<min(start + batch, meter.count)
            let changes = try numbers.map { try sagas.change(starting: definition, id: keys[$0], input: $0) }
            _ = try await store.commit(changes)
        }
        try await store.close()
        made = directory
        return directory
    }
}
