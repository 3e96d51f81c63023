// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Sagas

// snippet.hide
struct Order: Codable, Sendable {
    var id: String
    var items: [String]
    var cents: Int
    var address: String
}

struct Stock: Sendable {
    func reserve(_ items: [String], key: String) async throws {}
    func release(_ key: String) async throws {}
}

struct Payments: Sendable {
    func charge(_ cents: Int, key: String) async throws {}
    func find(_ key: String) async throws -> SagaProbeAnswer<Void> { .notApplied }
}

struct Shipping: Sendable {
    func order(_ address: String, key: String) async throws {}
}

let (stock, payments, shipping) = (Stock(), Payments(), Shipping())
let store = try FileRecordStore(directory: "/var/lib/shop/records")
let order = Order(id: "order-17", items: ["book"], cents: 1_999, address: "12 Main Street")
// snippet.show
let checkout = SagaDefinition<Order>("checkout", version: 1) {
    SagaStep("reserve", ifUnknown: .reexecute) { context in
        try await stock.reserve(context.input.items, key: context.key)
    } compensation: { context in
        try await stock.release(context.forwardKey)
    }
    SagaStep.pivot("charge", ifUnknown: .probe { try await payments.find($0.key) }) { context in
        try await payments.charge(context.input.cents, key: context.key)
    }
    SagaStep.retriable("ship", ifUnknown: .reexecute) { context in
        try await shipping.order(context.input.address, key: context.key)
    }
}

let sagas = SagaCoordinator("shop", store: store, definitions: checkout)
async let driving: Void = sagas.run()

let saga = try await sagas.start(checkout, id: order.id, input: order)
switch try await saga.result() {
case .completed: print("on its way")
case .compensated(let cause): print("nothing was charged:", cause)
case .stuck(let stuck): print("somebody has to look:", stuck.step)
}
// snippet.hide
sagas.shutDown()
try await driving
