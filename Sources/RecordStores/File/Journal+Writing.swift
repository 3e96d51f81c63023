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

    private func sync() throws(StoreFailure) {
        let written = try writer.withLock { writer throws(StoreFailure) in
            try writer.sync()
            return writer.written
        }
        settle(written, synced: written)
    }

    /// Tells those who wait that frames are as durable as the store declares.
    private func settle(_ written: UInt64, synced: UInt64) {
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

    // MARK: Room

    private func makeRoom(_ room: Int) throws(StoreFailure) {
        let (full, written) = try writer.withLock { writer throws(StoreFailure) in
            (try writer.makeRoom(room), writer.written)
        }
        settle(written, synced: written)
        tell(full: full, wanted: room)
    }

    /// Notes whether the disk is full, and lets those go on who wait for no more room than there was an attempt at.
    private func tell(full: StoreFailure?, wanted: Int) {
        let (waiters, event) = state.withLock { state -> ([CheckedContinuation<Void, Never>], FileStoreEvent?) in
            var event: FileStoreEvent?
            if state.full == nil { event = full.map { .full($0) } } else if full == nil { event = .roomAgain }
            state.full = full
            guard state.wantedRoom <= wanted else { return ([], event) }
            state.wantedRoom = 0
            defer { state.roomWaiters = [] }
            return (state.roomWaiters, event)
        }
        for waiter in waiters { waiter.resume() }
        if let event { hooks.onEvent(event) }
    }

    /// Does one piece of what has to be done from time to time, between two writes.
    private func maintain() throws(StoreFailure) {
        state.withLock { $0.isMaintenanceDue = false }
        if isShortOfRoom {
            // Full or not, it is there at the next sync.
            let full = try writer.withLock { writer throws(StoreFailure) in try writer.fillAhead() }
            tell(full: full, wanted: 0)
        }
        if state.withLock({ $0.isCompacting }) { return try continueSnapshot() }
        if isWorthCompacting { return try beginSnapshot() }
        if isAtEndOfJournal {
            try syncAll()
            do throws(StoreFailure) {
                try writer.withLock { writer throws(StoreFailure) in try writer.beginJournal() }
            } catch {
                hooks.onEvent(.compactionFailed(error))
            }
            enterJournal()
        }
    }

    /// Whether something of that has to be done now.
    var mustMaintain: Bool { isShortOfRoom || isWorthCompacting || isAtEndOfJournal }

    private var isShortOfRoom: Bool { writer.withLock { $0.isShortOfRoom } }

    private var isAtEndOfJournal: Bool { writer.withLock { $0.isAtEndOfJournal } }

    private var isWorthCompacting: Bool {
        guard writer.withLock({ $0.isWorthCompacting(live: 0) }) else { return false }
        let live = hooks.liveBytes()
        return writer.withLock { $0.isWorthCompacting(live: live) }
    }

    private func syncAll() throws(StoreFailure) {
        if writer.withLock({ $0.synced < $0.written }) { try sync() }
    }

    /// Takes notice of the journal that is written to now, after an attempt to begin another.
    private func enterJournal() {
        let (room, isEmpty) = writer.withLock { ($0.file.room, $0.file.isEmpty) }
        state.withLock { state in
            state.room = room - state.pending.frameBytes
            // The seal, if there was one, is in the journal before.
            if isEmpty { state.isSealed = false }
        }
    }

    // MARK: Snapshots

    private func beginSnapshot() throws(StoreFailure) {
        try syncAll()
        state.withLock { $0.isCompacting = true }
        attempt { writer throws(StoreFailure) in try writer.beginSnapshot() }
        enterJournal()
    }

    private func continueSnapshot() throws(StoreFailure) {
        if let frame = writer.withLock({ $0.snapshot?.waitsFor }) {
            // What the snapshot shows may still be on its way.
            guard writer.withLock({ $0.written }) >= frame else { return }
            try syncAll()
            let isDone = attempt { writer throws(StoreFailure) in try writer.finishSnapshot() }
            if isDone { endSnapshot(.done) }
        } else {
            attempt { writer throws(StoreFailure) in
                try writer.copyIntoSnapshot { hooks.page($0, $1) { self.lastSequence } }
            }
        }
    }

    /// Does something for the snapshot, which ends if that fails; the journal goes on.
    @discardableResult
    private func attempt(_ body: (inout JournalWriter) throws(StoreFailure) -> Void) -> Bool {
        do throws(StoreFailure) {
            try writer.withLock { writer throws(StoreFailure) in try body(&writer) }
            return true
        } catch {
            writer.withLock { $0.abandonSnapshot() }
            endSnapshot(.failed(error))
            return false
        }
    }

    private func endSnapshot(_ end: CompactionEnd) {
        let waiters = state.withLock { state in
            state.isCompacting = false
            defer { state.compactionWaiters = [] }
            return state.compactionWaiters
        }
        for waiter in waiters { waiter.resume(returning: end) }
        switch end {
        case .done: hooks.onEvent(.compacted)
        case .failed(let failure): hooks.onEvent(.compactionFailed(failure))
        case .closed: break
        }
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
