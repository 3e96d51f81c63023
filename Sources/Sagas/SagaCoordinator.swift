// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import Retrying

/// Drives sagas: takes their steps one after the other, and undoes them in reverse if one fails, also when the process
/// that began is gone.
///
/// - ``execute(_:id:input:)`` starts a saga, or goes on with it, in the caller's task and says what became of it.
/// - ``run(_:concurrency:)`` takes up what others left: sagas whose coordinator died, and compensations that are due
///   again. Run it in every process that executes sagas.
/// - ``recover(_:limit:)`` does the same once, for what is there now.
/// - ``status(_:)``, ``history(_:)`` and ``list(_:after:limit:)`` look without touching.
///
/// ```swift
/// let sagas = SagaCoordinator("shop", store: store)
/// switch try await sagas.execute(checkout, id: order.id, input: order) {
/// case .completed: return .created
/// case .compensated(let failure): return .declined(failure)
/// case .stuck, .pending, .lost: return .accepted
/// }
/// ```
///
/// That a step has begun is durable before its action is called, and there is exactly one commit between two actions:
/// it keeps the outcome of the first and begins the second. Every commit names the fence under which the coordinator
/// holds the saga, so one that lost its lease writes nothing.
///
/// **Cancellation.** Cancelling the task that drives a saga is no failure of the saga: nothing is undone because of it
/// and no attempt is counted. The saga stays where it is, and the next coordinator may take it up at once. A saga that
/// is going back is not stopped; its compensations run to their end.
public final class SagaCoordinator: Sendable {
    /// The name under which events report; coordinators of one name on one store share their sagas.
    public let name: String
    let store: any RecordStore
    let lease: Duration
    let backoff: Backoff
    let maxCompensationAttempts: Int
    let retention: Duration
    let randomness: RandomSource
    let time: TimeSource
    private let onEvent: (@Sendable (SagaEvent) -> Void)?

    /// A coordinator on a store.
    ///
    /// - Parameters:
    ///   - name: 1 to 48 bytes. It names the collections too, so it stays the same for as long as the sagas do.
    ///   - store: Where the sagas are kept.
    ///   - lease: For how long a saga is held after its coordinator was last heard of; more than zero, 60 s by
    ///     default. It is renewed at every third of it, so a step may take longer.
    ///   - compensationBackoff: How long to wait before a compensation or a probe that failed is called again; by
    ///     default 1 s, growing twofold to 5 minutes, with full jitter. The last delay of a list is used again and
    ///     again. What the error advises counts where it is longer: up to a day of it, and up to a tenth more, so that
    ///     those who were told the same do not come back at once. The wait is kept in the store.
    ///   - maxCompensationAttempts: How often a compensation or a probe may fail before the saga is stuck; at least
    ///     1, by default without end. A call that its process did not survive is made again in any case.
    ///   - retention: For how long a finished saga is kept, so that a late `execute` finds it; more than zero, 30 days
    ///     by default. A saga that is stuck is kept for good.
    ///   - randomness: Where the jitter is drawn from.
    ///   - clock: What the renewal of leases sleeps on; every other time is the store's.
    ///   - onEvent: Told what happened, after it is durable.
    public init(
        _ name: String, store: any RecordStore, lease: Duration = .seconds(60),
        compensationBackoff: Backoff = .exponential(initial: .seconds(1), maximum: .seconds(300)),
        maxCompensationAttempts: Int? = nil, retention: Duration = .seconds(30 * 86_400),
        randomness: RandomSource = .system, clock: any Clock<Duration> = ContinuousClock(),
        onEvent: (@Sendable (SagaEvent) -> Void)? = nil
    ) {
        precondition((1...48).contains(name.utf8.count), "A coordinator's name is 1 to 48 bytes, not \"\(name)\"")
        precondition(lease > .zero, "A lease is longer than zero, not \(lease)")
        precondition(retention > .zero, "Finished sagas are kept for longer than zero, not \(retention)")
        let attempts = maxCompensationAttempts ?? .max
        precondition(attempts >= 1, "A compensation is called at least once, not \(attempts) times")
        self.name = name
        self.store = store
        self.lease = lease
        backoff = compensationBackoff
        self.maxCompensationAttempts = attempts
        self.retention = retention
        self.randomness = randomness
        time = TimeSource(clock)
        self.onEvent = onEvent
    }

    var headers: String { "sagas/\(name)" }
    var steps: String { "saga-steps/\(name)" }

    /// Runs a saga in the caller's task: starts it, goes on with it, or says what became of it.
    ///
    /// Calling it again with the same identifier and input is always safe: a saga that is finished answers with its
    /// outcome for as long as it is kept, and one that was left in the middle goes on from there.
    ///
    /// - Parameters:
    ///   - definition: What the saga does.
    ///   - id: The saga's identifier, part of every step's key: 1 to 128 bytes of printable ASCII without space.
    ///   - input: What its steps are given; at most ``SagaDefinition/maximumInput`` bytes as JSON.
    /// - Returns: What became of it, as far as this call took it.
    /// - Throws: With nothing executed by this call: ``SagaInProgress``, ``SagaMismatch``, ``SagaDefinitionMismatch``,
    ///   ``UnreadableSaga``, an encoding error. `CancellationError` if the task was cancelled: the saga stays where it
    ///   is. ``/RecordStores/StoreError``: it stays as it was last written, until its lease passes.
    public func execute<Input>(
        _ definition: SagaDefinition<Input>, id: String, input: Input
    ) async throws -> SagaOutcome {
        let encoded = try definition.encode(input)
        try Self.check(id)
        try RecordLimits.check("input", encoded.count, 0...SagaDefinition<Input>.maximumInput)
        let plan = definition.plan
        var state = SagaState(steps: plan.traits)
        let first = state.resume().next
        let header = SagaHeader(shape: plan.shape, input: encoded, phase: state.phase)
        // Every turn but the last saw the saga change hands in between.
        while true {
            try Task.checkCancellation()
            let holder = Holder.new()
            switch try await insert(header, RecordID(headers, id), holder) {
            case .started(let fence):
                var run = SagaRun(
                    id: RecordID(headers, id), header: header, steps: definition.bound(to: input), holder: holder,
                    state: state, fence: fence)
                report(.started, run)
                return try await drive(&run, first)
            case .standing(let record, let now):
                if let outcome = try await goOn(
                    record, now, plan,
                    isSame: { stored in
                        definition.isSame(input, encoded: encoded, as: stored)
                    })
                {
                    return outcome
                }
            }
        }
    }

    /// Goes on with a saga that was started before; `nil` if it changed hands before it could be held.
    private func goOn(
        _ record: Record, _ now: Timestamp, _ plan: SagaPlan, isSame: ([UInt8]) -> Bool
    ) async throws -> SagaOutcome? {
        let (header, sagaID) = (try SagaHeader(record), record.id.key)
        guard header.shape == plan.shape else {
            throw SagaDefinitionMismatch(sagaID: sagaID, standing: header.shape, given: plan.shape)
        }
        guard isSame(header.input) else { throw SagaMismatch(sagaID: sagaID) }
        if let outcome = header.phase.outcome { return outcome }
        if record.isHeld(at: now) {
            throw SagaInProgress(sagaID: sagaID, retryAfter: record.leaseRemaining(at: now))
        }
        // A failed compensation or probe waits its time; a saga that is blocked waits for its definition alone.
        if record.state != SagaStatus.State.blocked.rawValue, let dueAt = record.dueAt, dueAt > now {
            return .pending(retryIn: now.duration(to: dueAt))
        }
        let claim = try await store.claim(ClaimRequest(.ids([record.id]), lease: Lease(lease)))
        guard let held = claim.claimed.first else { return nil }
        return try await takeUp(held, [plan])
    }

    private static func check(_ id: String) throws(StoreError) {
        try RecordLimits.check("saga id", id.utf8.count, 1...128)
        if let byte = id.utf8.first(where: { !(0x21...0x7E).contains($0) }) {
            throw .refused(RefusedInput(field: "byte of saga id", size: Int(byte), allowed: 0x21...0x7E))
        }
    }

    private enum Insertion {
        /// The header is in, and this coordinator holds it.
        case started(Fence)
        /// A saga of that identifier stands there.
        case standing(Record, Timestamp)
    }

    private func insert(
        _ header: SagaHeader, _ id: RecordID, _ holder: Holder
    ) async throws(StoreError) -> Insertion {
        let content = header.content(due: .after(.zero), expires: .never)
        do throws(StoreError) {
            switch try await store.commit([.insert(id, content, lease: Lease(lease, holder: holder))]) {
            case .committed(let committed):
                return .started(committed.fences[0])
            case .conflict(let conflict):
                guard let record = conflict.standing else { preconditionFailure("An insert met nothing at \(id)") }
                return .standing(record, conflict.now)
            }
        } catch {
            guard case .outcomeUnknown = error else { throw error }
            let answer = try await store.read([id])
            guard let record = answer.records[0] else { throw error }
            return record.holder == holder ? .started(record.fence) : .standing(record, answer.now)
        }
    }

    func report(_ kind: SagaEvent.Kind, _ run: SagaRun) { report(kind, run.id.key, run.shape) }

    func report(_ kind: SagaEvent.Kind, _ sagaID: String, _ shape: SagaShape?) {
        onEvent?(SagaEvent(coordinator: name, definition: shape?.name ?? "", sagaID: sagaID, kind: kind))
    }
}
