// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Promise 9: what becomes of leases when a store is opened after another.
extension RecordStoreConformance {
    static let crashedLeaseChecks = [
        Check(
            "opening a store after a crash ends the leases of processes that are gone, where one at a time has it",
            promise: 9
        ) {
            bench in
            let ids = ["mine", "theirs", "settled"].map { bench.id($0) }
            try await bench.insert(ids[0], .due(), lease: Lease(.seconds(600)))
            try await bench.insert(ids[1], .due(), lease: .another(.seconds(600)))
            try await bench.insert(ids[2], .due())
            let held = try await bench.claim(ids[2], lease: .another(.seconds(600))).claimed[0]
            guard let bench = try await bench.crashed() else { return }
            // Its fence outlasts the lease of the process that got it.
            try await bench.replace(held.id, held.fence, with: .due(after: .seconds(100)), lease: .end)
            if bench.suite.leeway.contains(.sharedByProcesses) {
                for id in ids.dropLast() {
                    try await bench.requireUnclaimable(id, "held by a process that shares the store")
                }
                try await bench.requireDue([], "while other processes hold all")
                bench.advance(by: .seconds(600))
                try await bench.requireDue(["settled", "mine", "theirs"], "when all leases have ended by their time")
            } else {
                try await bench.requireDue(["mine", "theirs"], lease: Lease(.seconds(600)), "at once after a crash")
                bench.advance(by: .seconds(100))
                try await bench.requireDue(["settled"], "when it is due after a crash")
            }
        },
        Check("leases that an opening has ended do not come back", promise: 9) { bench in
            let id = bench.id("a")
            try await bench.insert(id, .due(), lease: Lease(.seconds(600)))
            guard !bench.suite.leeway.contains(.sharedByProcesses), let other = try await bench.crashed() else {
                return
            }
            let free = try await other.store.read([id])
            try require(free.records[0]?.isHeld(at: free.now), is: false, "whether a lease goes on")
            // To the one that had it the store is as any other has left it.
            guard let bench = try await other.crashed(as: .current) else { return }
            try await bench.requireDue(["a"], "when its process comes back after another had the store")
        },
        Check("the fence of a claim outlasts the process that made it", promise: 8) { bench in
            let ids = ["replaced", "moved", "deleted"].map { bench.id($0) }
            var fences: [Fence] = []
            for id in ids {
                try await bench.insert(id, .due())
                fences += try await bench.claim(id, lease: .another(.seconds(600))).claimed.map(\.fence)
            }
            try require(fences.count, is: 3, "the number of records that are held")
            guard let bench = try await bench.crashed() else { return }
            try await bench.replace(ids[0], fences[0], lease: .end)
            try await bench.move(ids[1], to: bench.id("moved", in: "other"), fences[1], lease: .end)
            try await bench.delete(ids[2], fences[2])
        },
        Check("a lease that an opening has ended does not keep a record from expiring", promise: 9) { bench in
            let (a, b) = (bench.id("a"), bench.id("b"))
            let content = RecordContent(state: "x", orderKey: "k", expires: .after(.seconds(5)))
            try await bench.insert(a, content, lease: Lease(.seconds(86_400)))
            try await bench.insert(b, .due(order: "k"))
            bench.advance(by: .seconds(5))
            // What the store has kept its time by.
            let c = try await bench.insert(bench.id("c"))
            guard let bench = try await bench.crashed() else { return }
            try await bench.delete(bench.id("c"), c)
            if bench.suite.leeway.contains(.sharedByProcesses) {
                try await bench.requireUnclaimable(a, "held past its expiry")
            } else {
                try await bench.requireAbsent(a, "past its expiry, with a holder that is gone")
                try await bench.requireDue(["b"], "when the head has expired")
            }
        },
        Check("a crash that the same process opens a store after leaves its leases alone", promise: 9) { bench in
            let (mine, theirs) = (bench.id("mine"), bench.id("theirs"))
            try await bench.insert(mine, .due(), lease: .overOpenings)
            try await bench.insert(theirs, .due(), lease: .another(Lease.overOpenings.duration))
            let held = try await bench.record(mine)
            guard let bench = try await bench.crashed(as: .current) else { return }
            try require(try await bench.record(mine), is: held, "a held record after a crash")
            try await bench.requireLeases(of: mine, and: theirs)
        },
        Check("reopening ends the leases of other processes, where one at a time has the store", promise: 9) { bench in
            let (mine, theirs) = (bench.id("mine"), bench.id("theirs"))
            try await bench.insert(mine, .due(), lease: .overOpenings)
            try await bench.insert(theirs, .due(), lease: .another(Lease.overOpenings.duration))
            guard let bench = try await bench.reopened() else { return }
            try await bench.requireLeases(of: mine, and: theirs)
        },
    ]
}

extension ConformanceBench {
    /// Requires that this process still holds the one for its lease, and the other process the other only where
    /// processes share the store.
    fileprivate func requireLeases(of mine: RecordID, and theirs: RecordID) async throws {
        try await requireUnclaimable(mine, "held by this process")
        let isShared = suite.leeway.contains(.sharedByProcesses)
        let lease = Lease.overOpenings.duration
        try await requireDue(isShared ? [] : [theirs.key], lease: Lease(lease * 3), "after an opening")
        advance(by: lease)
        try await requireDue(isShared ? [mine.key, theirs.key] : [mine.key], "a lease after an opening")
    }
}

extension Lease {
    /// A hold by a process that is not this one.
    fileprivate static func another(_ duration: Duration) -> Lease {
        Lease(duration, holder: Holder(nonce: 1, process: .another()))
    }
}
