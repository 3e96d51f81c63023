// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A table with columns that are aligned, the first to the left and the others to the right.
struct Table: CustomStringConvertible {
    /// Its lines, each of as many cells; an empty one stands for an empty line.
    var lines: [[String]]

    var description: String {
        let columns = lines.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return lines.map { line in
            line.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - line[column].count)
                return column == 0 ? line[column] + padding : padding + line[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

extension Table {
    /// What each algorithm let through, for the clients that asked most and for all together.
    ///
    /// - Parameters:
    ///   - replay: A log that has ended.
    ///   - top: How many clients have a line of their own.
    ///   - most: The most in any period of the client that is shown; none if no client is.
    init(_ replay: Replay, top: Int, most: Counts?) {
        func line(_ title: String, _ counts: Counts) -> [String] {
            [title] + Column.allCases.map { "\(counts[$0])" }
        }
        let rows = replay.ledger.rows
        lines = [[replay.rules.key.title] + Column.allCases.map(\.title)]
        lines += rows.prefix(top).map { line($0.key.displayed, $0.counts) }
        let rest = rows.dropFirst(top).reduce(into: replay.ledger.others) { $0 += $1.counts }
        if rest[.requests] > 0 { lines.append(line("all others", rest)) }
        lines.append(line("together", replay.total))
        if let shown = replay.rules.shown, let counts = replay.ledger.counts(of: shown), let most {
            lines += [[], line(shown.displayed, counts), line("in any \(replay.rules.period)s at most", most)]
        }
    }
}

extension KeyRule {
    /// What a key is called.
    fileprivate var title: String {
        switch self {
        case .client: "client"
        case .user: "user"
        case .pathPrefix: "path"
        }
    }
}

extension Replay {
    /// What there is to say about what was left out, a line each.
    var notes: [String] {
        func lines(_ count: Int) -> String { count == 1 ? "1 line" : "\(count) lines" }
        var notes: [String] = []
        if malformed.count > 0, let problem {
            notes.append(
                "\(lines(malformed.count)) of \(self.lines) not understood and left out; the first is line "
                    + "\(malformed.first): \(problem)")
        }
        if misplaced.count > 0 {
            notes.append(
                "\(lines(misplaced.count)) of \(self.lines) out of order by more than \(LogOrder.slack)s and left out; "
                    + "the first is line \(misplaced.first)")
        }
        if overflows > 0 {
            notes.append(
                "\(overflows) times a limiter had no room for a client and refused; give it more with --clients")
        }
        return notes
    }
}

extension String {
    /// The text as a terminal and a picture can show it: nothing of what a stranger wrote into the log moves the cursor,
    /// turns the direction of the text or breaks a line, and it is not too long.
    var displayed: String {
        let safe = unicodeScalars.prefix(41).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                "\\u{\(Swift.String(scalar.value, radix: 16))}"
            default: Swift.String(scalar)
            }
        }.joined()
        return safe.count > 40 ? safe.prefix(39) + "…" : safe
    }
}
