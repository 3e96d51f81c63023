// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What the program is asked to do.
struct Options: Equatable, Sendable {
    static let help = """
        usage: payment-server --directory DIR [options]

        Takes payments over HTTP, on the loopback interface, each of them once.
          --directory DIR        keeps the idempotency keys and the provider's ledger; made if it is not there
          --port N               the port to listen at (0: a free one); it is told on standard output
          --delay N              the milliseconds that the provider takes to answer, once it has charged (0)
          --wait N               the milliseconds that a duplicate waits for the first request (0: it is sent away)
          --forgetful-provider   the provider does not recognise keys: payments with an unknown outcome are parked
          --until-input-ends     stops at the end of standard input, too, not only at SIGTERM and SIGINT
        """

    var directory = ""
    var port: UInt16 = 0
    var delay = Duration.zero
    var wait = Duration.zero
    var isProviderForgetful = false
    var endsWithInput = false

    init(_ words: some Sequence<String>) throws(Failure) {
        var rest = words.makeIterator()
        while let word = rest.next() {
            func value() throws(Failure) -> String {
                guard let value = rest.next() else { throw .usage("\(word) needs a value") }
                return value
            }
            func number(_ range: ClosedRange<Int>) throws(Failure) -> Int {
                let text = try value()
                guard let number = Int(text), range.contains(number) else {
                    throw .usage("\(word) must be from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
                }
                return number
            }
            switch word {
            case "--directory": directory = try value()
            case "--port": port = UInt16(try number(0...65_535))
            case "--delay": delay = .milliseconds(try number(0...60_000))
            case "--wait": wait = .milliseconds(try number(0...60_000))
            case "--forgetful-provider": isProviderForgetful = true
            case "--until-input-ends": endsWithInput = true
            default: throw .usage("unknown argument '\(word)'")
            }
        }
        guard !directory.isEmpty else { throw .usage("--directory is required") }
    }
}

/// Why the program cannot start, in one line, and the exit code.
struct Failure: Error, Equatable, CustomStringConvertible {
    enum ExitCode: Int32, Sendable {
        /// A directory, file or port cannot be used, or serving broke off.
        case failed = 1
        /// The command line makes no sense.
        case usage = 64
    }

    let description: String
    let exitCode: ExitCode

    static func usage(_ description: String) -> Failure {
        Failure(description: description + " (see payment-server --help)", exitCode: .usage)
    }

    /// What a system call, the store or the ledger said of something that cannot be used.
    static func cannotUse(_ subject: String, _ error: any Error) -> Failure {
        Failure(description: "cannot use \(subject): \(error)", exitCode: .failed)
    }
}
