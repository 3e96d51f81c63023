// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Holding records, and finding those that are due.
extension RecordTable {
    package mutating func claim(
        _ selection: ClaimRequest.Selection, lease: Lease, at time: Timestamp
    ) throws(StoreError) -> ClaimAnswer {
        try RecordLimits.check(lease.holder)
        switch selection {
        case .ids(let ids):
            try RecordLimits.check("identifiers", ids.count, RecordLimits.page)
            try RecordLimits.checkDistinct("claims of one record", ids)
            begin(at: time)
            return claim(ids, lease)
        case .due(let collection, let limit):
            try RecordLimits.check("limit", limit, RecordLimits.page)
            begin(at: time)
            return claimDue(in: collection, limit: limit, lease)
        }
    }

    private mutating func claim(_ ids: [RecordID], _ lease: Lease) -> ClaimAnswer {
        var claimed: [Record] = []
        var standing: [Record] = []
        for id in ids {
            guard let slot = live(id) else { continue }
            if slots[slot].record.orderKey != nil { removeExpiredHeads(in: slots[slot].collection) }
            if isHead(slot), !isHeld(slot) {
                claimed.append(hold(slot, lease))
            } else {
                standing.append(self[slot])
            }
        }
        return ClaimAnswer(now: now, claimed: claimed, standing: standing)
    }

    private mutating func claimDue(in collection: String, limit: Int, _ lease: Lease) -> ClaimAnswer {
        guard let number = collectionNumbers[ByteText(collection)] else {
            return ClaimAnswer(now: now, claimed: [])
        }
        // First of all, so that who stood behind them comes in the order of being due.
        removeExpiredHeads(in: number)
        var slots: [Int] = []
        while slots.count < limit, let alarm = nextAlarm(\.due, in: number), alarm.at <= now {
            _ = collections[number].due.removeLeast()
            if isExpired(alarm.slot) {
                expire(alarm.slot)
            } else {
                slots.append(alarm.slot)
            }
        }
        // Held only now, so that a lease of zero does not bring a record up twice in one answer.
        let claimed = slots.map { hold($0, lease) }
        let next = [nextAlarm(\.due, in: number), nextAlarm(\.ends, in: number)].compactMap { $0?.at }.min()
        return ClaimAnswer(now: now, claimed: claimed, nextDueIn: next.map { max(.zero, now.duration(to: $0)) })
    }

    private mutating func hold(_ slot: Int, _ lease: Lease) -> Record {
        let until = end(of: lease.duration)
        hold(slot, takeFence(), lease.holder, until: until, claims: slots[slot].record.claims + 1)
        let record = self[slot]
        note(.hold(record.id, record.fence, lease.holder, until: until, claims: record.claims))
        return record
    }

    package mutating func extend(
        _ id: RecordID, fence: Fence, lease: Duration, at time: Timestamp
    ) throws(StoreError) -> ExtendAnswer {
        try RecordLimits.check(id)
        begin(at: time)
        guard let slot = live(id) else { return .lost(now: now, standing: nil) }
        guard slots[slot].record.fence == fence, slots[slot].record.holder != nil else {
            return .lost(now: now, standing: self[slot])
        }
        let until = end(of: lease)
        moveLeaseEnd(slot, to: until)
        note(.extend(id, until: until))
        return .extended(now: now, until: until)
    }
}
