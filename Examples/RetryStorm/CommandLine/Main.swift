// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

@main
enum RetryStorm {
    static let help = """
        USAGE: retry-storm [--seed N] [--clients N] [--svg PATH]

        Ten thousand clients call one server, which fails for half a minute. Runs it on a virtual clock with five ways of
        trying again, each adding something to the one before, and prints what the server had to bear.

          --seed N      another course of the same scenario (default: 1)
          --clients N   how many clients, 1000 to 100000 (default: 10000); the server's capacity goes with them
          --svg PATH    writes the load over time as a picture
        """

    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            guard !options.wantsHelp else { return print(help) }
            let storms = Strategy.allCases.map { Storm($0, options.scenario) }
            print(Storm.table(storms))
            if let path = options.picture { try write(LoadChart(storms: storms).svg, to: path) }
        } catch {
            FileHandle.standardError.write(Data("retry-storm: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func write(_ picture: String, to path: String) throws {
        do {
            try Data(picture.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            throw Refused(description: "cannot write \(path): \(error.localizedDescription)")
        }
    }
}

/// What the words of the command line ask for.
struct Options {
    var scenario = Scenario()
    var picture: String?
    var wantsHelp = false

    init(_ words: some Sequence<String>) throws(Refused) {
        var words = words.makeIterator()
        while let word = words.next() {
            switch word {
            case "--help": wantsHelp = true
            case "--seed": scenario.seed = UInt64(try Self.number(after: word, &words, 0...Int.max))
            case "--clients":
                scenario.clients = try Self.number(after: word, &words, 1_000...100_000)
                scenario.capacity = scenario.clients * 115 / 1_000
            case "--svg":
                guard let path = words.next() else { throw Refused(description: "--svg needs a path") }
                picture = path
            default: throw Refused(description: "unknown argument \(word); see --help")
            }
        }
    }

    private static func number(
        after word: String, _ words: inout some IteratorProtocol<String>, _ allowed: ClosedRange<Int>
    ) throws(Refused) -> Int {
        guard let text = words.next(), let number = Int(text), allowed.contains(number) else {
            throw Refused(description: "\(word) needs a number from \(allowed.lowerBound) to \(allowed.upperBound)")
        }
        return number
    }
}

/// Something on the command line that cannot be done.
struct Refused: Error, CustomStringConvertible {
    let description: String
}
