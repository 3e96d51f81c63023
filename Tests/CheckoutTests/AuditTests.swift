// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Reliability
import Testing

@testable import checkout

/// The audit against a small shop whose books are right, and against the same books with one thing wrong.
@Suite struct AuditTests {
    /// One order that was completed, one that was undone, one that is parked, a duplicate, a mismatch and a bad line.
    private struct Shop {
        let store = InMemoryRecordStore()
        var lines: [OrderLine] = []
        var ledger: [LedgerEntry] = []
        var inventory: Inventory { Inventory(store: store) }
        var letters: RecordDeadLetterQueue { RecordDeadLetterQueue("orders", store: store) }

        static func order(_ id: String, customer: String = "c") -> Order {
            Order(
                id: id, customer: customer, sku: Stock.plentiful[0], quantity: 2, amountMinor: 100, currency: "EUR",
                card: "tok")
        }

        init() async throws {
            let bad = MalformedLine(line: 6, problem: .notJSON, beginning: [], size: 0)
            lines =
                ["done", "undone", "parked", "done", "done"].enumerated().map {
                    .order(Self.order($0.element), line: $0.offset + 1)
                } + [.malformed(bad)]
            lines[4] = .order(Self.order("done", customer: "d"), line: 5)
            for (line, outcome) in [LineOutcome.completed, .compensated, .parked, .replayed, .mismatched, .malformed]
                .enumerated()
            {
                let content = RecordContent(state: outcome.rawValue)
                _ = try await store.commit([.insert(OrderFlow.recordID(ofLine: line + 1), content)])
            }
            try await carryOut("done", as: .completed)
            try await carryOut("undone", as: .compensated)
            try await carryOut("parked", as: .stuck)
            try await inventory.reserve(2, of: Stock.plentiful[0], key: key("done"))
            try await inventory.reserve(2, of: Stock.plentiful[0], key: key("undone"))
            try await inventory.release(key: key("undone"))
            try await inventory.reserve(2, of: Stock.plentiful[0], key: key("parked"))
            try await Carrier(store: store).book(Self.order("done"), key: "done")
            ledger = [charge("done", 1), charge("undone", 2), .refund(receipts: ["ch_2"], request: refund("undone"))]
            for id in [
                OrderFlow.letterID(ofOrder: "undone"), OrderFlow.letterID(ofOrder: "parked"),
                OrderFlow.letterID(ofLine: 5), OrderFlow.letterID(ofLine: 6),
            ] {
                try await letters.put(
                    NewDeadLetter(
                        id: id, reason: .nonRetryable, origin: DeadLetterOrigin(source: "orders", id: id), payload: []))
            }
        }

        func key(_ id: String) -> String { Self.order(id).sagaID + "/reserve/forward" }

        func charge(_ id: String, _ number: Int, amount: Int = 100) -> LedgerEntry {
            .charge(
                receipt: "ch_\(number)",
                request: .init(key: id, order: id, amountMinor: amount, currency: "EUR", card: "tok"))
        }

        private func refund(_ id: String) -> ProviderRequest.RefundRequest { .init(key: id, order: id) }

        private struct Broken: Error {}

        private func carryOut(_ id: String, as state: SagaStatus.State) async throws {
            let definition = SagaDefinition<Order>("checkout", version: 1) {
                SagaStep("only", ifUnknown: state == .stuck ? .park : .reexecute) { _ in
                    if state != .completed { throw Broken() }
                } compensation: { _ in
                }
            }
            let order = Self.order(id)
            let sagas = SagaCoordinator("shop", store: store, definitions: definition)
            try await sagas.start(definition, id: order.sagaID, input: order)
            _ = try await sagas.recover()
        }

        func audit() async throws -> Audit { try await Audit(lines, ledger: ledger, store: store) }

        func mark(_ line: Int, _ outcome: LineOutcome) async throws {
            try await remove(OrderFlow.recordID(ofLine: line))
            let content = RecordContent(state: outcome.rawValue)
            _ = try await store.commit([.insert(OrderFlow.recordID(ofLine: line), content)])
        }

        func remove(_ id: RecordID) async throws {
            let record = try #require(try await store.read([id]).records[0])
            _ = try await store.commit([.delete(id, expecting: record.fence)])
        }
    }

    @Test func `books that are right are sound, and counted from ledger and stores`() async throws {
        let audit = try await Shop().audit()
        #expect(audit.isSound)
        #expect(audit.outcomes == Dictionary(uniqueKeysWithValues: LineOutcome.allCases.map { ($0, 1) }))
        #expect([audit.lines, audit.charges, audit.refunds, audit.chargedOnce, audit.deadLetters] == [6, 2, 1, 1, 4])
        let table = audit.table(crashes: 7, recovered: 8, retried: 9)
        #expect(table.contains("lines of the input"))
        #expect(table.split(separator: "\n").count == 18)
    }

    private enum Wrong: CaseIterable {
        case secondCharge
        case chargeOfNobody
        case noCharge
        case chargeOfUndone
        case noLine
        case noLetter
        case noReservation
        case reservationOfUndone
        case noShipment
        case shelfOff
        case noSaga
        case otherAmount
        case duplicateOfNothing
        case duplicateOfAnother
        case mismatchWithItself
        case carriedOutTwice
        case orderTakenForMalformed
        case reservationWithoutShelf
    }

    @Test(arguments: Wrong.allCases) private func `every wrong book is found`(wrong: Wrong) async throws {
        var shop = try await Shop()
        let expected: KeyPath<Audit, Int>
        switch wrong {
        case .secondCharge:
            shop.ledger.append(shop.charge("done", 3))
            expected = \.chargedTwice
        case .chargeOfNobody:
            shop.ledger.append(shop.charge("nobody", 3))
            expected = \.chargedWrongly
        case .noCharge:
            shop.ledger.removeFirst()
            expected = \.chargedWrongly
        case .chargeOfUndone:
            shop.ledger.removeLast()
            expected = \.chargedWrongly
        case .noLine:
            try await shop.remove(OrderFlow.recordID(ofLine: 4))
            expected = \.unaccounted
        case .noLetter:
            try await shop.remove(RecordID(shop.letters.collection, OrderFlow.letterID(ofLine: 6)))
            expected = \.unaccounted
        case .noReservation:
            try await shop.inventory.release(key: shop.key("done"))
            expected = \.stockWrong
        case .reservationOfUndone:
            try await shop.inventory.reserve(1, of: Stock.plentiful[0], key: "somebody")
            expected = \.stockWrong
        case .noShipment:
            try await shop.remove(RecordID(Carrier.shipments, "done"))
            expected = \.stockWrong
        case .shelfOff:
            try await shop.remove(RecordID(Inventory.reservations, shop.key("parked")))
            expected = \.stockWrong
        case .noSaga:
            try await shop.remove(RecordID("sagas/shop", Shop.order("done").sagaID))
            expected = \.unaccounted
        case .otherAmount:
            shop.ledger[0] = shop.charge("done", 1, amount: 99)
            expected = \.chargedWrongly
        case .duplicateOfNothing:
            shop.lines.append(.order(Shop.order("lost"), line: 7))
            _ = try await shop.store.commit([
                .insert(OrderFlow.recordID(ofLine: 7), RecordContent(state: LineOutcome.replayed.rawValue))
            ])
            expected = \.unaccounted
        case .duplicateOfAnother:
            try await shop.mark(5, .replayed)
            expected = \.unaccounted
        case .mismatchWithItself:
            shop.lines[4] = .order(Shop.order("done"), line: 5)
            expected = \.unaccounted
        case .carriedOutTwice:
            try await shop.mark(4, .completed)
            expected = \.unaccounted
        case .orderTakenForMalformed:
            try await shop.mark(5, .malformed)
            expected = \.unaccounted
        case .reservationWithoutShelf:
            try await shop.remove(RecordID(Inventory.stock, Stock.plentiful[0]))
            expected = \.stockWrong
        }
        let audit = try await shop.audit()
        #expect(audit[keyPath: expected] > 0 && !audit.isSound)
    }
}
