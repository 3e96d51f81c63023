// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaCoordinator {
    /// Brings an event that a step of the saga waits for, or will.
    ///
    /// Bringing it again is harmless: the first one counts. One that nothing waits for is kept in the history.
    ///
    /// - Parameters:
    ///   - sagaID: The saga.
    ///   - event: The event's step.
    ///   - payload: What it brings; at most 8,192 bytes as JSON.
    /// - Throws: ``SagaNotFound``; ``SagaVerbRefused`` if the saga is over; ``SagaMailboxFull``; an encoding error;
    ///   `StoreError`. Then nothing was sent, but for a `StoreError` whose outcome is unknown: send it again.
    public func signal<Input, Output: Codable>(
        _ sagaID: String, _ event: SagaStep<Input, Output>, _ payload: Output
    ) async throws {
        let bytes = try event.coding.encode(payload)
        try RecordLimits.check("payload", bytes.count, 0...SagaMailbox.longestPayload)
        try await send(.event(event.name, payload: bytes), to: sagaID)
    }

    /// Brings an event that carries nothing; see the other form.
    public func signal<Input>(_ sagaID: String, _ event: SagaStep<Input, Void>) async throws {
        try await send(.event(event.name, payload: []), to: sagaID)
    }

    /// Has a saga that is stuck try again what it is stuck in, and one that waits for its next try go on at once.
    ///
    /// Attempts are counted anew. A step whose outcome is unknown is asked about if it has a probe, and called again
    /// otherwise, with the same key: whoever asks for that has made sure that it may be. A step that gets stuck while
    /// the message is on its way is not meant.
    ///
    /// - Parameters:
    ///   - sagaID: The saga.
    ///   - reason: Why, for the history; at most 1,024 bytes.
    /// - Throws: As ``signal(_:_:_:)``; ``SagaVerbRefused`` also where there is nothing to try again.
    public func retry(_ sagaID: String, reason: String) async throws {
        try await send(.retry(reason: reason), to: sagaID, reason)
    }

    /// Has a saga go on as if a step, or its compensation, had been taken: somebody has seen to it.
    ///
    /// A step that is skipped on the way forward is compensated all the same if the saga goes back later, since it may
    /// have taken effect, and has no output.
    ///
    /// - Throws: As ``signal(_:_:_:)``; ``SagaVerbRefused`` also where that step is not stuck or waiting.
    public func skip(_ step: String, of sagaID: String, reason: String) async throws {
        try RecordLimits.check("step", step.utf8.count, SagaMailbox.stepName)
        try await send(.skip(step: step, reason: reason), to: sagaID, reason)
    }

    /// Has a saga go back that is not past its pivot, as soon as the calls that are under way have ended.
    ///
    /// Of a step that is stuck because nobody knows its outcome this says: undo it as well. Of a pivot that is stuck
    /// when the message is sent it says that it took no effect.
    ///
    /// - Throws: As ``signal(_:_:_:)``; ``SagaVerbRefused`` also where the saga cannot go back, or does already.
    public func abort(_ sagaID: String, reason: String) async throws {
        try await send(.abort(reason: reason), to: sagaID, reason)
    }

    /// Puts a message into the saga's mailbox and has it taken up; whoever holds it goes on holding it.
    private func send(
        _ message: SagaMailbox.Message, to sagaID: String, _ reason: String = ""
    ) async throws {
        try RecordLimits.check("reason", reason.utf8.count, 0...1_024)
        let ids = [headerID(sagaID), mailID(sagaID)]
        // Tells this message's change from any other that replaces the same mailbox.
        let mark = "\(Holder.new().nonce)"
        // Every turn but the last saw the saga or its mailbox change in between.
        while true {
            try Task.checkCancellation()
            let answer = try await store.read(ids)
            guard let record = answer.records[0] else { throw SagaNotFound(sagaID: sagaID) }
            let header = try SagaHeader(record)
            try check(message, header, record, answer.now)
            let standing = answer.records[1]
            guard var mailbox = SagaMailbox(standing) else { throw UnreadableSaga(sagaID: sagaID) }
            let room = message.isEvent ? SagaMailbox.roomForPeople : 0
            guard mailbox.messages.count < SagaMailbox.capacity - room,
                header.entries + mailbox.messages.count < SagaMailbox.longestHistory - room
            else {
                throw SagaMailboxFull(sagaID: sagaID)
            }
            mailbox.messages.append(message)
            let content = mailbox.content(marked: mark)
            let delivery: Change =
                if let fence = standing?.fence {
                    .replace(ids[1], expecting: fence, with: content, lease: .keep)
                } else {
                    .insert(ids[1], content)
                }
            do throws(StoreError) {
                if case .committed = try await store.commit([delivery, waking(record, now: answer.now)]) { return }
            } catch {
                // Where the look fails too, it stays unknown.
                guard case .outcomeUnknown = error, let found = try? await store.read([ids[1]]).records[0],
                    found.headers[SagaMailbox.mark] == mark
                else { throw error }
                return
            }
        }
    }

    /// Makes a saga due that nobody holds; of any other it merely makes sure that it stands as it was seen.
    private func waking(_ record: Record, now: Timestamp) -> Change {
        let isHeld = record.leaseUntil != nil
        guard !isHeld, record.dueAt.map({ $0 > now }) ?? true else { return .assert(record.id, record.fence) }
        return .replace(
            record.id, expecting: record.fence,
            with: RecordContent(
                state: record.state, body: record.body, headers: record.headers, due: .after(.zero),
                expires: .unchanged),
            lease: .end)
    }

    /// Whether the message could be heeded as the saga stands; whoever holds it decides in the end.
    private func check(
        _ message: SagaMailbox.Message, _ header: SagaHeader, _ record: Record, _ now: Timestamp
    ) throws {
        let position = header.position
        let plan = plans.first { $0.shape == header.shape }
        let isPossible: Bool
        switch (position.course, plan.flatMap { SagaState($0.traits, at: position) }) {
        case (.completed, _), (.compensated, _):
            isPossible = false
        case (_, let state?) where !record.isHeld(at: now):
            isPossible = state.canHeed(message)
        case (_, _):
            // It is somewhere else by the time that its holder reads this.
            isPossible = true
        }
        guard isPossible else { throw SagaVerbRefused(sagaID: record.id.key, state: position.label) }
    }
}

extension SagaMailbox {
    /// From how many entries of its history on a saga takes no more messages.
    static let longestHistory = 500
    /// How many of the messages and entries are not for events, so that people are heard however many come.
    static let roomForPeople = 10
    /// Bytes that an event can bring: the whole history of a saga is written at once when it is finished.
    static let longestPayload = 8_192
    /// Bytes of the name of a step.
    static let stepName = 1...64
}

extension SagaState {
    fileprivate func canHeed(_ message: SagaMailbox.Message) -> Bool {
        switch message {
        case .event: true
        case .retry: canRetry
        case .skip(let step, _): canSkip(step)
        case .abort: canAbort
        }
    }
}

/// What was asked of a saga is not possible where it stands; nothing was changed.
public struct SagaVerbRefused: Error, Hashable, CustomStringConvertible {
    /// The saga.
    public let sagaID: String
    /// Its state.
    public let state: SagaStatus.State
    /// What happened, for people.
    public var description: String { "not possible while the saga \(sagaID) is \(state)" }
}

/// A saga has as many messages as it can have, or its history is as long as it can be; nothing was sent.
public struct SagaMailboxFull: Error, Hashable, CustomStringConvertible {
    /// The saga.
    public let sagaID: String
    /// What happened, for people.
    public var description: String { "the saga \(sagaID) takes no more messages" }
}
