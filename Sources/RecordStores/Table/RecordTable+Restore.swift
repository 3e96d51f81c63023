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
            if let slot = index[record.id] {
                if self[slot].position == record.position {
                    update(slot, to: record)
                    return true
                }
                remove(slot)
            }
            add(record)
        case .hold(let id, let fence, let holder, let until):
            seen(fence)
            guard let slot = index[id] else { return false }
            var record = self[slot]
            record.fence = fence
            record.holder = holder
            record.leaseUntil = until
            record.claims += 1
            update(slot, to: record)
        case .extend(let id, let until):
            guard let slot = index[id] else { return false }
            var record = self[slot]
            record.leaseUntil = until
            update(slot, to: record)
        case .remove(let id):
            guard let slot = index[id] else { return false }
            remove(slot)
        }
        return true
    }

    private mutating func seen(_ fence: Fence) { nextFence = max(nextFence, fence.next) }

    /// Ends the leases of every process but the given one: its holders are gone.
    package mutating func endLeases(exceptOf process: ProcessIdentity, at time: Timestamp) {
        now = max(now, time)
        for slot in slots.indices {
            guard var record = slots[slot]?.record, record.isHeld(at: now), record.holder?.process != process else {
                continue
            }
            record.leaseUntil = now
            update(slot, to: record)
        }
    }

    /// Every record, by position, with expired ones left out: what a compacted journal starts with.
    package func liveRecords(at time: Timestamp) -> [Record] {
        let time = max(now, time)
        return slots.compactMap { $0?.record }.filter { !$0.isExpired(at: time) }.sorted { $0.position < $1.position }
    }
}
