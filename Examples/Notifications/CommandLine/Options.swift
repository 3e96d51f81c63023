// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ExampleProcesses

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
            self = .service(records: rest[0], count: try Options.number("COUNT", rest[1]), sockets: Array(rest[2...]))
        case ("provider", 4):
            let faults = ProviderLedger.Faults(
                refused: try Options.number("REFUSED", rest[2]), lost: try Options.number("LOST", rest[3]))
            self = .provider(socket: rest[0], ledger: rest[1], faults: faults)
        case ("status", 1): self = .status(directory: rest[0])
        default: self = .run(try Options(words))
        }
    }
}

extension Options {
    /// A run of 300 notifications unless the words say otherwise.
    init(_ words: some Sequence<String>) throws(Refused) { try self.init(words, count: 300) }
}
