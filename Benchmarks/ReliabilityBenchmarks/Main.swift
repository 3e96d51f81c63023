// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Measures the library beside the floors that bind it.
///
/// The main thread only waits for signals. So the process has a second thread in every measurement, as every service
/// has: locks of a single-threaded process are cheaper than any that matter.
@main
enum ReliabilityBenchmarks {
    private static let usageError: Int32 = 64

    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            switch options.action {
            case .help: print(Options.help)
            case .list: for row in options.rows { print(row.title, row.floor.map { "(floor: \($0))" } ?? "") }
            case .measure: try measure(options)
            }
        } catch let error as Options.Malformed {
            fail("\(error); see --help", usageError)
        } catch {
            fail("\(error)", EXIT_FAILURE)
        }
    }

    /// Starts the measurement, which ends the process; removes the files if a signal comes first.
    private static func measure(_ options: Options) throws {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
        // Before any other thread starts, so that none of them is hit.
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        let scratch = try Scratch(in: options.directory)
        // The main thread waits for signals, so the measurement has a task of its own; it ends with the process.
        Task.detached { await measureAndExit(options, scratch) }
        var signal: Int32 = 0
        while unsafe sigwait(&signals, &signal) != 0 {}
        try scratch.remove()
        exit(128 + signal)
    }

    @concurrent
    private static func measureAndExit(_ options: Options, _ scratch: Scratch) async -> Never {
        do {
            let rows = options.rows
            let outcomes: [Outcome]
            do {
                outcomes = try await Runner(isSmoke: options.isSmoke, scratch: scratch, progress: Progress()).run(rows)
            } catch {
                try scratch.remove()
                throw error
            }
            try scratch.remove()
            let machine = Machine(fileSystem: rows.contains(where: \.usesFiles) ? scratch.fileSystem : nil)
            let report = Report(machine: machine, isSmoke: options.isSmoke, outcomes: outcomes)
            print(try options.format == .json ? report.json() : report.text(), terminator: "")
            exit(EXIT_SUCCESS)
        } catch {
            fail("\(error)", EXIT_FAILURE)
        }
    }

    private static func fail(_ message: String, _ code: Int32) -> Never {
        writeToStandardError("reliability-benchmarks: \(message)\n")
        exit(code)
    }
}
