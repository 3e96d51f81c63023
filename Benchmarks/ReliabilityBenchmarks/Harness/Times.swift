// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Synchronization

/// How long each operation of many tasks took.
final class Times: Sendable {
    private let values = Mutex<[Int64]>([])

    func add(_ time: Duration) { values.withLock { $0.append(time.nanosecondsRoundedUp) } }

    /// The median and the time that one in a hundred exceeds.
    var details: [Row.Detail] {
        let sorted = values.withLock { $0.sorted() }
        func percentile(_ share: Double) -> Double { Double(sorted[Int(Double(sorted.count - 1) * share)]) }
        return [
            Row.Detail(name: "p50", value: percentile(0.5), unit: "ns"),
            Row.Detail(name: "p99", value: percentile(0.99), unit: "ns"),
        ]
    }
}
