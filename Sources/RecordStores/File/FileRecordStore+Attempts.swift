// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How a file store carries out its operations: a look at the table under its lock, and a wait for the journal.
extension FileRecordStore {
    /// What a look at the table came to.
    private enum Attempt<Answer: Sendable> {
        case answer(Answer, through: UInt64, isChange: Bool)
        /// More records have expired than one frame is for.
        case again
        case needsRoom
    }

    /// Carries out an operation that changes nothing but what time has changed already, and waits until everything that
    /// its answer shows is durable.
    ///
    /// - Parameters:
    ///   - sweeps: Whether everything that has expired is out of the way first.
    ///   - leads: Whether the caller writes where callers do.
    func reading<Answer: Sendable>(
        sweeps: Bool = true, leads: Bool = true, _ body: (inout RecordTable, Timestamp) throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        try await attempting(leads: leads) { table, now throws(StoreError) in
            var keepsExpired = true
            switch journal.admit(FrameBytes.sweep, isGrowth: false) {
            case .granted: break
            case .waits: return .needsRoom
            // What is not kept comes to the same as long as time does not go back.
            case .full: keepsExpired = false
            case .failed(let failure): throw .unavailable(failure)
            }
            defer { append(table.takeExpired(), at: table.now, if: keepsExpired) }
            if sweeps, table.sweepExpired(at: now) { return .again }
            let answer = try body(&table, now)
            append(table.takeExpired(), at: table.now, if: keepsExpired)
            return .answer(answer, through: journal.lastSequence, isChange: false)
        }
    }

    /// Carries out a change whose frame takes at most so many bytes, and waits until it and everything that its answer
    /// shows is durable.
    func changing<Answer: Sendable>(
        bytes: Int, isGrowth: Bool = false, _ body: (inout RecordTable, Timestamp) throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        try await attempting { table, now throws(StoreError) in
            switch journal.admit(bytes, isGrowth: isGrowth) {
            case .granted: break
            case .waits: return .needsRoom
            case .full(let failure): throw .full(failure)
            case .failed(let failure): throw .unavailable(failure)
            }
            // Also when a conflict or a refusal ends the look.
            defer { append(table.takeExpired(), at: table.now) }
            guard !table.sweepExpired(at: now) else { return .again }
            let answer = try body(&table, now)
            append(table.takeExpired(), at: table.now)
            let effects = table.takeEffects()
            guard !effects.isEmpty else {
                return .answer(answer, through: journal.lastSequence, isChange: false)
            }
            let sequence = journal.append(.commit(effects, at: table.now), weight: effects.count)
            return .answer(answer, through: sequence, isChange: true)
        }
    }

    /// Looks at the table until there is an answer, and waits until all that it shows is durable.
    ///
    /// No look finds more than a few expired records, so none takes long or more room than it has asked for.
    private func attempting<Answer: Sendable>(
        leads: Bool = true, _ look: (inout RecordTable, Timestamp) throws(StoreError) -> Attempt<Answer>
    ) async throws(StoreError) -> Answer {
        while true {
            let now = clock.now
            let attempt: Attempt<Answer>
            do throws(StoreError) {
                attempt = try table.withLock { table throws(StoreError) in try look(&table, now) }
            } catch {
                // Nobody waits for what expired on the way here.
                journal.handOver()
                throw error
            }
            switch attempt {
            case .again:
                continue
            case .needsRoom:
                await journal.waitForRoom()
            case .answer(let answer, let sequence, let isChange):
                let failure = await journal.failure(upTo: sequence, isLikely: !isChange, leads: leads)
                guard let failure else { return answer }
                throw isChange ? .outcomeUnknown(failure) : .unavailable(failure)
            }
        }
    }

    /// Notes that records have expired: whoever was shown their absence must not see them again.
    private func append(_ expired: [RecordID], at time: Timestamp, if keeps: Bool = true) {
        guard keeps, !expired.isEmpty else { return }
        _ = journal.append(.commit(expired.map { .remove($0) }, at: time), weight: expired.count)
    }
}
