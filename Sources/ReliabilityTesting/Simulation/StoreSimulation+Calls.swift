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
        guard let kind = comesMeanwhile, meanwhile == nil else { return try begin(name, on: store, operation) }
        comesMeanwhile = nil
        let call = CallMeanwhile(name, earlierFences: lastFences, operation)
        meanwhile = call
        disk.interrupt(kind) { [executor, events] in call.come(to: store, on: executor, events) }
    }

    private mutating func begin(
        _ name: String, on store: FileRecordStore,
        _ operation: @escaping @Sendable (FileRecordStore) async throws -> Shown
    ) throws(Violation) {
        let cameTooLate = events.tellFailure
        let earlierFences = lastFences
        lookAtMemory()
        let pending = executor.start { try await operation(store) }
        executor.step()
        // Who writes by himself has looked at the records before another one came meanwhile.
        let sequence = takeMeanwhile() ?? store.journalInMemory.lastSequence
        calls.append(
            SimulatedCall(
                name: name, pending: pending, sequence: sequence, cameTooLate: cameTooLate,
                earlierFences: earlierFences))
        run()
        try collect()
    }

    /// Takes over what was seen of the call that has come meanwhile, if it has; returns the last frame before it.
    @discardableResult
    private mutating func takeMeanwhile() -> UInt64? {
        guard let seen = meanwhile?.seen else { return nil }
        meanwhile = nil
        note("meanwhile: \(seen.call.name)")
        for moment in seen.moments where moment.sequence > moments[moments.count - 1].sequence {
            moments.append(moment)
        }
        calls.append(seen.call)
        return seen.moments[0].sequence
    }

    /// Lets a call come now that has waited for an operation of the disk.
    mutating func endMeanwhile() throws(Violation) {
        guard let store, let call = meanwhile else { return }
        meanwhile = nil
        disk.interrupt(.write, nil)
        try begin(call.name, on: store, call.operation)
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
        for _ in 0..<Self.mostSteps where try !step() {
            guard meanwhile != nil else { return }
            try endMeanwhile()
        }
        throw violation("the store does not come to rest")
    }

    mutating func run() {
        lookAtMemory()
        while executor.step() {
            takeMeanwhile()
            lookAtMemory()
        }
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
