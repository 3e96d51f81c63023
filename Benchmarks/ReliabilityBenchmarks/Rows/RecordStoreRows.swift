// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

extension Row {
    static let recordStores = [
        Row(
            "RecordStores", "in memory: claim + complete", floor: Floor.dictionary,
            count: .fixed(Keys.count, smoke: 1_000)
        ) { meter in
            try await claimAndComplete(meter)
        },
        Row(
            "RecordStores", "in memory: claim + complete, 1 M keys", floor: Floor.dictionaryOfAMillion,
            count: .fixed(Keys.largeCount, smoke: 1_000), rounds: largeRounds
        ) { meter in
            try await claimAndComplete(meter)
        },
        Row(
            "RecordStores", "in memory: read", floor: Floor.dictionaryHit, count: .fixed(Keys.count, smoke: 1_000)
        ) { meter in
            let (keys, copies, store, holder) = (Keys.all, Keys.copies, InMemoryRecordStore(), Holder.new())
            for number in 0..<meter.count { _ = try await settle(keys[number], number, in: store, holder) }
            return try await meter.async { count in
                var done = 0
                for number in 0..<count {
                    let answer = try await store.read([RecordID("benchmark", copies[number])])
                    if answer.records.first??.body.count == 256 { done += 1 }
                }
                return done
            }
        },
    ]

    private static func claimAndComplete(_ meter: Meter) async throws -> Sample {
        let (keys, store, holder) = (Keys.first(meter.count), InMemoryRecordStore(), Holder.new())
        return try await meter.async { count in
            var done = 0
            for number in 0..<count where try await settle(keys[number], number, in: store, holder) { done += 1 }
            return done
        }
    }
}

/// What idempotency does to a store for a key that runs once: claims it by an insert under a lease, then puts a
/// response of 256 bytes in its place and ends the lease. `false` if either met something else.
func settle(
    _ key: String, _ number: Int, in store: some RecordStore, _ holder: Holder
) async throws(StoreError) -> Bool {
    let id = RecordID("benchmark", key)
    let claimed = RecordContent(state: "in-progress")
    let lease = Lease(.seconds(30), holder: holder)
    guard case .committed(let claim) = try await store.commit([.insert(id, claimed, lease: lease)]),
        let fence = claim.fences.first
    else { return false }
    let completed = RecordContent(state: "completed", body: Keys.response(number))
    let completion = Change.replace(id, expecting: fence, with: completed, lease: .end)
    guard case .committed = try await store.commit([completion]) else { return false }
    return true
}
