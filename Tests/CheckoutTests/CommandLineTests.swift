// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import checkout

@Suite struct CommandLineTests {
    @Test func `options and operands come out as they were written`() throws {
        let all = try RunOptions([
            "--directory", "/tmp/x", "orders.jsonl", "--crashes=50", "--seed", "18446744073709551615",
            "--concurrency=1", "--honour-keys", "false", "--rate", "1000000",
        ])
        var expected = RunOptions()
        expected.input = .file("orders.jsonl")
        expected.directory = "/tmp/x"
        expected.crashes = 50
        expected.seed = .max
        expected.concurrency = 1
        expected.honoursKeys = false
        expected.rate = 1_000_000
        #expect(all == expected)
        #expect(try RunOptions([]) == RunOptions())
        #expect(try RunOptions(["-"]).input == .standardInput)
        #expect(try RunOptions(["--", "--odd"]).input == .file("--odd"))
        #expect(try Command([]) == .run(RunOptions()))
        var file = RunOptions()
        file.input = .file("refunds.jsonl")
        #expect(try Command(["refunds.jsonl"]) == .run(file))
        #expect(
            try Command(["worker", "--directory", "d", "--socket", "s", "--honour-keys", "false"])
                == .worker(.init(directory: "d", socket: "s", concurrency: 32, rate: 500, honoursKeys: false)))
        #expect(try Command(["generate-orders", "--help"]) == .help)
        #expect(try Command(["generate-orders", "--count", "3"]) == .generateOrders(seed: 2026, count: 3))
        let provider = try Command([
            "provider", "--socket", "s", "--ledger=l", "--honour-keys", "false", "--faults", "lost=0.5,silent=0.25",
            "--seed", "7",
        ])
        #expect(
            provider
                == .provider(
                    ProviderServer.Settings(
                        socket: "s", ledger: "l", honoursKeys: false,
                        faults: FaultPlan(seed: 7, rates: FaultRates(silent: 0.25, lost: 0.5)))))
    }

    @Test(arguments: [
        (["--crash", "1"], "unknown option --crash"),
        (["--crashes"], "--crashes needs a value"),
        (["--crashes", "-1"], "--crashes must be a whole number from 0 to 10000, not '-1'"),
        (["--crashes=10001"], "--crashes must be a whole number from 0 to 10000, not '10001'"),
        (["--crashes", "1e2"], "--crashes must be a whole number from 0 to 10000, not '1e2'"),
        (["--concurrency", "0"], "--concurrency must be a whole number from 1 to 1000, not '0'"),
        (["--rate", ""], "--rate must be a whole number from 1 to 1000000, not ''"),
        (["--seed", "1", "--seed=2"], "--seed is given twice"),
        (["--honour-keys", "yes"], "--honour-keys must be true or false, not 'yes'"),
        (["--directory="], "--directory is required"),
        (["a", "b"], "unexpected argument 'b'"),
    ])
    func `a wrong option of a run is named, with exit code 64`(words: [String], message: String) {
        #expect(throws: Failure(message + " (see checkout --help)", exitCode: .usage)) { try RunOptions(words) }
    }

    @Test(arguments: [
        (["worker", "--socket", "s"], "--directory is required"),
        (["worker", "--socket", "s", "--directory", "d", "orders"], "unexpected argument 'orders'"),
        (["provider-check", "now"], "unexpected argument 'now'"),
        (["generate-orders", "--count", "ten"], "--count must be a whole number from 0 to 10000000, not 'ten'"),
        (["provider", "--socket", "s"], "--ledger is required"),
        (["provider", "--socket", "", "--ledger", "l"], "--socket is required"),
        (
            ["provider", "--socket", "s", "--ledger", "l", "--faults", "lost=0.6,late=0.6"],
            "--faults must be usual, none, or rates such as refused=0.1,lost=0.05, not 'lost=0.6,late=0.6'"
        ),
    ])
    func `a wrong command is named, with exit code 64`(words: [String], message: String) {
        #expect(throws: Failure(message + " (see checkout --help)", exitCode: .usage)) { try Command(words) }
    }
}
