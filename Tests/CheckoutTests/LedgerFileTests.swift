// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import checkout

@Suite struct LedgerFileTests {
    static let entries: [LedgerEntry] = [
        .charge(
            receipt: "ch_1",
            request: .init(key: "k", order: "o", amountMinor: 1, currency: "EUR", card: "tok")),
        .refund(receipts: ["ch_1"], request: .init(key: "r", order: "o")),
    ]

    @Test(arguments: [
        // What a crash left after the two whole lines, and the number of entries that then count.
        ("", 2),
        ("{\"charge\":{\"rec", 2),
        ("{\"charge\":{\"rec\n", 2),
        ("\u{0}\u{0}\u{0}\u{0}", 2),
        ("\n", 2),
    ])
    func `what was not written to its end is cut off, and the next entry follows the last whole one`(
        torn: String, count: Int
    ) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path + "/ledger.jsonl"
        let whole = try Self.entries.flatMap { try JSON.line($0) }
        try writeFile(path, whole + Array(torn.utf8))
        #expect(try LedgerFile.read(path) == Self.entries)
        var found: [LedgerEntry] = []
        do {
            let file = try LedgerFile(opening: path) { found.append($0) }
            #expect(found.count == count && found == Self.entries)
            try file.append(Self.entries[0])
        }
        #expect(try readFile(path) == whole + JSON.line(Self.entries[0]))
    }

    @Test func `damage before the last line is refused with the line's number`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path + "/ledger.jsonl"
        let line = try JSON.line(Self.entries[0])
        let bytes = line + Array("{}\n".utf8) + line
        try writeFile(path, bytes)
        let failure = Failure("the ledger is damaged: \(path): line 2", exitCode: .cannotStart)
        #expect(throws: failure) { _ = try LedgerFile.read(path) }
        #expect(throws: failure) { _ = try LedgerFile(opening: path) { _ in } }
        #expect(try readFile(path) == bytes)
    }

    @Test func `a ledger that cannot be used is one line with its path`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path + "/ledger.jsonl"
        let holder = try LedgerFile(opening: path) { _ in }
        #expect(throws: Failure("cannot open the ledger: \(path): in use by another process", exitCode: .cannotStart)) {
            _ = try LedgerFile(opening: path) { _ in }
        }
        try holder.append(Self.entries[1])
        let missing = directory.path + "/none/ledger.jsonl"
        #expect(
            throws: Failure("cannot open the ledger: \(missing): No such file or directory", exitCode: .cannotStart)
        ) { _ = try LedgerFile(opening: missing) { _ in } }
        #expect(
            throws: Failure("cannot read the ledger: \(missing): No such file or directory", exitCode: .cannotStart)
        ) { _ = try LedgerFile.read(missing) }
    }
}
