// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityCore
import ReliabilityTesting
import Testing

@Suite struct SimulatedDiskTests {
    private func disk() throws -> SimulatedDisk {
        let disk = SimulatedDisk(pid: 77)
        try disk.setContents(.sectors("aa"), of: "/a")
        try disk.setContents(.sectors("x"), of: "/d/x")
        return disk
    }

    @Test func `it does what the real file system does`() throws {
        let directory = try TemporaryDirectory()
        let simulated = SimulatedDisk()
        try simulated.createDirectory("/tmp")
        let systems: [(any FileSystem, String)] = [(SystemFileSystem(), directory.path), (simulated, "/tmp")]
        var traces: [[String]] = []
        for (system, root) in systems {
            var trace: [String] = []
            func note<Value>(_ name: String, _ body: () throws(StoreFailure) -> Value) {
                do throws(StoreFailure) {
                    trace.append("\(name): \(try body())")
                } catch {
                    let path = error.subject.dropFirst(root.count)
                    trace.append("\(name): \(path) fails with \(error.code)")
                }
            }
            func names(_ path: String = "") {
                note("names") { () throws(StoreFailure) in try system.names(in: root + path).sorted() }
            }
            func content(_ path: String) { note("content") { () throws(StoreFailure) in try system.read(root + path) } }
            names()
            note("mkdir") { () throws(StoreFailure) in try system.createDirectory(root + "/d") }
            note("mkdir again") { () throws(StoreFailure) in try system.createDirectory(root + "//d/") }
            note("mkdir in nothing") { () throws(StoreFailure) in try system.createDirectory(root + "/e/f") }
            note("open nothing") { () throws(StoreFailure) in _ = try system.open(root + "/d/a", isNew: false) }
            let file = try system.open(root + "/d/a", isNew: true)
            note("mkdir in a file") { () throws(StoreFailure) in try system.createDirectory(root + "/d/a/b") }
            note("open in a file") { () throws(StoreFailure) in _ = try system.open(root + "/d/a/b", isNew: true) }
            note("mkdir over a file") { () throws(StoreFailure) in try system.createDirectory(root + "/d/a") }
            names("/d")
            names("/d/a")
            names("/e")
            try file.write(Array(1...10), at: 3)
            content("/d/a")
            try file.write(Array(20...22), at: 5)
            try file.write([], at: 30)
            try file.sync()
            content("/d/a")
            try system.open(root + "/d/a", isNew: false).close()
            content("/d/a")
            content("/d/b")
            content("/d/a/b")
            note("linked") { () throws(StoreFailure) in try file.isLinked() }
            note("rename") { () throws(StoreFailure) in try system.rename(root + "/d/a", to: root + "/./d/b") }
            note("rename nothing") { () throws(StoreFailure) in try system.rename(root + "/d/a", to: root + "/d/c") }
            note("rename to itself") { () throws(StoreFailure) in try system.rename(root + "/d/b", to: root + "/d/b") }
            note("linked") { () throws(StoreFailure) in try file.isLinked() }
            names("/d")
            let other = try system.open(root + "/d/c", isNew: true)
            try other.write([7], at: 0)
            note("rename over") { () throws(StoreFailure) in try system.rename(root + "/d/c", to: root + "/d/b") }
            note("linked") { () throws(StoreFailure) in try file.isLinked() }
            note("linked") { () throws(StoreFailure) in try other.isLinked() }
            content("/d/b")
            try file.write([8], at: 0)
            try file.sync()
            content("/d/b")
            note("sync names") { () throws(StoreFailure) in try system.syncDirectory(root + "/d") }
            note("sync no names") { () throws(StoreFailure) in try system.syncDirectory(root + "/e") }
            note("sync the names of a file") { () throws(StoreFailure) in try system.syncDirectory(root + "/d/b") }
            let emptied = try system.open(root + "/d/b", isNew: true)
            content("/d/b")
            try other.write([9, 9], at: 2)
            content("/d/b")
            note("remove") { () throws(StoreFailure) in try system.remove(root + "/d/b") }
            note("remove nothing") { () throws(StoreFailure) in try system.remove(root + "/d/b") }
            note("linked") { () throws(StoreFailure) in try emptied.isLinked() }
            note("open a directory") { () throws(StoreFailure) in _ = try system.open(root + "/d", isNew: false) }
            note("empty a directory") { () throws(StoreFailure) in _ = try system.open(root + "/d", isNew: true) }
            note("write to a closed file") { () throws(StoreFailure) in
                file.close()
                file.close()
                try file.write([1], at: 0)
            }
            note("sync a closed file") { () throws(StoreFailure) in try file.sync() }
            note("write before the beginning") { () throws(StoreFailure) in try other.write([1], at: -1) }
            note("identity of nothing") { () throws(StoreFailure) in _ = try system.identity(of: root + "/x") }
            note("same") { () throws(StoreFailure) in
                try system.identity(of: root + "/d") == system.identity(of: root + "/./d/")
            }
            names("/d")
            traces.append(trace)
        }
        #expect(traces[0].count == traces[1].count)
        for (real, simulated) in zip(traces[0], traces[1]) { #expect(real == simulated) }
    }

    @Test func `one has a lock until it is released, the file is another, or the machine starts anew`() throws {
        let disk = try disk()
        func lock(_ disk: SimulatedDisk) throws -> (any FileLock)? {
            switch try disk.lock("/LOCK") {
            case .locked(let lock): return lock
            case .held(let pid):
                #expect(pid == 77)
                return nil
            }
        }
        let first = try #require(try lock(disk))
        #expect(try lock(disk) == nil)
        first.release()
        var second = try lock(disk)
        #expect(second != nil)
        first.release()
        #expect(try lock(disk) == nil)
        for next in [disk.killed(), disk.powerCut(.nothing), disk.powerCut(.everything)] {
            #expect(try lock(next) != nil)
        }
        try disk.remove("/LOCK")
        let third = try lock(disk)
        #expect(third != nil)
        #expect(try lock(disk) == nil)
        third?.release()
        second?.release()
        #expect(try lock(disk) != nil)
        // A lock that is let go is released.
        second = try lock(disk)
        second = nil
        #expect(try lock(disk) != nil)
        #expect(try disk.identity(of: "/LOCK") != disk.killed().identity(of: "/LOCK"))
    }

    @Test func `a copy does not show what goes on with its original, nor the other way round`() throws {
        let disk = try disk()
        let file = try disk.open("/a", isNew: false)
        try file.write(.sectors("b"), at: 0)
        let copies = [disk.killed(), disk.powerCut(.everything)]
        try file.write(.sectors("cc"), at: 0)
        try disk.remove("/d/x")
        for copy in copies {
            #expect(copy.picture(of: ["/a", "/d/x"]) == "ba x")
            #expect(copy.operationCount == 0)
            try copy.write("d", of: "/a")
            try copy.sync("/a")
            #expect(copy.picture(of: "/a") == "da")
        }
        #expect(disk.picture(of: ["/a", "/d/x"]) == "cc -")
        #expect(disk.powerCut(.nothing).picture(of: ["/a", "/d/x"]) == "aa x")
    }

    @Test func `a file can be set, damaged and cut, and a tree be removed`() throws {
        let disk = try disk()
        #expect(disk.files == ["/a", "/d/x"])
        try disk.write("b", of: "/a")
        for bit in [0, 7, 4095, 4096, 8191] {
            let damaged = try disk.corrupted("/a", bit: bit)
            var expected = [UInt8].sectors("ba")
            expected[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(damaged.contents(of: "/a") == expected && damaged.outcomes() == [.nothing])
            #expect(damaged.powerCut(.nothing).contents(of: "/a") == expected)
        }
        for (length, picture) in [(0, ""), (1, "b1"), (512, "b"), (1023, "ba511"), (1024, "ba"), (2048, "ba..")] {
            let cut = try disk.truncated("/a", to: length)
            #expect(cut.picture(of: "/a") == picture && cut.powerCut(.nothing).picture(of: "/a") == picture)
        }
        #expect(disk.picture(of: "/a") == "ba" && disk.pictures(of: ["/a"]) == ["aa", "ba"])
        #expect(throws: StoreFailure.self) { try disk.corrupted("/b", bit: 0) }
        #expect(throws: StoreFailure.self) { try disk.truncated("/d", to: 0) }
        try disk.setContents([1], of: "/new/deep/file")
        #expect(disk.powerCut(.nothing).contents(of: "/new/deep/file") == [1])
        let file = try disk.open("/new/deep/file", isNew: false)
        try disk.removeTree("/new")
        #expect(try !file.isLinked())
        #expect(disk.files == ["/a", "/d/x"] && disk.contents(of: "/new/deep/file") == nil)
        #expect(disk.powerCut(.nothing).contents(of: "/new/deep/file") == [1])
        try disk.syncDirectory("/")
        #expect(disk.powerCut(.nothing).files == ["/a", "/d/x"])
    }

    @Test func `what nobody can reach any more is forgotten, whatever is pending of it`() throws {
        let disk = try disk()
        let file = try disk.open("/d/x", isNew: false)
        try file.write(.sectors("y"), at: 0)
        try disk.remove("/d/x")
        #expect(disk.pendingUnits == ["file 3: sector 0", "/d: no x"])
        try disk.syncDirectory("/d")
        #expect(disk.pendingUnits == ["file 3: sector 0"] && disk.usedBytes == 1536)
        #expect(disk.killed().pendingUnits.isEmpty)
        try file.write(.sectors("z"), at: 0)
        try file.sync()
        try file.write(.sectors("y"), at: 0)
        file.close()
        #expect(disk.pendingUnits.isEmpty && disk.usedBytes == 1024)
        try disk.createDirectory("/d/e")
        try disk.open("/d/e/f", isNew: true).write([1], at: 0)
        try disk.removeTree("/d")
        #expect(disk.pendingUnits.last == "/: no d")
        try disk.syncDirectory("/")
        #expect(disk.pendingUnits.isEmpty)
    }

    @Test func `what comes while an operation is about to be carried out comes before it, and once`() throws {
        let disk = try disk()
        let file = try disk.open("/a", isNew: false)
        let before = disk.operationCount
        disk.interrupt(.write) { try? file.sync() }
        _ = try disk.read("/a")
        for _ in 0..<2 { try file.write([1], at: 0) }
        disk.interrupt(.write) { try? file.sync() }
        disk.interrupt(.write, nil)
        try file.write([1], at: 0)
        let kinds = disk.operations.filter { $0.number > before }.map(\.kind)
        #expect(kinds == [.read, .sync, .write, .write, .write])
    }

    @Test func `what was done is written down`() throws {
        let disk = try disk()
        disk.inject(.error(DiskFault.noSpace, of: .sync))
        let file = try disk.open("/a", isNew: false)
        try file.write([1, 2, 3], at: 9)
        #expect(throws: StoreFailure(operation: "sync", subject: "/a", code: DiskFault.noSpace)) { try file.sync() }
        disk.stop()
        #expect(throws: StoreFailure.self) { try disk.rename("/a", to: "/b") }
        #expect(
            disk.operations.map(\.description) == [
                "1 open /a", "2 write /a 3 bytes at 9", "3 sync /a: error \(DiskFault.noSpace)",
                "4 rename /a to /b: power lost",
            ])
        for _ in 0..<3_000 { _ = try? disk.read("/a") }
        #expect(disk.operationCount == 3_004)
        #expect((1_000...2_000).contains(disk.operations.count) && disk.operations.last?.number == 3_004)
    }
}
