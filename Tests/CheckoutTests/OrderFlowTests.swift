// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Reliability
import ReliabilityTesting
import Testing

@testable import checkout

/// The way of one line, where it waits for its turn.
@Suite struct OrderFlowTests {
    @Test func `an order keeps its key for longer than it may wait for its turn`() async throws {
        let clock = ManualClock()
        let store = InMemoryRecordStore(clock: clock)
        let longest = Duration.seconds(3_600)
        let definition = SagaDefinition<Order>("checkout", version: 1) {
            SagaStep.pivot("only", ifUnknown: .reexecute) { _ in }
        }
        let sagas = SagaCoordinator("shop", store: store, definitions: definition)
        let flow = OrderFlow(
            store: store, deadLetters: RecordDeadLetterQueue("orders", store: store), sagas: sagas,
            definition: definition,
            limiter: TokenBucket(.per(longest, 1), maximumWait: longest, clock: clock), clock: clock)
        func order(_ id: String) -> Order {
            Order(id: id, customer: "c", sku: "s", quantity: 1, amountMinor: 1, currency: "EUR", card: "tok")
        }
        async let driving: Void = sagas.run()
        try await flow.process(.order(order("first"), line: 1))
        async let second: Void = flow.process(.order(order("second"), line: 2))
        // The turn, the renewal of the lease, and the coordinator that waits for sagas.
        await clock.waitForSleepers(3)
        for _ in 0..<12 {
            clock.advance(by: .seconds(10))
            await clock.waitForSleepers(3)
            let page = try await store.scan(IdempotencyKey.collection, state: nil, after: nil, limit: 10)
            #expect(page.records.map { $0.isHeld(at: page.now) } == [false, true])
        }
        clock.advance(by: longest)
        try await second
        #expect(try await store.read([OrderFlow.recordID(ofLine: 2)]).records[0]?.state == "completed")
        sagas.shutDown()
        try await driving
    }
}
