// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

extension Row {
    static let core = [
        Row("ReliabilityCore", "time-out around what returns at once", floor: Floor.await) { meter in
            let timeout = Timeout(.seconds(30), name: "benchmark")
            return try await meter.async { count in
                var done = 0
                for _ in 0..<count { done += try await timeout.run { try await bareOperation(1) } }
                return done
            }
        },
        Row("ReliabilityCore", "time-out around what suspends once", floor: Floor.await) { meter in
            let timeout = Timeout(.seconds(30), name: "benchmark")
            return try await meter.async { count in
                var done = 0
                for _ in 0..<count {
                    done += try await timeout.run {
                        await Task.yield()
                        return try await bareOperation(1)
                    }
                }
                return done
            }
        },
    ]
}
