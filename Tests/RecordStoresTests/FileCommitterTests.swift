// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import RecordStores

/// A caller that writes and syncs by itself, and what it leaves to the store's thread, whose steps a test takes here.
@Suite(.timeLimit(.minutes(10))) struct FileCommitterTests {
    private let disk = SimulatedDisk()
    private let files: WatchedFileSystem
    private let clock = ManualClock()
    private let log = EventLog()

    init() { files = WatchedFileSystem(disk) }

    /// A store that is at rest: it holds a record and has room for others.
    private func open(
        _ durability: FileDurability = .everyCommit, layout: FileStoreLayout = .roomy
    ) throws -> SteppedStore {
        let store = try SteppedStore(
            SteppedStore.path, on: files, durability: durability, committer: .caller, clock: clock, layout: layout,
            onEvent: { [log] in log.note($0) })
        _ = try store.insert(100)
        store.stepUntilIdle()
        return store
    }

    private typealias Call = ManualExecutor.Pending<CommitAnswer>

    private func start(_ number: Int, _ store: SteppedStore, bytes: Int = 40) -> Call {
        let content = RecordContent(state: "s", body: [UInt8](repeating: 7, count: bytes))
        return store.start { try await $0.commit([.insert(SteppedStore.id(number), content)]) }
    }

    @Test(arguments: [(FileDurability.everyCommit, 2), (.interval(.seconds(1)), 0), (.operatingSystem, 0)])
    func `a caller of an idle store is answered without a suspension, and what it was answered survives`(
        durability: FileDurability, syncs: Int
    ) throws {
        let store = try open(durability)
        let before = disk.operationCount
        let executor = ManualExecutor()
        for number in 0..<2 {
            let call = executor.start { [store = store.store] in
                try await store.commit([.insert(SteppedStore.id(number), RecordContent(state: "s"))])
            }
            #expect(executor.runUntilIdle() == 1)
            #expect(try call.value?.get().isCommitted == true)
        }
        #expect(disk.count(of: .sync, since: before) == syncs)
        let after = durability == .everyCommit ? disk.powerCut(.nothing) : disk.killed()
        #expect(try SteppedStore(SteppedStore.path, on: after, process: 2).records.count == 3)
        // A read finds everything durable, and nothing is left to do.
        let operations = disk.operationCount
        #expect(try store.start { try await $0.read([SteppedStore.id(1)]) }.value?.get().records[0] != nil)
        #expect(!store.store.journal.lead(upTo: store.store.journal.lastSequence))
        #expect(!store.step())
        #expect(disk.operationCount == operations)
        try store.close()
    }

    @Test func `who comes while a caller writes waits, and the thread then writes for all of them at once`() throws {
        let store = try open()
        let others = Box<[Call]>([])
        files.onNextSync { [self] in
            others.value = (1...3).map { start($0, store) }
            // The files are in the caller's hand.
            #expect(!store.step())
        }
        #expect(try start(0, store).value?.get().isCommitted == true)
        #expect(others.value.count == 3 && others.value.allSatisfy { $0.value == nil })
        // Also who comes now: the thread is on its way, and nobody leads before it has been there.
        let late = start(4, store)
        #expect(late.value == nil)
        let before = disk.operationCount
        #expect(store.step())
        for call in others.value + [late] { #expect(try call.value?.get().isCommitted == true) }
        #expect(disk.count(of: .sync, since: before) == 1)
        store.stepUntilIdle()
        #expect(start(5, store).value != nil)
        #expect(try SteppedStore(SteppedStore.path, on: disk.powerCut(.nothing), process: 2).records.count == 7)
        try store.close()
    }

    @Test func `who comes while the thread syncs by itself waits for it`() throws {
        let store = try open(.interval(.seconds(1)))
        #expect(start(0, store).value != nil)
        clock.advance(by: .seconds(2))
        let other = Box<[Call]>([])
        files.onNextSync { [self] in other.value = [start(1, store)] }
        #expect(store.step())
        #expect(other.value.count == 1 && other.value[0].value == nil)
        store.stepUntilIdle()
        #expect(try other.value[0].value?.get().isCommitted == true)
        try store.close()
    }

    @Test(arguments: [DiskOperation.Kind.write, .sync, .isLinked])
    func `a failure of a caller ends the store, as one of the thread does`(kind: DiskOperation.Kind) throws {
        let store = try open()
        let other = Box<[Call]>([])
        let room = Box<[Call]>([])
        let compaction = Box<[ManualExecutor.Pending<Void>]>([])
        if kind != .write {
            files.onNextSync { [self] in
                other.value = [start(2, store)]
                compaction.value = [store.start { try await $0.compact() }]
                // Larger than what the file has room for.
                room.value = [start(3, store, bytes: 100_000)]
            }
        }
        disk.inject(.error(DiskFault.inputOutput, of: kind))
        let call = start(1, store)
        // The thread tells everybody.
        #expect(call.value == nil && log.events.isEmpty)
        store.stepUntilIdle()
        guard case .failed(let failure)? = log.events.first, log.events.count == 1 else {
            Issue.record("\(log.events)")
            return
        }
        #expect(failure.code == DiskFault.inputOutput)
        #expect((other.value.count == 1) == (kind != .write))
        for call in room.value { #expect(throws: StoreError.unavailable(failure)) { try call.value?.get() } }
        for call in compaction.value { #expect(throws: StoreError.unavailable(failure)) { try call.value?.get() } }
        for call in [call] + other.value {
            #expect(throws: StoreError.outcomeUnknown(failure)) { try call.value?.get() }
        }
        #expect(throws: StoreError.unavailable(failure)) { try store.insert(3) }
        #expect(throws: StoreError.unavailable(failure)) { try store.records }
        #expect(throws: StoreError.unavailable(failure)) { try store.close() }
        #expect(try SteppedStore(SteppedStore.path, on: disk.killed(), process: 2).records.count >= 1)
    }

    @Test(arguments: [nil, DiskOperation.Kind.sync, .isLinked])
    func `closing while a caller writes waits for it, and loses nothing unless it fails`(
        failing: DiskOperation.Kind?
    ) throws {
        let store = try open()
        let other = Box<[Call]>([])
        let closing = Box<[ManualExecutor.Pending<Void>]>([])
        files.onNextSync { [self] in
            other.value = [start(1, store)]
            closing.value = [store.start { try await $0.close() }]
            #expect(!store.step())
        }
        if let failing { disk.inject(.error(DiskFault.inputOutput, of: failing)) }
        let call = start(0, store)
        #expect((call.value != nil) == (failing == nil))
        #expect(closing.value.count == 1 && closing.value[0].value == nil)
        store.stepUntilIdle()
        if failing != nil {
            for call in [call] + other.value {
                #expect {
                    try call.value?.get()
                } throws: {
                    if case .outcomeUnknown? = $0 as? StoreError { true } else { false }
                }
            }
            #expect {
                try closing.value[0].value?.get()
            } throws: {
                if case .unavailable? = $0 as? StoreError { true } else { false }
            }
            #expect(try SteppedStore(SteppedStore.path, on: disk, process: 2).store.report.lastEnd != .closed)
            return
        }
        for call in [call] + other.value { #expect(try call.value?.get().isCommitted == true) }
        #expect(throws: Never.self) { try closing.value[0].value?.get() }
        let again = try SteppedStore(SteppedStore.path, on: disk, process: 2)
        #expect(again.store.report.lastEnd == .closed)
        #expect(try again.records.count == 3)
        try again.close()
    }

    /// What ends a journal, what makes a snapshot worthwhile, what makes a file short of room: each by itself.
    @Test(arguments: [(6_000, Int.max, 200_000), (.max / 2, 9_000, 200_000), (.max / 2, .max, 24_576)])
    func `callers write frames and nothing else, and the thread does the rest`(
        journal: Int, compaction: Int, step: Int
    ) throws {
        var layout = FileStoreLayout.roomy
        (layout.journal, layout.smallestCompaction, layout.steps) = (journal, compaction, step...step)
        let store = try open(layout: layout)
        let first = disk.files
        var writes = 0
        for round in 0..<100 {
            let before = disk.operationCount
            let content = RecordContent(state: "s", body: [UInt8](repeating: 7, count: 400))
            let id = SteppedStore.id(0)
            let call = store.start { store in
                let standing = try await store.read([id]).records[0]?.fence
                return try await store.commit([
                    standing.map { .replace(id, expecting: $0, with: content, lease: .keep) } ?? .insert(id, content)
                ])
            }
            #expect(try call.value?.get().isCommitted == true, "round \(round)")
            let kinds = disk.operations.filter { $0.number > before }.map(\.kind)
            #expect(kinds == [.write, .sync, .isLinked], "round \(round)")
            while store.step() { writes += 1 }
        }
        // The thread wrote nothing that a caller had to wait for.
        #expect(writes > 0)
        #expect((disk.files == first) == (step == 24_576))
        #expect(log.events.contains(.compacted) == (compaction < .max))
        try store.close()
    }

    @Test(arguments: [true, false])
    func `a caller that is cancelled writes all the same, and is answered`(isBefore: Bool) throws {
        let store = try open()
        let executor = ManualExecutor()
        let call = executor.start { [store = store.store] in
            try await store.commit([.insert(SteppedStore.id(0), RecordContent(state: "s"))])
        }
        if isBefore { call.cancel() } else { files.onNextSync { call.cancel() } }
        #expect(executor.runUntilIdle() == 1)
        #expect(try call.value?.get().isCommitted == true)
        #expect(try SteppedStore(SteppedStore.path, on: disk.powerCut(.nothing), process: 2).records.count == 2)
        #expect(start(1, store).value != nil)
        try store.close()
    }

    @Test func `a purge, which takes many writes, leaves them to the thread`() throws {
        let store = try open()
        let content = RecordContent(state: "s", expires: .after(.seconds(1)))
        _ = try store.run { try await $0.commit((0..<20).map { .insert(SteppedStore.id($0), content) }) }
        store.stepUntilIdle()
        clock.advance(by: .seconds(2))
        let before = disk.operationCount
        let purge = store.start { try await $0.purgeExpired(limit: 100) }
        #expect(purge.value == nil && disk.operationCount == before)
        store.stepUntilIdle()
        #expect(try purge.value?.get() == 20)
        #expect(try store.start { try await $0.purgeExpired(limit: 100) }.value?.get() == 0)
        #expect(start(0, store).value != nil)
        try store.close()
    }

    @Test func `callers write at the same time in stores that are not the same`() throws {
        let (store, otherDisk) = (try open(), SimulatedDisk())
        let other = try SteppedStore(SteppedStore.path, on: otherDisk, committer: .caller, layout: .roomy)
        _ = try other.insert(100)
        other.stepUntilIdle()
        let inner = Box<[Call]>([])
        files.onNextSync { [self] in inner.value = [start(0, other)] }
        #expect(try start(0, store).value?.get().isCommitted == true)
        #expect(try inner.value.first?.value?.get().isCommitted == true)
        try store.close()
        try other.close()
    }

    @Test func `a thread that looks up while a caller writes looks again once that has ended`() throws {
        let store = try open(.interval(.seconds(1)))
        #expect(start(0, store).value != nil)
        #expect(!store.step())
        let before = disk.operationCount
        disk.interrupt(.write) { [self] in
            // The interval ends, and what woke the thread for that does not come again.
            clock.advance(by: .seconds(2))
            #expect(!store.step())
        }
        #expect(start(1, store).value != nil)
        #expect(disk.count(of: .sync, since: before) == 0)
        // It is on its way, so nobody writes in its place.
        let late = start(2, store)
        #expect(late.value == nil)
        store.stepUntilIdle()
        #expect(late.value != nil && disk.count(of: .sync, since: before) == 1)
        try store.close()
    }

    @Test func `where the store has the thread write, no caller ever does`() throws {
        let store = try SteppedStore(SteppedStore.path, on: disk, clock: clock, layout: .roomy)
        _ = try store.insert(100)
        store.stepUntilIdle()
        let before = disk.operationCount
        let calls = (0..<3).map { start($0, store) }
        #expect(calls.allSatisfy { $0.value == nil } && disk.operationCount == before)
        store.stepUntilIdle()
        for call in calls { #expect(try call.value?.get().isCommitted == true) }
        try store.close()
    }
}
