// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a record's state says of its item.
enum ItemState: String {
    /// Waiting, and nothing has failed yet since it was put or redriven.
    case ready
    /// Waiting after a failure.
    case retrying
    /// Handed to a handler, which has not settled it yet. Whoever claims it like that knows that the handler is gone.
    case running
}

/// An item that this process holds, and what each verb makes of it. A pure value: it knows no store.
struct HeldItem: Sendable {
    /// How often an item may fail and crash before it goes to the dead letters.
    struct Limits: Hashable, Sendable {
        var failures: Int
        var crashes: Int
    }

    /// The record without its bytes.
    private(set) var record: Record
    private(set) var body: ItemBody
    /// Whether the handler that had it before is gone without having settled it.
    let hasCrashed: Bool

    init(_ record: Record) throws(ItemBody.Unreadable) {
        body = try ItemBody(decoding: record.body)
        self.record = record
        self.record.body = []
        hasCrashed = record.state == ItemState.running.rawValue
        if hasCrashed { body.crashes += 1 }
    }

    /// Why it must not be handed to a handler any more; `nil` if it may.
    func reasonToGiveUp(_ limits: Limits, now: Timestamp) -> DeadLetterReason? {
        if body.crashes >= limits.crashes { return .crashLoop }
        // Only an item that a redrive or a lower limit has brought back reaches this before it fails.
        if body.failures >= limits.failures { return .attemptsExhausted }
        if let timeToLive = body.timeToLive, record.createdAt.duration(to: now) >= timeToLive { return .expired }
        return nil
    }

    /// What a handler is given.
    var item: WorkItem {
        WorkItem(
            id: record.id.key, payload: body.payload, headers: record.headers, orderKey: record.orderKey,
            position: record.position, enqueuedAt: record.createdAt, delivery: body.deliveries,
            failures: body.failures, crashes: body.crashes, redriveCount: body.redrives, history: body.history)
    }

    // MARK: Changes

    /// The item is about to be handed to a handler; from now on its end without a word counts.
    mutating func start(lease: Duration) -> Change {
        body.deliveries += 1
        return replace(.running, due: .unchanged, lease: .extend(lease))
    }

    /// The record as the answer to ``start(lease:)`` says that it stands.
    mutating func hasStarted(under fence: Fence, at now: Timestamp, lease: Duration) {
        record.changedUnder = record.fence
        record.fence = fence
        record.leaseUntil = now.advanced(by: lease)
    }

    /// The hold ends then at the earliest; `nil` if that is not known.
    mutating func isHeld(until end: Timestamp?) { record.leaseUntil = end }

    /// The item goes back as if nobody had had it, but for the count of its deliveries.
    func releasing(due delay: Duration) -> Change {
        replace(waiting, due: .after(delay), lease: .end)
    }

    private var waiting: ItemState { body.failures > 0 ? .retrying : .ready }

    /// The item goes back to its place: it was never started.
    var handingBack: Change { replace(waiting, due: .unchanged, lease: .end) }

    /// One more failure.
    mutating func addFailure(_ error: any Error, at now: Timestamp) {
        body.failures += 1
        body.history.append(DeadLetterFailure(error, time: now))
    }

    func retrying(due delay: Duration) -> Change { replace(.retrying, due: .after(delay), lease: .end) }

    var completing: Change { .delete(record.id, expecting: record.fence) }

    /// The letter that the item becomes.
    func letter(_ reason: DeadLetterReason, from queue: String, id: String) -> NewDeadLetter {
        let record = record
        return NewDeadLetter(
            id: id, reason: reason,
            origin: DeadLetterOrigin(
                source: queue, id: record.id.key, position: record.position, orderKey: record.orderKey),
            payload: body.payload, headers: record.headers, failures: body.history, enqueuedAt: record.createdAt)
    }

    private func replace(_ state: ItemState, due: RecordContent.When, lease: LeaseChange) -> Change {
        .replace(
            record.id, expecting: record.fence,
            with: RecordContent(
                state: state.rawValue, body: body.encoded(), headers: record.headers, orderKey: record.orderKey,
                due: due, expires: .unchanged),
            lease: lease)
    }
}
