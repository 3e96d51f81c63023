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
    /// them, and stay if it stays. How many items the queue may hold is not looked at.
    ///
    /// It need not be the queue that the letters come from, but it must be on their store.
    public static func queue(_ queue: WorkQueue) -> RedriveDestination {
        .changes(queue.name) { dead, letters throws(StoreError) in
            try await queue.moves(redriving: letters, of: dead)
        }
    }
}

extension WorkQueue {
    /// The changes that make items of letters again, as far as their order allows.
    func moves(
        redriving letters: [RedriveDestination.Letter], of dead: RecordDeadLetterQueue
    ) async throws(StoreError) -> RedriveDestination.Moves {
        let keys = Set(letters.compactMap(\.record.orderKey))
        var names: Set<RecordID> = []
        // Two letters may be of one name, of which the first goes.
        func changeOfFreeName(_ letter: RedriveDestination.Letter) -> Change? {
            let change = change(redriving: letter)
            return change.destination.map { names.insert($0).inserted } ?? false ? change : nil
        }
        guard !keys.isEmpty else { return .init(ofLetters: letters.map(changeOfFreeName)) }
        // The keys are read first: whatever comes or goes after that is in the way of the commit.
        var parked = try await dead.parkedKeys(keys)
        let heads = try await dead.heads(of: letters)
        var following = try await dead.positions(of: keys, among: letters)
        var moves = RedriveDestination.Moves(ofLetters: [])
        for letter in letters {
            guard let key = letter.record.orderKey else {
                moves.ofLetters.append(changeOfFreeName(letter))
                continue
            }
            let position = letter.record.position
            let isNext = following[key]?.first == position
            guard isNext, let head = heads[key],
                let change = changeOfFreeName(head.record.position == position ? head : letter)
            else {
                // Nor can those that stand behind it: none of them is the next.
                moves.ofLetters.append(nil)
                continue
            }
            following[key]?.removeFirst()
            moves.ofLetters.append(change)
            var left = parked[key] ?? .open
            left.letters -= 1
            left.runsThrough = max(left.runsThrough, position)
            parked[key] = left
        }
        moves.alongside = heads.keys.compactMap { key in parked[key].flatMap { dead.change(of: key, to: $0) } }
        return moves
    }

    /// Brings all letters of an order key back, in their order; says how many. Safe to repeat.
    ///
    /// For a queue that parks order keys. A ``/DeadLetters/Redrive`` does the same for many keys, at a rate.
    @discardableResult
    public func resume(orderKey: String) async throws(StoreError) -> Int {
        var count = 0
        var position: UInt64?
        // Of the letters that are found at most so many go, since the next one cannot.
        var limit = Int.max
        // The first one that could not go.
        var first: RecordID?
        while true {
            let page = try await store.scan(deadLetters.collection, state: nil, after: position, limit: 100)
            var room = RedriveDestination.room
            let found = page.records.filter { $0.orderKey == orderKey }
            let letters = found.prefix(limit).prefix { room.takes($0) }.map { record in
                (try? DeadLetter(record)).map { RedriveDestination.Letter(record: record, letter: $0) }
            }.prefix { $0 != nil }.compactMap { $0 }
            guard !letters.isEmpty else {
                guard found.isEmpty, let next = page.next else { return count }
                position = next
                continue
            }
            let moves = try await moves(redriving: letters, of: deadLetters)
            let changes = moves.ofLetters.compactMap { $0 }
            guard !changes.isEmpty else {
                // The first one is held, or in somebody's way, or another has come before it.
                guard found[0].id != first else { return count }
                (first, position) = (found[0].id, nil)
                continue
            }
            switch try await store.commit(changes + moves.alongside) {
            case .committed: count += changes.count
            case .conflict(let conflict):
                guard changes.indices.contains(conflict.index),
                    conflict.standing?.id == changes[conflict.index].destination
                else { continue }
                // An item has its name: it stays, and so do those behind it.
                limit = conflict.index
            }
        }
    }

    /// Takes a letter of this queue out for good, as its dead letters do; where the queue parks order keys, the letters
    /// behind it come back in their order.
    ///
    /// - Throws: `StoreError`. The letter may be out then, and some of those behind it may still be letters:
    ///   ``resume(orderKey:)`` brings them back.
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
            // A letter may have come from where an order key can be empty.
            orderKey: letter.origin.orderKey.flatMap { $0.isEmpty ? nil : $0 }, due: .after(.zero))
        return .move(record.id, to: id(name), expecting: record.fence, with: content, lease: .end)
    }
}

extension RecordDeadLetterQueue {
    /// The first letter of each key that is met, if it is the first of all: the store lets no other be claimed. The fence
    /// is all that is wanted, and the lease is over at once.
    fileprivate func heads(
        of letters: [RedriveDestination.Letter]
    ) async throws(StoreError) -> [String: RedriveDestination.Letter] {
        var firsts: [String: Record] = [:]
        for record in letters.map(\.record) {
            guard let key = record.orderKey, firsts[key] == nil else { continue }
            firsts[key] = record
        }
        let claim = ClaimRequest(.ids(firsts.values.map(\.id)), lease: Lease(.zero))
        let claimed = Dictionary(
            try await store.claim(claim).claimed.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return firsts.compactMapValues { first in claimed[first.id].flatMap { .init(claimed: $0) } }
    }

    /// The positions of all letters of some keys that stand between the first and the last of these.
    fileprivate func positions(
        of keys: Set<String>, among letters: [RedriveDestination.Letter]
    ) async throws(StoreError) -> [String: ArraySlice<UInt64>] {
        guard let first = letters.first?.record.position, let last = letters.last?.record.position else { return [:] }
        var positions: [String: ArraySlice<UInt64>] = [:]
        var position: UInt64? = first - 1
        repeat {
            let page = try await store.scan(collection, state: nil, after: position, limit: 100)
            for record in page.records where record.position <= last {
                if let key = record.orderKey, keys.contains(key) { positions[key, default: []].append(record.position) }
            }
            position = page.next
        } while position.map { $0 < last } ?? false
        return positions
    }
}
