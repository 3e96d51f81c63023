// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What the words of the command line ask for.
enum Command: Equatable {
    case help
    case run(Options)
    /// The lines of the status table of a run.
    case status(directory: String)
    /// What a run starts, each in a process of its own.
    case service(records: String, count: Int, sockets: [String])
    case provider(socket: String, ledger: String, faults: ProviderLedger.Faults)

    init(_ words: [String]) throws(Refused) {
        let rest = Array(words.dropFirst())
        switch (words.first, rest.count) {
        case ("--help", _): self = .help
        case ("service", 4):
            self = .service(records: rest[0], count: try Self.number("COUNT", rest[1]), sockets: Array(rest[2...]))
        case ("provider", 4):
            let faults = ProviderLedger.Faults(
                refused: try Self.number("REFUSED", rest[2]), lost: try Self.number("LOST", rest[3]))
            self = .provider(socket: rest[0], ledger: rest[1], faults: faults)
        case ("status", 1): self = .status(directory: rest[0])
        default: self = .run(try Options(words))
        }
    }

    static func number(_ name: String, _ text: String?) throws(Refused) -> Int {
        guard let text, let number = Int(text), (0...1_000_000).contains(number) else {
            throw Refused(description: "\(name) needs a number from 0 to 1000000")
        }
        return number
    }
}

/// How a run goes.
struct Options: Equatable {
    var directory = ""
    var count = 300
    var crashes = 0

    init(_ words: some Sequence<String>) throws(Refused) {
        var words = words.makeIterator()
        while let word = words.next() {
            switch word {
            case "--count": count = try Command.number(word, words.next())
            case "--crashes": crashes = try Command.number(word, words.next())
            case _ where word.hasPrefix("-") || !directory.isEmpty:
                throw Refused(description: "unknown argument \(word); see --help")
            default: directory = word
            }
        }
        guard !directory.isEmpty else { throw Refused(description: "a directory is required; see --help") }
    }
}

/// Something on the command line that cannot be done.
struct Refused: Error, CustomStringConvertible {
    let description: String
}
