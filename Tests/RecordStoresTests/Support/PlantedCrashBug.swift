// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting

/// A store with one bug that nothing shows but a crash, and the checks that have to find it.
struct PlantedCrashBug: Sendable, CustomStringConvertible {
    let description: String
    let checks: [String]
    private let kind: TwoTableStore.Kind

    init(_ description: String, _ kind: TwoTableStore.Kind, foundBy checks: String...) {
        self.description = description
        self.kind = kind
        self.checks = checks
    }

    /// The suite for a store with the bug.
    var conformance: RecordStoreConformance { Self.conformance(kind) }

    static func conformance(
        _ kind: TwoTableStore.Kind, leeway: RecordStoreConformance.Leeway = []
    ) -> RecordStoreConformance {
        RecordStoreConformance(
            leeway: leeway, makeStore: { TwoTableStore(kind, $0) }, reopen: { try await crashed($0, $1, .current) },
            crash: { try await crashed($0, $1, $2) })
    }

    private static func crashed(
        _ store: any RecordStore, _ clock: ManualClock, _ process: ProcessIdentity
    ) async throws -> any RecordStore {
        guard let store = store as? TwoTableStore else { preconditionFailure("\(store) was not made here") }
        return store.crashed(clock, process)
    }

    static let all = [
        PlantedCrashBug(
            "fences count on from those of the records that stand", .countsFencesFromRecords,
            foundBy: "fences and positions go on growing after a crash, also over deletes"),
        PlantedCrashBug(
            "positions count on from those of the records that stand", .countsPositionsFromRecords,
            foundBy: "fences and positions go on growing after a crash, also over deletes"),
        PlantedCrashBug(
            "a commit is answered before its sync", .commitsDoNotWait,
            foundBy: "what was answered stands after a crash, whatever the change was",
            "nothing that any answer has shown is taken back by a crash"),
        PlantedCrashBug(
            "a store that declares every commit syncs once in a second", .syncsPerInterval,
            foundBy: "what was answered stands after a crash, whatever the change was"),
        PlantedCrashBug(
            "a look does not wait for what it shows", .looksDoNotWait,
            foundBy: "nothing that any answer has shown is taken back by a crash"),
        PlantedCrashBug(
            "the changes of a batch, and the halves of a move, get to the medium one by one", .writesPieceByPiece,
            foundBy: "a batch that is under way when the store crashes is in as a whole or not at all"),
        PlantedCrashBug(
            "changedUnder is not kept", .losesChangedUnder,
            foundBy: "after a crash a record tells whether a change is in that was under way, also by its new name",
            "what was answered stands after a crash, whatever the change was"),
        PlantedCrashBug(
            "a write that the crash had overtaken comes in later", .writesAfterTheCrash,
            foundBy: "after a crash a record tells whether a change is in that was under way, also by its new name"),
        PlantedCrashBug(
            "order keys are not kept", .losesOrderKeys,
            foundBy: "lines stand after a crash as they stood before"),
        PlantedCrashBug(
            "what has expired lives again", .losesExpiry,
            foundBy: "what time has changed and an answer has shown stands after a crash"),
        PlantedCrashBug(
            "time starts again", .losesTime,
            foundBy: "time does not go back behind what a store has kept over a crash"),
        PlantedCrashBug(
            "leases of a process that is gone go on", .isShared,
            foundBy:
                "opening a store after a crash ends the leases of processes that are gone, where one at a time has it",
            "reopening ends the leases of other processes, where one at a time has the store",
            "a lease that an opening has ended does not keep a record from expiring"),
        PlantedCrashBug(
            "leases of the same process end", .endsAllLeases,
            foundBy: "a crash that the same process opens a store after leaves its leases alone",
            "leases and order stand when the same process opens a store again"),
        PlantedCrashBug(
            "leases are ended in memory alone", .endsLeasesInMemory,
            foundBy: "leases that an opening has ended do not come back"),
        PlantedCrashBug(
            "ending a lease takes away the right to settle", .endsLeasesUnderNewFences,
            foundBy: "the fence of a claim outlasts the process that made it"),
    ]
}
