// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityCore
import ReliabilityTesting
import Testing

/// What is done, and everything that a loss of power may then leave, where `/a` was on the medium as `aa`.
private struct History: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let outcomes: Set<String>
    let files: [String]
    let order: PowerCut.NameOrder
    let steps: @Sendable (SimulatedDisk) throws -> Void

    init(
        _ description: String, _ outcomes: Set<String>, of files: [String] = ["/a"],
        names order: PowerCut.NameOrder = .free, _ steps: @escaping @Sendable (SimulatedDisk) throws -> Void
    ) {
        testDescription = description
        self.outcomes = outcomes
        self.files = files
        self.order = order
        self.steps = steps
    }

    static let contents = [
        History("nothing", ["aa"]) { _ in },
        History("every sector by itself", ["aa", "ba", "ab", "bb"]) { try $0.write("bb", of: "/a") },
        History("what is written again as it was", ["aa"]) { try $0.write("aa", of: "/a") },
        History("what was synced", ["bc"]) {
            try $0.write("bc", of: "/a")
            try $0.sync("/a")
        },
        History("any of the writes since the sync", ["aa", "ba", "ca"]) {
            try $0.write("b", of: "/a")
            try $0.write("c", of: "/a")
        },
        History("a write that takes another one back", ["aa", "ba"]) {
            try $0.write("b", of: "/a")
            try $0.write("a", of: "/a")
        },
        History("a piece of a sector takes the whole with it", ["aa", "?a"]) {
            try $0.open("/a", isNew: false).write([1, 2, 3], at: 7)
        },
        History("the length by itself", ["aa", "aa..", "aab.", "aa.c", "aabc"]) { try $0.write("bc", at: 2, of: "/a") },
        History("the lengths of several writes", ["aa", "aa.", "aab", "aa..", "aab.", "aa.c", "aabc"]) {
            try $0.write("b", at: 2, of: "/a")
            try $0.write("c", at: 3, of: "/a")
        },
        History("a piece at the end", ["aa", "aa.3", "aaz3"]) {
            try $0.open("/a", isNew: false).write(Array("zzz".utf8), at: 1024)
        },
        History("a gap is zero", ["aa", "aa..", "aa.b"]) { try $0.write("b", at: 3, of: "/a") },
        History("zeros at the end are a length alone", ["aa", "aa...."]) { try $0.write("....", at: 2, of: "/a") },
        History("emptied", ["aa", ""]) { _ = try $0.open("/a", isNew: true) },
        History("emptied and written", ["aa", "", "a", "ba", ".", "b"]) { try $0.write("b", of: "/a", isNew: true) },
        History("emptied and written as it was", ["aa", "", ".", "a"]) { try $0.write("a", of: "/a", isNew: true) },
        History("emptied, synced and written", ["", ".", "b"]) {
            _ = try $0.open("/a", isNew: true)
            try $0.sync("/a")
            try $0.write("b", of: "/a")
        },
        History("emptied, written and synced", ["b"]) {
            try $0.write("b", of: "/a", isNew: true)
            try $0.sync("/a")
        },
        History("a sync of another file", ["aa", "ba"]) {
            try $0.write("b", of: "/a")
            try $0.write("b", of: "/other", isNew: true)
            try $0.sync("/other")
        },
    ]

    static let names = [
        History("made", ["-", ""], of: ["/b"]) { _ = try $0.open("/b", isNew: true) },
        History("made, written and synced, and its name not", ["-", "b"], of: ["/b"]) {
            try $0.write("b", of: "/b", isNew: true)
            try $0.sync("/b")
        },
        History("made and its name synced, and its content not", ["", ".", "b"], of: ["/b"]) {
            try $0.write("b", of: "/b", isNew: true)
            try $0.syncDirectory("/")
        },
        History("made, and all synced", ["b"], of: ["/b"]) {
            try $0.write("b", of: "/b", isNew: true)
            try $0.sync("/b")
            try $0.syncDirectory("/")
        },
        History("removed", ["aa", "-"]) { try $0.remove("/a") },
        History("removed and synced", ["-"]) {
            try $0.remove("/a")
            try $0.syncDirectory("/")
        },
        History("removed and made again", ["aa", "-", ""]) {
            try $0.remove("/a")
            _ = try $0.open("/a", isNew: true)
        },
        History("removed while its content is pending", ["aa", "ba", "-"]) {
            try $0.write("b", of: "/a")
            try $0.remove("/a")
        },
        History("renamed in one step", ["aa -", "- aa"], of: ["/a", "/b"]) { try $0.rename("/a", to: "/b") },
        History("another takes its name", ["aa -", "aa b", "b -"], of: ["/a", "/b"]) {
            try $0.write("b", of: "/b", isNew: true)
            try $0.sync("/b")
            try $0.rename("/b", to: "/a")
        },
        History("another takes its name before its content is synced", ["aa", "", ".", "b"]) {
            try $0.write("b", of: "/b", isNew: true)
            try $0.rename("/b", to: "/a")
        },
        History("the names of two files, in any order", ["aa -", "- -", "aa b", "- b"], of: ["/a", "/b"]) {
            try $0.write("b", of: "/b", isNew: true)
            try $0.sync("/b")
            try $0.remove("/a")
        },
        History("the names of two files, in order", ["aa -", "aa b", "- b"], of: ["/a", "/b"], names: .kept) {
            try $0.write("b", of: "/b", isNew: true)
            try $0.sync("/b")
            try $0.remove("/a")
        },
        History("the names in two directories", ["- b", "aa -", "aa b", "- -"], of: ["/a", "/d/b"], names: .kept) {
            try $0.createDirectory("/d")
            try $0.syncDirectory("/")
            try $0.write("b", of: "/d/b", isNew: true)
            try $0.sync("/d/b")
            try $0.remove("/a")
        },
        History("a directory that was not synced", ["-", "b"], of: ["/d/b"]) {
            try $0.createDirectory("/d")
            try $0.write("b", of: "/d/b", isNew: true)
            try $0.sync("/d/b")
            try $0.syncDirectory("/d")
        },
        History("a directory that was synced", ["b"], of: ["/d/b"]) {
            try $0.createDirectory("/d")
            try $0.write("b", of: "/d/b", isNew: true)
            try $0.sync("/d/b")
            try $0.syncDirectory("/d")
            try $0.syncDirectory("/")
        },
    ]

    /// How a file gets other content, by the rules and against them, and what is left of it.
    static let protocols = [
        History("a temporary file is renamed, and nothing synced", ["aa", "", ".", "b"]) {
            try $0.write("b", of: "/t", isNew: true)
            try $0.rename("/t", to: "/a")
        },
        History("a temporary file is renamed, and only then synced", ["aa", "b"]) {
            try $0.write("b", of: "/t", isNew: true)
            try $0.rename("/t", to: "/a")
            try $0.sync("/a")
        },
        History("a temporary file is synced and renamed, and the directory is not synced", ["aa", "b"]) {
            try $0.write("b", of: "/t", isNew: true)
            try $0.sync("/t")
            try $0.rename("/t", to: "/a")
        },
        History("a temporary file is synced and renamed, and the directory is synced", ["b"]) {
            try $0.write("b", of: "/t", isNew: true)
            try $0.sync("/t")
            try $0.rename("/t", to: "/a")
            try $0.syncDirectory("/")
        },
        History(
            "the old file is removed before the new one's name is synced", ["aa -", "- -", "aa b", "- b"],
            of: [
                "/a", "/b",
            ]
        ) {
            try $0.write("b", of: "/t", isNew: true)
            try $0.sync("/t")
            try $0.rename("/t", to: "/b")
            try $0.remove("/a")
        },
    ]
}

@Suite struct PowerCutTests {
    private func disk() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        try disk.setContents(.sectors("aa"), of: "/a")
        return disk
    }

    @Test(arguments: History.contents + History.names + History.protocols)
    private func `a loss of power leaves one of these and nothing else`(history: History) throws {
        let disk = try disk()
        try history.steps(disk)
        #expect(disk.pictures(of: history.files, names: history.order) == history.outcomes)
        // What was not synced is what can be lost.
        #expect((disk.outcomes(names: history.order) == [.nothing]) == disk.pendingUnits.isEmpty)
        // Random cuts find the same, and nothing else.
        let random = RandomSource.seeded(42)
        let drawn = (0..<300).map { _ in disk.powerCut(disk.randomCut(random, names: history.order)) }
        #expect(Set(drawn.map { $0.picture(of: history.files) }) == history.outcomes, "seed 42")
        // A disk after a cut has nothing more to lose.
        for disk in drawn.prefix(30) { #expect(disk.outcomes() == [.nothing] && disk.pendingUnits.isEmpty) }
        // A process that dies loses nothing, and makes nothing safer.
        let killed = disk.killed()
        #expect(killed.picture(of: history.files) == disk.picture(of: history.files))
        #expect(killed.pictures(of: history.files, names: history.order) == history.outcomes)
    }

    @Test(arguments: 0...8) func `of few units every outcome is given, once`(count: Int) throws {
        let disk = SimulatedDisk()
        try disk.setContents(.sectors(String(repeating: "a", count: 8)), of: "/a")
        let letters = Array("bcdefghi").prefix(count)
        for (sector, letter) in letters.enumerated() { try disk.write(String(letter), at: sector, of: "/a") }
        #expect(disk.pendingUnits == (0..<count).map { "/a: sector \($0)" })
        let outcomes = disk.outcomes()
        #expect(outcomes.count == 1 << count && Set(outcomes).count == outcomes.count)
        #expect(disk.pictures(of: ["/a"]).count == 1 << count)
    }

    @Test func `of many units those outcomes are given that tell most`() throws {
        let disk = SimulatedDisk()
        try disk.setContents([], of: "/old")
        try disk.write("abcd", of: "/a", isNew: true)
        try disk.rename("/a", to: "/b")
        try disk.write("ef", at: 10, of: "/b")
        try disk.remove("/old")
        #expect(
            disk.pendingUnits == [
                "/: a is file 2", "/b: length 2048", "/b: sector 0", "/b: sector 1", "/b: sector 2", "/b: sector 3",
                "/: a becomes b", "/b: length 6144", "/b: sector 10", "/b: sector 11", "/: no old",
            ])
        let outcomes = disk.outcomes()
        let sets = Set(outcomes)
        #expect(sets.count == outcomes.count && outcomes.count <= 7 + 4 * 11)
        var expected: Set<PowerCut> = [.nothing, .everything]
        func expect(_ units: some Collection<Int>) { expected.insert(.units(UnitSet(units))) }
        let content = [2, 3, 4, 5, 8, 9]
        let shape = [0, 1, 6, 7, 10]
        expect(shape)
        expect([0, 6, 10])
        expect(content + [0, 6, 10])
        expect(content + [1, 7])
        expect(content)
        for unit in 0..<10 { expect(0...unit) }
        for unit in 0..<11 {
            expect(unit == 6 ? [0, 6] : [unit])
            if content.contains(unit) { expect(shape + [unit]) }
            // Without its making a file cannot be renamed, and one name has nothing to do with another.
            expect((0..<11).filter { $0 != unit && !(unit == 0 && $0 == 6) })
        }
        #expect(sets == expected)
        // In order, a name needs all names before it.
        #expect(disk.outcomes(names: .kept).contains(.units(UnitSet([0, 6, 10]))))
        #expect(!disk.outcomes(names: .kept).contains(.units(UnitSet([10]))))
        for limit in [16, 27, 40] {
            let some = disk.outcomes(limit: limit)
            #expect(some.count <= limit && sets.isSuperset(of: some) && some.count > limit / 2)
            #expect(Set(some).isSuperset(of: [.units(UnitSet([0])), .units(UnitSet([10])), .nothing, .everything]))
        }
    }

    @Test func `what is drawn is legal, the same for a seed, and of every kind`() throws {
        let disk = SimulatedDisk()
        try disk.write(String(repeating: "a", count: 30), of: "/a", isNew: true)
        try disk.rename("/a", to: "/b")
        let (first, second) = (RandomSource.seeded(7), RandomSource.seeded(7))
        var kinds: [String: Int] = [:]
        for _ in 0..<2_000 {
            let cut = disk.randomCut(first)
            #expect(cut == disk.randomCut(second))
            #expect(disk.powerCut(cut).picture(of: "/a") == "-" || disk.powerCut(cut).picture(of: "/b") == "-")
            switch cut {
            case .nothing: kinds["nothing", default: 0] += 1
            case .everything: kinds["everything", default: 0] += 1
            case .first: kinds["first", default: 0] += 1
            case .units(let units):
                let unitCount = Array(units).count
                kinds[unitCount < 9 ? "few" : unitCount > 27 ? "most" : "half", default: 0] += 1
                #expect(units.contains(0) || !units.contains(disk.pendingUnits.count - 1))
            }
        }
        #expect(kinds.count == 6 && kinds.values.allSatisfy { $0 > 100 }, "\(kinds)")
    }
}
