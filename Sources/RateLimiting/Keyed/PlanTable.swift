// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The limits that the keys of a shard have, each once, however many keys have it.
struct PlanTable<Core: LimitCore>: Sendable {
    struct Plan: Sendable {
        let core: Core
        /// Told from all other plans that there have been, so that permits come back to the one they are from.
        let generation: Int
        /// How many keys have it.
        fileprivate var users: Int
    }

    private var plans: [Plan] = []
    private var places: [RateLimit: UInt32] = [:]
    /// Places of plans that no key has.
    private var free: [UInt32] = []
    private var lastGeneration = 0
    /// The place that was asked for last, which saves hashing where all keys have one limit.
    private var recent: UInt32 = 0

    subscript(place: UInt32) -> Plan {
        @inline(__always) _read { yield plans[Int(place)] }
    }

    /// The place of the plan for a limit, with one user more.
    mutating func join(_ limit: RateLimit) -> UInt32 {
        let place = find(limit) ?? make(limit)
        plans[Int(place)].users += 1
        recent = place
        return place
    }

    private func find(_ limit: RateLimit) -> UInt32? {
        if recent < plans.count, plans[Int(recent)].users > 0, plans[Int(recent)].core.limit == limit { return recent }
        return places[limit]
    }

    private mutating func make(_ limit: RateLimit) -> UInt32 {
        lastGeneration += 1
        let plan = Plan(core: Core(limit), generation: lastGeneration, users: 0)
        let place: UInt32
        if let last = free.popLast() {
            place = last
            plans[Int(place)] = plan
        } else {
            place = UInt32(plans.count)
            plans.append(plan)
        }
        places[limit] = place
        return place
    }

    /// One user fewer; a plan that has none is forgotten.
    mutating func leave(_ place: UInt32) {
        plans[Int(place)].users -= 1
        guard plans[Int(place)].users == 0 else { return }
        places[plans[Int(place)].core.limit] = nil
        free.append(place)
    }
}
