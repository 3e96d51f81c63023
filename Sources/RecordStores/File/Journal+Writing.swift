// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The journal's thread.
extension Journal {
    /// For how many nanoseconds the thread looks for new work before it sleeps: about as long as it takes a caller to be
    /// woken by its answer and to come back, after which the thread would have to be woken as well.
    private static let patience: Int64 = 5_000

    /// What is to be done next, the most urgent first.
    private enum Work {
        case write
        case makeRoom(Int)
        case abandonSnapshot
        case sync
        case maintain
        case beginSnapshot
        case continueSnapshot
        case fail(StoreFailure)
        case end
        case sleep(until: Int64?)
    }

    func run() {
        let stopwatch = TimeSource(ContinuousClock())
        var frames = PendingFrames()
        while true {
            // Callers that lead come back for nobody but themselves.
            if committer == .ownThread { waitForWork(stopwatch) }
            hasWork.store(false, ordering: .relaxed)
            switch next(&frames) {
            case .end:
                return end()
            case .sleep(let deadline):
                parker.park(atMost: deadline.map { $0.subtractingSaturating(time.now()) })
            case let work:
                carryOut(work, &frames)
            }
        }
    }

    private func waitForWork(_ stopwatch: TimeSource) {
        let start = stopwatch.now()
        while !hasWork.load(ordering: .acquiring), stopwatch.now() - start < Self.patience {}
    }

    /// Does one thing in the place of the thread, if the journal was not started: a test decides what comes when.
    ///
    /// - Returns: Whether there was something to do.
    package func step() -> Bool {
        guard !state.withLock({ $0.isEnded }) else { return false }
        var frames = PendingFrames()
        switch next(&frames) {
        case .end:
            end()
            return true
        case .sleep:
            return false
        case let work:
            carryOut(work, &frames)
            return true
        }
    }

    /// What comes next; `frames` is empty, and has what is to be written if it is that.
    private func next(_ frames: inout PendingFrames) -> Work { state.withLock { next(&$0, &frames) } }

    /// Requires the lock.
    private func next(_ state: inout State, _ frames: inout PendingFrames) -> Work {
        state.isParked = false
        // Who leads wakes the thread in the end.
        if state.isLed { return .sleep(until: nil) }
        if state.failure != nil { return .end }
        if let failure = state.leadFailure { return .fail(failure) }
        if let time = state.sealTime, state.pending.isEmpty, !state.isSealed {
            if state.isCompacting { return .abandonSnapshot }
            if let opening = state.opening {
                // By itself, as the seal is: whoever reads a seal relies on what it closes.
                state.opening = nil
                _ = Self.append(opening, 1, to: &state)
            } else {
                _ = Self.append(.seal(at: time), 1, to: &state)
                state.isSealed = true
            }
            state.pending.mustSync = true
        }
        if !state.pending.isEmpty {
            swap(&state.pending, &frames)
            return .write
        }
        if state.wantedRoom > 0 { return .makeRoom(state.wantedRoom) }
        if state.sealTime != nil {
            return state.isCompacting || !state.compactionWaiters.isEmpty ? .abandonSnapshot : .end
        }
        if let due = state.syncDue, due <= time.now() { return .sync }
        if state.isMaintenanceDue { return .maintain }
        if state.isCompacting { return .continueSnapshot }
        if !state.compactionWaiters.isEmpty { return .beginSnapshot }
        state.isParked = true
        state.alarm = state.syncDue
        return .sleep(until: state.alarm)
    }

    private func carryOut(_ work: Work, _ frames: inout PendingFrames) {
        do throws(StoreFailure) {
            switch work {
            case .write:
                try write(frames)
                frames.removeAll()
                try maintain()
            case .makeRoom(let room):
                try makeRoom(room)
            case .sync:
                try sync()
            case .maintain:
                try maintain()
            case .beginSnapshot:
                try beginSnapshot()
            case .continueSnapshot:
                try continueSnapshot()
            case .abandonSnapshot:
                writer.withLock { $0.abandonSnapshot() }
                endSnapshot(.closed)
            case .fail(let failure):
                throw failure
            case .end, .sleep:
                break
            }
        } catch {
            fail(error)
        }
    }

    // MARK: Frames

    func write(_ pending: PendingFrames) throws(StoreFailure) {
        let isDue = state.withLock { state in state.syncDue.map { $0 <= time.now() } ?? false }
        let (written, synced) = try writer.withLock { writer throws(StoreFailure) in
            try writer.write(pending)
            let mustSync = pending.mustSync || isDue || writer.unsyncedWeight >= layout.unsynced
            if durability == .everyCommit || mustSync { try writer.sync() }
            try writer.file.checkName()
            return (writer.written, writer.synced)
        }
        settle(written, synced: synced)
    }

    func sync() throws(StoreFailure) {
        let written = try writer.withLock { writer throws(StoreFailure) in
            try writer.sync()
            return writer.written
        }
        settle(written, synced: written)
    }

    /// Tells those who wait that frames are as durable as the store declares.
    func settle(_ written: UInt64, synced: UInt64) {
        let room = writer.withLock { $0.file.room }
        let served = state.withLock { state -> [Waiter] in
            state.answered = written
            state.room = room - state.pending.frameBytes
            if synced == written {
                state.syncDue = nil
            } else if case .interval(let interval) = durability, state.syncDue == nil {
                state.syncDue = time.now().addingSaturating(interval.nanosecondsRoundedUp)
            }
            let waiters = state.waiters
            state.waiters.removeAll { $0.sequence <= written }
            return state.waiters.isEmpty ? waiters : waiters.filter { $0.sequence <= written }
        }
        for waiter in served { unsafe waiter.continuation.resume(returning: nil) }
    }

    // MARK: The end

    private func fail(_ failure: StoreFailure) {
        let (waiters, roomWaiters, compactionWaiters) = state.withLock { state in
            state.failure = failure
            defer { (state.waiters, state.roomWaiters, state.compactionWaiters) = ([], [], []) }
            return (state.waiters, state.roomWaiters, state.compactionWaiters)
        }
        for waiter in waiters { unsafe waiter.continuation.resume(returning: failure) }
        for waiter in roomWaiters { waiter.resume() }
        for waiter in compactionWaiters { waiter.resume(returning: .failed(failure)) }
        hooks.onEvent(.failed(failure))
    }

    private func end() {
        writer.withLock { writer in
            writer.abandonSnapshot()
            writer.file.close()
        }
        hooks.onEnd()
        let finishers = state.withLock { state in
            state.isEnded = true
            defer { state.finishers = [] }
            return state.finishers
        }
        for finisher in finishers { finisher.resume() }
    }
}
