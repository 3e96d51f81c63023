// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityCore
import ReliabilityTesting
import Testing

/// A file as plain arrays of bytes: slow, and simple enough to be believed.
private struct FileModel {
    /// What readers see.
    var cached: [UInt8]
    /// What is on the medium.
    var durable: [UInt8]
    /// What a sync that succeeds would leave on the medium.
    var synced: [UInt8]
    /// The sectors that were written since the last sync, each with all that they were.
    var versions: [Int: Set<[UInt8]>] = [:]
    /// The shortest that the file was since the last sync that succeeded.
    var shortest: Int
    var hasShrunk = false

    init(_ content: [UInt8]) {
        cached = content
        durable = content
        synced = content
        shortest = content.count
    }

    static func sector(_ number: Int, of bytes: [UInt8]) -> [UInt8] {
        let bytes = bytes.dropFirst(number * 512).prefix(512)
        return bytes + [UInt8](repeating: 0, count: 512 - bytes.count)
    }

    mutating func write(_ bytes: [UInt8], at offset: Int) {
        let end = offset + bytes.count
        for content in [\FileModel.cached, \FileModel.synced] where self[keyPath: content].count < end {
            self[keyPath: content] += [UInt8](repeating: 0, count: end - self[keyPath: content].count)
        }
        cached.replaceSubrange(offset..<end, with: bytes)
        for number in offset / 512...(end - 1) / 512 {
            let range = number * 512..<min(number * 512 + 512, cached.count)
            synced.replaceSubrange(range, with: cached[range])
            versions[number, default: []].insert(Self.sector(number, of: cached))
        }
    }

    mutating func empty() {
        cached = []
        synced = []
        shortest = 0
        hasShrunk = true
    }

    mutating func sync() {
        durable = synced
        versions = [:]
        shortest = durable.count
        hasShrunk = false
    }

    mutating func failSync() {
        for number in versions.keys {
            guard number * 512 < synced.count else { continue }
            let range = number * 512..<min(number * 512 + 512, synced.count)
            let medium = Self.sector(number, of: Array(durable.prefix(shortest)))
            synced.replaceSubrange(range, with: medium.prefix(range.count))
        }
        versions = [:]
    }
}

@Suite struct SimulatedFileModelTests {
    @Test(arguments: 0..<25 as Range<UInt64>)
    func `whatever is done to files, they are what plain arrays are`(seed: UInt64) throws {
        let random = RandomSource.seeded(seed)
        func draw(_ upTo: Int) -> Int { Int(random.draw(upTo: Int64(upTo))) }
        var disk = SimulatedDisk()
        let paths = ["/a", "/b"]
        for path in paths { try disk.setContents([], of: path) }
        var models = [FileModel([]), FileModel([])]
        for step in 0..<60 {
            let which = draw(1)
            let file = try disk.open(paths[which], isNew: false)
            switch draw(9) {
            case 0:
                _ = try disk.open(paths[which], isNew: true)
                models[which].empty()
            case 1...2:
                try file.sync()
                models[which].sync()
            case 3:
                disk.inject(.failedSync())
                #expect(throws: StoreFailure.self) { try file.sync() }
                models[which].failSync()
            default:
                let offset = draw(1) == 0 ? models[which].cached.count : draw(10_000)
                let value = UInt8(draw(2) * 77)
                let bytes = [UInt8](repeating: value, count: 1 + draw([10, 700, 5_000][draw(2)]))
                try file.write(bytes, at: offset)
                models[which].write(bytes, at: offset)
            }
            let nothing = disk.powerCut(.nothing)
            let everything = disk.powerCut(.everything)
            let cut = disk.randomCut(random)
            let some = disk.powerCut(cut)
            for (path, model) in zip(paths, models) {
                #expect(disk.contents(of: path) == model.cached, "seed \(seed), step \(step)")
                #expect(nothing.contents(of: path) == model.durable, "seed \(seed), step \(step)")
                #expect(everything.contents(of: path) == model.synced, "seed \(seed), step \(step)")
                let content = try #require(some.contents(of: path))
                #expect(isPossible(content, model), "seed \(seed), step \(step), \(cut)")
            }
            // From time to time the power is really lost.
            guard draw(19) == 0 else { continue }
            disk = some
            models = try paths.map { FileModel(try #require(some.contents(of: $0))) }
        }
    }

    /// Whether each sector is what it was on the medium or what a write left, as far as the file reaches.
    private func isPossible(_ content: [UInt8], _ model: FileModel) -> Bool {
        guard !model.hasShrunk else { return true }
        guard content.count >= model.durable.count, content.count <= max(model.durable.count, model.cached.count) else {
            return false
        }
        return (0..<(content.count + 511) / 512).allSatisfy { number in
            let sector = Array(content.dropFirst(number * 512).prefix(512))
            let possible = [FileModel.sector(number, of: model.durable)] + (model.versions[number] ?? [])
            return possible.contains { $0.count == sector.count ? $0 == sector : $0.starts(with: sector) }
        }
    }
}
