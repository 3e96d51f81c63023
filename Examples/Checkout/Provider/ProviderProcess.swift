// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The payment provider, running as a child process.
final class ProviderProcess {
    private let child: Child

    /// Starts it and waits until it listens.
    ///
    /// - Throws: a ``Failure`` if it does not; its own reason is on standard error by then.
    init(_ settings: ProviderServer.Settings, startTimeout: Duration = .seconds(30)) throws {
        child = try Child(arguments: [
            "provider", "--socket", settings.socket, "--ledger", settings.ledger,
            "--seed", String(settings.faults.seed), "--honour-keys", String(settings.honoursKeys),
            "--faults", settings.faults.rates.text,
        ])
        switch try child.nextLine(timeout: startTimeout) {
        case .line("ready"): return
        case .ended: throw Failure.reported(.cannotStart)
        case .line, .timedOut: throw Failure("the payment provider did not start", exitCode: .cannotStart)
        }
    }

    /// - Throws: a ``Failure`` if it has ended without being asked to.
    func requireRunning() throws {
        guard try child.nextLine(timeout: .zero) == .ended else { return }
        switch child.wait() {
        case .status(0): throw Failure("the payment provider was told to end by somebody else", exitCode: .failed)
        case .status(let status): throw Failure.reported(Failure.ExitCode(rawValue: status) ?? .failed)
        case .signal(let signal):
            throw Failure("the payment provider was ended by signal \(signal)", exitCode: .failed)
        }
    }

    /// Asks it to end, and waits for that.
    func stop() -> Child.Exit {
        child.closeInput()
        return child.wait()
    }

    /// Ends it at once, with SIGKILL.
    func kill() -> Child.Exit {
        child.kill()
        return child.wait()
    }
}
