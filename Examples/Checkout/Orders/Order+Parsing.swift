// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension Order {
    private static let allowedQuantity = 1...100

    /// The order that a line of JSON says, or what is wrong with the line.
    ///
    /// The first problem found counts. Fields that an order does not have are ignored.
    static func parse(_ line: [UInt8]) throws(OrderProblem) -> Order {
        guard String(validating: line, as: UTF8.self) != nil else { throw .notUTF8 }
        let order: Order
        do {
            order = try JSON.decode(Fields.self, from: line).order
        } catch let problem as OrderProblem {
            throw problem
        } catch {
            throw .notJSON
        }
        try order.validate()
        return order
    }

    private func validate() throws(OrderProblem) {
        try Self.check("id", id, 1...255)
        guard id.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .notPrintableASCII(field: "id") }
        try Self.check("customer", customer, 1...128)
        try Self.check("sku", sku, 1...64)
        try Self.check("card", card, 1...64)
        guard Self.allowedQuantity.contains(quantity) else {
            throw .quantity(quantity, allowed: Self.allowedQuantity)
        }
        guard amountMinor > 0 else { throw .amountNotPositive(amountMinor) }
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        guard currency.utf8.count == 3, currency.utf8.allSatisfy(capitals.contains) else { throw .currency }
    }

    private static func check(_ field: String, _ value: String, _ allowed: ClosedRange<Int>) throws(OrderProblem) {
        let bytes = value.utf8.count
        guard allowed.contains(bytes) else { throw .length(field: field, bytes: bytes, allowed: allowed) }
    }

    /// Decodes field by field, so that the problem can name the field.
    private struct Fields: Decodable {
        let order: Order

        init(from decoder: any Decoder) throws {
            guard let fields = try? decoder.container(keyedBy: CodingKeys.self) else {
                throw OrderProblem.notAnObject
            }
            order = Order(
                id: try Self.decode(.id, from: fields),
                customer: try Self.decode(.customer, from: fields),
                sku: try Self.decode(.sku, from: fields),
                quantity: try Self.decode(.quantity, from: fields),
                amountMinor: try Self.decode(.amountMinor, from: fields),
                currency: try Self.decode(.currency, from: fields),
                card: try Self.decode(.card, from: fields))
        }

        private static func decode<Value: Decodable>(
            _ key: CodingKeys, from fields: KeyedDecodingContainer<CodingKeys>
        ) throws(OrderProblem) -> Value {
            guard fields.contains(key) else { throw .missing(field: key.stringValue) }
            do {
                return try fields.decode(Value.self, forKey: key)
            } catch {
                throw .wrongType(field: key.stringValue)
            }
        }
    }
}
