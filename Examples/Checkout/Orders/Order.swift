// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// One order, as a line of the input says it.
struct Order: Codable, Equatable, Sendable {
    /// Names the order for ever: the idempotency key of everything that is done for it. 1 to 255 bytes
    /// of printable ASCII, so that no two ways to write it are taken for one.
    let id: String
    /// Who ordered. 1 to 128 bytes.
    let customer: String
    /// What is ordered. 1 to 64 bytes.
    let sku: String
    /// How many of it, 1 to 100.
    let quantity: Int
    /// The price of all of it, above zero, in the smallest unit of the currency.
    let amountMinor: Int
    /// Three capital letters.
    let currency: String
    /// What the payment provider knows the card by. 1 to 64 bytes.
    let card: String

    enum CodingKeys: String, CodingKey {
        case id, customer, sku, quantity, amountMinor, currency, card
    }
}
