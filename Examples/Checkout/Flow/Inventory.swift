// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability

/// There are fewer pieces of an article than an order asks for. Nothing was taken.
struct OutOfStock: NotApplied, Equatable {
    let sku: String
    let wanted: Int
    let left: Int
}

/// A reservation was asked for that had been released before: a late attempt at something that is undone already.
struct ReservationReleased: NotApplied, Equatable {
    let key: String
}

/// What the shop has on its shelves, and what of it is reserved: records beside those of the checkout itself.
///
/// A reservation and the stock that it takes from change in one commit, so they add up after any crash. A reservation
/// is made once for its key, and one that was released stays as a mark, so that a late attempt does not make it again.
struct Inventory: Sendable {
    static let stock = "stock"
    static let reservations = "reservations"
    private static let held = "held"
    private static let released = "released"

    let store: any RecordStore

    /// Takes pieces off the shelf for the key; does nothing if that was done before.
    func reserve(_ quantity: Int, of sku: String, key: String) async throws {
        let ids = [RecordID(Self.reservations, key), RecordID(Self.stock, sku)]
        while true {
            let standing = try await store.read(ids).records
            if let reservation = standing[0] {
                if reservation.state == Self.held { return }
                throw ReservationReleased(key: key)
            }
            let left = try standing[1].map { try Pieces($0).left } ?? Stock.initial[sku, default: 0]
            guard left >= quantity else { throw OutOfStock(sku: sku, wanted: quantity, left: left) }
            let reservation = try Pieces(sku: sku, left: quantity).content(Self.held)
            let shelf = try Pieces(sku: sku, left: left - quantity).content(Self.stock)
            let changes: [Change] = [
                .insert(ids[0], reservation), change(ids[1], from: standing[1], to: shelf),
            ]
            if case .committed = try await store.commit(changes) { return }
        }
    }

    /// Puts the pieces of a reservation back on the shelf; does nothing if they are there.
    func release(key: String) async throws {
        let id = RecordID(Self.reservations, key)
        while true {
            guard let reservation = try await store.read([id]).records[0] else {
                let mark = try Pieces(sku: "", left: 0).content(Self.released)
                if case .committed = try await store.commit([.insert(id, mark)]) { return }
                continue
            }
            guard reservation.state == Self.held else { return }
            let pieces = try Pieces(reservation)
            let shelfID = RecordID(Self.stock, pieces.sku)
            let shelf = try await store.read([shelfID]).records[0]
            let left = try shelf.map { try Pieces($0).left } ?? Stock.initial[pieces.sku, default: 0]
            let filled = try Pieces(sku: pieces.sku, left: left + pieces.left).content(Self.stock)
            let changes: [Change] = [
                change(id, from: reservation, to: try pieces.content(Self.released)),
                change(shelfID, from: shelf, to: filled),
            ]
            if case .committed = try await store.commit(changes) { return }
        }
    }

    /// The pieces on each shelf that was touched, and those that are reserved, by article and by key.
    func count() async throws -> (shelves: [String: Int], held: [String: Pieces]) {
        var shelves: [String: Int] = [:]
        try await store.forEach(in: Self.stock) { shelves[$0.id.key] = try Pieces($0).left }
        var held: [String: Pieces] = [:]
        try await store.forEach(in: Self.reservations, state: Self.held) { held[$0.id.key] = try Pieces($0) }
        return (shelves, held)
    }

    private func change(_ id: RecordID, from record: Record?, to content: RecordContent) -> Change {
        guard let record else { return .insert(id, content) }
        return .replace(id, expecting: record.fence, with: content, lease: .keep)
    }

    /// So many pieces of an article.
    struct Pieces: Codable, Equatable, Sendable {
        let sku: String
        let left: Int

        init(sku: String, left: Int) {
            self.sku = sku
            self.left = left
        }

        init(_ record: Record) throws { self = try JSON.decode(Pieces.self, from: record.body) }

        func content(_ state: String) throws -> RecordContent {
            RecordContent(state: state, body: try JSON.line(self))
        }
    }
}
