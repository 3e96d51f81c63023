// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import RecordStores

@Suite struct SimulatedPowerLossTests {
    /// Opens the store, makes a few records one after the other and closes it; returns what was acknowledged.
    private func work(_ disk: SimulatedDisk) async -> [String] {
        var acknowledged: [String] = []
        guard let store = try? FileRecordStore(directory: "/store", clock: ManualClock(), fileSystem: disk) else {
            return acknowledged
        }
        for key in ["a", "b", "c"] {
            let insert = Change.insert(
                RecordID("orders", key), RecordContent(state: "new", body: [UInt8](repeating: 7, count: 600)))
            if case .committed? = try? await store.commit([insert]) { acknowledged.append(key) }
        }
        try? await store.close()
        return acknowledged
    }

    @Test func `whenever the power is lost, what was acknowledged is there`() async throws {
        let complete = SimulatedDisk()
        #expect(await work(complete).count == 3)
        var outcomeCount = 0
        for count in 0...complete.operationCount {
            let disk = SimulatedDisk()
            disk.stop(after: count, writing: 700)
            let acknowledged = await work(disk)
            let cuts = disk.outcomes(limit: 40)
            outcomeCount += cuts.count
            for cut in cuts {
                let context: Comment = "after \(count) operations, \(cut)"
                do {
                    let store = try FileRecordStore(
                        directory: "/store", clock: ManualClock(), fileSystem: disk.powerCut(cut))
                    let answer = try await store.read(["a", "b", "c"].map { RecordID("orders", $0) })
                    let found = answer.records.compactMap { $0.map { $0.body.count == 600 ? $0.id.key : "?" } }
                    #expect(found.starts(with: acknowledged) && ["a", "b", "c"].starts(with: found), context)
                    try await store.close()
                } catch {
                    Issue.record(error, context)
                }
            }
        }
        #expect(outcomeCount > 10 * complete.operationCount)
    }
}
