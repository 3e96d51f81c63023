// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What a crash leaves of calls that were under way. Every check passes where no crash can be had.
extension RecordStoreConformance {
    static let crashScenarioChecks = [
        Check("nothing that any answer has shown is taken back by a crash", promise: 2) { bench in
            try await eachCrash(bench) { _, left in
                let batch = left.batch ?? -1
                try require(
                    batch >= left.told.shown, "batch \(batch) is left, and an answer has shown \(left.told.shown)")
            }
        },
        Check("a batch that is under way when the store crashes is in as a whole or not at all", promise: 3) { bench in
            try await eachCrash(bench) { _, left in
                try require(left.places.count, is: 1, "the number of names of a record that is being moved")
                let states = left.first.compactMap { $0?.state }
                try require(
                    states.count == 3 && Set(states).count == 1, "three records that change together are \(states)")
                guard let batch = left.batch else { return }
                try require(batch <= left.told.named.count, "batch \(batch) is left, which nobody has tried")
                try require(left.first[2 + batch % 2] != nil, "batch \(batch) has left the moved record where it was")
            }
        },
        Check(
            "after a crash a record tells whether a change is in that was under way, also by its new name", promise: 4
        ) {
            bench in
            try await eachCrash(bench) { _, left in
                for (index, record) in [left.first[0], left.first[1], left.places.first].enumerated() {
                    guard let record, let batch = Int(record.state), (1...left.told.named.count).contains(batch) else {
                        continue
                    }
                    try require(
                        record.changedUnder, is: left.told.named[batch - 1][index],
                        "changedUnder of what batch \(batch) left"
                    )
                }
                // Once the store has answered, the change is in or never will be.
                for (first, second) in zip(left.first, left.second) {
                    try require(second, is: first, "what stands when the calls of the old store have ended")
                }
            }
        },
        Check("no fence is given out after a crash that was before it, though calls were under way", promise: 1) {
            bench in
            try await eachCrash(bench) { bench, left in
                for record in left.second.compactMap(\.self) {
                    let fence = try await bench.replace(record.id, record.fence)
                    try require(fence > record.fence, "after a crash \(record.id) got \(fence) after \(record.fence)")
                    try require(!left.told.given.contains(fence), "\(fence) was given out before the crash")
                }
            }
        },
    ]

    /// Lets new stores crash in the middle of their work, and looks at what is left of each writer's records.
    private static func eachCrash(
        _ bench: ConformanceBench, _ look: (ConformanceBench, CrashScenario.Left) async throws -> Void
    ) async throws {
        guard bench.canCrash else { return }
        for round in 0..<UInt64(12) {
            let seed = bench.suite.seed &+ round
            do {
                try await ConformanceBench.with(bench.suite) { bench in
                    guard let (bench, left) = try await CrashScenario(bench, seed: seed).run() else { return }
                    for left in left { try await look(bench, left) }
                }
            } catch {
                throw Violation("seed \(seed): \(error)")
            }
        }
    }
}
