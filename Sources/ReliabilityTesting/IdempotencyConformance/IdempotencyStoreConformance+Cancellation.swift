// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Promise 8.
extension IdempotencyStoreConformance {
    static let cancellationChecks = [
        Check("a cancelled task's operations are carried out and answered", promise: 8) { bench in
            let (done, gone) = (try bench.key("done"), try bench.key("gone"))
            try await RecordStoreConformance.cancelled {
                var execution = try await bench.acquire(done)
                execution = try await bench.extend(execution, by: .seconds(5))
                execution = try await bench.checkpoint(execution)
                try await bench.markUnknown(execution)
                let entry = try await bench.entry(done)
                try require(try await bench.listed(), is: [entry], "what a cancelled task is listed")
                try await bench.complete(try await bench.acquire(done, takingOver: entry))
                try await bench.refused(done, "of a completed key")
                try await bench.release(try await bench.acquire(gone))
                _ = try await bench.store.purge(limit: 1)
            }
            guard case .completed = try await bench.entry(done).state else { throw Violation("a completion is not in") }
            try await bench.requireAbsent(gone, "though a cancelled task released it")
        },
        Check("a task that is cancelled on its way cuts no operation short", promise: 8) { bench in
            let keys = try (0..<50).map { try bench.key("\($0)") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for key in keys {
                    group.addTask {
                        let execution = try await bench.checkpoint(try await bench.acquire(key))
                        try await bench.complete(try await bench.extend(execution, by: .seconds(5)))
                    }
                }
                group.cancelAll()
                try await group.waitForAll()
            }
            for key in keys {
                guard case .completed = try await bench.entry(key).state else {
                    throw Violation("\(key) is not completed")
                }
            }
        },
    ]
}
