// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The outcomes of a run, as a table or as JSON.
struct Report {
    let machine: Machine
    let isSmoke: Bool
    let outcomes: [Outcome]

    private func floor(of outcome: Outcome) -> Outcome? {
        outcomes.first { $0.row.name == outcome.row.floor }
    }

    // MARK: Text

    func text() -> String {
        let header = ["", "min", "med", "of floor: min", "med", "allocs", "samples", "floor"]
        let lines = outcomes.map(cells)
        let widths = header.indices.map { column in
            ([header] + lines).map { $0[column].count }.max() ?? 0
        }
        var text = "machine: \(machine.line)\n"
        if isSmoke { text += "a smoke run: the figures mean nothing\n" }
        var module = ""
        for (outcome, cells) in zip(outcomes, lines) {
            if outcome.row.module != module {
                module = outcome.row.module
                text += "\n" + aligned([module] + header.dropFirst(), widths)
            }
            text += aligned(cells, widths)
            if !outcome.details.isEmpty {
                let details = outcome.details.map { "\($0.name) \(Self.figure($0.value, $0.unit))" }
                text += "    " + details.joined(separator: ", ") + "\n"
            }
        }
        return text
    }

    private func cells(_ outcome: Outcome) -> [String] {
        let floor = floor(of: outcome)
        func ratio(_ value: (Outcome) -> Double) -> String {
            floor.map { Self.decimals(value(outcome) / value($0), 2) + "x" } ?? ""
        }
        return [
            "  " + outcome.row.name, Self.figure(outcome.minimum, "ns"), Self.figure(outcome.median, "ns"),
            ratio(\.minimum), ratio(\.median), outcome.allocations.map { Self.count($0) } ?? "-",
            "\(outcome.samples.count) x \(outcome.operationsPerSample)", outcome.row.floor ?? "",
        ]
    }

    /// The first and the last column to the left, the others to the right.
    private func aligned(_ cells: [String], _ widths: [Int]) -> String {
        let columns = cells.indices.map { column in
            let padding = String(repeating: " ", count: max(0, widths[column] - cells[column].count))
            return column == 0 || column == cells.count - 1 ? cells[column] + padding : padding + cells[column]
        }
        let line = columns.joined(separator: "  ")
        return line.prefix(line.count - line.reversed().prefix { $0 == " " }.count) + "\n"
    }

    /// A figure with three digits or more, times in the unit that suits them.
    private static func figure(_ value: Double, _ unit: String) -> String {
        guard unit == "ns" else {
            let text = value >= 100 ? "\(Int(value.rounded()))" : decimals(value, value < 1 ? 3 : 2)
            return unit.isEmpty ? text : "\(text) \(unit)"
        }
        switch value {
        case ..<1_000: return decimals(value, 1) + " ns"
        case ..<1_000_000: return decimals(value / 1_000, 2) + " us"
        default: return decimals(value / 1_000_000, 2) + " ms"
        }
    }

    private static func count(_ value: Double) -> String {
        value < 0.005 ? "0" : decimals(value, 2)
    }

    private static func decimals(_ value: Double, _ digits: Int) -> String {
        let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
        let scaled = Int((value * Double(scale)).rounded())
        let fraction = "\(scaled % scale)"
        return "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    // MARK: JSON

    private struct Document: Encodable {
        struct Line: Encodable {
            let module: String
            let name: String
            let floor: String?
            let minimumNanoseconds: Double
            let medianNanoseconds: Double
            let minimumOfFloor: Double?
            let medianOfFloor: Double?
            let allocations: Double?
            let operationsPerSample: Int
            let samplesNanoseconds: [Double]
            let details: [String: Double]
        }

        let machine: Machine
        let smoke: Bool
        let rows: [Line]
    }

    func json() throws -> String {
        let lines = outcomes.map { outcome in
            let floor = floor(of: outcome)
            return Document.Line(
                module: outcome.row.module, name: outcome.row.name, floor: outcome.row.floor,
                minimumNanoseconds: outcome.minimum, medianNanoseconds: outcome.median,
                minimumOfFloor: floor.map { outcome.minimum / $0.minimum },
                medianOfFloor: floor.map { outcome.median / $0.median }, allocations: outcome.allocations,
                operationsPerSample: outcome.operationsPerSample, samplesNanoseconds: outcome.samples,
                details: Dictionary(outcome.details.map { ($0.name, $0.value) }) { first, _ in first })
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let document = try encoder.encode(Document(machine: machine, smoke: isSmoke, rows: lines))
        return String(decoding: document, as: UTF8.self) + "\n"
    }
}
