// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import WorkQueues

// snippet.hide
struct Order: Sendable {
    var id: String
    var customer: String
    var bytes: [UInt8] = []
}

struct Broker: Sendable {
    func publish(_ message: [UInt8], id: String) async throws {}
}

struct Charge: Codable, Sendable {
    var receipt: String
}

struct Provider: Sendable {
    func charge(_ order: Order, idempotencyKey: String) async throws -> Charge { Charge(receipt: "") }
}

struct OrderTaken: Error {}

let (broker, provider) = (Broker(), Provider())
// snippet.show
let store = try FileRecordStore(directory: "/var/lib/shop/records")
let outbox = WorkQueue("order-events", store: store, parksOrderKeys: true)

func place(_ order: Order) async throws {
    let record = Change.insert(RecordID("orders", order.id), RecordContent(state: "placed", body: order.bytes))
    let message = NewWorkItem(id: "placed-\(order.id)", payload: order.bytes, orderKey: order.customer)
    guard case .committed = try await store.commit([record] + outbox.changes(for: message)) else {
        throw OrderTaken()
    }
}
// snippet.hide
// snippet.show
let relay = OutboxRelay(outbox) { message in
    try await broker.publish(message.payload, id: message.id)
}
try await relay.run()
// snippet.hide
let charging = IdempotentOperation<Charge>("charge", store: store, codec: .json, ifUnknown: .reexecute)
// snippet.show
func charge(_ order: Order) async throws -> Charge {
    try await charging.run(order.id, tenant: order.customer, fingerprint: .none) { context in
        let charge = try await provider.charge(order, idempotencyKey: context.downstreamKey("charge"))
        let message = NewWorkItem(id: "charged-\(order.id)", payload: order.bytes, orderKey: order.customer)
        try context.alsoCommit(outbox.changes(for: message))
        return charge
    }.value
}
// snippet.hide
struct Gauge: Sendable {
    func set(_ value: Duration) {}
}

let gauge = Gauge()
// snippet.show
let lag = try await outbox.statistics().lag
gauge.set(lag)
