// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

// snippet.hide
struct Receipt: Codable, Sendable {
    var id: String
}

/// What the provider says of a charge.
enum Charge {
    case made(Receipt)
    case neverMade
    case pending
}

struct Provider: Sendable {
    func charge(of idempotencyKey: String) async throws -> Charge { .pending }
}

let provider = Provider()
// snippet.show
import Idempotency

let store = try FileRecordStore(directory: "/var/lib/payments/records")
let charge = IdempotentOperation<Receipt>("charge", store: store, codec: .json, ifUnknown: .park)

func settleUnknownCharges() async throws {
    var cursor: IdempotencyCursor?
    repeat {
        let page = try await charge.unresolved(after: cursor)
        for execution in page.executions {
            do {
                switch try await provider.charge(of: execution.downstreamKey("charge")) {
                case .made(let receipt):
                    try await charge.resolve(execution.key, as: .completed(receipt), of: execution.fence)
                case .neverMade:
                    try await charge.resolve(execution.key, as: .released, of: execution.fence)
                case .pending: break
                }
            } catch is IdempotencyInFlight, is IdempotencyOutcomeUnknown, is IdempotencyNothingToResolve {
                // Somebody else has come before this answer, which is void then.
            }
        }
        cursor = page.next
    } while cursor != nil
}
// snippet.hide
extension Provider {
    func transfer(of idempotencyKey: String) async throws -> Charge { .pending }
}
// snippet.show
let transfer = IdempotentOperation<Receipt>(
    "transfer", store: store, codec: .json,
    ifUnknown: .probe { execution in
        switch try await provider.transfer(of: execution.downstreamKey("transfer")) {
        case .made(let receipt): .applied(receipt)
        case .neverMade: .notApplied
        case .pending: .unknown
        }
    })
