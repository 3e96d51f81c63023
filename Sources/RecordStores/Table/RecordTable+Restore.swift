// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Building a table from what a journal kept.
extension RecordTable {
    /// Carries out an effect again. `false` if it speaks of a record that is not there, which no journal should.
    package mutating func restore(_ effect: RecordEffect) -> Bool {
        switch effect {
        case .put(let record):
            seen(record.fence)
            nextPosition = max(nextPosition, record.position + 1)
            let id = HashedID(record.id)
            if let slot = index[id] {
                if slots[slot].record.position == record.position {
                    update(slot, to: record)
                    return true
                }
                remove(slot)
            }
            add(record, as: id)
        case .hold(let id, let fence, let holder, let until):
            seen(fence)
            guard let slot = index[HashedID(id)] else { return false }
            hold(slot, fence, holder, until: until)
        case .extend(let id, let until):
            guard let slot = index[HashedID(id)] else { return false }
            moveLeaseEnd(slot, to: until)
        case .remove(let id):
            guard let slot = index[HashedID(id)] else { return false }
            remove(slot)
        }
        return true
    }

    private mutating func seen(_ fence: Fence) { nextFence = max(nextFence, fence.next) }

    /// Ends the leases of every process but the given one: its holders are gone.
    ///
    /// - Returns: Whether there were any.
    package mutating func endLeases(exceptOf process: ProcessIdentity, at time: Timestamp) -> Bool {
        now = max(now, time)
        var ended = false
        for slot in slots.indices
        where slots[slot].record.isHeld(at: now) && slots[slot].record.holder?.process != process {
            moveLeaseEnd(slot, to: now)
            ended = true
        }
        return ended
    }

    /// Every record, by position, with expired ones left out: what a compacted journal starts with.
    package func liveRecords(at time: Timestamp) -> [Record] {
        let time = max(now, time)
        let live = slots.filter { $0.stamp > 0 && !$0.record.isExpired(at: time) }
        return live.map(\.record).sorted { $0.position < $1.position }
    }
}
