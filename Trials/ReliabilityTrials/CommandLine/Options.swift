// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What the command line asks for.
struct Options: Equatable {
    enum Action: Equatable {
        case run
        case list
        case help
        case child(ChildSettings)
    }

    /// A command line that asks for nothing that there is.
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    var action = Action.run
    /// The trials to run, all if none is named.
    var names: [String] = []
    var cycles: Int?
    var seed: UInt64?
    var directory: String?

    init(_ arguments: some Sequence<String>) throws(Malformed) {
        var rest = Array(arguments)[...]
        if rest.first == "child" {
            guard let settings = ChildSettings(rest) else { throw Malformed(description: "no way to start a child") }
            action = .child(settings)
            return
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--cycles", "--crashes", "--stories": cycles = try Self.number(argument, &rest, 1...Int.max)
            case "--seed": seed = try Self.number(argument, &rest, 0...UInt64.max)
            case "--directory":
                guard let directory = rest.popFirst() else { throw Malformed(description: "\(argument) needs a value") }
                self.directory = directory
            case "--list": action = .list
            case "--help", "-h": action = .help
            default:
                guard Trial.all.contains(where: { $0.name == argument }) else {
                    throw Malformed(description: "there is no trial or option \(argument)")
                }
                names.append(argument)
            }
        }
    }

    private static func number<Number: FixedWidthInteger>(
        _ option: String, _ rest: inout ArraySlice<String>, _ allowed: ClosedRange<Number>
    ) throws(Malformed) -> Number {
        guard let word = rest.popFirst(), let number = Number(word), allowed.contains(number) else {
            throw Malformed(description: "\(option) needs a number from \(allowed.lowerBound)")
        }
        return number
    }

    var trials: [Trial] {
        names.isEmpty ? Trial.all : Trial.all.filter { names.contains($0.name) }
    }

    static var help: String {
        """
        USAGE: reliability-trials [TRIAL...] [options]

        Runs the file store with real crashes on the real machine, and with simulated ones. Without a name, all trials are run:

        \(list)

          --cycles N        how often, instead of the number that is short enough for every day
          --crashes N       the same, by the name that it has in the trial of simulated crashes
          --stories N       the same, by the name that it has in the trials of idempotent operations, breakers, queues and sagas
          --seed N          for everything that is drawn; the order in which threads run remains the machine's
          --directory DIR   where the files go (default: .build, or the current directory)
          --list            the trials
          --help            this text

        A trial that is not possible here says so and counts as passed. Root may mount, which some trials need.
        """
    }

    static var list: String {
        Trial.all.map { trial in
            "  \(trial.name)\(String(repeating: " ", count: max(1, 16 - trial.name.count)))\(trial.summary)"
        }.joined(separator: "\n")
    }
}
