// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Sagas

// snippet.hide
struct Order: Codable, Sendable {
    var cents: Int
}

struct Payments: Sendable {
    func charge(_ cents: Int, key: String) async throws {}
    func refund(_ key: String) async throws {}
}

struct Pager: Sendable {
    func wake(_ text: String) {}
    func note(_ text: String) {}
}

/// The card is closed: no repetition refunds it.
struct CardClosed: Permanent {}

let (payments, pager) = (Payments(), Pager())
let store = try FileRecordStore(directory: "/var/lib/shop/records")
// snippet.show
let charge = SagaStep<Order, Void>("charge", ifUnknown: .reexecute) { context in
    try await payments.charge(context.input.cents, key: context.key)
} compensation: { context in
    try await payments.refund(context.forwardKey)
}
.retryCompensation(.attempts(20, backoff: .exponential(initial: .seconds(1), maximum: .seconds(600))))
.timeLimit(perAttempt: .seconds(30))
// snippet.hide
let checkout = SagaDefinition<Order>("checkout", version: 1) { charge }
// snippet.show
let sagas = SagaCoordinator("shop", store: store, definitions: checkout) { event in
    switch event.kind {
    case .stuck(let stuck): pager.wake("\(event.sagaID) is stuck in \(stuck.step): \(stuck.reason)")
    case .compensationFailed(let step, let error, _): pager.note("\(event.sagaID): \(step) is not undone yet: \(error)")
    default: break
    }
}
// snippet.hide
// snippet.show
func look() async throws {
    var position: UInt64?
    repeat {
        let page = try await sagas.list(.stuck, after: position)
        for status in page.sagas {
            if let story = try await sagas.timeline(status.sagaID) { print(story) }
        }
        position = page.next
    } while position != nil
}
// snippet.hide
// snippet.show
// The provider works again.
try await sagas.retry("order-17", reason: "refunds work again since 10:40")

// It never will for this one, and the customer has got a transfer.
try await sagas.skip("charge", of: "order-18", reason: "19.99 transferred, see the bank statement of the 3rd")
