// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Receiving: claiming what is due, and starting it.
extension WorkQueue {
    /// Hands out items that are due, the longest due first; waits for one if none is.
    ///
    /// Each is held for the lease and counts as started. Settle each through its ``Delivery``; one that is not settled
    /// is handed out again after its lease, as a crash. What may not be handed out any more goes to the dead letters.
    ///
    /// **Cancellation** ends the wait at once, and what is found by then is returned. What was handed out is not given
    /// back.
    ///
    /// - Parameters:
    ///   - limit: 1 to 100 items, by default one.
    ///   - lease: How long each is held unless extended; more than zero, by default 30 s.
    ///   - waitUpTo: How long to wait for the first item; by default not at all.
    /// - Throws: `StoreError`. Items that were claimed before it was thrown are due again after their lease, and were
    ///   not started. If some were started already, they are returned, and the error is an event.
    public func receive(
        limit: Int = 1, lease: Duration = .seconds(30), waitUpTo: Duration = .zero
    ) async throws(StoreError) -> [Delivery] {
        precondition(lease > .zero, "An item is held for some time, not \(lease)")
        try RecordLimits.check("limit", limit, 1...100)
        let end = time.now().addingSaturating(waitUpTo.nanosecondsRoundedUp)
        while true {
            let left = Duration.nanoseconds(max(0, end.subtractingSaturating(time.now())))
            let answer = try await claim(limit, lease, waitUpTo: left)
            let deliveries = try await start(answer.claimed, now: answer.now, lease: lease)
            guard deliveries.isEmpty, !answer.claimed.isEmpty || time.now() < end, !Task.isCancelled else {
                return deliveries
            }
        }
    }

    /// Holds records of items that are due. Nothing is counted until they are started.
    func claim(_ limit: Int, _ lease: Duration, waitUpTo: Duration) async throws(StoreError) -> ClaimAnswer {
        let due = ClaimRequest.Selection.due(collection: collection, limit: limit)
        return try await store.claim(ClaimRequest(due, lease: Lease(lease), waitUpTo: waitUpTo))
    }

    /// Starts items that are held: all that may be handed out. Those that somebody else has meanwhile are left to them.
    ///
    /// - Parameter now: The store's time.
    func start(_ records: [Record], now: Timestamp, lease: Duration) async throws(StoreError) -> [Delivery] {
        // Nothing comes before an item between this look and its start: what was put before it has gone for good, or is
        // a letter that holds it back.
        let parked =
            parksOrderKeys ? try await deadLetters.parkedKeys(Set(records.compactMap(\.orderKey))) : [:]
        var deliveries: [Delivery] = []
        var batch: [HeldItem] = []
        var size = 0
        do throws(StoreError) {
            for record in records {
                let key = record.orderKey.flatMap { parked[$0] }
                guard let item = await startable(record, key, now: now, lease: lease) else { continue }
                // Half of what a commit takes, so that one more item always fits.
                if size > RecordLimits.batch.upperBound / 2 {
                    deliveries += try await deliver(batch, lease: lease)
                    (batch, size) = ([], 0)
                }
                batch.append(item)
                size += record.body.count + RecordLimits.size(of: record.headers)
            }
            return deliveries + (try await deliver(batch, lease: lease))
        } catch {
            // What has started has to get to its handlers, or it would count as crashed.
            guard !deliveries.isEmpty else { throw error }
            report("", .receiveFailed(error))
            return deliveries
        }
    }

    /// The item of a record if it may be handed out; else it is seen to. What fails about one item is told and left to
    /// its lease: it stands in no other's way.
    private func startable(
        _ record: Record, _ parked: ParkedKey?, now: Timestamp, lease: Duration
    ) async -> HeldItem? {
        do throws(StoreError) {
            let item: HeldItem
            do throws(ItemBody.Unreadable) {
                item = try HeldItem(record)
            } catch {
                try await setAside(record, error, at: now, lease: lease)
                return nil
            }
            if let parked, parked.hasChanged(since: record) {
                // Earlier ones may have come back before it.
                try await handBack(item)
                return nil
            }
            let follows = parked?.holdsBack(record.position) ?? false
            guard let reason = follows ? .precedingItemParked : item.reasonToGiveUp(limits, now: now) else {
                return item
            }
            if item.hasCrashed { report(record.id.key, .crashed(item.body.crashes)) }
            _ = try await giveUp(item, reason, at: now, isStarted: false)
        } catch {
            report(record.id.key, .settlementFailed(error))
        }
        return nil
    }

    private func deliver(_ items: [HeldItem], lease: Duration) async throws(StoreError) -> [Delivery] {
        var items = items
        while !items.isEmpty {
            var started = items
            let changes = started.indices.map { started[$0].start(lease: lease) }
            let receivedAt = time.now()
            switch try await commitStarts(changes, of: items, lease) {
            case .committed(let committed):
                for index in started.indices {
                    started[index].hasStarted(under: committed.fences[index], at: committed.now, lease: lease)
                }
                return started.map { item in
                    if item.hasCrashed { report(item.record.id.key, .crashed(item.body.crashes)) }
                    report(item.record.id.key, .delivered(item.body.deliveries))
                    return Delivery(self, item, receivedAt: receivedAt)
                }
            case .conflict:
                // Where one has passed into other hands, more may have.
                let standing = try await store.read(items.map(\.record.id)).records
                let held = items.indices.filter { standing[$0]?.fence == items[$0].record.fence }
                for index in items.indices where !held.contains(index) { report(items[index].record.id.key, .lost) }
                items = held.map { items[$0] }
            }
        }
        return []
    }

    /// Lets go of an item that no handler was given.
    func handBack(_ item: HeldItem) async throws(StoreError) {
        _ = try await settle([item.handingBack], under: item.record)
    }

    /// Commits starts, and looks once if their outcome is not known: a start that is in without anybody knowing of it
    /// would count as a crash.
    private func commitStarts(
        _ changes: [Change], of items: [HeldItem], _ lease: Duration
    ) async throws(StoreError) -> CommitAnswer {
        do throws(StoreError) {
            return try await store.commit(changes)
        } catch {
            guard case .outcomeUnknown = error, let answer = try? await store.read(items.map(\.record.id)) else {
                throw error
            }
            let fences = zip(items, answer.records).compactMap { item, standing in
                // Whoever has claimed it since has another fence, and is another holder.
                standing?.changedUnder == item.record.fence && standing?.holder == item.record.holder
                    ? standing?.fence : nil
            }
            // As a whole or not at all; and if somebody else has one of them by now, all of them are left to the lease.
            guard fences.count == items.count, let until = answer.records[0]?.leaseUntil else { throw error }
            // The look may come long after the commit, from which the leases count.
            return .committed(CommitAnswer.Committed(now: until.advanced(by: .zero - lease), fences: fences))
        }
    }

    /// Sees to a record whose bytes cannot be read.
    private func setAside(
        _ record: Record, _ reason: ItemBody.Unreadable, at now: Timestamp, lease: Duration
    ) async throws(StoreError) {
        func letGo(due: RecordContent.When) async throws(StoreError) {
            let content = RecordContent(
                state: record.state, body: record.body, headers: record.headers, orderKey: record.orderKey,
                due: due, expires: .unchanged)
            _ = try await store.commit([.replace(record.id, expecting: record.fence, with: content, lease: .end)])
        }
        switch reason {
        case .newer(let version):
            try await letGo(due: .after(max(lease, .seconds(1))))
            report(record.id.key, .unreadable(version: Int(version)))
        case .damaged:
            let letter = NewDeadLetter(
                id: record.id.key, reason: .undecodable,
                origin: DeadLetterOrigin(
                    source: name, id: record.id.key, position: record.position, orderKey: record.orderKey),
                payload: Array(record.body.prefix(Self.maximumPayload)), headers: record.headers,
                enqueuedAt: record.createdAt)
            let isMoved = try await move(record, letter, ItemBody(payload: []), at: now, isStarted: false)
            if isMoved == nil { try await letGo(due: .unchanged) }
        }
    }

    /// Moves an item to the dead letters in one commit. It stays if somebody else has it, if a change beside it meets a
    /// conflict, or, before it is started, if letters of its order key have come or gone since it was claimed.
    ///
    /// - Parameters:
    ///   - isStarted: Whether a handler was given it.
    ///   - beside: Changes of other records that are in with it.
    func giveUp(
        _ item: HeldItem, _ reason: DeadLetterReason, at now: Timestamp, isStarted: Bool = true, beside: [Change] = []
    ) async throws(StoreError) -> Settlement {
        let letter = item.letter(reason, from: name, id: item.record.id.key)
        let move = try await move(item.record, letter, item.body, at: now, isStarted: isStarted, beside: beside)
        if let move { return move }
        try await handBack(item)
        return .lost
    }

    /// Moves a record to the dead letters, in one commit with what is known of its order key.
    ///
    /// - Returns: `nil` if it is not started and not the first of its key for certain.
    private func move(
        _ record: Record, _ letter: NewDeadLetter, _ body: ItemBody, at now: Timestamp, isStarted: Bool,
        beside: [Change] = []
    ) async throws(StoreError) -> Settlement? {
        var letter = letter
        // A handler may give this reason too, which makes no follower of an item that has come to its turn.
        let follows = !isStarted && letter.reason == .precedingItemParked
        while true {
            let move = try deadLetters.change(
                moving: record, as: letter, at: now, redrives: body.redrives, deliveries: body.deliveries,
                keepsOrder: parksOrderKeys)
            var changes = [move] + beside
            if parksOrderKeys, let orderKey = record.orderKey {
                var parked = try await deadLetters.parkedKeys([orderKey])[orderKey] ?? .open
                let isHeldBack = parked.holdsBack(record.position)
                if follows ? !isHeldBack : !isStarted && !isHeldBack && parked.hasChanged(since: record) { return nil }
                parked.letters += 1
                // Those that came back behind it have to follow it again.
                if !follows { parked.runsThrough = 0 }
                changes += deadLetters.change(of: orderKey, to: parked).map { [$0] } ?? []
            }
            switch try await settle(changes, under: record) {
            case .settled:
                deadLetters.report(letter.id, letter.reason, .put)
                report(record.id.key, .deadLettered(letter.reason))
                return .settled
            case .lost:
                report(record.id.key, .lost)
                return .lost
            case .conflict(let conflict) where conflict.index == 0:
                // A letter of that name stands there, put by other hands than this queue's. The item's own name stays in
                // the letter's origin.
                letter.id = "\(record.id.key.prefix(bytes: 990))@\(NewWorkItem.randomID())"
            case .conflict(let conflict) where conflict.index <= beside.count:
                return .conflict(conflict)
            case .conflict:
                // Another letter of the key has come or gone.
                continue
            }
        }
    }

    /// What became of a settlement.
    enum Settlement {
        case settled
        /// Somebody else has the item, or it is gone.
        case lost
        /// Another change of the commit did not find what it expected; nothing is in.
        case conflict(CommitAnswer.Conflict)
    }

    /// Carries out changes of which the first is about a held item, and looks once if their outcome is not known.
    ///
    /// - Parameter record: The item's record, with the end of the hold as far as it is known for certain.
    func settle(_ changes: [Change], under record: Record) async throws(StoreError) -> Settlement {
        do throws(StoreError) {
            switch try await store.commit(changes) {
            case .committed: return .settled
            case .conflict(let conflict):
                let isNameTaken = conflict.standing.map { $0.id == changes[0].destination } ?? false
                return conflict.index == 0 && !isNameTaken ? .lost : .conflict(conflict)
            }
        } catch {
            let names = [record.id] + (changes[0].destination.map { [$0] } ?? [])
            guard case .outcomeUnknown = error, let answer = try? await store.read(names) else { throw error }
            let standing = answer.records
            if let moved = standing.last, names.count == 2, moved?.changedUnder == record.fence { return .settled }
            if let found = standing[0] {
                if found.changedUnder == record.fence { return .settled }
                if found.fence == record.fence { throw error }
                // Claimed by somebody else, and changed by nobody.
                if found.changedUnder == record.changedUnder { return .lost }
            }
            // It has gone on from what it was, or is gone. While it was held, nobody else can have done that; if it may
            // not have been, others may have had it.
            guard record.isHeld(at: answer.now) else { throw error }
            return .settled
        }
    }
}
