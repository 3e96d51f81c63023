// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension OrderGenerator {
    /// The order as one line of JSON. The values that the generator makes need no escapes.
    static func json(_ order: Order) -> [UInt8] { json(fields(order)) }

    /// One of the ways for a line to be wrong.
    static func malformedLine(_ index: Int, like order: Order) -> [UInt8] {
        var fields = fields(order)
        switch index % 15 {
        case 0: return Array(json(fields).dropLast(json(fields).count / 3))
        case 1: return Array("order number 17, please".utf8)
        case 2: return Array("[".utf8) + json(fields) + Array("]".utf8)
        case 3: fields.removeAll { $0.name == "amountMinor" }
        case 4: fields.replace("quantity", "\"two\"")
        case 5: fields.replace("card", "null")
        case 6: fields.replace("quantity", "0")
        case 7: fields.replace("quantity", "101")
        case 8: fields.replace("amountMinor", "-500")
        case 9: fields.replace("currency", "\"euro\"")
        case 10: fields.replace("id", "\"\"")
        case 11: return json(fields).map { $0 == UInt8(ascii: ":") ? 0xFF : $0 }
        case 12: return Array("{}".utf8)
        case 13: fields.replace("amountMinor", "1e30")
        default: fields.replace("quantity", "1.5")
        }
        return json(fields)
    }

    /// One of the ways for a line to be too much.
    static func oversizedLine(_ index: Int, like order: Order) -> [UInt8] {
        var fields = fields(order)
        func text(_ count: Int) -> String { "\"" + String(repeating: "x", count: count) + "\"" }
        switch index % 5 {
        case 0: fields.replace("id", text(300))
        case 1: fields.replace("customer", text(2_000))
        case 2: fields.replace("sku", text(65))
        case 3: fields.replace("card", text(500))
        default: fields.append(Field(name: "note", json: text(20_000)))
        }
        return json(fields)
    }

    fileprivate struct Field {
        let name: String
        var json: String
    }

    private static func fields(_ order: Order) -> [Field] {
        func text(_ value: String) -> String { "\"\(value)\"" }
        return [
            Field(name: "id", json: text(order.id)), Field(name: "customer", json: text(order.customer)),
            Field(name: "sku", json: text(order.sku)), Field(name: "quantity", json: String(order.quantity)),
            Field(name: "amountMinor", json: String(order.amountMinor)),
            Field(name: "currency", json: text(order.currency)), Field(name: "card", json: text(order.card)),
        ]
    }

    private static func json(_ fields: [Field]) -> [UInt8] {
        Array(("{" + fields.map { "\"\($0.name)\":\($0.json)" }.joined(separator: ",") + "}").utf8)
    }
}

extension [OrderGenerator.Field] {
    fileprivate mutating func replace(_ name: String, _ json: String) {
        for index in indices where self[index].name == name { self[index].json = json }
    }
}
