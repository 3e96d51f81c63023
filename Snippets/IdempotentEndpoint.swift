// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

// snippet.hide
struct Request: Sendable {
    var method: String
    var path: String
    var body: [UInt8]

    func values(of field: String) -> [String] { [] }
}

struct Order: Sendable {
    var amount: Int

    init?(json: [UInt8]) { return nil }
}

struct Receipt: Sendable {
    var json: [UInt8]
}

struct CardDeclined: Error {
    var json: [UInt8]
}

struct Provider: Sendable {
    func charge(_ order: Order, idempotencyKey: String) async throws -> Receipt { Receipt(json: []) }
}

let provider = Provider()
// snippet.show
import Idempotency

let store = try FileRecordStore(directory: "/var/lib/payments/records")
let charge = IdempotentOperation("charge", store: store, codec: .httpResponse, ifUnknown: .park)

func post(_ request: Request, account: String) async throws -> HTTPResponseRecord {
    guard let order = Order(json: request.body) else { return HTTPResponseRecord(status: 400) }
    return try await charge.respond(
        keyLines: request.values(of: "Idempotency-Key"), tenant: account,
        fingerprint: Fingerprint(method: request.method, path: request.path, body: request.body)
    ) { context in
        do {
            let receipt = try await provider.charge(order, idempotencyKey: context.downstreamKey("charge"))
            return HTTPResponseRecord(status: 201, body: receipt.json)
        } catch let declined as CardDeclined {
            return HTTPResponseRecord(status: 402, body: declined.json)
        }
    }
}
// snippet.hide
var policy = HTTPIdempotencyPolicy()
// snippet.show
policy.keySyntax = .stringOrBare
policy.problemTypes = "https://developer.example.com/idempotency#"
