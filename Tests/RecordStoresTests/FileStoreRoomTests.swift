// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import ReliabilityTesting
import Synchronization
import Testing

@testable import RecordStores

/// What a store does on a disk that is full.
@Suite struct FileStoreRoomTests {
    private let disk = SimulatedDisk()
    private let log = EventLog()

    private func open(process: UInt64 = 1) throws -> SteppedStore {
        try SteppedStore(SteppedStore.path, on: disk, process: process, onEvent: { [log] in log.note($0) })
    }

    /// Inserts until the store is full; returns how many went in.
    private func fill(_ store: SteppedStore, bytes: Int = 40) throws -> Int {
        disk.capacity = disk.usedBytes
        for number in 0... {
            do {
                _ = try store.insert(number, bytes: bytes)
            } catch StoreError.full(let failure) {
                #expect(failure.code == ENOSPC && failure.subject.hasSuffix(".log"))
                return number
            }
        }
        return 0
    }

    @Test func `a full store takes every change of what stands, and goes on when there is room`() throws {
        let store = try open()
        let lease = Lease(.seconds(60), holder: Holder(nonce: 1, process: store.process))
        let fences = try (100..<104).map { try store.insert($0, lease: $0 == 101 ? lease : nil) }
        let count = try fill(store)
        let content = RecordContent(state: "t", body: [1, 2, 3])
        let other = RecordID("elsewhere", "key")
        try store.commit(
            .replace(SteppedStore.id(100), expecting: fences[0], with: content, lease: .end),
            .delete(SteppedStore.id(102), expecting: fences[2]),
            .move(SteppedStore.id(103), to: other, expecting: fences[3], with: content, lease: .end))
        let extended = try store.run {
            try await $0.extend(SteppedStore.id(101), fence: fences[1], lease: .seconds(90))
        }
        guard case .extended = extended else {
            Issue.record("\(extended)")
            return
        }
        let claim = ClaimRequest(.due(collection: "c", limit: 1), lease: lease)
        #expect(try store.run { try await $0.claim(claim) }.claimed.count == 1)
        // A batch that leaves no more records than before is no growth.
        let swap = try store.commit(
            .delete(other, expecting: try #require(try store.run { try await $0.read([other]) }.records[0]).fence),
            .insert(SteppedStore.id(103), content))
        #expect(swap.count == 1)
        #expect(throws: StoreError.self) { try store.insert(200) }
        #expect(log.events.map(\.name) == ["full"])

        disk.capacity = nil
        // The next attempt is refused still, and makes the store look for room.
        _ = try? store.insert(200)
        store.stepUntilIdle()
        for number in 201..<240 { _ = try store.insert(number, bytes: 1_000) }
        #expect(log.events.map(\.name) == ["full", "roomAgain"])
        #expect(try store.records.count >= count + 3)
        try store.close()
    }

    @Test func `what is in reserve comes to an end, with an answer and without harm`() throws {
        let store = try open()
        var fence = try store.insert(100)
        _ = try fill(store)
        var replaced = 0
        do {
            while replaced < 1_000 {
                let content = RecordContent(state: "s", body: [UInt8](repeating: 3, count: 500))
                fence = try store.commit(
                    .replace(SteppedStore.id(100), expecting: fence, with: content, lease: .end))[0]
                replaced += 1
            }
        } catch StoreError.full {}
        #expect((2..<1_000).contains(replaced))
        let before = try store.records
        try store.close()
        // It opens on the full disk, and closes.
        let again = try open(process: 2)
        #expect(try again.records == before)
        try again.close()
    }

    @Test(arguments: [DiskOperation.Kind.sync, .create], [FileCommitter.ownThread, .caller])
    func `what comes while the store or a caller writes, or begins another journal, has its room for itself`(
        kind: DiskOperation.Kind, committer: FileCommitter
    ) throws {
        var layout = FileStoreLayout.small
        layout.journal = 40_000
        layout.reserve = 65_536
        layout.smallestCompaction = .max
        let store = try SteppedStore(SteppedStore.path, on: disk, committer: committer, layout: layout)
        @Sendable func change(_ number: Int, _ fence: Fence, bytes: Int) -> Change {
            let content = RecordContent(state: "s", body: [UInt8](repeating: 1, count: bytes))
            return .replace(SteppedStore.id(number), expecting: fence, with: content, lease: .end)
        }
        var fences = try (0..<2).map { try store.insert($0) }
        let meanwhile = Mutex<ManualExecutor.Pending<CommitAnswer>?>(nil)
        disk.interrupt(kind) { [fence = fences[0]] in
            let call = store.start { try await $0.commit([change(0, fence, bytes: 30_000)]) }
            meanwhile.withLock { $0 = call }
        }
        for _ in 0..<40 where meanwhile.withLock({ $0 }) == nil {
            fences[1] = try store.commit(change(1, fences[1], bytes: 3_000))[0]
        }
        let call = try #require(meanwhile.withLock { $0 })
        let room = store.store.journalInMemory.room
        #expect(call.value == nil)
        store.step()
        #expect(call.value != nil)
        // What was promised to others is not less when it is written.
        #expect(store.store.journalInMemory.room >= room)
        try store.close()
    }

    @Test(arguments: [DiskOperation.Kind.write, .sync])
    func `who waits for room is told when the store comes to its end instead`(kind: DiskOperation.Kind) throws {
        let store = try open()
        _ = try store.insert(0)
        store.stepUntilIdle()
        disk.inject(.error(DiskFault.inputOutput, of: kind))
        let content = RecordContent(state: "s", body: [UInt8](repeating: 1, count: 100_000))
        let call = store.start { try await $0.commit([.insert(SteppedStore.id(1), content)]) }
        #expect(store.store.journalInMemory.roomWaiters == 1)
        store.stepUntilIdle()
        let error = #expect(throws: StoreError.self) { try #require(call.value).get() }
        guard case .unavailable(let failure) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(failure.code == DiskFault.inputOutput)
        #expect(throws: StoreError.unavailable(failure)) { try store.close() }
    }

    @Test func `leases of a process that is gone are ended however much room that takes`() throws {
        let store = try open()
        let lease = Lease(.seconds(3_600), holder: Holder(nonce: 1, process: store.process))
        for number in 0..<40 {
            let id = RecordID("c", String(repeating: "\(number % 10)", count: 1_000) + "\(number)")
            try store.commit(.insert(id, RecordContent(state: "s"), lease: lease))
        }
        let again = try SteppedStore(SteppedStore.path, on: disk.killed(), process: 2)
        again.stepUntilIdle()
        #expect(try again.records.count { $0.isHeld(at: SteppedStore.start) } == 0)
        try again.close()
        try store.close()
    }

    @Test func `a store whose leases cannot be ended on a full disk says so at opening`() throws {
        let store = try open()
        let lease = Lease(.seconds(3_600), holder: Holder(nonce: 1, process: store.process))
        for number in 1_000..<2_000 { _ = try store.insert(number, lease: lease) }
        _ = try fill(store)
        var fence = try #require(try store.records.first).fence
        do {
            while true {
                let content = RecordContent(state: "s")
                fence = try store.commit(
                    .replace(SteppedStore.id(1_000), expecting: fence, with: content, lease: .keep))[0]
            }
        } catch StoreError.full {}
        try store.close()
        let before = disk.tree(SteppedStore.path)
        let error = #expect(throws: FileStoreError.self) { try open(process: 2) }
        guard case .failed(let failure) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(failure.code == ENOSPC)
        #expect(disk.tree(SteppedStore.path) == before)
        disk.capacity = nil
        let again = try open(process: 2)
        let answer = try again.run { try await $0.read([SteppedStore.id(1_001)]) }
        #expect(try #require(answer.records[0]).isHeld(at: answer.now) == false)
        try again.close()
    }
}

extension FileStoreEvent {
    fileprivate var name: String {
        switch self {
        case .failed: "failed"
        case .full: "full"
        case .roomAgain: "roomAgain"
        case .compacted: "compacted"
        case .compactionFailed: "compactionFailed"
        }
    }
}
