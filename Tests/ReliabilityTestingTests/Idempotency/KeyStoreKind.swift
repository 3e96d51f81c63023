// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import RecordStores
import ReliabilityTesting

/// The suite for each kind of store that has to pass it.
struct KeyStoreKind: Sendable, CustomStringConvertible {
    let description: String
    let conformance: IdempotencyStoreConformance

    static let all = [
        KeyStoreKind(
            description: "records in memory",
            conformance: IdempotencyStoreConformance {
                RecordIdempotencyStore(InMemoryRecordStore(clock: $0))
            }),
        KeyStoreKind(
            description: "records in files of this system",
            conformance: IdempotencyStoreConformance(
                makeStore: { RecordIdempotencyStore(try FileKeys(in: TemporaryDirectory(), $0)) },
                reopen: { store, clock in
                    let files = FileKeys.of(store)
                    try await files.close()
                    return RecordIdempotencyStore(try files.opened(clock))
                },
                close: { try await FileKeys.of($0).close() })),
        KeyStoreKind(
            description: "records in files that crash",
            conformance: IdempotencyStoreConformance(
                makeStore: { RecordIdempotencyStore(try FileKeys(on: SimulatedDisk(), $0)) },
                reopen: { store, clock in
                    let files = FileKeys.of(store)
                    try await files.close()
                    return RecordIdempotencyStore(try files.opened(clock))
                },
                crash: { RecordIdempotencyStore(try FileKeys(on: FileKeys.of($0).diskAfterCrash(), $1)) },
                close: { try await FileKeys.of($0).close() })),
        KeyStoreKind(description: "a table of its own", conformance: table()),
    ]

    /// The suite for a table, in which something may be wrong.
    static func table(_ bug: TableBug? = nil) -> IdempotencyStoreConformance {
        let open: IdempotencyStoreConformance.Reopen = { store, _ in
            guard let store = store as? TableIdempotencyStore else { preconditionFailure("\(store) was not made here") }
            return store.reopened()
        }
        return IdempotencyStoreConformance(makeStore: { TableIdempotencyStore($0, bug) }, reopen: open, crash: open)
    }
}

/// A file store together with the directory or the simulated disk that it lives in.
private struct FileKeys: RecordStoreWrapper {
    enum Place {
        case directory(TemporaryDirectory)
        case disk(SimulatedDisk)
    }

    let place: Place
    let base: any RecordStore

    init(in directory: TemporaryDirectory, _ clock: ManualClock) throws {
        place = .directory(directory)
        base = try FileRecordStore(directory: directory.path + "/store", clock: clock)
    }

    init(on disk: SimulatedDisk, _ clock: ManualClock) throws {
        place = .disk(disk)
        base = try FileRecordStore(
            directory: "/store", clock: clock, fileSystem: disk, layout: .small,
            wallTime: Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000))
    }

    static func of(_ store: any IdempotencyStore) -> FileKeys {
        guard let store = store as? RecordIdempotencyStore<FileKeys> else {
            preconditionFailure("\(store) was not made here")
        }
        return store.records
    }

    func opened(_ clock: ManualClock) throws -> FileKeys {
        switch place {
        case .directory(let directory): try FileKeys(in: directory, clock)
        case .disk(let disk): try FileKeys(on: disk, clock)
        }
    }

    /// The disk as it is found after a loss of power at this moment.
    func diskAfterCrash() -> SimulatedDisk {
        guard case .disk(let disk) = place else { preconditionFailure("A directory of this system does not crash") }
        let killed = disk.killed()
        return killed.powerCut(killed.randomCut(.seeded(1)))
    }
}
