// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import checkout

@Suite struct ProviderLedgerTests {
    typealias Step = (ProviderRequest, ProviderAnswer)

    static func charge(
        _ key: String, _ order: String = "o", amount: Int = 100, card: String = "tok"
    ) -> ProviderRequest {
        .charge(.init(key: key, order: order, amountMinor: amount, currency: "EUR", card: card))
    }

    static func refund(_ order: String = "o") -> ProviderRequest { .refund(.init(key: "r", order: order)) }

    static func charged(_ receipt: String, replayed: Bool = false) -> ProviderAnswer {
        .charged(receipt: Receipt(id: receipt, replayed: replayed))
    }

    static let inBothWorlds: [[Step]] = [
        [(.lookup(.order("o")), .known(state: .nothing)), (.lookup(.key("k")), .known(state: .nothing))],
        [
            (charge("k"), charged("ch_1")),
            (.lookup(.order("o")), .known(state: .charged(receipts: ["ch_1"]))),
            (.lookup(.key("k")), .known(state: .charged(receipts: ["ch_1"]))),
            (refund(), .refunded(receipts: ["ch_1"])),
            (.lookup(.order("o")), .known(state: .refunded(receipts: ["ch_1"]))),
            (refund(), .refunded(receipts: [])),
        ],
        [(refund(), .refunded(receipts: [])), (charge("k"), charged("ch_1"))],
        [
            (charge("a", "o"), charged("ch_1")), (charge("b", "p"), charged("ch_2")),
            (refund("p"), .refunded(receipts: ["ch_2"])),
        ],
        [
            (charge("k", card: "tok_declined_1"), .declined(reason: .card)),
            (charge("k", card: "tok_declined_1"), .declined(reason: .card)),
            (.lookup(.order("o")), .known(state: .nothing)),
        ],
        [(charge("k", amount: 0), .declined(reason: .badRequest))],
        [(.lookup(.init(key: nil, order: nil)), .declined(reason: .badRequest))],
    ]

    static let honouring: [[Step]] = [
        [(charge("k"), charged("ch_1")), (charge("k"), charged("ch_1", replayed: true))],
        [(charge("k"), charged("ch_1")), (charge("k", amount: 101), .declined(reason: .keyReused))],
        [(charge("k"), charged("ch_1")), (charge("k", "p"), .declined(reason: .keyReused))],
        [
            (charge("k"), charged("ch_1")), (refund(), .refunded(receipts: ["ch_1"])),
            (charge("k"), charged("ch_1", replayed: true)),
        ],
        [
            (charge("k"), charged("ch_1")), (charge("l"), charged("ch_2")),
            (refund(), .refunded(receipts: ["ch_1", "ch_2"])),
        ],
    ]

    static let ignoring: [[Step]] = [
        [
            (charge("k"), charged("ch_1")), (charge("k"), charged("ch_2")),
            (.lookup(.order("o")), .known(state: .charged(receipts: ["ch_1", "ch_2"]))),
            (refund(), .refunded(receipts: ["ch_1", "ch_2"])),
        ],
        [(charge("k"), charged("ch_1")), (charge("k", amount: 101), charged("ch_2"))],
        [
            (charge("k"), charged("ch_1")), (refund(), .refunded(receipts: ["ch_1"])), (charge("k"), charged("ch_2")),
            (.lookup(.order("o")), .known(state: .charged(receipts: ["ch_1", "ch_2"]))),
            (refund(), .refunded(receipts: ["ch_2"])),
        ],
    ]

    @Test func `every row of requests gets the answers of its world`() {
        for (honours, rows) in [(true, Self.inBothWorlds + Self.honouring), (false, Self.inBothWorlds + Self.ignoring)]
        {
            for (number, row) in rows.enumerated() {
                var ledger = ProviderLedger(honoursKeys: honours)
                var entries: [LedgerEntry] = []
                for (request, expected) in row {
                    #expect(Self.perform(request, &ledger, &entries) == expected, "honours \(honours), row \(number)")
                }
                var replayed = ProviderLedger(honoursKeys: honours)
                for entry in entries { replayed.apply(entry) }
                #expect(replayed == ledger, "the ledger read again, honours \(honours), row \(number)")
            }
        }
    }

    @Test func `deciding alone changes nothing`() {
        let ledger = ProviderLedger(honoursKeys: true)
        #expect(ledger.decide(Self.charge("k")) == ledger.decide(Self.charge("k")))
        #expect(ledger.chargesByOrder.isEmpty)
    }

    @Test func `the charges of an order show what was taken and given back`() {
        var ledger = ProviderLedger(honoursKeys: false)
        var entries: [LedgerEntry] = []
        for request in [Self.charge("k"), Self.refund(), Self.charge("k"), Self.charge("l", "p")] {
            _ = Self.perform(request, &ledger, &entries)
        }
        #expect(ledger.chargesByOrder["o"]?.map(\.isRefunded) == [true, false])
        #expect(ledger.chargesByOrder["p"]?.map(\.receipt) == ["ch_3"])
        #expect(ledger.charges.map(\.request.key) == ["k", "k", "l"])
    }

    @Test func `requests and answers are one line of plain JSON`() throws {
        let lines: [(any Codable, String)] = [
            (
                Self.charge("k/1"),
                #"{"charge":{"amountMinor":100,"card":"tok","currency":"EUR","key":"k/1","order":"o"}}"#
            ),
            (Self.refund(), #"{"refund":{"key":"r","order":"o"}}"#),
            (ProviderRequest.lookup(.key("k")), #"{"lookup":{"key":"k"}}"#),
            (ProviderRequest.lookup(.order("o")), #"{"lookup":{"order":"o"}}"#),
            (Self.charged("ch_1"), #"{"charged":{"receipt":{"id":"ch_1","replayed":false}}}"#),
            (ProviderAnswer.known(state: .nothing), #"{"known":{"state":{"nothing":{}}}}"#),
            (ProviderAnswer.refused(retryAfterMilliseconds: 9), #"{"refused":{"retryAfterMilliseconds":9}}"#),
            (ProviderAnswer.declined(reason: .keyReused), #"{"declined":{"reason":"keyReused"}}"#),
            (
                LedgerEntry.refund(receipts: ["ch_1"], request: .init(key: "r", order: "o")),
                #"{"refund":{"receipts":["ch_1"],"request":{"key":"r","order":"o"}}}"#
            ),
        ]
        for (value, line) in lines {
            #expect(try String(decoding: JSON.line(value), as: UTF8.self) == line + "\n")
            #expect(try Self.readAndWritten(value, line) == line + "\n")
        }
        for line in ["{}", "[]", #"{"charge":{"key":"k"}}"#, #"{"steal":{}}"#] {
            #expect(throws: (any Error).self, "\(line)") {
                try JSON.decode(ProviderRequest.self, from: Array(line.utf8))
            }
        }
    }

    private static func readAndWritten<Value: Codable>(_ value: Value, _ line: String) throws -> String {
        try String(decoding: JSON.line(JSON.decode(Value.self, from: Array(line.utf8))), as: UTF8.self)
    }

    private static func perform(
        _ request: ProviderRequest, _ ledger: inout ProviderLedger, _ entries: inout [LedgerEntry]
    ) -> ProviderAnswer {
        switch ledger.decide(request) {
        case .answer(let answer): return answer
        case .record(let entry, let answer):
            ledger.apply(entry)
            entries.append(entry)
            return answer
        }
    }
}
