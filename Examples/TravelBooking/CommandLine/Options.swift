// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ExampleProcesses

/// What the words of the command line ask for.
enum Command: Equatable {
    case help
    case run(Options)
    /// The trips of a run, one on each line.
    case trips(directory: String)
    /// The story of one of them.
    case timeline(directory: String, trip: String)
    case diagram
    /// What a run starts, each in a process of its own.
    case coordinator(directory: String, count: Int)
    case desk(DeskName, socket: String, records: String, faults: Desk.Faults)

    init(_ words: [String]) throws(Refused) {
        let rest = Array(words.dropFirst())
        switch (words.first, rest.count) {
        case ("--help", _): self = .help
        case ("trips", 1): self = .trips(directory: rest[0])
        case ("timeline", 2): self = .timeline(directory: rest[0], trip: rest[1])
        case ("diagram", 0): self = .diagram
        case ("coordinator", 2):
            self = .coordinator(directory: rest[0], count: try Options.number("COUNT", rest[1]))
        case ("desk", 6):
            guard let name = DeskName(rawValue: rest[0]) else { throw Refused(description: "no desk \(rest[0])") }
            let faults = Desk.Faults(
                refused: try Options.number("REFUSED", rest[3]), lost: try Options.number("LOST", rest[4]),
                lingering: try Options.number("LINGERING", rest[5]))
            self = .desk(name, socket: rest[1], records: rest[2], faults: faults)
        default: self = .run(try Options(words))
        }
    }
}

extension Options {
    /// A run of 200 trips unless the words say otherwise.
    init(_ words: some Sequence<String>) throws(Refused) { try self.init(words, count: 200) }
}
