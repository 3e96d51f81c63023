// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore

/// How a life of the store ends.
extension StoreSimulation {
    /// Closes the store as a service does that ends.
    ///
    /// - Returns: Whether it was closed without a failure.
    @discardableResult
    package mutating func close() throws(Violation) -> Bool {
        guard store != nil else { return false }
        note("close")
        guard case .success = try end() else { return false }
        // What was closed without a failure is safe in every mode.
        shownThrough = moments.last?.sequence ?? 0
        safeThrough = shownThrough
        forgetIfRemoved()
        return true
    }

    /// Closes the store while a call, or the store's thread for it, is at work on the disk.
    @discardableResult
    mutating func close(before kind: DiskOperation.Kind) throws(Violation) -> Bool {
        guard store != nil, meanwhile == nil else { return try close() }
        isClosing = true
        comesMeanwhile = kind
        try start("close") { store in
            try await store.close()
            return Shown()
        }
        try change()
        return try close()
    }

    /// Ends power, or the process, before any further operation of the disk. Whoever still waits is told of a failure.
    package mutating func stop() throws(Violation) {
        disk.stop()
        disk.capacity = nil
        guard store != nil else { return }
        note("stop")
        _ = try end()
    }

    /// Lets the store come to its end, which nobody may wait for in vain.
    private mutating func end() throws(Violation) -> Result<Shown, any Error> {
        isClosing = true
        defer { isClosing = false }
        try endMeanwhile()
        let closing = executor.start { [store] () -> Shown in
            try await store?.close()
            return Shown()
        }
        run()
        try stepUntilIdle()
        guard let result = closing.value else { throw violation("the store has no end") }
        if let call = calls.first { throw violation("\(call.name) never ends") }
        store = nil
        return result
    }

    /// Ends the process; what it had written stays.
    package mutating func kill(evicting: Bool = false) throws(Violation) {
        try stop()
        leave(
            evicting ? "the process ends, and the cache is emptied" : "the process ends",
            disk.killed(evicting: evicting))
        // What a failed sync has left in the cache goes with it; where no answer waited for the sync, answers go too.
        if evicting, durability.mayLose { shownThrough = safeThrough }
    }

    /// Ends power, which takes what was not synced but for `cut`.
    package mutating func cutPower(_ cut: PowerCut) throws(Violation) {
        try stop()
        leave("power is lost, \(cut)", disk.powerCut(cut))
        if durability.mayLose { shownThrough = safeThrough }
    }

    /// Removes the directory under the store, for good.
    package mutating func removeDirectory() throws(Violation) {
        guard let store, removedThrough == nil else { return }
        note("the directory is removed")
        removedThrough = store.journalInMemory.answered
        do {
            try disk.removeTree(Self.path, durably: true)
        } catch {
            throw violation("\(error)")
        }
    }

    private mutating func leave(_ how: String, _ newDisk: SimulatedDisk) {
        note(how)
        disk = newDisk
        process = ProcessIdentity(host: "simulated", pid: 1, instance: process.instance + 1)
        forgetIfRemoved()
    }

    /// Once the directory is gone, another store begins under its name.
    private mutating func forgetIfRemoved() {
        guard removedThrough != nil else { return }
        removedThrough = nil
        moments = [Moment(sequence: 0, records: [:])]
        (shownThrough, safeThrough, lastPosition) = (0, 0, 0)
        fences = []
        lastFences = [:]
    }
}
