// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityCore
import ReliabilityTesting
import Testing

/// A fault, what it makes of writing `b` over the second sector of `/a`, which is `aa`, and syncing it, and what is on
/// the medium then.
private struct FaultCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let faults: [DiskFault]
    /// The error numbers of the write and the sync, and of the two once more; 0 if they succeeded.
    let codes: [Int32]
    /// What shows after the first two, and what is left if the power is lost then; and the same after the others.
    let pictures: [String]

    init(_ description: String, _ faults: [DiskFault], _ codes: [Int32], _ pictures: [String]) {
        testDescription = description
        self.faults = faults
        self.codes = codes
        self.pictures = pictures
    }

    private static let broken = DiskFault.inputOutput

    static let all = [
        FaultCase("none", [], [0, 0, 0, 0], ["ab", "ab", "ab", "ab"]),
        FaultCase("the first of any kind", [.error(broken)], [broken, 0, 0, 0], ["aa", "aa", "ab", "ab"]),
        FaultCase("the second of any kind", [.error(broken, at: 2)], [0, broken, 0, 0], ["ab", "aa", "ab", "ab"]),
        FaultCase(
            "two faults", [.error(broken), .error(DiskFault.overQuota, at: 2)], [broken, DiskFault.overQuota, 0, 0],
            ["aa", "aa", "ab", "ab"]),
        FaultCase(
            "the first of two that fall together", [.error(broken), .error(DiskFault.noSpace)], [broken, 0, 0, 0],
            ["aa", "aa", "ab", "ab"]),
        FaultCase(
            "the second write", [.error(broken, at: 2, of: .write)], [0, 0, broken, 0], ["ab", "ab", "ab", "ab"]),
        FaultCase(
            "all writes", [.error(broken, of: .write, lasts: true)], [broken, 0, broken, 0],
            ["aa", "aa", "aa", "aa"]),
        FaultCase(
            "all from the third on", [.error(broken, at: 3, lasts: true)], [0, 0, broken, broken],
            ["ab", "ab", "ab", "ab"]),
        FaultCase(
            "a kind that does not come", [.error(broken, of: .rename, lasts: true)], [0, 0, 0, 0],
            ["ab", "ab", "ab", "ab"]),
        FaultCase(
            "a write that was done all the same", [.lateError(broken, of: .write)], [broken, 0, 0, 0],
            ["ab", "ab", "ab", "ab"]),
        FaultCase(
            "a sync that was done all the same", [.lateError(broken, of: .sync)], [0, broken, 0, 0],
            ["ab", "ab", "ab", "ab"]),
        FaultCase("a short write", [.shortWrite(100)], [DiskFault.noSpace, 0, 0, 0], ["a?", "a?", "ab", "ab"]),
        FaultCase(
            "a write of nothing", [.shortWrite(0, DiskFault.overQuota)], [DiskFault.overQuota, 0, 0, 0],
            ["aa", "aa", "ab", "ab"]),
        FaultCase(
            "a failed sync: what is written once more is synced", [.failedSync()], [0, broken, 0, 0],
            ["ab", "aa", "ab", "ab"]),
        FaultCase(
            "a failed sync that had written", [.failedSync(keeping: .everything)], [0, broken, 0, 0],
            ["ab", "ab", "ab", "ab"]),
    ]
}

@Suite struct DiskFaultTests {
    private func code(_ body: () throws(StoreFailure) -> Void) -> Int32 {
        do throws(StoreFailure) {
            try body()
            return 0
        } catch {
            return error.code
        }
    }

    @Test(arguments: FaultCase.all)
    private func `what fails, and what is left`(row: FaultCase) throws {
        let disk = SimulatedDisk()
        try disk.setContents(.sectors("aa"), of: "/a")
        let file = try disk.open("/a", isNew: false)
        for fault in row.faults { disk.inject(fault) }
        var codes: [Int32] = []
        var pictures: [String] = []
        for _ in 0..<2 {
            codes.append(code { () throws(StoreFailure) in try file.write(.sectors("b"), at: 512) })
            codes.append(code { () throws(StoreFailure) in try file.sync() })
            pictures += [disk.picture(of: "/a"), disk.powerCut(.nothing).picture(of: "/a")]
        }
        #expect(codes == row.codes)
        #expect(pictures == row.pictures)
        #expect(disk.operations.map(\.code) == [0] + row.codes)
    }

    @Test func `what a failed sync has left shows, is never synced, and is lost`() throws {
        let disk = SimulatedDisk()
        try disk.setContents(.sectors("aaaa"), of: "/a")
        let file = try disk.open("/a", isNew: false)
        try file.write(.sectors("bbb"), at: 0)
        disk.inject(.failedSync(keeping: .units(UnitSet([1]))))
        #expect(throws: StoreFailure.self) { try file.sync() }
        #expect(disk.picture(of: "/a") == "bbba" && disk.pictures(of: ["/a"]) == ["abaa"])
        // The same page, other sectors: only they are pending.
        try file.write(.sectors("cc"), at: 1024)
        #expect(disk.pictures(of: ["/a"]) == ["abaa", "abca", "abac", "abcc"])
        try file.sync()
        #expect(disk.picture(of: "/a") == "bbcc")
        for next in [disk, disk.killed()] {
            #expect(next.picture(of: "/a") == "bbcc" && next.pictures(of: ["/a"]) == ["abcc"])
            try next.sync("/a")
            #expect(next.pictures(of: ["/a"]) == ["abcc"])
        }
        #expect(disk.killed(evicting: true).picture(of: "/a") == "abcc")
        try file.write(.sectors("b"), at: 0)
        #expect(disk.killed(evicting: true).picture(of: "/a") == "bbcc")
        try file.sync()
        #expect(disk.powerCut(.nothing).picture(of: "/a") == "bbcc")
        #expect(disk.killed(evicting: true).picture(of: "/a") == "bbcc")
        // A length is not content: it stays pending.
        try file.write(.sectors("d"), at: 2048)
        disk.inject(.failedSync())
        #expect(throws: StoreFailure.self) { try file.sync() }
        #expect(disk.pictures(of: ["/a"]) == ["bbcc", "bbcc."])
    }

    @Test func `after its end a disk refuses everything, and nothing changes but a part of a write`() throws {
        let disk = SimulatedDisk()
        try disk.setContents(.sectors("aa"), of: "/a")
        let file = try disk.open("/a", isNew: false)
        disk.stop(after: 1, writing: 512)
        try file.write(.sectors("b"), at: 0)
        #expect(throws: StoreFailure(operation: "write", subject: "/a", code: SimulatedDisk.powerLost)) {
            try file.write(.sectors("ccc"), at: 512)
        }
        #expect(disk.picture(of: "/a") == "bc" && disk.pictures(of: ["/a"]) == ["aa", "ba", "ac", "bc"])
        let calls: [(DiskOperation.Kind, () throws(StoreFailure) -> Void)] = [
            (.write, { () throws(StoreFailure) in try file.write([1], at: 0) }),
            (.sync, { () throws(StoreFailure) in try file.sync() }),
            (.isLinked, { () throws(StoreFailure) in _ = try file.isLinked() }),
            (.createDirectory, { () throws(StoreFailure) in try disk.createDirectory("/d") }),
            (.identify, { () throws(StoreFailure) in _ = try disk.identity(of: "/a") }),
            (.list, { () throws(StoreFailure) in _ = try disk.names(in: "/") }),
            (.lock, { () throws(StoreFailure) in _ = try disk.lock("/LOCK") }),
            (.read, { () throws(StoreFailure) in _ = try disk.read("/a") }),
            (.create, { () throws(StoreFailure) in _ = try disk.open("/a", isNew: true) }),
            (.open, { () throws(StoreFailure) in _ = try disk.open("/a", isNew: false) }),
            (.rename, { () throws(StoreFailure) in try disk.rename("/a", to: "/b") }),
            (.remove, { () throws(StoreFailure) in try disk.remove("/a") }),
            (.syncDirectory, { () throws(StoreFailure) in try disk.syncDirectory("/") }),
        ]
        #expect(calls.map(\.0).count == DiskOperation.Kind.allCases.count)
        for (kind, call) in calls {
            #expect(code(call) == SimulatedDisk.powerLost, "\(kind)")
            #expect(disk.operations.last?.kind == kind && disk.operations.last?.code == SimulatedDisk.powerLost)
        }
        #expect(disk.files == ["/a"] && disk.pictures(of: ["/a"]) == ["aa", "ba", "ac", "bc"])
        // The disk that the next process finds goes on.
        try disk.killed().write("z", of: "/a")
    }

    @Test func `a disk takes no more bytes than it has room for`() throws {
        let disk = SimulatedDisk(capacity: 2048)
        let file = try disk.open("/a", isNew: true)
        try file.write(.sectors("aaa"), at: 0)
        #expect(disk.usedBytes == 1536)
        #expect(code { () throws(StoreFailure) in try file.write(.sectors("bb"), at: 1280) } == DiskFault.noSpace)
        #expect(disk.picture(of: "/a") == "aa?b" && disk.usedBytes == 2048)
        // Over what is there one can write; a file that is removed makes room as soon as nobody has it open.
        try file.write(.sectors("cccc"), at: 0)
        let other = try disk.open("/b", isNew: true)
        #expect(code { () throws(StoreFailure) in try other.write([1], at: 0) } == DiskFault.noSpace)
        #expect(disk.contents(of: "/b") == [])
        try disk.remove("/a")
        #expect(code { () throws(StoreFailure) in try other.write([1], at: 0) } == DiskFault.noSpace)
        file.close()
        try other.write([1], at: 0)
        disk.capacity = 1
        #expect(code { () throws(StoreFailure) in try other.write([1, 2], at: 0) } == DiskFault.noSpace)
        disk.capacity = 0
        #expect(code { () throws(StoreFailure) in try other.write([3, 4], at: 0) } == DiskFault.noSpace)
        #expect(disk.contents(of: "/b") == [3])
        disk.capacity = nil
        try other.write([1, 2], at: 0)
        #expect(disk.usedBytes == 2)
    }
}
