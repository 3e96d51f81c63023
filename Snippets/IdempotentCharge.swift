// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Reliability

// snippet.hide
struct Order: Codable, Sendable {
    var amount: Int
    var currency: String
}

struct Receipt: Codable, Sendable {
    var id: String
}

struct Provider: Sendable {
    func charge(_ order: Order, idempotencyKey: String) async throws -> Receipt { Receipt(id: idempotencyKey) }
}

let provider = Provider()
// snippet.show
let store = try FileRecordStore(directory: "records")
let charge = IdempotentOperation<Receipt>("charge", store: store, codec: .json, ifUnknown: .park)

func pay(_ order: Order, key: String, account: String) async throws -> Receipt {
    let fingerprint = Fingerprint {
        $0.field("amount", order.amount)
        $0.field("currency", order.currency)
    }
    return try await charge.run(key, tenant: account, fingerprint: fingerprint) { context in
        try await provider.charge(order, idempotencyKey: context.downstreamKey("charge"))
    }.value
}
