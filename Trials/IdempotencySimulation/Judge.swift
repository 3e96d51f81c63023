// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import Synchronization

/// Watches everything that a story's calls, handlers and stores tell, and says which promise was broken first.
///
/// It knows nothing of how an operation or a store works: it compares what they answer with each other, with the
/// provider's effects, and with what the policy for unknown outcomes allows.
final class Judge: Sendable {
    /// What an operation does after an unknown outcome.
    enum Policy: CaseIterable, Sendable { case reexecute, park, probe }

    /// A call of an operation, or of an operator's.
    struct Call {
        let number: Int
        let key: Int
        let request: Int
        let process: Int
        var isOpen = true
        var isCancelled = false
        var hasClaimed = false
        var run: Int?
        var hold: Hold?
        /// Its caller has a fresh value, and no answer of the store has said that it is kept.
        var isToBeKept = false
        var result: Result<IdempotentResult<Charge>, any Error>?
        /// What a delivery came to.
        var delivery: Result<InboxOutcome, any Error>?
        /// How often its lease was to be renewed, and whether one of that is on its way.
        var renewals = 0
        var isRenewing = false
    }

    /// An execution as its owner was told of it.
    struct Hold {
        let fence: Fence
        let attempt: Int
        /// When it was claimed; `nil` if that was found out from a reading.
        let at: Timestamp?
        /// Until when it was promised to have the key to itself.
        var until: Timestamp?
        /// Its owner has asked for its end.
        var isEnded = false
    }

    /// A run of a handler.
    struct Run {
        enum End { case none, value(Charge), nothing, notApplied, declined, failed }

        let number: Int
        let call: Int
        let key: Int
        let request: Int
        /// `nil`: without protection.
        let fence: Fence?
        let attempt: Int
        var end = End.none
        var error: String?
        /// The last checkpoint that was kept for certain.
        var kept: IdempotencyCheckpoint?
        /// Whether a record was to be committed with its value.
        var hasOrder = false

        /// Whether nothing can have taken effect, whatever the policy says.
        var isHarmless: Bool {
            switch end {
            case .nothing, .notApplied, .declined: true
            case .none, .value, .failed: false
            }
        }
    }

    /// Something that lets a key run again: an operator's release, a probe's answer, a release of the operation's own.
    struct Clearance {
        enum Kind { case person, probe, release }
        let kind: Kind
        let fence: Fence
    }

    /// An outcome that somebody wanted kept.
    struct Completion {
        let fence: Fence
        let outcome: IdempotencyOutcome
        let request: Int?
        let run: Int?
        /// The last time that the store was seen to have before.
        let notBefore: Timestamp
        /// How many effects there were.
        let effects: Int
        var at: Timestamp?
    }

    /// What is known of a key.
    struct Key {
        var lastFence = Fence(rawValue: 0)
        var runs: [Int] = []
        var clearances: [Clearance] = []
        var completions: [Completion] = []
        /// When an outcome was completed, as answers told, and which.
        var outcomes: [Timestamp: IdempotencyOutcome] = [:]
        /// The executions that claims have named as the ones to take over from.
        var takeovers: [(fence: Fence, call: Int)] = []
        var offered: [(fence: Fence, checkpoint: IdempotencyCheckpoint)] = []
        var requests: Set<Int> = []
        var claimingCalls: Set<Int> = []
        var downstreamKeys: [Int: String] = [:]
        /// An execution of it was told that its lease is renewed no more.
        var isNotRenewed = false
    }

    struct State {
        var calls: [Int: Call] = [:]
        var runs: [Run] = []
        var keys: [Key]
        var latest = Timestamp(nanosecondsSince1970: 0)
        var violation: String?
        var notes: [String] = []
        var events: [IdempotencyEvent.Outcome: Int] = [:]
        var isDisturbed = false
        /// The processes whose clocks have gone back.
        var uneven: Set<Int> = []
        /// The runs that went on although they were cancelled.
        var outstayed: Set<Int> = []
    }

    let state: Locked<State>
    /// The keys that stand for messages; those before are the operation's.
    let messages: Range<Int>
    let policy: Policy
    let retention: Duration
    let lease: Duration
    let provider: Provider
    let notesAreKept: Bool

    init(
        messages: Range<Int>, policy: Policy, lease: Duration, retention: Duration, provider: Provider,
        notesAreKept: Bool
    ) {
        state = Locked(State(keys: [Key](repeating: Key(), count: messages.upperBound)))
        self.messages = messages
        self.policy = policy
        self.lease = lease
        self.retention = retention
        self.provider = provider
        self.notesAreKept = notesAreKept
    }

    var violation: String? { state.withLock { $0.violation } }
    var notes: [String] { state.withLock { $0.notes } }

    func note(_ text: @autoclosure () -> String) {
        guard notesAreKept else { return }
        let text = text()
        state.withLock { $0.notes.append(text) }
    }

    func accuse(_ text: String) { state.withLock { $0.accuse(text) } }

    /// Something has gone wrong with a store or a process, so that errors of the store are to be expected.
    func disturb() { state.withLock { $0.isDisturbed = true } }

    func count(_ event: IdempotencyEvent) {
        state.withLock { state in
            state.events[event.outcome, default: 0] += 1
            if [.renewalEnded, .leaseLost].contains(event.outcome) { state.keys[event.key.number].isNotRenewed = true }
        }
    }

    /// What becomes of a key after an unknown outcome; an inbox handles again.
    func policy(of key: Int) -> Policy { messages.contains(key) ? .reexecute : policy }

    /// Another process has the store now: the leases of all others are over.
    func endLeases() {
        state.withLock { state in
            for number in state.calls.keys { state.calls[number]?.hold?.isEnded = true }
        }
    }

    /// How many effects of a key belong to outcomes that were retained no more when an execution claimed it; `nil` if
    /// that cannot be told.
    func settledEffects(of key: Int, before fence: Fence) -> Int? {
        state.withLock { state in
            let earlier = state.keys[key].completions.filter { $0.fence < fence }
            // One that nobody was told of may have been kept, and its time may be over.
            if retention < .seconds(3_600), earlier.contains(where: { $0.at == nil }) { return nil }
            return earlier.compactMap { $0.at == nil ? nil : $0.effects }.max() ?? 0
        }
    }
}

extension Judge.State {
    mutating func accuse(_ text: String) {
        if violation == nil { violation = text }
    }

    mutating func saw(_ time: Timestamp) { latest = max(latest, time) }

    func protectedRuns(of key: Int) -> [Judge.Run] {
        keys[key].runs.map { runs[$0] }.filter { $0.fence != nil }
    }
}
