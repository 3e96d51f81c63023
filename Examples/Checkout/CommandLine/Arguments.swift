// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The words of a command line, taken apart: `--name value`, `--name=value`, and operands.
///
/// After `--` everything is an operand, and so is `-`.
struct Arguments: Equatable {
    private var values: [String: String] = [:]
    private(set) var operands: [String] = []

    /// - Throws: a ``Failure`` that names the word, for an unknown option, one without its value, and one given twice.
    init(_ words: some Sequence<String>, options: Set<String>) throws(Failure) {
        var rest = words.makeIterator()
        var onlyOperands = false
        while let word = rest.next() {
            if onlyOperands || word == "-" || !word.hasPrefix("-") {
                operands.append(word)
            } else if word == "--" {
                onlyOperands = true
            } else {
                let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                let name = parts[0]
                guard options.contains(name) else { throw .usage("unknown option \(name)") }
                guard let value = parts.count == 2 ? parts[1] : rest.next() else {
                    throw .usage("\(name) needs a value")
                }
                guard values.updateValue(value, forKey: name) == nil else { throw .usage("\(name) is given twice") }
            }
        }
    }

    func text(_ name: String) -> String? { values[name] }

    func requiredText(_ name: String) throws(Failure) -> String {
        guard let value = values[name], !value.isEmpty else { throw .usage("\(name) is required") }
        return value
    }

    /// A whole number within the range; `nil` if the option is absent.
    func number<Number: FixedWidthInteger>(_ name: String, in range: ClosedRange<Number>) throws(Failure) -> Number? {
        guard let text = values[name] else { return nil }
        guard let number = Number(text), range.contains(number) else {
            throw .usage(
                "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return number
    }

    /// `true` or `false`; `nil` if the option is absent.
    func flag(_ name: String) throws(Failure) -> Bool? {
        guard let text = values[name] else { return nil }
        guard let value = Bool(text) else { throw .usage("\(name) must be true or false, not '\(text)'") }
        return value
    }

    func requireNoOperands() throws(Failure) {
        if let operand = operands.first { throw .usage("unexpected argument '\(operand)'") }
    }
}
