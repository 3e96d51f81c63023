// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What the journal's thread does beside writing frames, piece by piece between two writes: it makes room, begins
/// journals and writes snapshots.
extension Journal {
    // MARK: Room

    func makeRoom(_ room: Int) throws(StoreFailure) {
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
    func maintain() throws(StoreFailure) {
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

    func beginSnapshot() throws(StoreFailure) {
        try syncAll()
        state.withLock { $0.isCompacting = true }
        attempt { writer throws(StoreFailure) in try writer.beginSnapshot() }
        enterJournal()
    }

    func continueSnapshot() throws(StoreFailure) {
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

    func endSnapshot(_ end: CompactionEnd) {
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
}
