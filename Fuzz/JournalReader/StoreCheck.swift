// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityTesting

/// Opens whatever files there are as a store. What opens has to be the same when it is opened again, whatever was done to
/// its files meanwhile; what does not has to say so, and neither may end the process.
enum StoreCheck {
    private static let path = "/store"

    private struct Content: Equatable {
        let records: [Record]
        let nextFence: Fence
        let nextPosition: UInt64

        init(_ store: SteppedStore) {
            let table = store.store.tableInMemory
            records = table.allRecords.sorted { $0.position < $1.position }
            nextFence = table.nextFence
            nextPosition = table.nextPosition
        }

        /// Whether a store can have written it: one can count on from it for longer than any store lives, and no two
        /// records have the same position. Checksums that were made whole also let through what is not so.
        var isPossible: Bool {
            nextPosition < 1 << 61 && nextFence.rawValue & 0xFFFF_FFFF_FFFF < 1 << 47
                && zip(records, records.dropFirst()).allSatisfy { $0.position < $1.position }
        }
    }

    static func run(_ bytes: some Collection<UInt8>) {
        let container = StoreContainer(bytes)
        let disk = SimulatedDisk()
        do {
            for file in container.files { try disk.setContents(file.bytes, of: "\(path)/\(file.name)") }
            if container.salvages { try salvage(disk) }
        } catch {
            preconditionFailure("\(error)")
        }
        let store: SteppedStore
        do throws(FileStoreError) {
            store = try open(path, disk)
        } catch {
            // It is refused, and what it says can be told.
            precondition(!error.description.isEmpty)
            return
        }
        do {
            let content = Content(store)
            guard content.isPossible else { return try store.close() }
            if container.compacts { try store.run { try await $0.compact() } }
            try store.close()
            let again = try open(path, disk)
            precondition(again.store.report.lastEnd == .closed, "a store that was closed is not")
            precondition(Content(again) == content, "other content after closing and opening")
            try again.close()
        } catch {
            preconditionFailure("\(error), of a store that opens")
        }
    }

    private static func salvage(_ disk: SimulatedDisk) throws {
        let report: SalvageReport
        do throws(FileStoreError) {
            report = try FileRecordStore.salvage(path, into: "/saved", fileSystem: disk)
        } catch {
            switch error {
            // There is no store, or another version wrote it.
            case .missing, .unsupportedFormat: return
            // The disk refuses nothing, so it can only be that no incarnation is left, or that there is no directory.
            case .failed(let failure) where failure.code == 0 || disk.files.isEmpty: return
            case .failed, .inUse, .damaged, .occupied: throw error
            }
        }
        let saved = try open("/saved", disk)
        precondition(saved.store.report.lastEnd == .closed, "a salvaged store is not closed")
        precondition(saved.store.report.records == report.records, "other records than were salvaged")
        try saved.close()
    }

    private static func open(_ path: String, _ disk: SimulatedDisk) throws(FileStoreError) -> SteppedStore {
        try SteppedStore(path, on: disk, layout: DamagedStore.layout)
    }
}
