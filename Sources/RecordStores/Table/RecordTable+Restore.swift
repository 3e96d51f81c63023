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
            let place = storedPlace(of: record.id)
            if let slot = place.slot {
                if slots[slot].record.position == record.position {
                    update(slot, to: record)
                    return true
                }
                remove(slot)
            }
            if let slot = slot(at: record.position, inCollection: record.id.collection) { remove(slot) }
            add(record, hash: place.hash)
        case .hold(let id, let fence, let holder, let until, let claims):
            seen(fence)
            guard let slot = storedPlace(of: id).slot else { return false }
            hold(slot, fence, holder, until: until, claims: claims)
        case .extend(let id, let until):
            guard let slot = storedPlace(of: id).slot else { return false }
            moveLeaseEnd(slot, to: until)
        case .remove(let id):
            guard let slot = storedPlace(of: id).slot else { return false }
            remove(slot)
        }
        return true
    }

    /// Where a record stands that has the position under another name: a snapshot may show it under the one that it gets
    /// only later.
    private func slot(at position: UInt64, inCollection name: String) -> Int? {
        guard let number = collectionNumbers[ByteText(name)],
            let entry = collections[number].byPosition.entry(at: position), isTaken(entry, in: number)
        else { return nil }
        return entry.slot
    }

    /// Lets time come as far as that, if it had not.
    package mutating func advance(to time: Timestamp) { now = max(now, time) }

    /// Leaves out so many fences and positions: they may have been given out by commits that were lost.
    package mutating func leaveOut(_ count: UInt64) {
        nextFence = Fence(rawValue: nextFence.rawValue + count)
        nextPosition += count
    }

    /// Begins a new life of the store: its fences and positions are all higher than those of the lives before.
    ///
    /// Two lives that go on from the same one have the same incarnation. They begin to count at the second in which they
    /// begin, so the later one is ahead as long as the earlier one has given out fewer than 32,768 fences a second.
    package mutating func beginIncarnation() {
        let second = UInt64(max(0, now.nanosecondsSince1970 / 1_000_000_000))
        nextFence = Fence(rawValue: (UInt64(nextFence.incarnation) + 1) << 48 | (second << 15 & 0xFFFF_FFFF_FFFF) | 1)
        nextPosition = max(nextPosition + (1 << 32), second << 15)
    }

    private mutating func seen(_ fence: Fence) { nextFence = max(nextFence, fence.next) }

    /// Ends the leases of every process but the given one: its holders are gone.
    package mutating func endLeases(exceptOf process: ProcessIdentity, at time: Timestamp) {
        now = max(now, time)
        for slot in slots.indices
        where slots[slot].record.isHeld(at: now) && slots[slot].record.holder?.process != process {
            moveLeaseEnd(slot, to: now)
            let (id, end) = (slots[slot].record.id, now)
            note(.extend(id, until: end))
        }
    }
}
