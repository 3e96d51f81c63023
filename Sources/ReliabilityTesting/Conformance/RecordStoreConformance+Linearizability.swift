// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What many tasks are answered that call at the same time.
extension RecordStoreConformance {
    static let linearizabilityChecks = [
        Check("calls that overlap are answered as if each took effect at one moment between its call and its return") {
            bench in
            for round in 0..<UInt64(20) {
                let seed = bench.suite.seed &+ round
                do {
                    try await ConformanceBench.with(bench.suite) { bench in
                        var history = try await StoreHistory(of: bench.store, seed: seed)
                        await history.run(rounds: 4, calls: 4, on: bench.store, bench.clock)
                        if let error = history.errors.first { throw error }
                        let numbers = try GivenNumbers(history.calls)
                        let model = NumberedRecordModel(
                            now: history.start, numbers: numbers,
                            passesOver: bench.suite.leeway.contains(.sharedByProcesses), isExact: bench.suite.isExact)
                        _ = try linearize(history.calls, from: model)
                    }
                } catch {
                    throw Violation("seed \(seed): \(error)")
                }
            }
        }
    ]
}
