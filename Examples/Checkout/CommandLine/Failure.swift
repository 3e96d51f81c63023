// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Why the program cannot go on: one line for standard error, and the exit code.
struct Failure: Error, Equatable, CustomStringConvertible {
    enum ExitCode: Int32, Sendable {
        /// The work was done and its result is not as it must be, or it broke off.
        case failed = 1
        /// The work could not start: a file, directory or socket cannot be used.
        case cannotStart = 2
        /// The command line makes no sense.
        case usage = 64
    }

    let description: String
    let exitCode: ExitCode

    init(_ description: String, exitCode: ExitCode) {
        self.description = description
        self.exitCode = exitCode
    }

    /// The failure of a child process that has told the reason on the standard error that it shares with this one.
    static func reported(_ exitCode: ExitCode) -> Failure { Failure("", exitCode: exitCode) }

    static func usage(_ description: String) -> Failure {
        Failure(description + " (see checkout --help)", exitCode: .usage)
    }
}
