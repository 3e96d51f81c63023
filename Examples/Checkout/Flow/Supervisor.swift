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
internal import Reliability

/// Runs the provider and the worker as processes of their own, and kills the worker as planned.
struct Supervisor {
    /// How long a worker may go without a sign of life.
    private static let patience = Duration.seconds(120).nanosecondsRoundedUp
    /// How often the supervisor looks whether it is to stop.
    private static let glance = Duration.milliseconds(200).nanosecondsRoundedUp

    private let options: RunOptions
    private let place: Workplace
    private let lineCount: Int
    private let signals: Int32
    private let time = TimeSource(ContinuousClock())
    private var plan: CrashPlan
    private var progress: Progress
    /// What the workers told of themselves, over all lives.
    private(set) var recovered = 0
    private(set) var retried = 0
    private(set) var crashes = 0

    /// - Parameter signals: comes to its end when the run is to stop.
    init(_ options: RunOptions, _ place: Workplace, lineCount: Int, signals: Int32) {
        self.signals = signals
        self.options = options
        self.place = place
        self.lineCount = lineCount
        plan = CrashPlan(crashes: options.crashes, orders: lineCount, seed: options.seed)
        progress = Progress(total: lineCount)
    }

    /// Starts worker after worker until the work is done and every crash has happened.
    ///
    /// - Throws: a ``Failure`` if the provider or a worker fails by itself.
    mutating func run() throws {
        let short = try TemporaryDirectory()
        defer { short.remove() }
        let socket = place.socket(short)
        let provider = try ProviderProcess(
            ProviderServer.Settings(
                socket: socket, ledger: place.ledger, honoursKeys: options.honoursKeys,
                faults: FaultPlan(seed: options.seed, rates: .usual)))
        defer { _ = provider.stop() }
        let arguments = [
            "worker", "--directory", place.directory, "--socket", socket, "--concurrency", String(options.concurrency),
            "--rate", String(options.rate), "--honour-keys", String(options.honoursKeys),
        ]
        while try live(Child(arguments: arguments), provider) {}
        progress.end()
    }

    /// Follows one life of the worker to its end; `true` if there has to be another one.
    private mutating func live(_ worker: Child, _ provider: ProviderProcess) throws -> Bool {
        var killAt = plan.workerStarted().map { time.now() + $0.nanosecondsRoundedUp }
        var lastSign = time.now()
        while true {
            let wait = max(0, min(Self.glance, (killAt ?? .max) - time.now()))
            let output = try worker.nextLine(timeout: .nanoseconds(wait))
            guard !isStopped else { throw Failure("stopped by a signal", exitCode: .failed) }
            // Without it the worker would try to give back for ever.
            try provider.requireRunning()
            if let kill = killAt, time.now() >= kill, output != .ended {
                worker.kill()
                if worker.wait() == .signal(SIGKILL) {
                    plan.workerKilled()
                    crashes += 1
                    progress.show(crashes: crashes)
                    return true
                }
            }
            switch output {
            case .line(let line):
                lastSign = time.now()
                if let delay = heard(line) { killAt = time.now() + delay.nanosecondsRoundedUp }
            case .timedOut:
                guard time.now() - lastSign < Self.patience else {
                    throw Failure("the worker gave no sign of life for two minutes", exitCode: .failed)
                }
            case .ended:
                return try ended(worker.wait())
            }
        }
    }

    /// Whether SIGTERM or SIGINT has come.
    private var isStopped: Bool {
        var polled = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&polled, 1, 0) > 0
    }

    /// Takes in a line of the worker; how long to wait before killing it, if that has become due.
    private mutating func heard(_ line: String) -> Duration? {
        let words = line.split(separator: " ")
        guard words.count == 2, let number = Int(words[1]) else { return nil }
        switch words[0] {
        case "recovered": recovered += number
        case "retried": retried += number
        case "finished":
            progress.show(finished: number, crashes: crashes)
            return plan.workerReported(progress: number)
        default: break
        }
        return nil
    }

    /// The worker ended by itself, or was killed by somebody else.
    private mutating func ended(_ exit: Child.Exit) throws(Failure) -> Bool {
        switch exit {
        case .status(0):
            return plan.workerEnded()
        case .status(let status):
            throw .reported(Failure.ExitCode(rawValue: status) ?? .failed)
        case .signal(let signal):
            throw Failure("the worker was ended by signal \(signal)", exitCode: .failed)
        }
    }
}
