// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a client asks of the payment provider: one line of JSON.
enum ProviderRequest: Codable, Equatable, Sendable {
    case charge(ChargeRequest)
    case refund(RefundRequest)
    case lookup(LookupRequest)

    /// Takes money from a card, for an order.
    struct ChargeRequest: Codable, Equatable, Sendable {
        let key: String
        let order: String
        let amountMinor: Int
        let currency: String
        let card: String
    }

    /// Gives back everything that was taken for an order and not given back yet.
    struct RefundRequest: Codable, Equatable, Sendable {
        let key: String
        let order: String
    }

    /// Asks what became of an order or of a charge's key, and changes nothing.
    struct LookupRequest: Codable, Equatable, Sendable {
        let key: String?
        let order: String?

        static func key(_ key: String) -> LookupRequest { LookupRequest(key: key, order: nil) }
        static func order(_ order: String) -> LookupRequest { LookupRequest(key: nil, order: order) }
    }

    /// What the request is about, for faults that are drawn for one order after the other.
    var subject: String {
        switch self {
        case .charge(let charge): "charge " + charge.order
        case .refund(let refund): "refund " + refund.order
        case .lookup(let lookup): "lookup " + (lookup.key ?? lookup.order ?? "")
        }
    }
}

extension ProviderRequest {
    private enum CodingKeys: CodingKey { case charge, refund, lookup }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        switch fields.allKeys.first {
        case .charge: self = .charge(try fields.decode(ChargeRequest.self, forKey: .charge))
        case .refund: self = .refund(try fields.decode(RefundRequest.self, forKey: .refund))
        case .lookup: self = .lookup(try fields.decode(LookupRequest.self, forKey: .lookup))
        case nil:
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "the request names no operation"))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .charge(let charge): try fields.encode(charge, forKey: .charge)
        case .refund(let refund): try fields.encode(refund, forKey: .refund)
        case .lookup(let lookup): try fields.encode(lookup, forKey: .lookup)
        }
    }
}

/// What the provider answers: one line of JSON.
enum ProviderAnswer: Codable, Equatable, Sendable {
    /// The card was charged, now or under the same key before.
    case charged(receipt: Receipt)
    /// Nothing is charged for the order any more; these receipts were given back by this request.
    case refunded(receipts: [String])
    /// What the provider knows.
    case known(state: PaymentState)
    /// Declined for good: the same request will be declined again. Nothing was done.
    case declined(reason: DeclineReason)
    /// Not now. Nothing was done.
    case refused(retryAfterMilliseconds: Int)
}

/// A charge that took place.
struct Receipt: Codable, Equatable, Sendable {
    /// The provider's name for the charge.
    let id: String
    /// Whether the charge took place at an earlier request with the same key.
    let replayed: Bool
}

/// Why a request will never succeed.
enum DeclineReason: String, Codable, Equatable, Sendable {
    /// The bank does not accept the card.
    case card
    /// The key was used for a charge with other parameters.
    case keyReused
    /// The request makes no sense.
    case badRequest
}

/// What the provider knows about an order or a key.
enum PaymentState: Codable, Equatable, Sendable {
    /// No charge took place.
    case nothing
    /// These charges took place and at least one was not given back.
    case charged(receipts: [String])
    /// These charges took place and all were given back.
    case refunded(receipts: [String])
}
