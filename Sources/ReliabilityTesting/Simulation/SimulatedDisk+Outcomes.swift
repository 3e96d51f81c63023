// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores
package import ReliabilityCore
internal import Synchronization

/// What the next process finds.
extension SimulatedDisk {
    /// The disk after its processes have died: all that was written shows, and nothing of it is safer than before.
    ///
    /// - Parameter evicting: whether the system has also needed the memory of its cache meanwhile: what a failed sync
    ///   has left is then read from the medium again, as it was before.
    package func killed(evicting: Bool = false) -> SimulatedDisk { copy { $0.endProcesses(evicting: evicting) } }

    /// The disk after the power was lost.
    package func powerCut(_ cut: PowerCut) -> SimulatedDisk { copy { $0.losePower(cut) } }

    /// What a loss of power could leave now, drawn at random; the same draws give the same.
    ///
    /// Nothing and everything come up once in eight each, some first part twice in eight, and else each unit is drawn
    /// with a chance of 1, 4 or 7 in 8, which is drawn before for content, lengths and names each.
    package func randomCut(_ random: RandomSource, names order: PowerCut.NameOrder = .free) -> PowerCut {
        units(order).draw(random)
    }

    /// What losses of power could leave now: every outcome if at most eight units are pending, else those that tell
    /// most.
    ///
    /// With more units they are: nothing, everything, all but the content, all but the lengths, all but the names, the
    /// names alone, the content alone; and for each unit everything up to it, it alone with what it needs, it with all
    /// names and lengths, and everything but it and what needs it. If that makes more than `limit`, 15 or more, units are
    /// left out evenly, and the first and the last never.
    package func outcomes(names order: PowerCut.NameOrder = .free, limit: Int = 1_000) -> [PowerCut] {
        units(order).outcomes(limit: limit)
    }

    /// What is pending, one line for each unit in the order in which they are counted.
    package var pendingUnits: [String] {
        state.withLock { state in state.volume.pending.flatMap { state.volume.lines(for: $0) } }
    }

    private func units(_ order: PowerCut.NameOrder) -> PendingUnits {
        PendingUnits(state.withLock { $0.volume.pending }, order: order)
    }

    private func copy(_ change: (inout SimulatedVolume) -> Void) -> SimulatedDisk {
        var volume = state.withLock { $0.volume }
        change(&volume)
        return SimulatedDisk(volume, pid: pid)
    }
}

/// What neither processes nor power cuts do.
extension SimulatedDisk {
    /// The paths of all files, sorted.
    package var files: [String] { state.withLock { $0.volume.paths } }

    /// Feeds the names and contents of all files into a hasher.
    package func hash(into hasher: inout Hasher) {
        state.withLock { state in
            for path in state.volume.paths {
                hasher.combine(path)
                (try? state.volume.file(at: path)).flatMap { state.volume.files[$0] }?.hash(into: &hasher)
            }
        }
    }

    /// What a file contains, for its readers; `nil` if there is none of that name.
    package func contents(of path: String) -> [UInt8]? {
        state.withLock { state in
            (try? state.volume.file(at: path)).flatMap { state.volume.files[$0]?.contents }
        }
    }

    /// Puts a file on the medium, and the directories on the way to it; what else is pending is then there, too.
    package func setContents(_ bytes: [UInt8], of path: String) throws(StoreFailure) {
        try change("setting", path) { volume throws(SimulatedVolume.Failure) in
            var directory = ""
            for component in path.split(separator: "/").dropLast() {
                directory += "/\(component)"
                try volume.createDirectory(directory)
            }
            let inode = try volume.createFile(path)
            volume.resize(inode, to: 0)
            try volume.write(bytes, at: 0, to: inode, limit: bytes.count)
            volume.syncAll()
        }
    }

    /// A copy in which one bit of a file is another, counted from the lowest of its first byte; nothing is pending there.
    package func corrupted(_ path: String, bit: Int) throws(StoreFailure) -> SimulatedDisk {
        let copy = killed()
        try copy.change("corrupting", path) { volume throws(SimulatedVolume.Failure) in
            volume.syncAll()
            volume.files[try volume.file(at: path)]?.flip(bit: bit)
        }
        return copy
    }

    /// A copy in which a file has another length; nothing is pending there.
    package func truncated(_ path: String, to length: Int) throws(StoreFailure) -> SimulatedDisk {
        let copy = killed()
        try copy.change("truncating", path) { volume throws(SimulatedVolume.Failure) in
            volume.resize(try volume.file(at: path), to: length)
            volume.syncAll()
        }
        return copy
    }

    /// Removes a directory and all that is in it, as another process may.
    ///
    /// - Parameter durably: whether its name is gone from the medium, too.
    package func removeTree(_ path: String, durably: Bool = false) throws(StoreFailure) {
        try change("removing", path) { volume throws(SimulatedVolume.Failure) in
            try volume.removeTree(path)
            guard durably else { return }
            let parent = path.split(separator: "/").dropLast().joined(separator: "/")
            volume.syncDirectory(try volume.directory(at: parent))
        }
    }

    private func change(
        _ operation: String, _ path: String,
        _ body: (inout SimulatedVolume) throws(SimulatedVolume.Failure) -> Void
    ) throws(StoreFailure) {
        try state.withLock { state throws(StoreFailure) in
            do throws(SimulatedVolume.Failure) {
                try body(&state.volume)
            } catch {
                throw StoreFailure(operation: operation, subject: path, code: error.code)
            }
        }
    }
}
