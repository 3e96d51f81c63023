// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a loss of power leaves of what was pending: changes that were made and are not known to be on the medium.
///
/// It is counted in units, in the order in which they were made over the whole disk: a sector of 512 bytes as one write
/// left it, a file's length, or a change of the names in a directory (a rename is one). Units are kept or lost each by
/// itself, but of a sector, a length or a name the last that is kept is what shows.
package enum PowerCut: Hashable, Sendable, CustomStringConvertible {
    /// All that was not synced is lost.
    case nothing
    /// All that was done is on the medium.
    case everything
    /// Things got to the medium in the order in which they were done, up to some unit.
    case first(Int)
    /// These got to the medium.
    case units(UnitSet)

    /// Which changes of the names in one directory can be on the medium without others.
    package enum NameOrder: Sendable {
        /// Those before it are too, as with a file system that has a journal.
        case kept
        /// Only those that concern the same name, which is all that POSIX promises.
        case free
    }

    func keeps(_ unit: Int) -> Bool {
        switch self {
        case .nothing: false
        case .everything: true
        case .first(let count): unit < count
        case .units(let units): units.contains(unit)
        }
    }

    package var description: String {
        switch self {
        case .nothing: "nothing is kept"
        case .everything: "everything is kept"
        case .first(let count): "the first \(count) units are kept"
        case .units(let units): "these units are kept: \(units.map(String.init).joined(separator: " "))"
        }
    }
}

/// A set of small numbers.
package struct UnitSet: Hashable, Sendable, Sequence {
    private var words: [UInt64]

    /// No number yet; numbers up to `count`, exclusively, fit.
    init(count: Int) { words = [UInt64](repeating: 0, count: (count + 63) / 64) }

    /// Those of the numbers below `count` that are set in `bits`.
    init(count: Int, bits: UInt64) {
        self.init(count: count)
        if !words.isEmpty { words[0] = bits }
    }

    /// These numbers.
    package init(_ numbers: some Collection<Int>) {
        self.init(count: (numbers.max() ?? -1) + 1)
        for number in numbers { insert(number) }
    }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    package func contains(_ number: Int) -> Bool {
        number / 64 < words.count && words[number / 64] & (1 << UInt64(number % 64)) != 0
    }

    mutating func insert(_ number: Int) { words[number / 64] |= 1 << UInt64(number % 64) }

    mutating func remove(_ number: Int) { words[number / 64] &= ~(1 << UInt64(number % 64)) }

    package func makeIterator() -> some IteratorProtocol<Int> {
        (0..<words.count * 64).lazy.filter(contains).makeIterator()
    }
}
