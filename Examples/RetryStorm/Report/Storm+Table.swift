// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The figures of a run, as a line of the table.
extension Storm {
    /// Requests a second, on average, in the outage after its first second.
    var loadInOutage: Int {
        let seconds = seconds[scenario.outage].dropFirst()
        return seconds.reduce(0) { $0 + $1.requests } / max(1, seconds.count)
    }

    /// The most requests in one second.
    var peak: Int { seconds.map(\.requests).max() ?? 0 }

    /// How many requests a call took, on average.
    var amplification: Double {
        let requests = seconds.reduce(0) { $0 + $1.requests }
        return Double(requests) / Double(max(1, callsSucceeded + callsFailed))
    }

    /// How many seconds after the outage the server had to refuse no more than one request in twenty, for good; `nil` if
    /// it was never so while clients began new calls.
    var recovery: Int? {
        let after = seconds[scenario.outage.upperBound..<min(scenario.duration, seconds.count)]
        guard let last = after.lastIndex(where: { 20 * $0.refused > $0.requests }) else { return 0 }
        let recovery = last + 1 - scenario.outage.upperBound
        return last + 1 < after.endIndex ? recovery : nil
    }

    /// The heads of the table's columns.
    static let heads = ["", "peak/s", "in outage/s", "requests/call", "failed calls", "recovered after"]

    /// The cells of its line.
    var cells: [String] {
        let tenths = Int((amplification * 10).rounded())
        return [
            strategy.rawValue, "\(peak)", "\(loadInOutage)", "\(tenths / 10).\(tenths % 10)", "\(callsFailed)",
            recovery.map { "\($0) s" } ?? "never",
        ]
    }

    /// A table of several runs, its columns aligned.
    static func table(_ storms: [Storm]) -> String {
        let lines = [heads] + storms.map(\.cells)
        let widths = heads.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            line.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - line[column].count)
                return column == 0 ? line[column] + padding : padding + line[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
