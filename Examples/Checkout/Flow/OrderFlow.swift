// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability

/// The way of one line through the shop: validated, made idempotent, rate-limited, carried out as a saga, and set aside
/// with its history if it cannot be.
///
/// Every stage can be repeated, so after a crash the lines that have no outcome yet simply go through it again.
struct OrderFlow: Sendable {
    static let lines = "lines"
    /// The shop is one tenant: an order is named by its identifier alone.
    static let tenant = "shop"
    /// The states of sagas that have further to go.
    static let unfinished: [SagaStatus.State] = [.running, .compensating]
    /// How soon a duplicate looks again while the first is under way.
    private static let inFlightPause = Duration.milliseconds(20)

    let store: any RecordStore
    let deadLetters: RecordDeadLetterQueue
    let sagas: SagaCoordinator
    let definition: SagaDefinition<Order>
    let limiter: TokenBucket
    private let operation: IdempotentOperation<OrderOutcome>

    init(
        store: any RecordStore, deadLetters: RecordDeadLetterQueue, sagas: SagaCoordinator,
        definition: SagaDefinition<Order>, limiter: TokenBucket, clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.store = store
        self.deadLetters = deadLetters
        self.sagas = sagas
        self.definition = definition
        self.limiter = limiter
        // To go through the saga again is safe: it takes up where it was left. A compensation may be waited for as long
        // as it takes; after a crash the store ends the lease at once.
        operation = IdempotentOperation(
            "checkout", store: store, codec: .json, longestHold: .seconds(30 * 86_400),
            retention: .seconds(30 * 86_400), ifUnknown: .reexecute, clock: clock)
    }

    static func recordID(ofLine line: Int) -> RecordID { RecordID(lines, String(line)) }

    // An order may be called anything, also like a line, so the letters of the two have names of their own.
    static func letterID(ofLine line: Int) -> String { "line-\(line)" }
    static func letterID(ofOrder order: String) -> String { "order-\(order)" }

    /// Carries out one line and keeps what became of it; does nothing if that is kept already.
    func process(_ line: OrderLine) async throws {
        guard try await store.read([Self.recordID(ofLine: line.number)]).records[0] == nil else { return }
        switch line {
        case .malformed(let malformed):
            try await finish(line.number, .malformed, letter(for: malformed))
        case .order(let order, let number):
            do {
                let outcome = try await outcome(of: order, line: number)
                try await finish(number, LineOutcome(outcome, line: number), nil)
            } catch let mismatch as IdempotencyMismatch {
                try await finish(number, .mismatched, letter(for: order, line: number, mismatch))
            }
        }
    }

    private func outcome(of order: Order, line: Int) async throws -> OrderOutcome {
        let key = try IdempotencyKey(tenant: Self.tenant, operation: operation.name, key: order.id)
        while true {
            do {
                return try await operation.run(key, fingerprint: order.fingerprint) { _ in
                    try await limiter.run { try await carryOut(order, line: line) }
                }.value
            } catch is IdempotencyInFlight {
                try await Task.sleep(for: Self.inFlightPause)
            }
        }
    }

    /// Has the order's saga driven to its end, however long its compensations take.
    private func carryOut(_ order: Order, line: Int) async throws -> OrderOutcome {
        switch try await sagas.start(definition, id: order.sagaID, input: order).result() {
        case .completed:
            return OrderOutcome(result: .completed, line: line)
        case .compensated(let failure):
            try await deadLetters.put(try await letter(for: order, .nonRetryable, failure))
            return OrderOutcome(result: .compensated, line: line)
        case .stuck(let stuck):
            try await deadLetters.put(try await letter(for: order, .outcomeUnknown, stuck.failure))
            return OrderOutcome(result: .parked, line: line)
        }
    }

    /// Keeps what became of a line, and its dead letter if it has one, in one commit.
    private func finish(_ line: Int, _ outcome: LineOutcome, _ letter: NewDeadLetter?) async throws {
        var changes: [Change] = [.insert(Self.recordID(ofLine: line), RecordContent(state: outcome.rawValue))]
        if let letter { changes.append(try deadLetters.change(for: letter)) }
        switch try await store.commit(changes) {
        case .committed, .conflict: return
        }
    }
}

extension OrderFlow {
    private func letter(for malformed: MalformedLine) -> NewDeadLetter {
        var reason = DeadLetterReason.undecodable
        switch malformed.problem {
        case .lineTooLong, .length: reason = .oversize
        case .notUTF8, .notJSON, .notAnObject, .missing, .wrongType, .notPrintableASCII, .quantity, .amountNotPositive,
            .currency:
            break
        }
        return NewDeadLetter(
            id: Self.letterID(ofLine: malformed.line), reason: reason,
            origin: DeadLetterOrigin(source: "orders", id: "line \(malformed.line)"), payload: malformed.beginning,
            headers: ["problem": "\(malformed.problem)", "size": "\(malformed.size)"])
    }

    private func letter(for order: Order, line: Int, _ mismatch: IdempotencyMismatch) throws -> NewDeadLetter {
        NewDeadLetter(
            id: Self.letterID(ofLine: line), reason: .rejectedByHandler,
            origin: DeadLetterOrigin(source: "orders", id: "line \(line)"), payload: try JSON.line(order),
            headers: ["problem": "the key \(mismatch.key.key) was used for another order"])
    }

    /// A letter with the history of the order's saga.
    private func letter(
        for order: Order, _ reason: DeadLetterReason, _ failure: SagaFailure?
    ) async throws -> NewDeadLetter {
        let now = try await store.statistics(of: deadLetters.collection).now
        var failures = try await sagas.history(order.sagaID).compactMap(\.failure)
        if let failure, !failures.contains(failure) { failures.append(failure) }
        return NewDeadLetter(
            id: Self.letterID(ofOrder: order.id), reason: reason,
            origin: DeadLetterOrigin(source: "orders", id: order.id),
            payload: try JSON.line(order), headers: ["saga": order.sagaID],
            failures: FailureHistory(
                failures.map {
                    DeadLetterFailure(errorType: $0.errorType, message: "\($0.step): \($0.message)", time: now)
                }))
    }
}

extension OrderLine {
    /// The line's number, counted from one.
    var number: Int {
        switch self {
        case .order(_, let line): line
        case .malformed(let malformed): malformed.line
        }
    }
}

extension Order {
    /// What makes two orders the same: everything in them.
    var fingerprint: Fingerprint {
        Fingerprint {
            $0.field("customer", customer)
            $0.field("sku", sku)
            $0.field("quantity", quantity)
            $0.field("amount", amountMinor)
            $0.field("currency", currency)
            $0.field("card", card)
        }
    }

    /// The saga that carries out the order. Its own identifier may be anything; a digest of it fits everywhere.
    var sagaID: String { Fingerprint { $0.field("order", id) }.description }
}

extension RecordStore {
    /// Calls the body for every record of a collection, page by page.
    func forEach(in collection: String, state: String? = nil, _ body: (Record) throws -> Void) async throws {
        var position: UInt64?
        repeat {
            let page = try await scan(collection, state: state, after: position, limit: 1_000)
            for record in page.records { try body(record) }
            position = page.next
        } while position != nil
    }
}
