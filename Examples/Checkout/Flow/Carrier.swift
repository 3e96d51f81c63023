// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability

/// The carrier does not take an order, and never will.
struct TooLargeToShip: NotApplied, Equatable {
    let sku: String
    let quantity: Int
}

/// Books shipments: one record for each, made once for its key.
struct Carrier: Sendable {
    static let shipments = "shipments"
    /// The most pieces of this article that fit on the carrier's van.
    static let limits = ["plant-ivy": 3]

    let store: any RecordStore

    /// Books a shipment; does nothing if that was done before.
    func book(_ order: Order, key: String) async throws {
        if let limit = Self.limits[order.sku], order.quantity > limit {
            throw TooLargeToShip(sku: order.sku, quantity: order.quantity)
        }
        let content = RecordContent(state: "booked", body: Array(order.id.utf8))
        switch try await store.commit([.insert(RecordID(Self.shipments, key), content)]) {
        case .committed, .conflict: return
        }
    }
}
