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

@Suite struct FileRecordStoreTests {
    private let directory: TemporaryDirectory
    private var path: String { directory.path + "/store" }

    init() throws { directory = try TemporaryDirectory() }

    private func open(
        _ fileSystem: any FileSystem = SystemFileSystem(), committer: FileCommitter = .ownThread,
        process: ProcessIdentity = .current
    ) throws -> FileRecordStore {
        var layout = FileStoreLayout()
        layout.reserve = 8_192
        layout.steps = 4_096...65_536
        return try FileRecordStore(
            directory: path, committer: committer, clock: ContinuousClock(), fileSystem: fileSystem, layout: layout,
            process: process)
    }

    private func id(_ number: Int) -> RecordID { RecordID("c", "key-\(number)") }

    private func insert(_ number: Int, into store: FileRecordStore, lease: Lease? = nil) async throws -> Fence {
        let body = [UInt8](repeating: UInt8(truncatingIfNeeded: number | 1), count: 40)
        let content = RecordContent(state: "s", body: body, headers: ["trace": "t\(number)"], orderKey: "k")
        guard case .committed(let committed) = try await store.commit([.insert(id(number), content, lease: lease)]),
            let fence = committed.fences.first
        else { throw StoreError.closed }
        return fence
    }

    private var journal: String {
        get throws {
            let names = try SystemFileSystem().names(in: path).filter { $0.hasSuffix(".log") }
            #expect(names.count == 1)
            return path + "/" + (names.first ?? "none")
        }
    }

    /// Puts back what a test has done to the directory: one journal with these bytes.
    private func restore(_ bytes: [UInt8], as name: String) throws {
        let files = SystemFileSystem()
        for name in try files.names(in: path) where name != "LOCK" { try files.remove("\(path)/\(name)") }
        let file = try files.open(name, isNew: true)
        try file.write(bytes, at: 0)
        file.close()
    }

    @Test func `everything acknowledged is there after closing and opening again`() async throws {
        let store = try open()
        #expect(store.report.lastEnd == .new)
        var fences: [Fence] = []
        for number in 0..<50 { fences.append(try await insert(number, into: store)) }
        _ = try await store.commit([.delete(id(7), expecting: fences[7])])
        let before = try await store.scan("c", state: nil, after: nil, limit: 100).records
        try await store.close()

        let again = try open()
        #expect(again.report.lastEnd == .closed)
        #expect(again.report.records == 49)
        #expect(try await again.scan("c", state: nil, after: nil, limit: 100).records == before)
        let next = try await insert(7, into: again)
        #expect(fences.allSatisfy { $0 < next })
        let record = try #require(try await again.read([id(7)]).records[0])
        #expect(record.position > (before.map(\.position).max() ?? 0))
        try await again.close()
    }

    @Test func `opening and closing without a change leaves every byte as it is`() async throws {
        let store = try open()
        for number in 0..<5 { _ = try await insert(number, into: store) }
        try await store.close()
        let name = try journal
        let bytes = try SystemFileSystem().read(name)
        for _ in 0..<2 {
            let again = try open()
            _ = try await again.read([id(1)])
            try await again.close()
            #expect(try journal == name)
            #expect(try SystemFileSystem().read(name) == bytes)
        }
    }

    @Test func `a journal whose end never got to the medium opens with the commits before it`() async throws {
        let store = try open()
        var ends: [Int] = []
        let name = try journal
        for number in 0..<6 {
            _ = try await insert(number, into: store)
            let content = try SystemFileSystem().read(name)
            ends.append(try #require(content.lastIndex { $0 != 0 }) + 1)
        }
        let bytes = try SystemFileSystem().read(name)
        try await store.close()
        for cut in ends[0]...ends[5] {
            try restore(Array(bytes.prefix(cut)) + [UInt8](repeating: 0, count: bytes.count - cut), as: name)
            let again = try open()
            let records = try await again.scan("c", state: nil, after: nil, limit: 100).records
            #expect(records.map(\.id) == (0..<ends.count { $0 <= cut }).map(id), "cut at \(cut)")
            let end = JournalFormat.aligned(ends.last { $0 <= cut } ?? 0)
            let hasTornBytes = bytes[min(end, cut)..<cut].contains { $0 != 0 }
            #expect((again.report.lastEnd == .interrupted) != hasTornBytes, "cut at \(cut)")
            try await again.close()
        }
    }

    @Test func `frames of an older generation are not read`() async throws {
        let store = try open()
        let name = try journal
        _ = try await insert(0, into: store)
        let old = try SystemFileSystem().read(name)
        try await store.close()
        let header = FileHeader(kind: .journal, generation: 42, firstSequence: 1).encoded()
        try restore(header + old.dropFirst(64), as: name)
        let again = try open()
        #expect(again.report.records == 0)
        #expect(again.report.lastEnd != .closed)
        try await again.close()
    }

    @Test func `a directory is open once at a time`() async throws {
        let store = try open()
        #expect(throws: FileStoreError.inUse(directory: path, pid: ProcessIdentity.current.pid)) { try open() }
        try await store.close()
        try await open().close()

        // Also where the file system's locks are none within a process.
        let unlocked = FaultyFileSystem(locks: false)
        let first = try open(unlocked)
        #expect(throws: FileStoreError.inUse(directory: path, pid: ProcessIdentity.current.pid)) { try open(unlocked) }
        try await first.close()
        try await open(unlocked).close()
    }

    @Test(arguments: [FaultyFileSystem.Kind.list, .read])
    func `a directory that cannot be looked through is left as it is`(kind: FaultyFileSystem.Kind) async throws {
        let store = try open()
        _ = try await insert(0, into: store)
        try await store.close()
        #expect(throws: FileStoreError.self) { try open(FaultyFileSystem(.init(kind: kind, at: 1, code: EIO))) }
        let again = try open()
        #expect(again.report.records == 1)
        try await again.close()
    }

    @Test(arguments: [
        FaultyFileSystem.Fault(kind: .write, at: 4, code: ENOSPC), .init(kind: .write, at: 4, code: EIO),
        .init(kind: .sync, at: 4, code: EIO), .init(kind: .fill, at: 6, code: EIO),
    ])
    func `a failed write or sync ends the store, and what was acknowledged stays`(
        fault: FaultyFileSystem.Fault
    ) async throws {
        let store = try open(FaultyFileSystem(fault))
        var acknowledged = 0
        do {
            while acknowledged < 100 {
                _ = try await insert(acknowledged, into: store)
                acknowledged += 1
            }
        } catch let error as StoreError {
            // Between two commits, the next one meets a store that has ended.
            switch error {
            case .outcomeUnknown(let failure), .unavailable(let failure): #expect(failure.code == fault.code)
            case .refused, .full, .closed: throw error
            }
        }
        #expect((1..<100).contains(acknowledged))
        await #expect(throws: StoreError.self) { try await store.read([id(0)]) }
        do {
            _ = try await insert(200, into: store)
            Issue.record("a store that has failed took a commit")
        } catch let error as StoreError {
            #expect(error.isNotApplied)
        }
        await #expect(throws: StoreError.self) { try await store.close() }

        let again = try open()
        let records = try await again.scan("c", state: nil, after: nil, limit: 200).records
        #expect(records.count == acknowledged || records.count == acknowledged + 1)
        #expect(records.map(\.id) == (0..<records.count).map(id))
        try await again.close()
    }

    @Test func `a store that was closed is opened only when its seal is surely on the medium`() async throws {
        let store = try open()
        _ = try await insert(0, into: store)
        try await store.close()
        let bytes = try SystemFileSystem().read(journal)
        for kind in [FaultyFileSystem.Kind.write, .sync] {
            let fault = FaultyFileSystem.Fault(kind: kind, at: 1, code: EIO)
            #expect(throws: FileStoreError.self) { try open(FaultyFileSystem(fault)) }
            #expect(try SystemFileSystem().read(journal) == bytes)
        }
        try await open().close()
    }

    @Test func `a failed write ends the wait of a claim`() async throws {
        let clock = ManualClock()
        let files = FaultyFileSystem(.init(kind: .sync, at: 3, code: EIO))
        let store = try FileRecordStore(directory: path, clock: clock, fileSystem: files)
        _ = try await insert(0, into: store)
        let request = ClaimRequest(
            .due(collection: "c", limit: 1), lease: Lease(.seconds(1)), waitUpTo: .seconds(3_600))
        let waiting = Task { try await store.claim(request) }
        await clock.waitForSleepers()
        await #expect(throws: StoreError.self) { try await insert(1, into: store) }
        await #expect(throws: StoreError.self) { try await waiting.value }
        await #expect(throws: StoreError.self) { try await store.close() }
    }

    @Test(arguments: [FaultyFileSystem.Kind.write, .fill, .sync])
    func `a fault while the end of a journal is put right leaves the store as it was`(
        kind: FaultyFileSystem.Kind
    ) async throws {
        let store = try open()
        for number in 0..<3 { _ = try await insert(number, into: store) }
        let name = try journal
        // As a crash would leave it.
        let bytes = try SystemFileSystem().read(name)
        try await store.close()
        for at in 1...3 {
            try restore(bytes, as: name)
            _ = try? await open(FaultyFileSystem(.init(kind: kind, at: at, code: EIO))).close()
            let again = try open()
            let records = try await again.scan("c", state: nil, after: nil, limit: 10).records
            #expect(records.map(\.id) == (0..<3).map(id))
            try await again.close()
        }
    }

    @Test func `any number of records may expire before they are met`() async throws {
        let clock = ManualClock()
        var layout = FileStoreLayout()
        layout.reserve = 16_384
        layout.steps = 4_096...65_536
        let store = try FileRecordStore(
            directory: path, clock: clock, fileSystem: SystemFileSystem(), layout: layout)
        let content = RecordContent(state: "s", due: .after(.zero), expires: .after(.seconds(1)))
        for batch in 0..<5 {
            let changes = (0..<500).map { Change.insert(id(batch * 500 + $0), content) }
            _ = try await store.commit(changes)
        }
        clock.advance(by: .seconds(2))
        let claim = try await store.claim(ClaimRequest(.due(collection: "c", limit: 10), lease: Lease(.seconds(1))))
        #expect(claim.claimed.isEmpty && claim.nextDueIn == nil)
        #expect(try await store.purgeExpired(limit: 100) == 0)
        try await store.close()
        let again = try open()
        #expect(again.report.records == 0)
        try await again.close()
    }

    @Test func `the largest batch within all limits fits a frame`() async throws {
        // Of many short headers the lengths take as much as the text.
        let headers = Dictionary(
            uniqueKeysWithValues: (0..<5_461).map { number in
                (
                    String(
                        decoding: [number & 15, number >> 4 & 63, number >> 10].map { UInt8(64 + $0) }, as: UTF8.self),
                    ""
                )
            })
        let content = RecordContent(
            state: String(repeating: "s", count: 32), headers: headers,
            orderKey: String(repeating: "o", count: 255))
        let padding = String(repeating: "k", count: 1_020)
        let changes = (0..<1_000).map { number in
            Change.insert(RecordID("c", padding + String(1_000 + number)), content, lease: Lease(.seconds(1)))
        }
        let store = try open()
        guard case .committed = try await store.commit(changes) else {
            Issue.record("a batch within the limits met a conflict")
            return
        }
        try await store.close()
        let again = try open()
        #expect(again.report.records == 1_000)
        try await again.close()
    }

    @Test func `a purge frees as many as it is told to`() async throws {
        let clock = ManualClock()
        let store = try FileRecordStore(directory: path, clock: clock, fileSystem: SystemFileSystem())
        let content = RecordContent(state: "s", expires: .after(.seconds(1)))
        _ = try await store.commit((0..<50).map { .insert(id($0), content) })
        clock.advance(by: .seconds(2))
        #expect(try await store.purgeExpired(limit: 20) == 20)
        #expect(try await store.purgeExpired(limit: 100) == 30)
        try await store.close()
    }

    @Test func `a store whose directory was moved touches nothing of a store at its old place`() async throws {
        let store = try open()
        _ = try await insert(0, into: store)
        try SystemFileSystem().rename(path, to: path + ".moved")
        let other = try open()
        _ = try await insert(1, into: other)
        let names = try SystemFileSystem().names(in: path).sorted()
        await #expect(throws: StoreError.self) { try await store.compact() }
        #expect(try SystemFileSystem().names(in: path).sorted() == names)
        try await store.close()
        try await other.close()
        let again = try open()
        #expect(try await again.read([id(1)]).records[0] != nil)
        try await again.close()
    }

    @Test func `leases of another process end at opening, leases of this one stand`() async throws {
        let store = try open()
        _ = try await insert(0, into: store, lease: Lease(.seconds(1_000)))
        try await store.close()
        let same = try open()
        let mine = try #require(try await same.read([id(0)]).records[0])
        #expect(mine.isHeld(at: try await same.read([id(0)]).now))
        try await same.close()
        let other = try open(process: ProcessIdentity(host: "elsewhere", pid: 1, instance: 1))
        let claim = try await other.claim(ClaimRequest(.ids([id(0)]), lease: Lease(.seconds(1))))
        #expect(claim.claimed.map(\.claims) == [2])
        try await other.close()
    }

    @Test func `a lease that another process has ended does not come back`() async throws {
        let store = try open()
        _ = try await insert(0, into: store, lease: Lease(.seconds(1_000)))
        try await store.close()
        try await open(process: ProcessIdentity(host: "elsewhere", pid: 1, instance: 1)).close()
        let again = try open()
        let answer = try await again.read([id(0)])
        #expect(try #require(answer.records[0]).isHeld(at: answer.now) == false)
        try await again.close()
    }

    @Test func `many callers share a sync`() async throws {
        let files = FaultyFileSystem()
        let store = try open(files)
        let before = files.count(of: .sync)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<64 {
                group.addTask {
                    for round in 0..<20 { _ = try await insert(task * 20 + round, into: store) }
                }
            }
            try await group.waitForAll()
        }
        let syncs = files.count(of: .sync) - before
        #expect(syncs <= 1_280)
        #expect(try await store.statistics(of: "c").counts == ["s": 1_280])
        try await store.close()
    }

    @Test(arguments: [FileCommitter.ownThread, .caller])
    func `a store that is let go without closing frees its directory and keeps its records`(
        committer: FileCommitter
    ) async throws {
        do {
            let store = try open(committer: committer)
            _ = try await insert(0, into: store)
        }
        var opened: FileRecordStore?
        while opened == nil { opened = try? open() }
        #expect(try await opened?.read([id(0)]).records[0] != nil)
        try await opened?.close()
    }

    @Test func `a store's files are for its owner alone`() async throws {
        let store = try open()
        for name in [path, path + "/LOCK", try journal] {
            var status = stat()
            unsafe stat(name, &status)
            #expect(status.st_mode & 0o077 == 0, "\(name)")
        }
        try await store.close()
    }
}
