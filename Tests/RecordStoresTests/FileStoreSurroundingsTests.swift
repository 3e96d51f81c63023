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
import Testing

@testable import RecordStores

/// What happens around a store: to its directory, its permissions, its clock and its version.
@Suite struct FileStoreSurroundingsTests {
    private let disk = SimulatedDisk()
    private let log = EventLog()

    private func open(process: UInt64 = 1, wallTime: Timestamp = SteppedStore.start) throws -> SteppedStore {
        try SteppedStore(
            SteppedStore.path, on: disk, process: process, wallTime: wallTime, onEvent: { [log] in log.note($0) })
    }

    @Test func `a store whose directory was removed answers nothing more, and says why`() throws {
        let store = try open()
        _ = try store.insert(0)
        let journal = try #require(disk.files.first { $0.hasSuffix(".log") })
        try disk.removeTree(SteppedStore.path)
        let failure = StoreFailure(operation: "write", subject: journal, code: ENOENT)
        #expect(throws: StoreError.outcomeUnknown(failure)) { try store.insert(1) }
        #expect(throws: StoreError.unavailable(failure)) { try store.records }
        #expect(throws: StoreError.unavailable(failure)) { try store.insert(2) }
        #expect(throws: StoreError.unavailable(failure)) { try store.close() }
        #expect(log.events == [.failed(failure)])
    }

    @Test(arguments: [DiskOperation.Kind.createDirectory, .lock, .identify, .list, .read, .open, .write, .sync])
    func `an opening without permission names what it was refused, and changes nothing`(
        kind: DiskOperation.Kind
    ) throws {
        let store = try open()
        _ = try store.insert(0)
        try store.close()
        let before = disk.tree(SteppedStore.path)
        disk.inject(.error(EACCES, of: kind))
        let error = #expect(throws: FileStoreError.self) { try open() }
        guard case .failed(let failure) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(failure.code == EACCES && failure.subject.hasPrefix(SteppedStore.path))
        #expect(disk.tree(SteppedStore.path) == before)
        // The lock was not kept.
        let again = try open()
        #expect(try again.records.count == 1)
        try again.close()
    }

    @Test func `a store that may not make another journal goes on in the one that it has`() throws {
        let store = try open()
        disk.inject(.error(EACCES, of: .create))
        for number in 0..<30 { _ = try store.insert(number, bytes: 300) }
        let failures = log.events.compactMap { event in
            if case .compactionFailed(let failure) = event { failure } else { nil }
        }
        #expect(failures.map(\.code) == [EACCES] && failures[0].subject.hasPrefix(SteppedStore.path))
        try store.close()
        let again = try open(process: 2)
        #expect(try again.records.count == 30)
        try again.close()
    }

    @Test(arguments: [-86_400, -1, 0, 1]) func `time never goes back behind what the store has shown`(
        seconds: Int
    ) throws {
        let clock = ManualClock()
        let store = try SteppedStore(SteppedStore.path, on: disk, clock: clock)
        let content = RecordContent(state: "s", expires: .after(.seconds(5)))
        try store.commit(.insert(SteppedStore.id(0), content))
        clock.advance(by: .seconds(4))
        try store.commit(.insert(SteppedStore.id(1), content))
        clock.advance(by: .seconds(2))
        let last = try store.run { try await $0.read([SteppedStore.id(0), SteppedStore.id(1)]) }
        #expect(last.records.map { $0 == nil } == [true, false])
        // Whether it was closed or its process ended.
        for disk in [disk.killed(), disk] {
            if disk === self.disk { try store.close() }
            let wallTime = last.now.advanced(by: .seconds(seconds))
            let again = try SteppedStore(
                SteppedStore.path, on: disk, clock: clock, process: 2, wallTime: wallTime)
            let answer = try again.run { try await $0.read([SteppedStore.id(0), SteppedStore.id(1)]) }
            #expect(answer.now == max(last.now, wallTime))
            #expect(answer.records.map { $0 == nil } == [true, false])
            // And it goes on from there at once.
            clock.advance(by: .milliseconds(1))
            let later = try again.run { try await $0.read([SteppedStore.id(1)]) }
            #expect(answer.now.duration(to: later.now) == .milliseconds(1))
            try again.close()
        }
    }

    @Test func `a file of a newer format is named with its version, and nothing is touched`() throws {
        let store = try DamagedStore.several()
        for file in store.files {
            let disk = store.disk.killed()
            var bytes = try #require(disk.contents(of: file))
            bytes.replaceSubrange(8..<12, with: [2, 1, 0, 0])
            try disk.setContents(bytes, of: file)
            #expect(try store.refusal(of: disk, file) == .unsupportedFormat(file: file, version: 258))
        }
    }
}
