// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Synchronization
import Testing

@testable import RecordStores

/// Callers that write beside the store's real thread, which has to find out what they leave to it.
@Suite(.timeLimit(.minutes(10))) struct FileCommitterThreadTests {
    private let disk = SimulatedDisk()
    private let files: WatchedFileSystem
    private let clock = ManualClock()

    init() { files = WatchedFileSystem(disk) }

    /// A store whose thread sleeps.
    private func open(_ layout: FileStoreLayout = .roomy) async throws -> FileRecordStore {
        let store = try FileRecordStore(
            directory: SteppedStore.path, committer: .caller, clock: clock, fileSystem: files, layout: layout)
        _ = try await store.commit([.insert(SteppedStore.id(100), RecordContent(state: "s"))])
        while !store.journal.state.withLock({ $0.isParked }) { await Task.yield() }
        return store
    }

    /// Runs what is ready until an operation has ended.
    private func end<Success: Sendable>(
        of pending: ManualExecutor.Pending<Success>, on executor: ManualExecutor
    ) async throws -> Success {
        while pending.value == nil {
            executor.runUntilIdle()
            await Task.yield()
        }
        return try #require(pending.value).get()
    }

    @Test(arguments: [true, false])
    func `the thread is woken for those who come while a caller writes`(closes: Bool) async throws {
        let (store, executor) = (try await open(), ManualExecutor())
        let others = Box<[ManualExecutor.Pending<Void>]>([])
        files.onNextSync {
            let other = executor.start {
                if closes { return try await store.close() }
                _ = try await store.commit([.insert(SteppedStore.id(1), RecordContent(state: "s"))])
            }
            others.value = [other]
            executor.runUntilIdle()
        }
        let answer = try await store.commit([.insert(SteppedStore.id(0), RecordContent(state: "s"))])
        #expect(answer.isCommitted)
        try await end(of: try #require(others.value.first), on: executor)
        try await store.close()
        let again = try SteppedStore(SteppedStore.path, on: disk, process: 2)
        #expect(try again.records.count == (closes ? 2 : 3))
    }

    @Test(arguments: [DiskOperation.Kind.write, .sync, .isLinked])
    func `the thread is woken for a caller that cannot write`(kind: DiskOperation.Kind) async throws {
        let store = try await open()
        disk.inject(.error(DiskFault.inputOutput, of: kind))
        await #expect {
            _ = try await store.commit([.insert(SteppedStore.id(0), RecordContent(state: "s"))])
        } throws: {
            if case .outcomeUnknown? = $0 as? StoreError { true } else { false }
        }
        await #expect(throws: StoreError.self) { try await store.close() }
    }

    @Test func `the thread is woken for what callers leave to it`() async throws {
        var layout = FileStoreLayout.roomy
        layout.smallestCompaction = 9_000
        let (events, continuation) = AsyncStream.makeStream(of: FileStoreEvent.self)
        let store = try FileRecordStore(
            directory: SteppedStore.path, committer: .caller, clock: clock, fileSystem: disk, layout: layout,
            onEvent: { continuation.yield($0) })
        var fence: Fence?
        for _ in 0..<60 {
            let content = RecordContent(state: "s", body: [UInt8](repeating: 7, count: 400))
            let change = fence.map { Change.replace(SteppedStore.id(0), expecting: $0, with: content, lease: .keep) }
            let answer = try await store.commit([change ?? .insert(SteppedStore.id(0), content)])
            guard case .committed(let committed) = answer else { throw StoreError.closed }
            fence = committed.fences[0]
        }
        for await event in events {
            #expect(event == .compacted)
            break
        }
        try await store.close()
    }

    @Test func `what an interval has to sync is synced though nobody comes any more`() async throws {
        let store = try FileRecordStore(
            directory: SteppedStore.path, durability: .interval(.milliseconds(1)), committer: .caller,
            clock: ContinuousClock(), fileSystem: files, layout: .roomy)
        // The first is synced in any mode.
        _ = try await store.commit([.insert(SteppedStore.id(0), RecordContent(state: "s"))])
        let (syncs, continuation) = AsyncStream.makeStream(of: Void.self)
        files.onNextSync { continuation.yield() }
        _ = try await store.commit([.insert(SteppedStore.id(1), RecordContent(state: "s"))])
        for await _ in syncs { break }
        try await store.close()
    }

    @Test func `what a refused call has found expired is written though nobody waits for it`() async throws {
        let store = try FileRecordStore(
            directory: SteppedStore.path, committer: .caller, clock: clock, fileSystem: disk, layout: .roomy)
        let content = RecordContent(state: "s", expires: .after(.seconds(1)))
        _ = try await store.commit([.insert(SteppedStore.id(0), content)])
        clock.advance(by: .seconds(2))
        await #expect(throws: StoreError.self) { try await store.read((0..<1_001).map(SteppedStore.id)) }
        #expect(store.journalInMemory.lastSequence == 3)
        while store.journalInMemory.answered < 3 { await Task.yield() }
        try await store.close()
    }

    /// Journals end, files grow, snapshots are written and calls are refused all the time.
    @Test(arguments: [FileDurability.everyCommit, .interval(.milliseconds(1)), .operatingSystem])
    func `every one of many callers is answered, also while the store is closed, and no answer is lost`(
        durability: FileDurability
    ) async throws {
        var layout = FileStoreLayout.small
        layout.steps = 4_096...4_096
        let store = try FileRecordStore(
            directory: SteppedStore.path, durability: durability, committer: .caller, clock: ContinuousClock(),
            fileSystem: disk, layout: layout)
        let committed = try await withThrowingTaskGroup(of: [RecordID].self) { group in
            for task in 0..<6 {
                group.addTask {
                    var committed: [RecordID] = []
                    do {
                        for round in 0... {
                            let id = RecordID("c", "\(task)-\(round)")
                            let content = RecordContent(state: "s", body: [UInt8](repeating: 7, count: 100 + 50 * task))
                            guard case .committed = try await store.commit([.insert(id, content)]) else { break }
                            committed.append(id)
                            if round % 16 == task { try await store.compact() }
                            if round % 8 == 0 { _ = try await store.statistics(of: "c") }
                            if task == 0, round == 100 { try await store.close() }
                        }
                    } catch StoreError.closed {}
                    return committed
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let again = try SteppedStore(SteppedStore.path, on: disk.powerCut(.nothing), process: 2)
        #expect(again.store.report.lastEnd == .closed)
        #expect(Set(again.store.tableInMemory.allRecords.map(\.id)) == Set(committed))
    }
}
