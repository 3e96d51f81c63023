// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How a run goes.
package struct Options: Equatable {
    package var directory = ""
    /// How many things it is about.
    package var count: Int
    /// How often its processes are killed and started again.
    package var crashes = 0

    /// - Parameter count: How many things it is about unless the words say so.
    package init(_ words: some Sequence<String>, count: Int) throws(Refused) {
        self.count = count
        var words = words.makeIterator()
        while let word = words.next() {
            switch word {
            case "--count": self.count = try Self.number(word, words.next())
            case "--crashes": crashes = try Self.number(word, words.next())
            case _ where word.hasPrefix("-") || !directory.isEmpty:
                throw Refused(description: "unknown argument \(word); see --help")
            default: directory = word
            }
        }
        guard !directory.isEmpty else { throw Refused(description: "a directory is required; see --help") }
    }

    /// The number in a word.
    ///
    /// - Parameter name: What the number is for.
    package static func number(_ name: String, _ text: String?) throws(Refused) -> Int {
        guard let text, let number = Int(text), (0...1_000_000).contains(number) else {
            throw Refused(description: "\(name) needs a number from 0 to 1000000")
        }
        return number
    }
}

/// Something on the command line that cannot be done.
package struct Refused: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}
