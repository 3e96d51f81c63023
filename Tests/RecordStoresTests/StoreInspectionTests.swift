// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import RecordStores

@Suite struct StoreInspectionTests {
    private let disk = SimulatedDisk()

    private func inspect() throws -> StoreInspection {
        try FileRecordStore.inspect(directory: SteppedStore.path, fileSystem: disk)
    }

    /// Whatever the store is doing, between any two of its steps.
    @Test func `a store that is open and writes can be looked at, and nothing changes by that`() throws {
        let store = try SteppedStore(SteppedStore.path, on: disk)
        var (acknowledged, looks, snapshots) = (0, 0, 0)
        for number in 0..<60 {
            let content = RecordContent(state: "s", body: [UInt8](repeating: 1, count: 200))
            var fences: [Fence] = []
            if number == 30 { _ = store.start { try await $0.compact() } }
            for change in [0, 1] {
                let id = SteppedStore.id(number)
                let pending = store.start { [fences] store in
                    try await store.commit(
                        change == 0
                            ? [.insert(id, content)] : [.replace(id, expecting: fences[0], with: content, lease: .end)])
                }
                var isBusy = true
                while isBusy || pending.value == nil {
                    isBusy = store.step()
                    guard looks % 3 == 0 || pending.value != nil else {
                        looks += 1
                        continue
                    }
                    let before = disk.operationCount
                    let inspection = try inspect()
                    let found = try inspection.scan("c").records.count
                    #expect((acknowledged...number + 1).contains(found), "\(found) while \(number) comes")
                    let kinds = Set(disk.operations.filter { $0.number > before }.map(\.kind))
                    #expect(kinds == [.list, .read])
                    looks += 1
                }
                guard case .committed(let committed)? = try pending.value?.get() else { break }
                fences = committed.fences
                acknowledged = number + 1
            }
            if disk.files.contains(where: { $0.contains("snapshot") }) { snapshots += 1 }
        }
        #expect(looks > 100 && snapshots > 0)
        try store.close()
        let inspection = try inspect()
        #expect(inspection.report.lastEnd == .closed && inspection.report.records == 60)
        #expect(inspection.collections == ["c"])
        #expect(inspection.statistics(of: "c").counts == ["s": 60])
    }

    @Test func `what has expired is absent, and a page goes on where the one before ended`() throws {
        let store = try SteppedStore(SteppedStore.path, on: disk)
        for number in 0..<5 { _ = try store.insert(number) }
        let passing = RecordContent(state: "p", expires: .after(.seconds(1)))
        try store.commit(.insert(RecordID("c", "passing"), passing), .insert(RecordID("d", "passing"), passing))
        try store.close()
        let inspection = try inspect()
        let found = try inspection.read([RecordID("c", "passing"), SteppedStore.id(1)]).records
        #expect(found.map { $0 == nil } == [true, false])
        var (keys, next): ([String], UInt64?) = ([], nil)
        repeat {
            let page = try inspection.scan("c", after: next, limit: 2)
            keys += page.records.map(\.id.key)
            next = page.next
        } while next != nil
        #expect(keys == (0..<5).map { "key-\($0)" })
        #expect(inspection.statistics(of: "d").counts == [:])
        #expect(try inspection.scan("c", state: "none").records.isEmpty)
    }

    @Test func `a file that goes while it is looked for is looked for once more, and damage is told`() throws {
        let store = try SteppedStore(SteppedStore.path, on: disk)
        _ = try store.insert(0)
        try store.close()
        disk.inject(.error(DiskFault.inputOutput, of: .read))
        #expect(try inspect().report.records == 1)
        let journal = try #require(disk.files.first { $0.hasSuffix(".log") })
        let damaged = try disk.corrupted(journal, bit: 8 * 20)
        #expect(throws: FileStoreError.damaged(file: journal, offset: 0)) {
            try FileRecordStore.inspect(directory: SteppedStore.path, fileSystem: damaged)
        }
        disk.inject(.error(DiskFault.inputOutput, of: .list, lasts: true))
        let failure = StoreFailure(operation: "list", subject: SteppedStore.path, code: DiskFault.inputOutput)
        #expect(throws: FileStoreError.failed(failure)) { try inspect() }
    }
}
