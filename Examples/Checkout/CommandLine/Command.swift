// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What the program is asked to do.
enum Command: Equatable {
    case help
    /// Process orders; what the program does without a command.
    case run(RunOptions)
    case worker(Worker.Settings)
    case provider(ProviderServer.Settings)
    case providerCheck
    case generateOrders(seed: UInt64, count: Int)

    /// Reads the words after the program's name.
    init(_ words: [String]) throws(Failure) {
        if words.contains("--help") || words.contains("-h") {
            self = .help
            return
        }
        let rest = words.dropFirst()
        switch words.first {
        case "worker": self = .worker(try Self.workerSettings(rest))
        case "provider": self = .provider(try Self.providerSettings(rest))
        case "provider-check":
            try Arguments(rest, options: []).requireNoOperands()
            self = .providerCheck
        case "generate-orders":
            let arguments = try Arguments(rest, options: ["--seed", "--count"])
            try arguments.requireNoOperands()
            self = .generateOrders(
                seed: try arguments.number("--seed", in: 0...UInt64.max) ?? OrderGenerator.defaultSeed,
                count: try arguments.number("--count", in: 0...10_000_000) ?? OrderGenerator.defaultCount)
        case .some, nil: self = .run(try RunOptions(words))
        }
    }

    /// What the supervisor tells a worker; nobody else has to.
    private static func workerSettings(_ words: ArraySlice<String>) throws(Failure) -> Worker.Settings {
        let arguments = try Arguments(
            words, options: ["--directory", "--socket", "--concurrency", "--rate", "--honour-keys"])
        try arguments.requireNoOperands()
        let usual = RunOptions()
        return Worker.Settings(
            directory: try arguments.requiredText("--directory"), socket: try arguments.requiredText("--socket"),
            concurrency: try arguments.number("--concurrency", in: RunOptions.concurrencies) ?? usual.concurrency,
            rate: try arguments.number("--rate", in: RunOptions.rates) ?? usual.rate,
            honoursKeys: try arguments.flag("--honour-keys") ?? usual.honoursKeys)
    }

    private static func providerSettings(_ words: ArraySlice<String>) throws(Failure) -> ProviderServer.Settings {
        let arguments = try Arguments(
            words, options: ["--socket", "--ledger", "--seed", "--honour-keys", "--faults"])
        try arguments.requireNoOperands()
        let text = arguments.text("--faults") ?? "usual"
        guard let rates = FaultRates(text) else {
            throw .usage("--faults must be usual, none, or rates such as refused=0.1,lost=0.05, not '\(text)'")
        }
        return ProviderServer.Settings(
            socket: try arguments.requiredText("--socket"), ledger: try arguments.requiredText("--ledger"),
            honoursKeys: try arguments.flag("--honour-keys") ?? true,
            faults: FaultPlan(seed: try arguments.number("--seed", in: 0...UInt64.max) ?? 1, rates: rates))
    }
}
