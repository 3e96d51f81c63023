// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CAllocationCounter

/// A row and what was measured.
struct Outcome: Sendable {
    let row: Row
    /// Nanoseconds per operation, in rising order.
    let samples: [Double]
    let operationsPerSample: Int
    /// Per operation; `nil` where they cannot be counted.
    let allocations: Double?
    let details: [Row.Detail]

    var minimum: Double { samples.first ?? 0 }

    var median: Double {
        let middle = samples.count / 2
        guard samples.count.isMultiple(of: 2), middle > 0 else { return samples.isEmpty ? 0 : samples[middle] }
        return (samples[middle - 1] + samples[middle]) / 2
    }
}

/// Measures rows: warms each up, then takes their samples in turn, so that a slow minute of the machine falls on a row
/// and on its floor alike.
struct Runner {
    /// How much is measured.
    struct Effort {
        let rounds: Int
        let sample: Duration

        static let full = Effort(rounds: 15, sample: .milliseconds(20))
        static let smoke = Effort(rounds: 2, sample: .milliseconds(1))
    }

    /// A row whose measurement failed.
    struct Failed: Error, CustomStringConvertible {
        let row: Row
        let cause: any Error

        var description: String { "\(row.title): \(cause)" }
    }

    let isSmoke: Bool
    let scratch: Scratch
    let progress: Progress

    private var effort: Effort { isSmoke ? .smoke : .full }

    /// The outcomes of the rows in their order, floors that they need before them.
    func run(_ selected: [Row]) async throws -> [Outcome] {
        let needed = Set(selected.compactMap(\.floor))
        let titles = Set(selected.map(\.title))
        let rows = Row.all.filter { titles.contains($0.title) || needed.contains($0.name) }
        func rounds(of row: Row) -> Int { min(row.rounds ?? effort.rounds, effort.rounds) }
        let steps = rows.reduce(0) { $0 + rounds(of: $1) + 2 }
        var step = 0
        func announce(_ row: Row, _ what: String) {
            step += 1
            progress.show("\(step * 100 / steps) %  \(what)  \(row.title)")
        }

        var counts: [Int] = []
        for row in rows {
            announce(row, "warm-up")
            counts.append(try await failing(row) { try await warmUp(row) })
        }
        var samples = [[Double]](repeating: [], count: rows.count)
        for round in 1...effort.rounds {
            for (index, row) in rows.enumerated() where round <= rounds(of: row) {
                announce(row, "round \(round) of \(effort.rounds)")
                let meter = Meter(count: counts[index], scratch: scratch)
                samples[index].append(try await failing(row) { try await row.sample(meter).nanosecondsPerOperation })
            }
        }
        var outcomes: [Outcome] = []
        for (index, row) in rows.enumerated() {
            announce(row, "details")
            outcomes.append(
                try await failing(row) {
                    Outcome(
                        row: row, samples: samples[index].sorted(), operationsPerSample: counts[index],
                        allocations: try await allocations(of: row, count: counts[index]),
                        details: try await row.details?(Meter(count: counts[index], scratch: scratch)) ?? [])
                })
        }
        progress.clear()
        return outcomes
    }

    /// Runs the row until a sample takes long enough, and returns how many operations that needs.
    private func warmUp(_ row: Row) async throws -> Int {
        if case .fixed(let full, let smoke) = row.count {
            let count = isSmoke ? smoke : full
            _ = try await row.sample(Meter(count: count, scratch: scratch))
            return count
        }
        let wanted = Double(effort.sample.components.attoseconds) / 1e9
        var count = 1
        while true {
            let taken = Double(try await row.sample(Meter(count: count, scratch: scratch)).nanoseconds)
            if taken >= wanted * 0.8 { return count }
            // By not more than eightfold: the first samples are the coldest.
            count = Int((Double(count) * min(8, max(1.25, wanted / taken))).rounded(.up))
        }
    }

    private func allocations(of row: Row, count: Int) async throws -> Double? {
        let meter = Meter(count: count, countsAllocations: true, scratch: scratch)
        let sample = try await row.sample(meter)
        return sample.allocations.map { Double($0) / Double(sample.operations) }
    }

    private func failing<Value>(_ row: Row, _ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch {
            progress.clear()
            throw Failed(row: row, cause: error)
        }
    }
}
