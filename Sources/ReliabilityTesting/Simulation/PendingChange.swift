// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Something that was done to a simulated disk and that a loss of power may undo.
struct PendingChange: Sendable {
    enum What: Sendable {
        /// A file has another length.
        case length(Int)
        /// Sectors of a page of a file are as in the image, which is the page as it was at the time.
        case sectors(page: Int, mask: UInt8, image: PageBytes)
        /// A directory has other names.
        case entry(EntryChange)
    }

    /// The file or directory.
    let inode: Int
    let what: What

    init(inode: Int, _ what: What) {
        self.inode = inode
        self.what = what
    }

    /// The file or directory that gets a name by it.
    var named: Int? {
        switch what {
        case .entry(.link(_, let inode)), .entry(.rename(_, to: _, let inode)): inode
        case .entry(.unlink), .length, .sectors: nil
        }
    }

    /// How many things it consists of that are kept or lost each by itself: sectors, or one.
    var unitCount: Int {
        switch what {
        case .length, .entry: 1
        case .sectors(_, let mask, _): mask.nonzeroBitCount
        }
    }

    /// The bits of a mask whose numbers, counted from its lowest, a power cut keeps; the first is unit `first`.
    static func sectors(of mask: UInt8, from first: Int, where keeps: (Int) -> Bool) -> UInt8 {
        var kept: UInt8 = 0
        var unit = first
        for bit in 0..<8 as Range<UInt8> where mask & (1 << bit) != 0 {
            if keeps(unit) { kept |= 1 << bit }
            unit += 1
        }
        return kept
    }
}

/// A change of the names in a directory.
enum EntryChange: Sendable {
    case link(String, Int)
    case unlink(String)
    /// Takes a name away and gives another one, in one step.
    case rename(String, to: String, Int)

    /// The names concerned.
    var names: [String] {
        switch self {
        case .link(let name, _), .unlink(let name): [name]
        case .rename(let name, let newName, _): [name, newName]
        }
    }

    func apply(to entries: inout [String: Int]) {
        switch self {
        case .link(let name, let inode):
            entries[name] = inode
        case .unlink(let name):
            entries[name] = nil
        case .rename(let name, let newName, let inode):
            entries[name] = nil
            entries[newName] = inode
        }
    }
}

/// One directory of a simulated disk: what its readers see, and what is on the medium.
struct SimulatedDirectory: Sendable {
    /// The files and directories by name, as readers see them.
    var entries: [String: Int] = [:]
    /// The files and directories by name on the medium.
    var durableEntries: [String: Int] = [:]
}
