// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import RecordStores

/// Every damage to a closed store is detected, or takes nothing from it.
@Suite struct StoreDamageTests {
    private static let store = Result { try DamagedStore.several() }
    private static let kinds = ["snapshot-": 1, "journal-": 3]

    @Test func `the store has files of every kind, always with the same bytes`() throws {
        let (store, again) = (try Self.store.get(), try DamagedStore.several())
        for (prefix, least) in Self.kinds {
            #expect(store.files.count { $0.contains(prefix) } >= least, "\(store.files)")
        }
        #expect(store.files == again.files)
        for file in store.files { #expect(store.disk.contents(of: file) == again.disk.contents(of: file)) }
    }

    /// One bit of each byte of a frame, and few of the bytes where there is none; the trial `damage` takes all.
    @Test(arguments: 0..<2) func `a bit that has turned over is detected, or takes nothing`(part: Int) throws {
        let store = try Self.store.get()
        for (index, file) in store.files.enumerated() where index % 2 == part {
            let end = store.boundaries(of: file).last ?? 0
            let bytes = Array(0..<end + 8) + Array(stride(from: end + 8, to: store.length(of: file), by: 701))
            let refused = try bytes.count { try store.check(.bit(8 * $0 + $0 * 5 % 8), of: file) }
            #expect(refused > 64, "\(file)")
        }
    }

    @Test func `a file that was cut is detected, or nothing is missing`() throws {
        let store = try Self.store.get()
        for file in store.files {
            let lengths = Set(stride(from: 0, to: store.length(of: file), by: 61))
                .union(store.boundaries(of: file)).union([0, 1, 63, 64, 65, 4_096, store.length(of: file) - 1])
            for length in lengths where length < store.length(of: file) {
                try store.check(.truncation(length), of: file)
            }
        }
    }

    @Test func `a file that was cut within a frame for which it had grown is detected`() throws {
        let store = try DamagedStore.straddling()
        let file = try #require(store.files.first)
        for length in stride(from: 4_096, through: store.length(of: file), by: 512) {
            for length in [length - 1, length] { try store.check(.truncation(length), of: file) }
        }
    }

    /// What happens to whole files.
    @Test func `a file that is not its own is detected, or takes nothing`() throws {
        let (store, other) = (try Self.store.get(), try DamagedStore.several(variant: 2))
        #expect(other.files == store.files)
        for file in store.files {
            let (bytes, foreign) = (store.disk.contents(of: file) ?? [], other.disk.contents(of: file) ?? [])
            #expect(bytes != foreign && bytes.count == foreign.count)
            let (isSnapshot, isLast) = (file.contains("snapshot"), file == store.lastJournal)
            for (what, content, isFatal) in [
                ("empty", [], true), ("foreign", foreign, true),
                ("zeros for", [UInt8](repeating: 0, count: bytes.count), true),
                ("twice", bytes + bytes, isSnapshot), ("with a tail", bytes + Array(0...255), isSnapshot),
                ("as the other kind", Array((isSnapshot ? "RELJOURN" : "RELSNAPS").utf8) + bytes.dropFirst(8), true),
            ] {
                let disk = store.disk.killed()
                try disk.setContents(content, of: file)
                let refusal = try store.refusal(of: disk, "\(what) \(file)")
                #expect((refusal != nil) == isFatal, "\(what) \(file): \(String(describing: refusal))")
                #expect(refusal?.file.map { store.files.contains($0) } ?? true, "\(String(describing: refusal))")
            }
            let disk = store.disk.killed()
            try disk.remove(file)
            // Nothing in a store tells that there was another journal behind the one that is now the last.
            guard !isLast else { continue }
            let first = isSnapshot ? DamagedStore.path + "/journal-000000000001.log" : file
            #expect(try store.refusal(of: disk, "no \(file)") == .missing(file: first))
        }
    }

    @Test func `a copy of a file under another number is detected, or takes nothing`() throws {
        let store = try Self.store.get()
        for file in store.files {
            for kind in ["journal", "snapshot"] {
                for number in 1...8 {
                    let copy = "\(DamagedStore.path)/\(kind)-00000000000\(number).log"
                    guard !store.files.contains(copy) else { continue }
                    let disk = store.disk.killed()
                    try disk.setContents(try #require(store.disk.contents(of: file)), of: copy)
                    // What is older than the snapshot does not count any more.
                    let isOld = number < store.firstNumber
                    let refusal = try store.refusal(of: disk, "\(file) as \(copy)")
                    #expect((refusal == nil) == isOld, "\(file) as \(copy): \(String(describing: refusal))")
                }
            }
        }
    }
}

extension DamagedStore {
    fileprivate var lastJournal: String? { files.last { $0.contains("journal") } }

    /// The number of the snapshot.
    fileprivate var firstNumber: Int {
        let snapshot = files.first { $0.contains("snapshot") } ?? ""
        return Int(snapshot.dropLast(4).suffix(12)) ?? 0
    }
}
