// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import RecordStores

@Suite struct FileStoreCompactionTests {
    private let disk = SimulatedDisk()
    private let log = EventLog()

    private func open(process: UInt64 = 1) throws -> SteppedStore {
        var layout = FileStoreLayout.small
        layout.smallestCompaction = .max
        return try SteppedStore(
            SteppedStore.path, on: disk, layout: layout, process: process, onEvent: { [log] in log.note($0) })
    }

    private var logs: [String] { disk.files.filter { $0.hasSuffix(".log") || $0.hasSuffix(".new") } }

    @Test func `a snapshot takes the place of the journals, and shows the commits that came meanwhile`() throws {
        let store = try open()
        var fences: [Fence] = []
        for number in 0..<60 { fences.append(try store.insert(number, bytes: 300)) }
        for number in 0..<30 {
            try store.commit(.delete(SteppedStore.id(number), expecting: fences[number]))
        }
        let files = logs
        #expect(files.count > 1)
        let compaction = store.start { try await $0.compact() }
        var number = 30
        while compaction.value == nil {
            // One change between any two pieces: of what was copied, of what was not yet, and of what is new.
            let content = RecordContent(state: "r")
            let change = [
                Change.replace(SteppedStore.id(number), expecting: fences[number], with: content, lease: .end),
                .delete(SteppedStore.id(89 - number), expecting: fences[89 - number]),
                .insert(SteppedStore.id(number + 100), content),
            ][number % 3]
            if number < 44 { _ = store.start { try await $0.commit([change]) } }
            number += 1
            #expect(store.step())
        }
        try compaction.value?.get()
        store.stepUntilIdle()
        #expect(log.events == [.compacted])
        #expect(Set(logs).isDisjoint(with: files))
        let records = try store.records
        #expect(records.contains { $0.state == "r" } && records.count > 20)
        // Also what a crash leaves is all of it.
        for disk in [disk.killed(), disk.powerCut(.nothing)] {
            let again = try SteppedStore(SteppedStore.path, on: disk, process: 2)
            #expect(try again.records == records)
        }
        try store.close()
        let again = try open(process: 2)
        #expect(try again.records == records)
        try again.close()
    }

    @Test func `a journal that ends before what its snapshot shows has been damaged`() throws {
        let store = try open()
        for number in 0..<30 { _ = try store.insert(number, bytes: 300) }
        let compaction = store.start { try await $0.compact() }
        store.step()
        _ = try store.insert(30)
        store.stepUntilIdle()
        try #require(compaction.value).get()
        let journal = try #require(logs.first { $0.contains("journal") })
        var bytes = try #require(disk.contents(of: journal))
        let frames = JournalFormat.headerLength..<bytes.count
        bytes.replaceSubrange(frames, with: [UInt8](repeating: 0, count: frames.count))
        let damaged = disk.killed()
        try damaged.setContents(bytes, of: journal)
        #expect(throws: FileStoreError.damaged(file: journal, offset: JournalFormat.headerLength)) {
            try SteppedStore(SteppedStore.path, on: damaged, process: 2)
        }
        #expect(try SteppedStore(SteppedStore.path, on: disk.killed(), process: 2).records.count == 31)
        try store.close()
    }

    /// Who lists the directory meanwhile may miss what is new, and must not take what is left for a store that ended
    /// earlier.
    @Test func `the journals before a snapshot are removed from the first on`() throws {
        let store = try open()
        for number in 0..<60 { _ = try store.insert(number, bytes: 300) }
        let journals = logs.sorted()
        #expect(journals.count > 2)
        try store.run { try await $0.compact() }
        #expect(disk.operations.filter { $0.kind == .remove }.map(\.path) == journals)
        try store.close()
    }

    @Test func `after a snapshot that failed, the next is tried when the journals have grown by half`() throws {
        let store = try SteppedStore(SteppedStore.path, on: disk, onEvent: { [log] in log.note($0) })
        var fence = try store.insert(0)
        // The first file that is made is the journal that goes on from the snapshot, or from the journal before.
        func replaceUntil(_ isEnough: (FileStoreEvent) -> Bool) throws -> Int {
            var count = 0
            while !log.events.contains(where: isEnough) {
                let content = RecordContent(state: "s", body: [UInt8](repeating: 1, count: 100))
                fence = try store.commit(.replace(SteppedStore.id(0), expecting: fence, with: content, lease: .end))[0]
                count += 1
            }
            return count
        }
        disk.inject(.error(DiskFault.inputOutput, at: 3, of: .create))
        let first = try replaceUntil { if case .compactionFailed = $0 { true } else { false } }
        let second = try replaceUntil { $0 == .compacted }
        #expect(second > first / 3 && second < first * 3 / 4, "\(first), then \(second)")
        #expect(log.events.count == 2)
        try store.close()
    }

    /// Both have got equally far, so that the names of their files are the same.
    @Test func `a store that was moved leaves alone the snapshot that another writes at its old place`() throws {
        let directory = try TemporaryDirectory()
        let (path, files) = (directory.path + "/store", SystemFileSystem())
        func compacting() throws -> (SteppedStore, ManualExecutor.Pending<Void>) {
            let store = try SteppedStore(path, on: files)
            for number in 0..<12 { _ = try store.insert(number, bytes: 300) }
            let compaction = store.start { try await $0.compact() }
            for _ in 0..<3 { #expect(store.step()) }
            return (store, compaction)
        }
        let (moved, compaction) = try compacting()
        try files.rename(path, to: path + ".moved")
        let (other, otherCompaction) = try compacting()
        let names = try files.names(in: path).sorted()
        #expect(names.contains { $0.hasSuffix(".new") })
        moved.stepUntilIdle()
        #expect(throws: StoreError.self) { try #require(compaction.value).get() }
        #expect(try files.names(in: path).sorted() == names)
        try moved.close()
        other.stepUntilIdle()
        #expect(throws: Never.self) { try #require(otherCompaction.value).get() }
        try other.close()
        let again = try SteppedStore(path, on: files)
        #expect(try again.records.count == 12)
        try again.close()
    }

    @Test func `a store that was only compacted is closed in its new journal`() throws {
        let store = try open()
        for number in 0..<3 { _ = try store.insert(number) }
        try store.close()
        let again = try open()
        try again.run { try await $0.compact() }
        try again.close()
        let last = try open()
        #expect(last.store.report.lastEnd == .closed)
        #expect(try last.records.count == 3)
        try last.close()
    }

    @Test func `closing ends a snapshot that is being written`() throws {
        let store = try open()
        for number in 0..<30 { _ = try store.insert(number, bytes: 300) }
        let compaction = store.start { try await $0.compact() }
        for _ in 0..<3 { #expect(store.step()) }
        #expect(logs.contains { $0.hasSuffix(".log.new") })
        let closing = store.start { try await $0.close() }
        store.stepUntilIdle()
        #expect(throws: StoreError.closed) { try compaction.value?.get() }
        #expect(throws: Never.self) { try closing.value?.get() }
        #expect(!logs.contains { $0.contains("snapshot") })
        #expect(throws: StoreError.closed) { try store.run { try await $0.compact() } }
        let again = try open(process: 2)
        #expect(try again.records.count == 30)
        try again.close()
    }

    @Test(arguments: [
        (DiskOperation.Kind.create, 1), (.create, 2), (.rename, 1), (.rename, 2), (.remove, 1), (.list, 1),
    ])
    func `a snapshot that fails leaves the store at work`(kind: DiskOperation.Kind, number: Int) throws {
        let store = try open()
        for number in 0..<30 { _ = try store.insert(number, bytes: 300) }
        disk.inject(.error(DiskFault.inputOutput, at: number, of: kind))
        let error = #expect(throws: StoreError.self) { try store.run { try await $0.compact() } }
        guard case .unavailable(let failure) = error, case .compactionFailed(failure)? = log.events.first else {
            Issue.record("\(String(describing: error)), \(log.events)")
            return
        }
        #expect(failure.code == DiskFault.inputOutput && failure.subject.hasPrefix(SteppedStore.path))
        _ = try store.insert(30)
        #expect(try SteppedStore(SteppedStore.path, on: disk.killed(), process: 2).records == store.records)
        try store.run { try await $0.compact() }
        #expect(log.events == [.compactionFailed(failure), .compacted])
        #expect(try store.records.count == 31)
        try store.close()
        #expect(logs.count == 2)
    }
}
