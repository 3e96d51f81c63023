// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore

/// Calls, and what the store does for them.
extension StoreSimulation {
    /// Starts a call, up to where it waits for the store.
    mutating func start(
        _ name: String, _ operation: @escaping @Sendable (FileRecordStore) async throws -> Shown
    ) throws(Violation) {
        guard let store else { return }
        note(name)
        let before = store.journalInMemory
        let cameTooLate = events.tellFailure
        let earlierFences = lastFences
        let pending = executor.start { [store] in try await operation(store) }
        if comesMeanwhile, meanwhile == nil {
            wait(
                SimulatedCall(
                    name: name, pending: pending, sequence: before.lastSequence, cameTooLate: cameTooLate,
                    earlierFences: earlierFences),
                store)
            return
        }
        // One that is to come meanwhile runs now too, and what it appends is behind what this one has looked at.
        let isAlone = meanwhile == nil
        if !isAlone { hasRunBefore = true }
        run()
        let after = store.journalInMemory
        // Who waits for room has not looked at the records yet, and will do so at some later frame.
        let hasLooked = after.roomWaiters == before.roomWaiters
        calls.append(
            SimulatedCall(
                name: name, pending: pending,
                sequence: isAlone && hasLooked ? after.lastSequence : before.lastSequence,
                cameTooLate: cameTooLate, earlierFences: earlierFences))
        try collect()
    }

    /// Lets a call that is ready wait for the store's next write.
    private mutating func wait(_ call: SimulatedCall, _ store: FileRecordStore) {
        let waiting = CallMeanwhile(call)
        meanwhile = waiting
        hasRunBefore = false
        comesMeanwhile = false
        disk.interrupt(.write) { [executor] in
            while executor.step() { waiting.note(Moment(of: store)) }
        }
    }

    /// Takes over what was seen of the call that has come meanwhile; one that has not comes now.
    mutating func takeMeanwhile() {
        guard let waiting = meanwhile else { return }
        meanwhile = nil
        disk.interrupt(.write, nil)
        var call = waiting.call
        // It was the first that was ready, unless another call has let it run before.
        if !hasRunBefore, let first = waiting.moments.first { call.sequence = first.sequence }
        for moment in waiting.moments where moment.sequence > moments[moments.count - 1].sequence {
            moments.append(moment)
        }
        calls.append(call)
    }

    /// Lets the store do one thing of what its thread would do; `false` if there is nothing to do.
    @discardableResult
    package mutating func step() throws(Violation) -> Bool {
        guard let store else { return false }
        let did = store.step()
        takeMeanwhile()
        run()
        try collect()
        if !did { settleInterval() }
        return did
    }

    /// Lets the store do all there is to do.
    package mutating func stepUntilIdle() throws(Violation) {
        for _ in 0..<Self.mostSteps where try !step() { return }
        throw violation("the store does not come to rest")
    }

    mutating func run() {
        lookAtMemory()
        while executor.step() { lookAtMemory() }
    }

    /// A store with nothing to do has synced what has been waiting for so long.
    private mutating func settleInterval() {
        guard case .interval(let interval) = durability, !events.tellFailure else { return }
        let end = now - interval.nanosecondsRoundedUp
        safeThrough = answers.last { $0.at <= end }?.sequence ?? safeThrough
        answers.removeAll { $0.at <= end }
    }

    private var now: Int64 { clock.now.offset.nanosecondsRoundedDown }

    /// Takes the answers that have come.
    mutating func collect() throws(Violation) {
        var open: [SimulatedCall] = []
        for call in calls {
            guard let value = call.pending.value else {
                open.append(call)
                continue
            }
            if lastAnswers.count >= 8 { lastAnswers.removeFirst(4) }
            switch value {
            case .success(let shown): try take(shown, from: call)
            case .failure(let error): try take(error, from: call)
            }
        }
        calls = open
    }

    private mutating func take(_ shown: Shown, from call: SimulatedCall) throws(Violation) {
        note("answered: \(call.name)")
        lastAnswers.append(true)
        if call.cameTooLate { throw violation("\(call.name) was answered after the store's end") }
        if let removedThrough, call.sequence > removedThrough {
            throw violation("\(call.name) was answered by a store whose directory is gone")
        }
        if call.sequence > shownThrough {
            shownThrough = call.sequence
            answers.append((call.sequence, now))
        }
        for (id, fence) in shown.fences {
            guard fences.insert(fence).inserted else { throw violation("\(fence) of \(id) was given out before") }
            if let last = call.earlierFences[id], fence < last { throw violation("\(id) got \(fence) after \(last)") }
            lastFences[id] = max(fence, lastFences[id] ?? fence)
        }
        lastPosition = max(lastPosition, shown.positions.max() ?? 0)
    }

    private mutating func take(_ error: any Error, from call: SimulatedCall) throws(Violation) {
        note("\(error): \(call.name)")
        lastAnswers.append(false)
        let isExpected =
            switch error as? StoreError {
            case .full: disk.capacity != nil || hasFailed
            case .closed: isClosing
            case .unavailable, .outcomeUnknown: removedThrough != nil || disk.capacity != nil || hasFailed
            case .refused, nil: false
            }
        guard isExpected else { throw violation("\(call.name) failed for no reason: \(error)") }
    }
}
