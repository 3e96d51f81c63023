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
internal import RecordStores

/// Proofs of the file store that need a real machine or much time: crashes, power cuts, failing system calls, full
/// disks, damage.
@main
enum ReliabilityTrials {
    private static let usageError: Int32 = 64

    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            switch options.action {
            case .help: print(Options.help)
            case .list: print(Options.list)
            case .child(let settings): beChild(settings)
            case .run: try run(options)
            }
        } catch let error as Options.Malformed {
            fail("\(error); see --help", usageError)
        } catch {
            fail("\(error)", EXIT_FAILURE)
        }
    }

    private static func beChild(_ settings: ChildSettings) {
        ParentWatch.start()
        // The main thread has nothing to do: what is injected into the calls of a thread hits the store's alone.
        Task.detached {
            do {
                try await ChildRun(settings: settings).run()
                exit(EXIT_SUCCESS)
            } catch {
                fail("\(error)", EXIT_FAILURE)
            }
        }
        while true { pause() }
    }

    /// Starts the trials, which end the process; cleans up if a signal comes first.
    private static func run(_ options: Options) throws {
        PrivateMounts.enter()
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
        // Before any other thread starts, so that none of them is hit.
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        let parent = options.directory ?? (unsafe access(".build", W_OK | X_OK) == 0 ? ".build" : ".")
        let scratch = try Scratch(in: parent)
        // The main thread waits for signals, so the trials have a task of their own; it ends with the process.
        Task.detached {
            let isPassed = await run(options.trials, options, scratch)
            do {
                try scratch.remove()
                exit(isPassed ? EXIT_SUCCESS : EXIT_FAILURE)
            } catch {
                fail("\(error)", EXIT_FAILURE)
            }
        }
        var signal: Int32 = 0
        while unsafe sigwait(&signals, &signal) != 0 {}
        try scratch.remove()
        exit(128 + signal)
    }

    @concurrent
    private static func run(_ trials: [Trial], _ options: Options, _ scratch: Scratch) async -> Bool {
        let seed = options.seed ?? RandomSource.system.next() >> 32
        say("seed \(seed)")
        var failures: [String] = []
        for trial in trials {
            let stopwatch = ContinuousClock.now
            let context = TrialContext(cycles: options.cycles ?? trial.cycles, seed: seed, scratch: scratch)
            do {
                switch try await trial.run(context) {
                case .passed(let summary):
                    let milliseconds = ContinuousClock.now.duration(to: stopwatch).nanosecondsRoundedDown / -1_000_000
                    say("\(trial.name): \(summary) (\(milliseconds / 1_000).\(milliseconds / 100 % 10) s)")
                case .skipped(let reason): say("\(trial.name): skipped: \(reason)")
                }
            } catch {
                scratch.keep()
                say("\(trial.name): FAILED with seed \(seed): \(error)")
                failures.append("\(trial.name): \((error as? TrialFailed)?.what ?? "\(error)")")
            }
        }
        // Once more behind everything else, where whoever reads only the end finds it.
        for failure in failures { say("FAILED: \(failure)") }
        return failures.isEmpty
    }

    /// Also where standard output is a file or a pipe, a line is there as soon as it is said.
    private static func say(_ text: String) {
        print(text)
        fflush(nil)
    }

    private static func fail(_ message: String, _ code: Int32) -> Never {
        // If standard error is closed, the exit code is all there is left to say.
        try? Descriptor.write(STDERR_FILENO, Array("reliability-trials: \(message)\n".utf8))
        exit(code)
    }
}
