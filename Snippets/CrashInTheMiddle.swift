// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

// snippet.hide
struct Order: Sendable {
    var id: String
    var nights: Int
}

struct Reservation: Sendable {
    var bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }
}

struct Receipt: Codable, Sendable {
    var id: String
}

struct Hotel: Sendable {
    func reserve(_ order: Order, idempotencyKey: String) async throws -> Reservation { Reservation(bytes: []) }
}

struct Provider: Sendable {
    func charge(_ reservation: Reservation, idempotencyKey: String) async throws -> Receipt {
        Receipt(id: idempotencyKey)
    }
}

let (hotel, provider) = (Hotel(), Provider())
// snippet.show
import Idempotency

let store = try FileRecordStore(directory: "/var/lib/bookings/records")
let booking = IdempotentOperation<Receipt>("book", store: store, codec: .json, ifUnknown: .reexecute)

func book(_ order: Order, key: String, account: String) async throws -> Receipt {
    let fingerprint = Fingerprint { $0.field("nights", order.nights) }
    return try await booking.run(key, tenant: account, fingerprint: fingerprint) { context in
        let reservation: Reservation
        if let checkpoint = context.checkpoint {
            reservation = Reservation(bytes: checkpoint.bytes)
        } else {
            reservation = try await hotel.reserve(order, idempotencyKey: context.downstreamKey("reserve"))
            try await context.checkpoint("reserved", reservation.bytes)
        }
        let receipt = try await provider.charge(reservation, idempotencyKey: context.downstreamKey("charge"))
        let event = RecordContent(state: "new", body: Array("booked \(order.id)".utf8))
        try context.alsoCommit([.insert(RecordID("events", "booked-\(order.id)"), event)])
        return receipt
    }.value
}
