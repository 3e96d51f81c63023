// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// One line of the provider's ledger: something that happened to money.
enum LedgerEntry: Codable, Equatable, Sendable {
    case charge(receipt: String, request: ProviderRequest.ChargeRequest)
    case refund(receipts: [String], request: ProviderRequest.RefundRequest)
}

/// What the payment provider knows, and what it decides: the pure core.
///
/// ``decide(_:)`` changes nothing. What it decides becomes true with ``apply(_:)``, which is called after the entry is
/// on the disk, and for every entry on the disk when the provider starts.
struct ProviderLedger: Equatable, Sendable {
    /// A charge that took place.
    struct Charge: Equatable, Sendable {
        let receipt: String
        let request: ProviderRequest.ChargeRequest
        var isRefunded = false
    }

    /// What to do about a request.
    enum Decision: Equatable, Sendable {
        /// Answer; nothing changes.
        case answer(ProviderAnswer)
        /// Make the entry durable and apply it, then answer.
        case record(LedgerEntry, then: ProviderAnswer)
    }

    /// Whether a second charge with the same key answers what the first did, instead of charging again.
    let honoursKeys: Bool

    /// Every charge, in the order in which they took place.
    private(set) var charges: [Charge] = []
    private var indicesByOrder: [String: [Int]] = [:]
    private var indicesByKey: [String: [Int]] = [:]

    init(honoursKeys: Bool) { self.honoursKeys = honoursKeys }

    /// Every order for which at least one charge took place, with its charges.
    var chargesByOrder: [String: [Charge]] {
        indicesByOrder.mapValues { indices in indices.map { charges[$0] } }
    }

    func decide(_ request: ProviderRequest) -> Decision {
        switch request {
        case .charge(let charge): decide(charge)
        case .refund(let refund): decide(refund)
        case .lookup(let lookup): .answer(decide(lookup))
        }
    }

    private func decide(_ request: ProviderRequest.ChargeRequest) -> Decision {
        guard request.amountMinor > 0 else { return .answer(.declined(reason: .badRequest)) }
        if honoursKeys, let first = indicesByKey[request.key]?.first {
            guard charges[first].request == request else { return .answer(.declined(reason: .keyReused)) }
            return .answer(.charged(receipt: Receipt(id: charges[first].receipt, replayed: true)))
        }
        guard !request.card.hasPrefix("tok_declined") else { return .answer(.declined(reason: .card)) }
        let receipt = "ch_" + String(charges.count + 1)
        return .record(
            .charge(receipt: receipt, request: request), then: .charged(receipt: Receipt(id: receipt, replayed: false)))
    }

    /// Giving back is idempotent by its nature: what was given back is not there to be given back again.
    private func decide(_ request: ProviderRequest.RefundRequest) -> Decision {
        let receipts = (indicesByOrder[request.order] ?? []).map { charges[$0] }
            .filter { !$0.isRefunded }.map(\.receipt)
        guard !receipts.isEmpty else { return .answer(.refunded(receipts: [])) }
        return .record(.refund(receipts: receipts, request: request), then: .refunded(receipts: receipts))
    }

    private func decide(_ request: ProviderRequest.LookupRequest) -> ProviderAnswer {
        if let key = request.key { return .known(state: state(of: indicesByKey[key] ?? [])) }
        if let order = request.order { return .known(state: state(of: indicesByOrder[order] ?? [])) }
        return .declined(reason: .badRequest)
    }

    private func state(of indices: [Int]) -> PaymentState {
        let found = indices.map { charges[$0] }
        guard !found.isEmpty else { return .nothing }
        let receipts = found.map(\.receipt)
        return found.allSatisfy(\.isRefunded) ? .refunded(receipts: receipts) : .charged(receipts: receipts)
    }

    /// Makes an entry true.
    mutating func apply(_ entry: LedgerEntry) {
        switch entry {
        case .charge(let receipt, let request):
            indicesByOrder[request.order, default: []].append(charges.count)
            indicesByKey[request.key, default: []].append(charges.count)
            charges.append(Charge(receipt: receipt, request: request))
        case .refund(let receipts, let request):
            for index in indicesByOrder[request.order] ?? [] where receipts.contains(charges[index].receipt) {
                charges[index].isRefunded = true
            }
        }
    }
}
