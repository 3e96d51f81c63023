// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

import ReliabilityTesting
import Testing

@testable import payment_server

@Suite struct PaymentProviderTests {
    private static let payment = Payment(account: "acme", amount: 100, currency: "EUR")

    @Test(arguments: [true, false])
    func `a key is charged once if the provider honours keys, also by its next life`(honoursKeys: Bool) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/ledger.jsonl"
        var receipts: [String] = []
        for _ in 0..<2 {
            let provider = try PaymentProvider(ledger: path, honoursKeys: honoursKeys, delay: .zero)
            for key in ["a", "a", "b"] {
                receipts.append(try await provider.charge(Self.payment, key: key).receipt)
            }
        }
        let expected = honoursKeys ? [1, 1, 2, 1, 1, 2] : [1, 2, 3, 4, 5, 6]
        #expect(receipts == expected.map { "ch_\($0)" })
    }

    @Test(arguments: ["", "{\"key\":\"c\"", "\u{0}\u{0}"])
    func `what was not written to its end is cut off`(torn: String) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/ledger.jsonl"
        let line = LedgerLine(
            key: "a", receipt: Receipt(receipt: "ch_1", account: "acme", amount: 100, currency: "EUR"))
        let whole = try JSON.encode(line) + [UInt8(ascii: "\n")]
        try Descriptor.open(path, O_WRONLY | O_CREAT).write(whole + Array(torn.utf8))
        let provider = try PaymentProvider(ledger: path, honoursKeys: true, delay: .zero)
        #expect(try await provider.charge(Self.payment, key: "a") == line.receipt)
        #expect(try Descriptor.open(path, O_RDONLY).read(upTo: 1 << 16) == whole)
        #expect(try await provider.charge(Self.payment, key: "b").receipt == "ch_2")
    }

    @Test func `damage before the end is no ledger`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/ledger.jsonl"
        try Descriptor.open(path, O_WRONLY | O_CREAT).write(Array("{}\n".utf8))
        #expect(throws: DecodingError.self) { try PaymentProvider(ledger: path, honoursKeys: true, delay: .zero) }
    }

    @Test(arguments: [
        (Payment(account: "", amount: 1, currency: "EUR"), false),
        (Payment(account: String(repeating: "a", count: 255), amount: 1, currency: "EUR"), true),
        (Payment(account: String(repeating: "a", count: 256), amount: 1, currency: "EUR"), false),
        (Payment(account: "a\n", amount: 1, currency: "EUR"), false),
        (Payment(account: "a", amount: 0, currency: "EUR"), false),
        (Payment(account: "a", amount: .max, currency: "EUR"), true),
        (Payment(account: "a", amount: 1, currency: "eur"), false),
        (Payment(account: "a", amount: 1, currency: "EURO"), false),
    ])
    func `a payment that cannot be is told so`(payment: Payment, isPossible: Bool) {
        #expect((payment.problem == nil) == isPossible)
    }

    @Test(arguments: [
        ([], "--directory is required"),
        (["--directory"], "--directory needs a value"),
        (["--directory", "d", "--port", "65536"], "--port must be from 0 to 65535, not '65536'"),
        (["--directory", "d", "--delay", "x"], "--delay must be from 0 to 60000, not 'x'"),
        (["d"], "unknown argument 'd'"),
    ])
    func `a command line that makes no sense is refused with the reason`(words: [String], reason: String) {
        #expect(throws: Failure.usage(reason)) { try Options(words) }
    }

    @Test func `options are read`() throws {
        let words = [
            "--port", "80", "--directory", "d", "--delay", "20", "--wait", "30", "--forgetful-provider",
            "--until-input-ends",
        ]
        let options = try Options(words)
        #expect(options.directory == "d" && options.port == 80 && options.delay == .milliseconds(20))
        #expect(options.wait == .milliseconds(30) && options.isProviderForgetful && options.endsWithInput)
    }
}
