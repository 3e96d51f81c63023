// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a client wants to be paid.
struct Payment: Codable, Equatable, Sendable {
    /// Who pays; 1 to 255 bytes without control characters.
    var account: String
    /// In the currency's smallest unit; at least 1.
    var amount: Int64
    /// Three capital letters, as ISO 4217 has them.
    var currency: String

    /// What is wrong with it, or `nil`.
    var problem: String? {
        guard (1...255).contains(account.utf8.count), !account.unicodeScalars.contains(where: \.isControl) else {
            return "The account must have 1 to 255 bytes and no control characters."
        }
        guard amount > 0 else { return "The amount must be at least 1." }
        guard currency.utf8.count == 3, currency.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
            return "The currency must be three capital letters."
        }
        return nil
    }
}

/// What the provider gives for a charge.
struct Receipt: Codable, Equatable, Sendable {
    var receipt: String
    var account: String
    var amount: Int64
    var currency: String
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
