// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Drives sagas: takes their steps, and undoes them in reverse if one fails, also when the process that began is gone.
///
/// - ``start(_:id:input:)`` makes a saga durable and returns at once; starting it again is harmless.
/// - ``run()`` drives them: run it in every process that is to execute sagas. Many coordinators share one store.
/// - ``SagaHandle/result()`` waits for the end of one.
/// - ``status(_:)``, ``history(_:)`` and ``list(_:after:limit:)`` look without touching.
/// - ``signal(_:_:_:)`` brings an event; ``retry(_:reason:)``, ``skip(_:of:reason:)`` and ``abort(_:reason:)`` are for
///   people. Each is kept in the saga's history.
///
/// ```swift
/// let sagas = SagaCoordinator("shop", store: store, definitions: checkout, refund)
/// async let driving: Void = sagas.run()
/// let saga = try await sagas.start(checkout, id: order.id, input: order)
/// switch try await saga.result() {
/// case .completed: return .created
/// case .compensated(let failure): return .declined(failure)
/// case .stuck: return .accepted
/// }
/// ```
///
/// That a step has begun is durable before its action is called, and there is one commit between two actions: it keeps
/// the outcome of the first and begins the second. A saga of n steps that succeed is n + 3 commits: its start, its
/// claim, the beginning of the first step, and the end of each. Every commit names the fence under which the coordinator
/// holds the saga, so one that lost its lease writes nothing.
///
/// **Cancellation.** Cancelling ``run()`` is no failure of any saga: nothing is undone because of it and no attempt is
/// counted. Calls of actions are cancelled, compensations that are being called run to their end, and every saga stays
/// where it is for the next coordinator, at once.
public final class SagaCoordinator: Sendable {
    /// The name under which events report; coordinators of one name on one store share their sagas.
    public let name: String
    let store: any RecordStore
    let plans: [SagaPlan]
    let migrations: [SagaMigration]
    let lease: Duration
    let concurrency: Int
    let maxCrashes: Int
    let retention: Duration
    let randomness: RandomSource
    let clock: any Clock<Duration>
    let time: TimeSource
    let stop = StopSignal()
    let waiters = SagaWaiters()
    let isRunning = Atomic(false)
    private let onEvent: (@Sendable (SagaEvent) -> Void)?

    /// A coordinator on a store.
    ///
    /// - Parameters:
    ///   - name: 1 to 48 bytes. It names the collections too, so it stays the same for as long as the sagas do.
    ///   - store: Where the sagas are kept.
    ///   - definitions: All definitions and versions that have sagas; the sagas of one that is not given are blocked.
    ///   - migrations: Which versions go on under which others; see ``SagaMigration``.
    ///   - lease: For how long a saga is held after its coordinator was last heard of; more than zero, 60 s by
    ///     default. It is renewed at every third of it, so a step may take longer.
    ///   - concurrency: How many sagas ``run()`` drives at once; at least 1, by default 64.
    ///   - maxCrashes: How often coordinators may end in the middle of a call of one step before the saga is stuck, so
    ///     that a step that ends its process does not do so for ever; at least 1, by default 10.
    ///   - retention: For how long a finished saga is kept, so that a late `start` finds it; more than zero, 30 days
    ///     by default. A saga that is stuck is kept for good.
    ///   - randomness: Where the jitter is drawn from.
    ///   - clock: What leases, time limits and waits for results are measured with; due times are the store's.
    ///   - onEvent: Told what happened, after it is durable.
    public init<each Input>(
        _ name: String, store: any RecordStore, definitions: repeat SagaDefinition<each Input>,
        migrations: [SagaMigration] = [], lease: Duration = .seconds(60), concurrency: Int = 64, maxCrashes: Int = 10,
        retention: Duration = .seconds(30 * 86_400), randomness: RandomSource = .system,
        clock: any Clock<Duration> = ContinuousClock(), onEvent: (@Sendable (SagaEvent) -> Void)? = nil
    ) {
        precondition((1...48).contains(name.utf8.count), "A coordinator's name is 1 to 48 bytes, not \"\(name)\"")
        precondition(lease > .zero, "A lease is longer than zero, not \(lease)")
        precondition(concurrency >= 1, "At least one saga is driven at a time, not \(concurrency)")
        precondition(maxCrashes >= 1, "A step can be called again after at least one crash, not \(maxCrashes)")
        precondition(retention > .zero, "Finished sagas are kept for longer than zero, not \(retention)")
        var plans: [SagaPlan] = []
        repeat plans.append((each definitions).plan)
        for (index, plan) in plans.enumerated() {
            let (name, version) = (plan.shape.name, plan.shape.version)
            let isOther = !plans[..<index].contains { ($0.shape.name, $0.shape.version) == (name, version) }
            precondition(isOther, "Two definitions are \(name) v\(version)")
        }
        for migration in migrations {
            let isKnown = plans.contains { ($0.shape.name, $0.shape.version) == (migration.definition, migration.to) }
            precondition(isKnown, "\(migration.definition) v\(migration.to), to which a migration leads, is not given")
        }
        self.name = name
        self.store = store
        self.plans = plans
        self.migrations = migrations
        self.lease = lease
        self.concurrency = concurrency
        self.maxCrashes = maxCrashes
        self.retention = retention
        self.randomness = randomness
        self.clock = clock
        time = TimeSource(clock)
        self.onEvent = onEvent
    }

    var headers: String { "sagas/\(name)" }
    private var log: String { "saga-log/\(name)" }
    private var mail: String { "saga-mail/\(name)" }

    func headerID(_ sagaID: String) -> RecordID { RecordID(headers, sagaID) }
    func mailID(_ sagaID: String) -> RecordID { RecordID(mail, sagaID) }
    func entryID(_ sagaID: String, _ number: Int) -> RecordID { RecordID(log, "\(sagaID)/\(number)") }

    func report(_ kind: SagaEvent.Kind, _ run: SagaRun) { report(kind, run.id.key, run.header.shape) }

    func report(_ kind: SagaEvent.Kind, _ sagaID: String, _ shape: SagaShape?) {
        onEvent?(SagaEvent(coordinator: name, definition: shape?.name ?? "", sagaID: sagaID, kind: kind))
    }
}
