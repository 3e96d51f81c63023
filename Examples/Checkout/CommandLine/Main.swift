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

@main
enum Checkout {
    static func main() async {
        replaceClosedStreams()
        do {
            switch try Command(Array(CommandLine.arguments.dropFirst())) {
            case .help: try write(Command.helpText + "\n")
            case .run(let options): try await CheckoutRun(options: options).run { try write($0) }
            case .worker(let settings): try await work(settings)
            case .provider(let settings): try provide(settings)
            case .providerCheck: try await ProviderCheck.run { try write($0 + "\n") }
            case .generateOrders(let seed, let count):
                for line in OrderGenerator.lines(seed: seed, count: count) {
                    try Descriptor.write(STDOUT_FILENO, line)
                }
            }
        } catch let failure as Failure {
            fail(failure.description, failure.exitCode)
        } catch {
            fail("\(error)", .failed)
        }
    }

    /// Puts something that can be neither read nor written in the place of every standard stream that is closed, so
    /// that no file of the run gets its number, and what is meant for the stream.
    private static func replaceClosedStreams() {
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
            // The lowest number that is free, which is this one.
            _ = systemOpen("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY, 0)
        }
    }

    /// Carries out the orders, until they are done or the supervisor is gone.
    private static func work(_ settings: Worker.Settings) async throws {
        try ParentWatch.start { exit(Failure.ExitCode.failed.rawValue) }
        try await Worker(settings: settings) { try write($0 + "\n") }.run()
    }

    /// Runs the provider; the line `ready` on standard output says that it listens.
    private static func provide(_ settings: ProviderServer.Settings) throws {
        let signals = try StopSignals.install()
        var server = try ProviderServer(settings)
        try write("ready\n")
        try server.run(untilEndOf: [STDIN_FILENO, signals])
    }

    private static func write(_ text: String) throws(SystemError) {
        try Descriptor.write(STDOUT_FILENO, Array(text.utf8))
    }

    private static func fail(_ reason: String, _ code: Failure.ExitCode) -> Never {
        // If standard error is closed, the exit code is all there is left to say.
        if !reason.isEmpty { try? Descriptor.write(STDERR_FILENO, Array("checkout: \(reason)\n".utf8)) }
        exit(code.rawValue)
    }
}
