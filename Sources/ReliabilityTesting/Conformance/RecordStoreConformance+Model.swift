// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Random histories, for what nobody has thought of a check for.
extension RecordStoreConformance {
    static let modelChecks = [
        Check("random histories go as in the model that the promises describe") { bench in
            for round in 0..<UInt64(20) {
                let seed = bench.suite.seed &+ round
                do {
                    try await ConformanceBench.with(bench.suite) { bench in
                        // Every fourth has many records that soon expire.
                        let isCrowded = round % 4 == 3
                        var history = try await RandomHistory(bench, seed: seed, isCrowded: isCrowded)
                        try await history.run(steps: isCrowded ? 100 : 250)
                    }
                } catch {
                    throw Violation("seed \(seed): \(error)")
                }
            }
        }
    ]
}
