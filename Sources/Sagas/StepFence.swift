// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a participant needs so that calls of its side of a step may come twice, late, or in the wrong order.
///
/// A coordinator that does not know what became of a call has the step undone. So the compensation may come although
/// the action never did, and the action may still come after it. A fence keeps one record for each step, in the same
/// commit as the participant's own effect:
///
/// ```swift
/// let fence = StepFence("hotel", store: store)
/// // The action, under the step's key: a room, once.
/// try await fence.begin(key) { [rooms.booking(key)] }
/// // The compensation, under the same key: the room is free again, and nobody takes it under this key any more.
/// try await fence.undo(key) { [rooms.cancellation(key)] }
/// ```
///
/// | The key is | ``begin(_:effect:)`` | ``confirm(_:effect:)`` | ``undo(_:effect:)`` |
/// | --- | --- | --- | --- |
/// | not known | takes effect: tried | refused | nothing to undo: suspended |
/// | ``State/tried`` | took effect already | takes effect: committed | takes effect: rolled back |
/// | ``State/committed`` | took effect already | took effect already | refused |
/// | ``State/rolledBack`` | refused | refused | took effect already |
/// | ``State/suspended`` | refused | refused | nothing to undo |
///
/// Refused is ``StepRefused``, of which nothing took effect. Everything else is a success, so a call whose answer was
/// lost is simply made again. A saga that has no separate confirmation leaves its steps tried.
///
/// The four states are those of the fence for TCC in Apache Seata.
public struct StepFence: Sendable {
    /// What is known of a step.
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// Its action took effect.
        case tried
        /// What the action did is final.
        case committed
        /// What the action did is undone.
        case rolledBack
        /// It was undone before its action came, which is refused from then on.
        case suspended
    }

    private let collection: String
    private let store: any RecordStore
    private let retention: Duration

    /// The fence of a participant.
    ///
    /// - Parameters:
    ///   - name: 1 to 48 bytes; it names the collection, so it stays the same for as long as there are sagas.
    ///   - store: Where the participant keeps what its steps change.
    ///   - retention: For how long it is remembered that a step is committed, rolled back or suspended; more than zero,
    ///     30 days by default. Longer than any call of it may be under way. What is tried is remembered for good.
    public init(_ name: String, store: any RecordStore, retention: Duration = .seconds(30 * 86_400)) {
        precondition((1...48).contains(name.utf8.count), "A fence's name is 1 to 48 bytes, not \"\(name)\"")
        precondition(retention > .zero, "Steps are remembered for longer than zero, not \(retention)")
        collection = "step-fence/\(name)"
        self.store = store
        self.retention = retention
    }

    /// Carries out an action, unless it took effect before or was undone.
    ///
    /// - Parameters:
    ///   - key: The step's key, ``SagaContext/key`` of its action; 1 to 1,024 bytes.
    ///   - effect: The changes that the action is, for one commit with the fence's. It is called again if another call of
    ///     the step came in between.
    /// - Returns: Whether it took effect by this call; `false` if it did before.
    /// - Throws: ``StepRefused`` after it was undone; ``StepConflict``; what `effect` throws; `StoreError`, after which it
    ///   may have taken effect where the outcome is unknown: call again; ``UnreadableStep``.
    @discardableResult
    public func begin(_ key: String, effect: () async throws -> [Change]) async throws -> Bool {
        try await carryOut(.begin, key, effect)
    }

    /// Makes what an action did final, so that it is not undone any more; for a step after the pivot.
    ///
    /// - Returns: Whether it took effect by this call; `false` if it did before.
    /// - Throws: As ``begin(_:effect:)``; ``StepRefused`` if the action never took effect, or was undone.
    @discardableResult
    public func confirm(_ key: String, effect: () async throws -> [Change] = { [] }) async throws -> Bool {
        try await carryOut(.confirm, key, effect)
    }

    /// Undoes an action, if it took effect, and sees to it that it never does any more.
    ///
    /// - Parameters:
    ///   - key: The key of the action that is undone, ``SagaContext/forwardKey``.
    ///   - effect: The changes that undo it; not called if there is nothing to undo.
    /// - Returns: Whether it was undone by this call; `false` if it was before, or there is nothing to undo.
    /// - Throws: As ``begin(_:effect:)``; ``StepRefused`` if the step is committed.
    @discardableResult
    public func undo(_ key: String, effect: () async throws -> [Change]) async throws -> Bool {
        try await carryOut(.undo, key, effect)
    }

    /// The change that begins a step, for a commit of your own together with what the action does.
    ///
    /// A conflict at this change means that another call of the step came in between: ask again.
    ///
    /// - Returns: The change; `nil` if the action took effect before.
    /// - Throws: ``StepRefused`` after it was undone; `StoreError`.
    public func change(beginning key: String) async throws -> Change? { try await decide(.begin, key)?.change }

    /// The change that makes a step final, for a commit of your own; see ``change(beginning:)`` and
    /// ``confirm(_:effect:)``.
    public func change(confirming key: String) async throws -> Change? { try await decide(.confirm, key)?.change }

    /// The change that undoes a step, for a commit of your own together with what undoes it; see ``undo(_:effect:)``.
    ///
    /// - Returns: The change, and whether there is something to undo; `nil` if it was undone before.
    public func change(undoing key: String) async throws -> (change: Change, isToUndo: Bool)? {
        guard let step = try await decide(.undo, key) else { return nil }
        return (step.change, step.hasEffect)
    }

    /// What is known of a step; `nil` if nothing is, or not any longer.
    public func state(of key: String) async throws(StoreError) -> State? {
        try await store.read([RecordID(collection, key)]).records[0].flatMap { State(rawValue: $0.state) }
    }
}

extension StepFence {
    /// What a participant is asked for.
    enum Verb: Hashable, Sendable, CaseIterable {
        case begin
        case confirm
        case undo
    }

    /// What follows.
    enum Decision: Hashable, Sendable {
        /// The state becomes that, in one commit with the effect if there is one.
        case becomes(State, hasEffect: Bool)
        /// It is so already.
        case stays
        case refuse
    }

    /// The table above. Pure.
    static func decision(_ verb: Verb, _ state: State?) -> Decision {
        switch (verb, state) {
        case (.begin, nil): .becomes(.tried, hasEffect: true)
        case (.begin, .tried), (.begin, .committed): .stays
        case (.begin, .rolledBack), (.begin, .suspended): .refuse
        case (.confirm, .tried): .becomes(.committed, hasEffect: true)
        case (.confirm, .committed): .stays
        case (.confirm, nil), (.confirm, .rolledBack), (.confirm, .suspended): .refuse
        case (.undo, nil): .becomes(.suspended, hasEffect: false)
        case (.undo, .tried): .becomes(.rolledBack, hasEffect: true)
        case (.undo, .rolledBack), (.undo, .suspended): .stays
        case (.undo, .committed): .refuse
        }
    }

    private func decide(_ verb: Verb, _ key: String) async throws -> (change: Change, hasEffect: Bool)? {
        let id = RecordID(collection, key)
        let record = try await store.read([id]).records[0]
        let state = try record.map { record in
            guard let state = State(rawValue: record.state) else { throw UnreadableStep(key: key) }
            return state
        }
        switch Self.decision(verb, state) {
        case .stays: return nil
        case .refuse: throw StepRefused(key: key, state: state)
        case .becomes(let next, let hasEffect):
            // What is tried may be undone at any time: a saga can be stuck for as long as nobody looks.
            let content = RecordContent(state: next.rawValue, expires: next == .tried ? .never : .after(retention))
            guard let record else { return (.insert(id, content), hasEffect) }
            return (.replace(id, expecting: record.fence, with: content, lease: .end), hasEffect)
        }
    }

    private func carryOut(_ verb: Verb, _ key: String, _ effect: () async throws -> [Change]) async throws -> Bool {
        // Every turn but the last saw another call of the step come in between.
        while true {
            guard let step = try await decide(verb, key) else { return false }
            let changes = [step.change] + (step.hasEffect ? try await effect() : [])
            switch try await commit(changes, verb, key) {
            case nil: return step.hasEffect
            case let conflict? where conflict.index > 0: throw StepConflict(key: key, standing: conflict.standing)
            case _?: break
            }
        }
    }

    /// Commits, and looks once if the outcome is unknown: the effect is in together with the fence's change.
    private func commit(_ changes: [Change], _ verb: Verb, _ key: String) async throws -> CommitAnswer.Conflict? {
        do throws(StoreError) {
            switch try await store.commit(changes) {
            case .committed: return nil
            case .conflict(let conflict): return conflict
            }
        } catch {
            guard case .outcomeUnknown = error else { throw error }
            let found = try await state(of: key, after: error)
            guard Self.decision(verb, found) == .stays else { throw error }
            return nil
        }
    }

    /// What is known of a step; the first error stands if it cannot be read.
    private func state(of key: String, after first: StoreError) async throws(StoreError) -> State? {
        do throws(StoreError) {
            return try await state(of: key)
        } catch {
            throw first
        }
    }
}

/// The participant does not take the call where the step stands; nothing took effect, and no repetition changes that.
///
/// An action is refused after its compensation, and a compensation after a confirmation.
public struct StepRefused: Permanent, Hashable, CustomStringConvertible {
    /// The step's key.
    public let key: String
    /// What is known of the step; `nil` if nothing is.
    public let state: StepFence.State?
    /// What happened, for people.
    public var description: String { "refused, since the step \(key) is \(state.map(\.rawValue) ?? "not known")" }
}

/// A change of the participant's own met another record than it expected; nothing took effect.
public struct StepConflict: NotApplied, Hashable, CustomStringConvertible {
    /// The step's key.
    public let key: String
    /// The record that stands there; `nil` if none does.
    public let standing: Record?
    /// What happened, for people.
    public var description: String {
        "a change of the step \(key) met another record: \(standing?.id.description ?? "none")"
    }
}

/// A fence's record that this version of the package cannot read: nobody knows here what became of the step.
public struct UnreadableStep: Error, Hashable, CustomStringConvertible {
    /// The step's key.
    public let key: String
    /// What happened, for people.
    public var description: String { "the record of the step \(key) cannot be read" }
}
