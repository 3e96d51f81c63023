// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Synchronization
import Testing

@testable import RecordStores

@Suite struct FileDurabilityTests {
    private let disk = SimulatedDisk()
    private let clock = ManualClock()

    private func open(_ durability: FileDurability, _ disk: SimulatedDisk, process: UInt64 = 1) throws -> SteppedStore {
        var layout = FileStoreLayout.small
        // So large that a file need not grow.
        layout.journal = 100_000
        layout.reserve = 65_536
        layout.steps = 65_536...65_536
        return try SteppedStore(
            SteppedStore.path, on: disk, durability: durability, clock: clock, layout: layout, process: process)
    }

    @Test(arguments: [
        (FileDurability.everyCommit, Durability.everyCommit, 10),
        (.interval(.seconds(1)), .interval(.seconds(1)), 1), (.operatingSystem, .operatingSystem, 1),
    ])
    func `a store declares what it syncs, and syncs that`(
        durability: FileDurability, declared: Durability, syncs: Int
    ) throws {
        let store = try open(durability, disk)
        #expect(store.store.durability == declared)
        let before = disk.operationCount
        // The first is synced in every mode: what is lost later is counted from it. Few enough changes that no other is.
        for number in 0..<5 {
            let fence = try store.insert(number)
            if durability == .everyCommit {
                try store.commit(.delete(SteppedStore.id(number), expecting: fence))
            }
        }
        store.stepUntilIdle()
        #expect(disk.count(of: .sync, since: before) == syncs)
        clock.advance(by: .milliseconds(999))
        store.stepUntilIdle()
        #expect(disk.count(of: .sync, since: before) == syncs)
        clock.advance(by: .milliseconds(1))
        store.stepUntilIdle()
        let isDue = if case .interval = durability { true } else { false }
        #expect(disk.count(of: .sync, since: before) == syncs + (isDue ? 1 : 0))
        // Once synced, time alone is no reason to sync again.
        clock.advance(by: .seconds(60))
        store.stepUntilIdle()
        #expect(disk.count(of: .sync, since: before) == syncs + (isDue ? 1 : 0))
        try store.close()
    }

    @Test func `the fences that a weaker store has lost stay lost when a stronger one is compacted and crashes`() throws
    {
        let store = try open(.operatingSystem, disk)
        var last = Fence.first
        for number in 0..<6 { last = try store.insert(number) }
        for steps in 0..<8 {
            let cut = disk.powerCut(.nothing)
            let stronger = try open(.everyCommit, cut, process: 2)
            let compaction = stronger.start { try await $0.compact() }
            for _ in 0..<steps { stronger.step() }
            let after = try open(.everyCommit, cut.killed(), process: 3)
            #expect(try after.insert(100) > last, "after \(steps) steps of a compaction: \(compaction.value == nil)")
        }
    }

    @Test(arguments: [FileDurability.interval(.seconds(1)), .operatingSystem])
    func `whether something may be lost is said by the last opening, whoever has made the journal`(
        weaker: FileDurability
    ) throws {
        for (maker, user) in [(FileDurability.everyCommit, weaker), (weaker, .everyCommit)] {
            let disk = SimulatedDisk()
            let first = try open(maker, disk)
            _ = try first.insert(0)
            try first.close()
            let store = try open(user, disk, process: 2)
            var last = Fence.first
            for number in 1..<6 { last = try store.insert(number) }
            let after = try open(.everyCommit, disk.powerCut(.nothing), process: 3)
            let isWhole = try after.records.count == 6
            #expect(isWhole == (user == .everyCommit))
            let next = try after.insert(100)
            #expect(isWhole ? next == last.next : next > last)
            try store.close()
        }
    }

    @Test func `a call that comes while the store syncs waits for the next sync`() throws {
        let store = try open(.everyCommit, disk)
        _ = try store.insert(0)
        @Sendable func insert(_ number: Int) -> ManualExecutor.Pending<CommitAnswer> {
            store.start { try await $0.commit([.insert(SteppedStore.id(number), RecordContent(state: "s"))]) }
        }
        let first = insert(1)
        let second = Mutex<ManualExecutor.Pending<CommitAnswer>?>(nil)
        disk.interrupt(.sync) { second.withLock { $0 = insert(2) } }
        store.step()
        let later = try #require(second.withLock { $0 })
        #expect(first.value != nil && later.value == nil)
        #expect(try open(.everyCommit, disk.powerCut(.nothing), process: 2).records.count == 2)
        store.step()
        #expect(later.value != nil)
        #expect(try open(.everyCommit, disk.powerCut(.nothing), process: 2).records.count == 3)
    }

    /// A disk that is too full cannot refuse such a frame at its sync.
    @Test(arguments: [FileDurability.everyCommit, .interval(.seconds(1)), .operatingSystem])
    func `a frame is only written where the file was on the medium before`(durability: FileDurability) throws {
        var layout = FileStoreLayout.small
        layout.journal = 1_000_000
        layout.smallestCompaction = .max
        layout.unsynced = 1_000
        let store = try SteppedStore(SteppedStore.path, on: disk, durability: durability, clock: clock, layout: layout)
        var fence = try store.insert(0)
        let journal = try #require(disk.files.first { $0.hasSuffix(".log") })
        var frames = 0
        for size in stride(from: 100, through: 12_000, by: 300) {
            let content = RecordContent(state: "s", body: [UInt8](repeating: 1, count: size))
            let change = Change.replace(SteppedStore.id(0), expecting: fence, with: content, lease: .end)
            let call = store.start { try await $0.commit([change]) }
            while call.value == nil {
                let length = try #require(disk.contents(of: journal)).count
                let safeLength = try #require(disk.powerCut(.nothing).contents(of: journal)).count
                let before = disk.operationCount
                store.step()
                for write in disk.operations where write.number > before && write.kind == .write {
                    // What begins where the file ended makes it longer.
                    guard write.offset < length else { continue }
                    #expect(write.offset + write.count <= safeLength, "\(write)")
                    frames += 1
                }
            }
            guard case .committed(let committed) = try #require(call.value).get() else { throw StoreError.closed }
            fence = committed.fences[0]
        }
        #expect(frames >= 40)
        try store.close()
    }

    /// Of commits that come when what was written for the one before is due, the second finds the first due, and the
    /// fourth the third. Of those that come every four milliseconds, the fourth is the first that comes after ten.
    @Test(arguments: [(Duration.seconds(1), 5), (.milliseconds(4), 10)])
    func `an interval is kept also while commits come one after the other`(pause: Duration, commits: Int) throws {
        let store = try open(.interval(.milliseconds(10)), disk)
        _ = try store.insert(0)
        let before = disk.operationCount
        for number in 1...commits {
            clock.advance(by: pause)
            let call = store.start {
                try await $0.commit([.insert(SteppedStore.id(number), RecordContent(state: "s"))])
            }
            store.step()
            #expect(call.value != nil)
        }
        #expect(disk.count(of: .sync, since: before) == 2)
    }

    @Test(arguments: [FileDurability.interval(.seconds(1)), .operatingSystem])
    func `what a weaker store loses with the power it never gives out again, and closing makes all of it safe`(
        durability: FileDurability
    ) throws {
        let store = try open(durability, disk)
        var last = Fence.first
        for number in 0..<6 { last = try store.insert(number) }
        let cut = disk.powerCut(.nothing)
        let after = try open(durability, cut, process: 2)
        #expect(try after.records.count < 6)
        #expect(after.store.report.lastEnd != .closed)
        let (fence, position) = (try after.insert(100), try #require(try after.records.last).position)
        #expect(fence > last && position > 6)
        // The end of a process takes nothing.
        #expect(try open(durability, disk.killed(), process: 2).records.count == 6)

        try store.close()
        for mode in [FileDurability.everyCommit, durability] {
            let cut = disk.powerCut(.nothing)
            let again = try open(mode, cut, process: 3)
            #expect(try again.records.count == 6)
            #expect(again.store.report.lastEnd == .closed)
            // Nothing is left out where nothing was lost.
            #expect(try again.insert(100) == last.next)
            // What was closed once is closed again.
            try again.close()
            let last = try open(mode, cut.powerCut(.nothing), process: 4)
            #expect(try last.records.count == 7)
            #expect(last.store.report.lastEnd == .closed)
        }
    }

    @Test func `a store of many changes syncs before more is lost than it leaves out`() throws {
        let store = try open(.operatingSystem, disk)
        let before = disk.operationCount
        let count = 10 * Int(FileStoreLayout.small.unsynced)
        for number in 0..<count { _ = try store.insert(number, bytes: 0) }
        #expect(disk.count(of: .sync, since: before) >= 10)
        let lost = try #require(try store.records.last).fence
        let after = try open(.operatingSystem, disk.powerCut(.nothing), process: 2)
        #expect(try count - after.records.count <= Int(FileStoreLayout.small.unsynced))
        #expect(try after.insert(1_000) > lost)
        try store.close()
    }
}
