// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension RedriveDestination {
    /// A queue on the same store: each letter becomes an item of it in one commit with the redrive's progress, with its
    /// name, its position, its order key and its history, and with failures and crashes counted anew.
    ///
    /// A letter whose name an item of the queue has stays where it is and counts as skipped. Where the queue parks order
    /// keys, the letters behind the first one of a key go back with it and in their order, whatever the filter says of
    /// them, and stay if it stays.
    public static func queue(_ queue: WorkQueue) -> RedriveDestination {
        .changes(queue.name) { letters throws(StoreError) in try await queue.moves(redriving: letters) }
    }
}

extension WorkQueue {
    /// The changes that make items of letters again, as far as their order allows.
    func moves(
        redriving letters: [RedriveDestination.Letter]
    ) async throws(StoreError) -> RedriveDestination.Moves {
        let keys = Set(letters.compactMap(\.record.orderKey))
        guard !keys.isEmpty else { return .init(ofLetters: letters.map { change(redriving: $0) }) }
        // The first letter of a key that is met is the first of all if it can be claimed: the store hands out no other.
        // The fence is all that is wanted, and the lease is over at once.
        var firsts: [String: RecordID] = [:]
        for letter in letters {
            guard let key = letter.record.orderKey, firsts[key] == nil else { continue }
            firsts[key] = letter.record.id
        }
        let claim = ClaimRequest(.ids(Array(firsts.values)), lease: Lease(.zero))
        let claimed = Dictionary(
            try await store.claim(claim).claimed.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var parked = try await deadLetters.parkedKeys(keys)
        var moves = RedriveDestination.Moves(ofLetters: [])
        for letter in letters {
            guard let key = letter.record.orderKey, let first = firsts[key] else {
                moves.ofLetters.append(change(redriving: letter))
                continue
            }
            guard let head = claimed[first] else {
                moves.ofLetters.append(nil)
                continue
            }
            let record = letter.record.id == first ? head : letter.record
            moves.ofLetters.append(change(redriving: .init(record: record, letter: letter.letter)))
            var left = parked[key] ?? .open
            left.letters -= 1
            left.runsThrough = max(left.runsThrough, record.position)
            parked[key] = left
        }
        moves.alongside = firsts.compactMap { key, first in
            guard claimed[first] != nil, let parked = parked[key] else { return nil }
            return deadLetters.change(of: key, to: parked)
        }
        return moves
    }

    /// Brings all letters of an order key back, in their order; says how many. Safe to repeat.
    ///
    /// For a queue that parks order keys. A ``/DeadLetters/Redrive`` does the same for many keys, at a rate.
    @discardableResult
    public func resume(orderKey: String) async throws(StoreError) -> Int {
        var count = 0
        var position: UInt64?
        repeat {
            let page = try await store.scan(deadLetters.collection, state: nil, after: position, limit: 100)
            let letters = page.records.compactMap { record in
                record.orderKey != orderKey
                    ? nil : (try? DeadLetter(record)).map { RedriveDestination.Letter(record: record, letter: $0) }
            }
            if !letters.isEmpty {
                let moves = try await moves(redriving: letters)
                let changes = moves.ofLetters.compactMap { $0 }
                // The first one is held, or in somebody's way.
                guard !changes.isEmpty else { return count }
                guard case .committed = try await store.commit(changes + moves.alongside) else { continue }
                count += changes.count
            }
            position = page.next
        } while position != nil
        return count
    }

    /// Takes a letter of this queue out for good, as its dead letters do; where the queue parks order keys, the letters
    /// behind it come back in their order.
    @discardableResult
    public func evict(_ id: String, because reason: String) async throws(StoreError) -> DeadLetterEviction {
        let orderKey = try await store.read([deadLetters.id(id)]).records[0]?.orderKey
        let eviction = try await deadLetters.evict(id, because: reason)
        if let orderKey, eviction == .evicted { try await resume(orderKey: orderKey) }
        return eviction
    }

    /// The change that makes an item of a letter again.
    func change(redriving letter: RedriveDestination.Letter) -> Change {
        let (record, letter) = (letter.record, letter.letter)
        var body = ItemBody(payload: letter.payload)
        body.deliveries = letter.deliveries
        body.redrives = letter.redriveCount + 1
        body.history = letter.failures
        // A letter that had to take another name than its item goes back to that of the item.
        let name = letter.origin.source == self.name && !letter.origin.id.isEmpty ? letter.origin.id : letter.id
        let content = RecordContent(
            state: ItemState.ready.rawValue, body: body.encoded(), headers: letter.headers,
            orderKey: letter.origin.orderKey, due: .after(.zero))
        return .move(record.id, to: id(name), expecting: record.fence, with: content, lease: .end)
    }
}
