// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How the orders are processed: `checkout [FILE|-] [options]`.
struct RunOptions: Equatable, Sendable {
    static let concurrencies = 1...1_000
    static let rates = 1...1_000_000

    /// The input that was named; `nil` stands for the orders that come with the example.
    var input: OrderInput?
    /// Where the stores and the provider's ledger are; `nil` stands for one that is removed at the end.
    var directory: String?
    /// How often the worker is killed, 0 to 10,000.
    var crashes = 0
    /// For everything that is drawn: faults and crashes.
    var seed: UInt64 = 1
    /// How many orders are under way at a time, 1 to 1,000.
    var concurrency = 32
    /// Whether the provider honours idempotency keys.
    var honoursKeys = true
    /// The most orders started in a second, 1 to 1,000,000.
    var rate = 500

    init() {}

    /// Reads the words after the program's name.
    init(_ words: some Sequence<String>) throws(Failure) {
        let arguments = try Arguments(
            words,
            options: ["--directory", "--crashes", "--seed", "--concurrency", "--honour-keys", "--rate"])
        guard arguments.operands.count <= 1 else {
            throw .usage("unexpected argument '\(arguments.operands[1])'")
        }
        input = arguments.operands.first.map { $0 == "-" ? .standardInput : .file($0) }
        if arguments.text("--directory") != nil { directory = try arguments.requiredText("--directory") }
        crashes = try arguments.number("--crashes", in: 0...10_000) ?? crashes
        seed = try arguments.number("--seed", in: 0...UInt64.max) ?? seed
        concurrency = try arguments.number("--concurrency", in: Self.concurrencies) ?? concurrency
        honoursKeys = try arguments.flag("--honour-keys") ?? honoursKeys
        rate = try arguments.number("--rate", in: Self.rates) ?? rate
    }
}
