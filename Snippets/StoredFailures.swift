// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

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
import Idempotency

/// An outcome like any other: duplicates are declined too.
struct CardDeclined: Error, Codable {
    var code: String
}

/// Thrown before anything is sent, and never after.
struct NotConnected: NotApplied {}

let store = try FileRecordStore(directory: "/var/lib/payments/records")
let charge = IdempotentOperation<Receipt>(
    "charge", store: store, codec: .json, errors: ErrorCodec(OutputCodec<CardDeclined>.json), ifUnknown: .park,
    classify: { result in
        if case .failure(let error) = result, error is CardDeclined { return .store }
        return nil
    })

func pay(_ order: Order, key: String, account: String) async throws -> Receipt {
    let fingerprint = Fingerprint {
        $0.field("amount", order.amount)
        $0.field("currency", order.currency)
    }
    return try await charge.run(key, tenant: account, fingerprint: fingerprint) { context in
        try await provider.charge(order, idempotencyKey: context.downstreamKey("charge"))
    }.value
}
// snippet.hide
var policy = HTTPIdempotencyPolicy()
// snippet.show
// Only successes are stored; every handler must undo a failure.
policy.disposition = { status in status < 300 ? .store : .release }

// Every answer is final, failures included.
policy.disposition = { _ in .store }
