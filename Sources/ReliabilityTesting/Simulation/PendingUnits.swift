// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// What is pending on a disk, as the units that a loss of power keeps or loses.
struct PendingUnits {
    private struct Entry {
        let unit: Int
        let directory: Int
        let names: [String]
    }

    /// With so many units or fewer, every outcome that is legal is given.
    static let mostForAll = 8

    private(set) var count = 0
    private var entries: [Entry] = []
    private var lengths: [Int] = []
    private let order: PowerCut.NameOrder

    init(_ pending: [PendingChange], order: PowerCut.NameOrder) {
        self.order = order
        for change in pending {
            switch change.what {
            case .entry(let entry):
                entries.append(Entry(unit: count, directory: change.inode, names: entry.names))
            case .length:
                lengths.append(count)
            case .sectors:
                break
            }
            count += change.unitCount
        }
    }

    /// Whether one change of names cannot be on the medium without another that was made before it.
    private func needs(_ later: Entry, _ earlier: Entry) -> Bool {
        guard later.directory == earlier.directory else { return false }
        switch order {
        case .kept: return true
        case .free: return later.names.contains { earlier.names.contains($0) }
        }
    }

    /// Loses what cannot be kept without something that is lost.
    private func restrict(_ kept: inout UnitSet) {
        for (index, entry) in entries.enumerated() where kept.contains(entry.unit) {
            if entries[..<index].contains(where: { needs(entry, $0) && !kept.contains($0.unit) }) {
                kept.remove(entry.unit)
            }
        }
    }

    /// Keeps what something that is kept cannot do without.
    private func complete(_ kept: inout UnitSet) {
        for (index, entry) in entries.enumerated().reversed() where kept.contains(entry.unit) {
            for earlier in entries[..<index] where needs(entry, earlier) { kept.insert(earlier.unit) }
        }
    }

    private var all: UnitSet { UnitSet(0..<count) }

    /// One outcome, drawn so that rare kinds come up too: each with the same chance.
    func draw(_ random: RandomSource) -> PowerCut {
        switch random.draw(upTo: 7) {
        case 0: return .nothing
        case 1: return .everything
        case 2, 3: return .first(Int(random.draw(upTo: Int64(count))))
        default: break
        }
        // Of eight units one, four or seven are kept, of the content, the lengths and the names each.
        let chances = (0..<3).map { _ in [1, 4, 7][Int(random.draw(upTo: 2))] }
        var kinds = [Int](repeating: 0, count: count)
        for unit in lengths { kinds[unit] = 1 }
        for entry in entries { kinds[entry.unit] = 2 }
        var kept = UnitSet(count: count)
        for unit in 0..<count where random.draw(upTo: 7) < chances[kinds[unit]] { kept.insert(unit) }
        restrict(&kept)
        return .units(kept)
    }

    /// Outcomes without repetition, as ``SimulatedDisk/outcomes(names:limit:)`` says.
    func outcomes(limit: Int) -> [PowerCut] {
        var sets: [UnitSet] = []
        if count <= Self.mostForAll {
            sets = (0..<UInt64(1) << UInt64(count)).map { UnitSet(count: count, bits: $0) }
        } else {
            let content = all.subtracting(lengths).subtracting(entries.map(\.unit))
            let names = UnitSet(count: count).union(entries.map(\.unit))
            let shape = names.union(lengths)
            sets = [
                UnitSet(count: count), all, shape, all.subtracting(lengths), all.subtracting(entries.map(\.unit)),
                names,
                content,
            ]
            for unit in thinned(to: (limit - sets.count) / 4) {
                var alone = UnitSet(count: count).union([unit])
                complete(&alone)
                sets += [UnitSet(count: count).union(0...unit), alone, shape.union([unit]), all.subtracting([unit])]
            }
        }
        var seen: Set<UnitSet> = []
        return sets.compactMap { set in
            var set = set
            restrict(&set)
            guard seen.insert(set).inserted else { return nil }
            if set.isEmpty { return .nothing }
            return set == all ? .everything : .units(set)
        }
    }

    private func thinned(to number: Int) -> [Int] {
        let number = max(number, 2)
        guard count > number else { return Array(0..<count) }
        return (0..<number).map { $0 * (count - 1) / (number - 1) }
    }
}

extension UnitSet {
    fileprivate func union(_ numbers: some Sequence<Int>) -> UnitSet {
        var result = self
        for number in numbers { result.insert(number) }
        return result
    }

    fileprivate func subtracting(_ numbers: some Sequence<Int>) -> UnitSet {
        var result = self
        for number in numbers { result.remove(number) }
        return result
    }
}
