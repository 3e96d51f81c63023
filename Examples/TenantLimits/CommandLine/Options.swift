// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What the words of the command line ask for.
struct Options: Equatable {
    enum Input: Equatable {
        case standardInput
        case file(String)
    }

    enum Task: Equatable {
        case help
        case sample
        case replay(Input)
    }

    var task = Task.help
    var rules = Rules()
    /// How many clients have a line of the table.
    var top = 10
    /// Where the picture goes.
    var picture: String?

    init(_ words: some Sequence<String>) throws(Refused) {
        var words = words.makeIterator()
        var input: Input?
        var other: Task?
        while let word = words.next() {
            switch word {
            case "--help", "-h": other = .help
            case "--sample": other = other ?? .sample
            case "--limit": rules.limit = try Self.number(after: word, &words, Rules.numbers)
            case "--per": rules.period = try Self.duration(after: word, &words, Rules.periods)
            case "--burst": rules.burst = try Self.number(after: word, &words, Rules.numbers)
            case "--wait": rules.wait = try Self.duration(after: word, &words, Rules.waits)
            case "--key":
                let names = KeyRule.allCases.map(\.rawValue).joined(separator: ", ")
                guard let key = words.next().flatMap(KeyRule.init) else { throw Refused("--key is one of \(names)") }
                rules.key = key
            case "--top": top = try Self.number(after: word, &words, 1...1_000)
            case "--clients": rules.mostClients = try Self.number(after: word, &words, 2...Rules.numbers.upperBound)
            case "--show": rules.shown = try Self.text(after: word, &words)
            case "--svg": picture = try Self.text(after: word, &words)
            case "-":
                guard input == nil else { throw Refused("there is more than one log; see --help") }
                input = .standardInput
            case _ where word.hasPrefix("-"): throw Refused("unknown option \(word.displayed); see --help")
            default:
                guard input == nil else { throw Refused("there is more than one log; see --help") }
                input = .file(word)
            }
        }
        guard rules.isPossible else {
            throw Refused("a burst of \(rules.burst ?? rules.limit) would take over a year to come back; see --help")
        }
        if let other {
            task = other
        } else if let input {
            task = .replay(input)
        } else {
            throw Refused("needs a log: a path, or - for standard input; see --help")
        }
    }

    private static func text(
        after word: String, _ words: inout some IteratorProtocol<String>
    ) throws(Refused) -> String {
        guard let text = words.next(), !text.isEmpty else { throw Refused("\(word) needs a value; see --help") }
        return text
    }

    private static func number(
        after word: String, _ words: inout some IteratorProtocol<String>, _ allowed: ClosedRange<Int>
    ) throws(Refused) -> Int {
        guard let text = words.next(), let number = Int(text), allowed.contains(number) else {
            throw Refused("\(word) needs a number from \(allowed.lowerBound) to \(allowed.upperBound)")
        }
        return number
    }

    /// A whole number of seconds, minutes or hours, such as `90s`, `5m` or `1h`.
    private static func duration(
        after word: String, _ words: inout some IteratorProtocol<String>, _ allowed: ClosedRange<Int64>
    ) throws(Refused) -> Int64 {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600]
        let text = words.next() ?? ""
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()),
            case let (seconds, false) = number.multipliedReportingOverflow(by: unit), allowed.contains(seconds)
        else {
            let (least, most) = (allowed.lowerBound, allowed.upperBound)
            throw Refused("\(word) needs a time such as 90s or 5m, from \(least)s to \(most)s")
        }
        return seconds
    }
}

/// Something that cannot be done, in words.
struct Refused: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
