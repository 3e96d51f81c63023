// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import WorkQueues

// snippet.hide
struct Movement: Sendable {
    var account: String
    var cents: Int64

    init(_ bytes: [UInt8]) throws { (account, cents) = ("", 0) }
}

/// A balance and the fence of its record.
struct Balance: Sendable {
    var cents: Int64
    var fence: Fence

    /// Conflicts if the balance is another one by now.
    func change(by movement: Movement) -> Change {
        .replace(
            RecordID("balances", movement.account), expecting: fence, with: RecordContent(state: "open"), lease: .end)
    }
}

struct Accounts: Sendable {
    func balance(of account: String) async throws -> Balance { Balance(cents: 0, fence: Fence(rawValue: 1)) }
}

struct Warehouse: Sendable {
    func reserve(_ items: [UInt8], idempotencyKey: String) async throws {}
    func store(_ list: [UInt8], ifNewerThan fence: Fence) async throws {}
}

struct LabelPrinter: Sendable {
    func print(_ label: [UInt8]) async throws {}
}

let (accounts, warehouse, printer) = (Accounts(), Warehouse(), LabelPrinter())
let store = try FileRecordStore(directory: "/var/lib/shop/records")
let movements = WorkQueue("movements", store: store)
let orders = WorkQueue("orders", store: store)
let lists = WorkQueue("lists", store: store)
// snippet.show
let booking = Consumer(movements, decode: { item in try Movement(item.payload) }) { movement, context in
    let balance = try await accounts.balance(of: movement.account)
    context.alsoCommit([balance.change(by: movement)])
}
// snippet.hide
// snippet.show
let reserving = Consumer(orders) { order in
    try await warehouse.reserve(order.payload, idempotencyKey: order.id)
}
// snippet.hide
// snippet.show
let inbox = Inbox("orders", store: store)
let labelling = Consumer(orders) { order in
    try await inbox.handle(messageID: order.id, consumer: "labels") { _ in
        try await printer.print(order.payload)
    }
}
// snippet.hide
// snippet.show
let listing = Consumer(lists, decode: { item in item.payload }) { list, context in
    try await warehouse.store(list, ifNewerThan: context.fence)
}
