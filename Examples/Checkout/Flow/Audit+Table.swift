// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension Audit {
    /// The table that a run ends with.
    func table(crashes: Int, recovered: Int, retried: Int) -> String {
        func count(_ outcome: LineOutcome) -> Int { outcomes[outcome, default: 0] }
        let rows: [(String, Int)?] = [
            ("lines of the input", lines),
            ("  completed: reserved, charged, shipped", count(.completed)),
            ("  replayed: an exact duplicate", count(.replayed)),
            ("  mismatched: the key of another order", count(.mismatched)),
            ("  malformed", count(.malformed)),
            ("  compensated: undone", count(.compensated)),
            ("  parked: nobody knows whether it was charged", count(.parked)),
            nil,
            ("crashes of the checkout", crashes),
            ("sagas taken up after a crash", recovered),
            ("calls of the provider that were retried", retried),
            ("dead letters", deadLetters),
            ("charges in the provider's ledger", charges),
            ("  given back", refunds),
            ("orders charged once", chargedOnce),
            nil,
            ("orders charged twice (must be 0)", chargedTwice),
            ("orders charged and not delivered, or the reverse (must be 0)", chargedWrongly),
            ("stock that does not add up (must be 0)", stockWrong),
            ("orders unaccounted for (must be 0)", unaccounted),
        ]
        let width = rows.compactMap { $0?.0.count }.max() ?? 0
        let lines = rows.map { row -> String in
            guard let (label, number) = row else { return "" }
            let digits = String(number)
            let gap = width - label.count + 2 + max(0, 6 - digits.count)
            return label + String(repeating: " ", count: gap) + digits
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
