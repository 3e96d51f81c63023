// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting

/// Ends and beginnings of processes and of the store.
extension IdempotencyStory {
    mutating func startProcess() {
        processCount += 1
        processes.append(SimulatedProcess(processCount, world))
    }

    mutating func crash() {
        switch draw(4) {
        case 0 where has(.processCrashes): crashProcess(draw(processes.count))
        case 1 where has(.storeCrashes): crashStore(takingProcesses: true, losingPower: draw(3) != 0)
        case 2 where has(.storeCrashes): crashStore(takingProcesses: false, losingPower: draw(3) != 0)
        case 3 where has(.storeCrashes): restartStore()
        default: break
        }
    }

    /// Ends a process that shares the store with others: nothing tells the store.
    private mutating func crashProcess(_ index: Int) {
        let process = processes.remove(at: index)
        summary.processCrashes += 1
        process.life.end()
        judge.died(process: process.life.number)
        judge.disturb()
        for each in open where each.process == process.life.number { each.pending.cancel() }
        world.gates.openAll(of: process.life.number)
        stopped.remove(process.life.number)
        ghosts.append(process)
        startProcess()
    }

    // MARK: The store

    /// Something that ends the store, or fills its disk, in some operations of the disk from now.
    mutating func armDisk() {
        guard settings.hasFiles else { return }
        switch draw(5) {
        case 0, 1:
            guard has(.storeCrashes) else { return }
            judge.note("power will go")
            disk.stop(after: draw(25), writing: draw(600))
        case 2:
            guard has(.storeCrashes) else { return }
            judge.note("the disk will fail")
            disk.inject(.error(DiskFault.inputOutput, at: 1 + draw(20)))
        case 3:
            guard has(.fullDisks) else { return }
            judge.note("the disk fills up")
            disk.capacity = disk.usedBytes + draw(3_000)
        default: disk.capacity = nil
        }
        judge.disturb()
    }

    /// Ends the store in the midst of whatever it does, and opens it again.
    ///
    /// - Parameters:
    ///   - takesProcesses: Whether the machine goes with it, so that new processes open it; else the ones there are go
    ///     on, as with a server that is started anew.
    ///   - losesPower: Whether what was not synced is lost.
    mutating func crashStore(takingProcesses takesProcesses: Bool, losingPower losesPower: Bool) {
        guard settings.hasFiles, file != nil else { return }
        judge.disturb()
        judge.note(
            "the store crashes\(losesPower ? " with its power" : "")\(takesProcesses ? ", and all processes" : "")")
        summary.crashes += 1
        if takesProcesses {
            while !processes.isEmpty { crashProcess(0, isReplaced: false) }
        }
        disk.stop()
        disk.capacity = nil
        closeStore()
        disk = losesPower ? disk.powerCut(disk.randomCut(random)) : disk.killed()
        if takesProcesses {
            let old = world.link.process
            world.link.process = ProcessIdentity(host: "simulated", pid: 1, instance: old.instance + 1)
            judge.endLeases()
            wallSkew += pick([.zero, .seconds(2), .seconds(-2), .seconds(100), .seconds(-3_600)])
        }
        openStore()
        if takesProcesses {
            if let bug = world.bug {
                let records = RecordIdempotencyStore(LinkedRecords(link: world.link, process: Liveness(0)))
                _ = keep { try await bug.atStart(records) }
            }
            for _ in 0..<settings.processes { startProcess() }
        }
    }

    private mutating func crashProcess(_ index: Int, isReplaced: Bool) {
        crashProcess(index)
        if !isReplaced { processes.removeLast() }
    }

    /// Closes the store as a service does, and opens it again; calls that come meanwhile fail.
    private mutating func restartStore() {
        guard settings.hasFiles, file != nil else { return }
        judge.disturb()
        judge.note("the store is closed and opened again")
        closeStore()
        openStore()
    }

    private mutating func closeStore() {
        world.link.base = nil
        guard let file else { return }
        _ = keep { try await file.close() }
        self.file = nil
    }

    /// Opens the store, at times with a crash in the midst of it.
    mutating func openStore() {
        guard settings.hasFiles else {
            if world.link.base == nil { world.link.base = InMemoryRecordStore(clock: clock) }
            return
        }
        while file == nil {
            if has(.storeCrashes), draw(6) == 0 { disk.stop(after: draw(12), writing: draw(600)) }
            storeFailure.set(false)
            let signal = storeFailure
            do {
                file = try FileRecordStore(
                    directory: "/store", durability: settings.durability, clock: clock, fileSystem: disk,
                    layout: .small, process: world.link.process,
                    wallTime: Self.start.advanced(by: clock.now.offset + wallSkew), random: .seeded(random.next()),
                    startsThread: false,
                    onEvent: { event in if case .failed = event { signal.set(true) } })
            } catch {
                guard case .failed = error, disk.failureCount > 0 else {
                    return judge.accuse("the store does not open: \(error)")
                }
                disk.stop()
                disk = disk.powerCut(disk.randomCut(random))
            }
        }
        world.link.base = file
    }

    /// Runs something to its end that no process does; `nil` if it failed.
    ///
    /// - Parameter isQuiet: Whether everything else has come to rest, so that every gate may be opened.
    func keep<Value: Sendable>(isQuiet: Bool = false, _ body: @escaping @Sendable () async throws -> Value) -> Value? {
        let pending = keeper.start(body)
        for _ in 0..<20_000 {
            keeper.runUntilIdle()
            if let value = pending.value { return try? value.get() }
            world.gates.openAll(of: isQuiet ? nil : 0)
            _ = file?.step()
        }
        judge.accuse("something that needs the store alone never ends")
        return nil
    }
}
