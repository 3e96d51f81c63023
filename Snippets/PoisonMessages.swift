// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import WorkQueues

// snippet.hide
struct Invoice: Sendable {
    var customer: String

    init(_ bytes: [UInt8]) throws { customer = "" }
}

struct Archive: Sendable {
    func file(_ invoice: Invoice) async throws {}
}

struct Gauge: Sendable {
    func set(_ value: Int, reason: String) {}
    func set(age: Duration) {}
}

let (archive, letters, oldest) = (Archive(), Gauge(), Gauge())
let store = try FileRecordStore(directory: "/var/lib/shop/records")
// snippet.show
let invoices = WorkQueue("invoices", store: store, maximumFailures: 5, maximumCrashes: 3)

struct NoSuchCustomer: Permanent {
    let customer: String
}

let filing = Consumer(invoices, decode: { item in try Invoice(item.payload) }) { invoice, _ in
    guard !invoice.customer.isEmpty else { throw NoSuchCustomer(customer: invoice.customer) }
    try await archive.file(invoice)
}
// snippet.hide
// snippet.show
for letter in try await invoices.deadLetters.list(DeadLetterFilter(reason: "crashLoop")).letters {
    print(letter.id, letter.reason, letter.deadLetteredAt, letter.failures.count, letter.redriveCount)
    for failure in letter.failures.kept { print(failure.time, failure.errorType, failure.message) }
}
// snippet.hide
// snippet.show
let statistics = try await invoices.deadLetters.statistics()
for (reason, count) in statistics.byReason { letters.set(count, reason: reason) }
oldest.set(age: statistics.oldestAge ?? .zero)
// snippet.hide
// snippet.show
let ledger = WorkQueue("ledger", store: store, parksOrderKeys: true)
// snippet.hide
// snippet.show
try await ledger.resume(orderKey: "account-17")
try await ledger.evict("entry-4711", because: "booked by hand, see case 88")
