// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import checkout

@Suite struct OrderTests {
    static let good = Order(
        id: "o-1", customer: "Ada", sku: "pen-blue", quantity: 2, amountMinor: 900, currency: "EUR", card: "tok")

    @Test(
        arguments: [
            // What to put in place of a field, and what comes of it.
            ("", "", nil),
            ("\"quantity\":2", "\"quantity\":2.0", nil),
            ("\"quantity\":2", "\"quantity\":100", nil),
            ("\"id\":\"o-1\"", "\"id\":\"\(String(repeating: "i", count: 255))\"", nil),
            ("\"card\"", "\"note\":[1,2],\"card\"", nil),
            ("\"id\":\"o-1\",", "", OrderProblem.missing(field: "id")),
            ("\"card\"", "\"kard\"", .missing(field: "card")),
            ("\"quantity\":2", "\"quantity\":\"2\"", .wrongType(field: "quantity")),
            ("\"quantity\":2", "\"quantity\":1.5", .wrongType(field: "quantity")),
            ("\"quantity\":2", "\"quantity\":true", .wrongType(field: "quantity")),
            ("\"amountMinor\":900", "\"amountMinor\":1e30", .wrongType(field: "amountMinor")),
            ("\"amountMinor\":900", "\"amountMinor\":9223372036854775808", .wrongType(field: "amountMinor")),
            ("\"Ada\"", "null", .wrongType(field: "customer")),
            ("\"Ada\"", "[\"Ada\"]", .wrongType(field: "customer")),
            ("\"quantity\":2", "\"quantity\":0", .quantity(0, allowed: 1...100)),
            ("\"quantity\":2", "\"quantity\":101", .quantity(101, allowed: 1...100)),
            ("\"amountMinor\":900", "\"amountMinor\":0", .amountNotPositive(0)),
            ("\"EUR\"", "\"EURO\"", .currency),
            ("\"EUR\"", "\"eur\"", .currency),
            ("\"EUR\"", "\"ÉU\"", .currency),
            ("\"o-1\"", "\"\"", .length(field: "id", bytes: 0, allowed: 1...255)),
            (
                "\"o-1\"", "\"\(String(repeating: "é", count: 128))\"",
                .length(field: "id", bytes: 256, allowed: 1...255)
            ),
            (
                "\"pen-blue\"", "\"\(String(repeating: "s", count: 65))\"",
                .length(field: "sku", bytes: 65, allowed: 1...64)
            ),
            ("\"o-1\"", "\"o\\u0000\"", .notPrintableASCII(field: "id")),
            ("\"o-1\"", "\"é\"", .notPrintableASCII(field: "id")),
            ("\"tok\"", "\"\"", .length(field: "card", bytes: 0, allowed: 1...64)),
            ("\"Ada\"", "\"\"", .length(field: "customer", bytes: 0, allowed: 1...128)),
            ("{", "", .notJSON),
            ("}", "", .notJSON),
            ("}", "} {}", .notJSON),
        ] as [(String, String, OrderProblem?)])
    func `a line is an order, or the first problem has a name`(
        part: String, replacement: String, problem: OrderProblem?
    ) {
        let line = String(decoding: OrderGenerator.json(Self.good), as: UTF8.self)
        #expect(Self.problem(Array(Self.replacing(part, replacement, in: line).utf8)) == problem)
    }

    @Test func `what is not even an object has a name, too`() {
        #expect(Self.problem(Array("[]".utf8)) == .notAnObject)
        #expect(Self.problem(Array("17".utf8)) == .notAnObject)
        #expect(Self.problem(Array("\"text\"".utf8)) == .notAnObject)
        #expect(Self.problem([0x7B, 0xFF, 0x7D]) == .notUTF8)
        #expect(Self.problem(Array(repeating: UInt8(ascii: "["), count: 10_000)) == .notJSON)
    }

    @Test func `an order survives being written and read`() throws {
        #expect(try Order.parse(OrderGenerator.json(Self.good)) == Self.good)
        #expect(try Order.parse(Array(JSON.line(Self.good).dropLast())) == Self.good)
    }

    private static func problem(_ line: [UInt8]) -> OrderProblem? {
        do {
            _ = try Order.parse(line)
            return nil
        } catch {
            return error
        }
    }

    private static func replacing(_ part: String, _ replacement: String, in line: String) -> String {
        guard !part.isEmpty, let range = line.firstRange(of: part) else { return line }
        return line.replacingCharacters(in: range, with: replacement)
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
