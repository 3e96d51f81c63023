// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// A part of the keys of a limiter, with all that is known of them; knows no clock and no lock.
///
/// A key's state is in the table. Only while more is going on with it, a line or reservations, has it a ``LimiterState``
/// of its own, beside the table.
struct KeyShard<Key: Hashable & Sendable, Core: LimitCore>: Sendable {
    typealias Answer = LimiterState<Core>.Answer
    private typealias Slot = KeyTable<Key, Core.State>.Slot

    private var table: KeyTable<Key, Core.State>
    private var plans = PlanTable<Core>()
    private var busy: [Key: LimiterState<Core>] = [:]
    /// The bit of a slot's plan that says that the key has a state of its own.
    private static var busyBit: UInt32 { 1 << 31 }

    /// The last that a reservation or a waiter was known by, so that one of a state that is gone is taken for no other.
    private var lastID = 0

    /// The furthest reading of the clock. Where the clock steps back, time stands still until it is there again.
    private var latest: Int64 = 0

    /// The latest change of the limits that has begun here, so that nobody puts in a key with one that was looked up
    /// before, and no change that began earlier comes after it.
    private(set) var epoch = 0

    /// A key that is taken out to save memory has been as good as new for so long, so that none that is in use comes
    /// and goes all the time.
    private static var idleTime: Int64 { 60_000_000_000 }

    /// How many slots are looked at for a key that need not be kept, when there is no room for another.
    private static var searchLimit: Int { 32 }

    init(_ core: Core) { table = KeyTable(filler: core.fresh) }

    var count: Int { table.count }

    /// Takes permits of a key; `nil` if the key is not here.
    @inline(__always)
    mutating func take(_ permits: Int64, of key: Key, tag: UInt32, at reading: Int64) -> Answer? {
        let now = advance(to: reading)
        guard let index = table.index(of: key, tag: tag) else { return nil }
        let plan = table[index].plan
        guard plan < Self.busyBit else { return takeBusy(permits, of: key, at: reading, index) }
        let core = plans[plan].core
        guard permits <= core.capacity else { return .exceeds(capacity: core.capacity) }
        let moment = core.earliest(permits, in: table[index].state, at: now)
        guard moment <= now else {
            let wait = LimiterState<Core>.wait(until: moment, from: reading)
            return .denied(core.decision(table[index].state, at: now, wait: wait))
        }
        let mark = core.take(permits, in: &table[index].state, at: now)
        let grant = Grant(permits: permits, mark: mark, generation: plans[plan].generation)
        return .granted(grant, core.decision(table[index].state, at: now, wait: 0))
    }

    @inline(never)
    private mutating func takeBusy(_ permits: Int64, of key: Key, at reading: Int64, _ index: Int) -> Answer {
        withState(at: index, of: key) { $0.take(permits, at: reading) }
    }

    @inline(__always)
    private mutating func advance(to reading: Int64) -> Int64 {
        latest = max(latest, min(reading, .max - 1))
        return latest
    }

    func contains(_ key: Key, tag: UInt32) -> Bool { table.index(of: key, tag: tag) != nil }

    /// Works on all that is known of a key; `nil` if the key is not here.
    mutating func withState<Result>(
        of key: Key, tag: UInt32, _ body: (inout LimiterState<Core>) -> Result
    ) -> Result? {
        table.index(of: key, tag: tag).map { withState(at: $0, of: key, body) }
    }

    private mutating func withState<Result>(
        at index: Int, of key: Key, _ body: (inout LimiterState<Core>) -> Result
    ) -> Result {
        let plan = table[index].plan & ~Self.busyBit
        // Taken out while it is worked on, so that nothing is copied.
        var state =
            busy.removeValue(forKey: key)
            ?? LimiterState(
                plans[plan].core, base: table[index].state, generation: plans[plan].generation, lastID: lastID,
                latest: latest)
        let result = body(&state)
        lastID = max(lastID, state.lastID)
        latest = max(latest, state.latest)
        if state.isQuiet {
            table[index].state = state.base
            table[index].plan = plan
        } else {
            busy[key] = state
            table[index].plan = plan | Self.busyBit
        }
        return result
    }

    /// What can be said of a key that is not here, without putting it in: whether there would be a place for it.
    func hasDispensable(at now: Int64) -> Bool {
        table.containsOne(lookingAt: Self.searchLimit) { Self.isDispensable($0, plans, busy, at: now) }
    }

    private static func isDispensable(
        _ slot: Slot, _ plans: PlanTable<Core>, _ busy: [Key: LimiterState<Core>], at now: Int64
    ) -> Bool {
        if slot.plan < busyBit { return plans[slot.plan].core.isFresh(slot.state, at: now) }
        // What is known beside the table may have lapsed since anybody asked.
        return slot.key.flatMap { busy[$0] }?.isFresh(at: now) ?? false
    }

    /// Takes out a key that is as good as new, if one is found soon.
    mutating func removeOne(at reading: Int64) -> Bool {
        let now = advance(to: reading)
        let slot = table.removeOne(lookingAt: Self.searchLimit) { [plans, busy] in
            Self.isDispensable($0, plans, busy, at: now)
        }
        guard let slot else { return false }
        forget(slot)
        return true
    }

    /// Forgets what is known of a key beside the table.
    private mutating func forget(_ slot: Slot) {
        plans.leave(slot.plan & ~Self.busyBit)
        if slot.plan >= Self.busyBit, let key = slot.key { busy[key] = nil }
    }

    /// Puts in a key that is not here. Returns how many were taken out before the table grew.
    mutating func insert(_ key: Key, tag: UInt32, _ limit: RateLimit, at reading: Int64) -> Int {
        let now = advance(to: reading)
        var removed = 0
        if !table.hasRoom {
            removed = removeAll(freshSince: now.subtractingSaturating(Self.idleTime))
            table.growIfHalfFull()
        }
        let plan = plans.join(limit)
        table.insert(key, tag: tag, plan: plan, plans[plan].core.fresh)
        return removed
    }

    /// Takes out all keys that are as good as new, gives back memory, and returns how many they were.
    mutating func removeFresh(at reading: Int64) -> Int {
        let removed = removeAll(freshSince: advance(to: reading))
        table.shrink()
        return removed
    }

    private mutating func removeAll(freshSince moment: Int64) -> Int {
        let slots = table.removeAll { [plans, busy] in Self.isDispensable($0, plans, busy, at: moment) }
        for slot in slots { forget(slot) }
        return slots.count
    }

    /// All keys, whose limits are about to change; `nil` if a later change has begun, which sees to them. From now on
    /// nobody puts in a key with a limit that was looked up before, so none is missed.
    mutating func keysToChange(in epoch: Int) -> [Key]? {
        guard epoch > self.epoch else { return nil }
        self.epoch = epoch
        return table.keys
    }

    /// Changes the limits of keys from now on, as far as `limit` has another for them and no later change has begun;
    /// returns what is to be resumed.
    mutating func change(
        in epoch: Int, at reading: Int64, _ consumed: ConsumedPermits, to limit: (Key) -> RateLimit?,
        refusal: (Answer, Int64) -> any Error
    ) -> [WaiterLine.Turn] {
        let now = advance(to: reading)
        var turns: [WaiterLine.Turn] = []
        guard epoch == self.epoch else { return turns }
        for (index, key) in table.places {
            let old = table[index].plan & ~Self.busyBit
            guard let limit = limit(key), limit != plans[old].core.limit else { continue }
            let new = plans.join(limit)
            let (core, other) = (plans[new].core, plans[old].core)
            if var state = busy.removeValue(forKey: key) {
                turns += state.change(
                    to: core, generation: plans[new].generation, at: reading, consumed, refusal: refusal)
                busy[key] = state
                table[index].plan = new | Self.busyBit
            } else {
                table[index].state = core.carriedOver(table[index].state, from: other, at: now, consumed)
                table[index].plan = new
            }
            plans.leave(old)
        }
        return turns
    }
}
