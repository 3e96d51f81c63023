// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability

/// What a run came to, counted from the provider's ledger and the records: nothing in it is taken from what the worker
/// believed.
struct Audit: Equatable, Sendable {
    /// Lines of the input, blank ones aside.
    var lines = 0
    /// What became of them.
    var outcomes: [LineOutcome: Int] = [:]
    /// Orders that were charged exactly once and not given back.
    var chargedOnce = 0
    /// Charges and refunds in the provider's ledger.
    var charges = 0
    var refunds = 0
    /// Letters in the dead-letter queue.
    var deadLetters = 0

    /// Orders with more than one charge.
    var chargedTwice = 0
    /// Orders that were completed without a charge that stands, or charged without being completed or parked, or
    /// charged for something else than was ordered.
    var chargedWrongly = 0
    /// Articles whose shelves and reservations do not add up to what there was, and orders with a reservation or a
    /// shipment that they should not have, or without one that they should.
    var stockWrong = 0
    /// Lines without an outcome, and outcomes that lack what they stand for: a dead letter, a finished saga, the order
    /// that came first.
    var unaccounted = 0

    /// Whether every count that must be zero is.
    var isSound: Bool { chargedTwice == 0 && chargedWrongly == 0 && stockWrong == 0 && unaccounted == 0 }

    /// Counts a run that has ended.
    init(_ input: [OrderLine], ledger: [LedgerEntry], store: any RecordStore) async throws {
        let deadLetters = RecordDeadLetterQueue("orders", store: store)
        let sagas = SagaCoordinator("shop", store: store)
        lines = input.count
        self.deadLetters = try await deadLetters.statistics().depth

        var book = ProviderLedger(honoursKeys: false)
        for entry in ledger {
            book.apply(entry)
            if case .refund(let receipts, _) = entry { refunds += receipts.count }
        }
        charges = book.charges.count
        let charged = book.chargesByOrder
        chargedTwice = charged.values.count { $0.count > 1 }
        let standing = charged.filter { $0.value.contains { !$0.isRefunded } }
        chargedOnce = standing.values.count { $0.count == 1 }

        let (shelves, held) = try await Inventory(store: store).count()
        var shipped: Set<String> = []
        try await store.forEach(in: Carrier.shipments) { shipped.insert(String(decoding: $0.body, as: UTF8.self)) }

        var heldByOrders = 0
        // The lines by which the orders came first: exactly one for each, and all that happened was for these.
        var first: [String: Order] = [:]
        for line in input {
            guard let record = try await store.read([OrderFlow.recordID(ofLine: line.number)]).records[0],
                let outcome = LineOutcome(rawValue: record.state)
            else {
                unaccounted += 1
                continue
            }
            outcomes[outcome, default: 0] += 1
            switch (outcome, line) {
            case (.malformed, .malformed), (.mismatched, .order):
                if try await deadLetters.read(OrderFlow.letterID(ofLine: line.number)) == nil { unaccounted += 1 }
            case (.completed, .order(let order, _)), (.compensated, .order(let order, _)),
                (.parked, .order(let order, _)):
                if first.updateValue(order, forKey: order.id) != nil { unaccounted += 1 }
                let status = try await sagas.status(order.sagaID)
                let reservation = held[order.sagaID + "/reserve/forward"]
                if reservation != nil { heldByOrders += 1 }
                let isCompleted = outcome == .completed
                if status?.state != outcome.sagaState { unaccounted += 1 }
                if !isCompleted, try await deadLetters.read(OrderFlow.letterID(ofOrder: order.id)) == nil {
                    unaccounted += 1
                }
                if outcome != .parked, (standing[order.id] != nil) != isCompleted { chargedWrongly += 1 }
                if (reservation != nil) != (outcome != .compensated) || shipped.contains(order.id) != isCompleted {
                    stockWrong += 1
                }
                if let reservation, reservation != .init(sku: order.sku, left: order.quantity) { stockWrong += 1 }
            case (.replayed, .order):
                break
            case (.malformed, .order), (_, .malformed):
                unaccounted += 1
            }
        }
        // What a duplicate stands for is the order that came first, and what was refused is another one.
        for case .order(let order, let number) in input {
            guard let record = try await store.read([OrderFlow.recordID(ofLine: number)]).records[0] else { continue }
            switch LineOutcome(rawValue: record.state) {
            case .replayed: if first[order.id]?.fingerprint != order.fingerprint { unaccounted += 1 }
            case .mismatched:
                if first[order.id].map({ $0.fingerprint == order.fingerprint }) ?? true { unaccounted += 1 }
            case .completed, .compensated, .parked, .malformed, nil: break
            }
        }
        // Charges of nobody's order or of something else than was ordered, and reservations of nobody's order.
        for (id, charges) in charged {
            let isAsOrdered = first[id].map { order in charges.allSatisfy { $0.request.isFor(order) } } ?? false
            if !isAsOrdered { chargedWrongly += 1 }
        }
        stockWrong += held.count - heldByOrders
        for sku in Set(shelves.keys).union(held.values.map(\.sku)) {
            let left = shelves[sku, default: Stock.initial[sku, default: 0]]
            let reserved = held.values.filter { $0.sku == sku }.reduce(0) { $0 + $1.left }
            if left < 0 || left + reserved != Stock.initial[sku, default: 0] { stockWrong += 1 }
        }
    }
}

extension ProviderRequest.ChargeRequest {
    /// Whether it asks for what the order says.
    fileprivate func isFor(_ order: Order) -> Bool {
        amountMinor == order.amountMinor && currency == order.currency && card == order.card
    }
}

extension LineOutcome {
    /// How the saga of an order with this outcome has ended.
    fileprivate var sagaState: SagaStatus.State? {
        switch self {
        case .completed: .completed
        case .compensated: .compensated
        case .parked: .stuck
        case .replayed, .mismatched, .malformed: nil
        }
    }
}
