// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Sagas

// snippet.hide
struct Order: Codable, Sendable {
    var items: [String]
}

typealias Step = SagaStep<Order, Void>

let reserve = Step("reserve", ifUnknown: .reexecute) { _ in
} compensation: { _ in
}
let charge = Step.pivot("charge", ifUnknown: .reexecute) { _ in }
let ship = Step.retriable("ship", ifUnknown: .reexecute) { _ in }
let screen = Step.reading("screen") { _ in }
let store = try FileRecordStore(directory: "/var/lib/shop/records")
// snippet.show
let checkout1 = SagaDefinition<Order>("checkout", version: 1) {
    reserve
    charge
    ship
}
let checkout2 = SagaDefinition<Order>("checkout", version: 2) {
    screen
    reserve
    charge
    ship
}

let sagas = SagaCoordinator("shop", store: store, definitions: checkout1, checkout2)
// snippet.hide
// snippet.show
func unfinished(_ definition: SagaShape) async throws -> Int {
    var (count, position): (Int, UInt64?) = (0, nil)
    repeat {
        let page = try await sagas.list(after: position, limit: 1_000)
        count += page.sagas.count { status in
            switch status.state {
            case .running, .compensating, .stuck, .blocked: status.definition == definition
            case .completed, .compensated: false
            }
        }
        position = page.next
    } while position != nil
    return count
}

if try await unfinished(checkout1.shape) == 0 { print("nothing needs version 1 any more") }
// snippet.hide
// snippet.show
struct Address: Codable, Sendable {
    var street: String
    /// Since version 3 of the service; sagas that were started before have none.
    var country: String?
}
// snippet.hide
// snippet.show
let migrating = SagaCoordinator(
    "shop", store: store, definitions: checkout2, migrations: [SagaMigration("checkout", from: 1, to: 2)])
