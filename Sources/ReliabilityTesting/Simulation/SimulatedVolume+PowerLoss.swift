// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What gets to the medium, and what a loss of power leaves.
extension SimulatedVolume {
    /// Puts everything that is pending of a file on the medium.
    mutating func sync(_ inode: Int) {
        for change in pending where change.inode == inode {
            switch change.what {
            case .length(let length): files[inode]?.land(length: length)
            case .sectors(let page, let mask, let image): files[inode]?.sync(image, page: page, sectors: mask)
            case .entry: break
            }
        }
        files[inode]?.endSync()
        pending.removeAll { $0.inode == inode }
    }

    /// A sync of a file that fails: of its sectors those that `cut` keeps are on the medium, and none is pending.
    ///
    /// Its lengths stay pending: the system forgets what it could not write of the content, not what it knows of the
    /// file.
    mutating func failSync(_ inode: Int, keeping cut: PowerCut) {
        var unit = 0
        for change in pending where change.inode == inode {
            guard case .sectors(let page, let mask, let image) = change.what else { continue }
            let landing = PendingChange.sectors(of: mask, from: unit) { cut.keeps($0) }
            files[inode]?.land(image, page: page, sectors: landing)
            files[inode]?.abandon(page: page, sectors: mask & ~landing)
            unit += change.unitCount
        }
        pending.removeAll { change in
            guard case .sectors = change.what else { return false }
            return change.inode == inode
        }
    }

    /// Puts the names in a directory on the medium.
    mutating func syncDirectory(_ inode: Int) {
        let entries = directories[inode]?.entries ?? [:]
        directories[inode]?.durableEntries = entries
        pending.removeAll { $0.inode == inode }
        dropUnreachable()
    }

    /// Puts everything on the medium.
    mutating func syncAll() {
        for inode in files.keys.sorted() { sync(inode) }
        for inode in directories.keys.sorted() { syncDirectory(inode) }
    }

    /// What is left when the power is lost and has come back.
    mutating func losePower(_ cut: PowerCut) {
        if cut != .nothing {
            var unit = 0
            for change in pending {
                land(change, firstUnit: unit, cut)
                unit += change.unitCount
            }
        }
        pending.removeAll()
        for index in directories.indices {
            let entries = directories.values[index].durableEntries
            directories.values[index].entries = entries
        }
        for index in files.indices { files.values[index].losePower() }
        dropUnreachable()
        for inode in directories.values.flatMap(\.entries.values) { files[inode]?.links += 1 }
    }

    private mutating func land(_ change: PendingChange, firstUnit unit: Int, _ cut: PowerCut) {
        switch change.what {
        case .length(let length):
            if cut.keeps(unit) { files[change.inode]?.land(length: length) }
        case .sectors(let page, let mask, let image):
            let landing = PendingChange.sectors(of: mask, from: unit) { cut.keeps($0) }
            files[change.inode]?.land(image, page: page, sectors: landing)
        case .entry(let entry):
            if cut.keeps(unit), directories[change.inode] != nil {
                entry.apply(to: &directories[change.inode, default: SimulatedDirectory()].durableEntries)
            }
        }
    }

    /// What the processes of a machine leave that die while the machine goes on.
    mutating func endProcesses(evicting: Bool) {
        for index in files.indices {
            files.values[index].openings = 0
            if evicting { files.values[index].evict() }
        }
        dropUnreachable()
    }

    /// What a change consists of, one line for each unit.
    func lines(for change: PendingChange) -> [String] {
        let path = path(of: change.inode)
        switch change.what {
        case .length(let length):
            return ["\(path): length \(length)"]
        case .sectors(let page, let mask, _):
            return (0..<8).filter { mask & (1 << UInt8($0)) != 0 }.map { "\(path): sector \(page * 8 + $0)" }
        case .entry(.link(let name, let inode)):
            return ["\(path): \(name) is file \(inode)"]
        case .entry(.unlink(let name)):
            return ["\(path): no \(name)"]
        case .entry(.rename(let name, let newName, _)):
            return ["\(path): \(name) becomes \(newName)"]
        }
    }

    /// The paths of all files, sorted.
    var paths: [String] {
        func paths(in inode: Int, _ prefix: String) -> [String] {
            (directories[inode]?.entries ?? [:]).flatMap { name, inode in
                files[inode] != nil ? [prefix + name] : paths(in: inode, prefix + name + "/")
            }
        }
        return paths(in: Self.root, "/").sorted()
    }

    /// The path of a file or directory; its number if it has none.
    private func path(of inode: Int) -> String {
        guard inode != Self.root else { return "/" }
        for (directory, content) in directories {
            guard let name = content.entries.first(where: { $0.value == inode })?.key else { continue }
            return (directory == Self.root ? "" : path(of: directory)) + "/" + name
        }
        return "file \(inode)"
    }
}
