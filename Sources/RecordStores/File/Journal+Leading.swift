// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A caller that writes in the place of the journal's thread.
extension Journal {
    /// Writes what is pending in the place of the thread, if that sleeps, nobody else leads and the frame of that number
    /// is pending. A failure is left to the thread.
    ///
    /// - Returns: Whether the frame is as durable as the store declares.
    func lead(upTo sequence: UInt64) -> Bool {
        var frames = PendingFrames()
        let leads = state.withLock { state -> Bool in
            guard state.isParked, !state.isLed, state.answered < sequence else { return false }
            state.isLed = true
            swap(&state.pending, &frames)
            return true
        }
        guard leads else { return false }
        do throws(StoreFailure) {
            try write(frames)
            frames.removeAll()
            endLead(frames, isMaintenanceDue: mustMaintain)
            return true
        } catch {
            endLead(PendingFrames(), failure: error)
            return false
        }
    }

    /// Lets the thread go on, and wakes it if there is something for it to do.
    ///
    /// - Parameter spare: has room for the next frames.
    private func endLead(_ spare: PendingFrames, isMaintenanceDue: Bool = false, failure: StoreFailure? = nil) {
        let wakes = state.withLock { state -> Bool in
            state.isLed = false
            state.isMaintenanceDue = isMaintenanceDue
            state.leadFailure = failure
            if !state.pending.isEmpty || isMaintenanceDue || failure != nil {
                state.isParked = false
            } else {
                state.pending = spare
            }
            // A thread that sleeps without an end does not know yet that something will be due.
            let needsAlarm = state.alarm == nil && state.syncDue != nil
            if needsAlarm { state.alarm = state.syncDue }
            return !state.isParked || needsAlarm
        }
        if wakes { parker.wake() }
    }
}
