// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Reliability
import Testing

@testable import checkout

@Suite struct InventoryTests {
    private let inventory = Inventory(store: InMemoryRecordStore())
    private let sku = Stock.plentiful[0]

    @Test func `a key reserves once and releases once`() async throws {
        for _ in 0..<3 { try await inventory.reserve(4, of: sku, key: "k") }
        var count = try await inventory.count()
        #expect(count.shelves == [sku: Stock.initial[sku, default: 0] - 4])
        #expect(count.held == ["k": .init(sku: sku, left: 4)])
        for _ in 0..<3 { try await inventory.release(key: "k") }
        count = try await inventory.count()
        #expect(count.shelves == [sku: Stock.initial[sku, default: 0]])
        #expect(count.held.isEmpty)
    }

    @Test func `a late attempt does not reserve again what was released, or released before it came`() async throws {
        try await inventory.reserve(1, of: sku, key: "first")
        try await inventory.release(key: "first")
        try await inventory.release(key: "never made")
        for key in ["first", "never made"] {
            await #expect(throws: ReservationReleased(key: key)) { try await inventory.reserve(1, of: sku, key: key) }
        }
        #expect(try await inventory.count().held.isEmpty)
    }

    @Test func `what is not there is not reserved`() async throws {
        let scarce = try #require(Stock.scarce.first { $0.value > 0 })
        try await inventory.reserve(scarce.value, of: scarce.key, key: "all")
        await #expect(throws: OutOfStock(sku: scarce.key, wanted: 1, left: 0)) {
            try await inventory.reserve(1, of: scarce.key, key: "more")
        }
        await #expect(throws: OutOfStock(sku: "unheard of", wanted: 1, left: 0)) {
            try await inventory.reserve(1, of: "unheard of", key: "k")
        }
    }

    @Test func `many tasks at one shelf lose and invent nothing`() async throws {
        let (inventory, sku) = (inventory, sku)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask {
                    for round in 0..<20 {
                        let key = "\(task)-\(round)"
                        try await inventory.reserve(1 + round % 3, of: sku, key: key)
                        if round % 2 == 0 { try await inventory.release(key: key) }
                    }
                }
            }
            try await group.waitForAll()
        }
        let count = try await inventory.count()
        #expect(count.held.count == 160)
        let held = count.held.values.reduce(0) { $0 + $1.left }
        #expect(count.shelves == [sku: Stock.initial[sku, default: 0] - held])
    }

    @Test func `a shipment is booked once, and refused if it is too large`() async throws {
        let carrier = Carrier(store: inventory.store)
        let order = Order(
            id: "o", customer: "c", sku: "plant-ivy", quantity: 3, amountMinor: 1, currency: "EUR", card: "tok")
        for _ in 0..<2 { try await carrier.book(order, key: "k") }
        #expect(try await inventory.store.statistics(of: Carrier.shipments).counts == ["booked": 1])
        let large = Order(
            id: "o", customer: "c", sku: "plant-ivy", quantity: 4, amountMinor: 1, currency: "EUR", card: "tok")
        await #expect(throws: TooLargeToShip(sku: "plant-ivy", quantity: 4)) { try await carrier.book(large, key: "l") }
    }
}
