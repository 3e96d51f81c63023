// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Retrying
internal import Synchronization

/// An item in the hands of a handler, and the ways in which it leaves them.
///
/// Every verb is fenced: if the lease has passed and somebody else was given the item, it changes nothing and throws
/// ``DeliveryLost``. A lease that has passed with nobody else having been given the item does no harm. Settle once; what
/// is settled twice is lost the second time. The verbs ignore cancellation: what was begun is settled.
///
/// Every verb that ends the delivery takes changes of other records of the same store, at most 990, that are in together
/// with it, or not at all. If one of them does not find what it expected, it throws ``DeliveryConflict``, nothing is
/// changed, and the item is still held.
///
/// After a `StoreError` the item stands as it was, or, after `outcomeUnknown` of a store that could not be asked either,
/// may be settled: try again, or leave it to the lease.
public struct Delivery: Sendable {
    /// The item.
    public let item: WorkItem
    /// When the lease ends unless it is extended, in the store's time, as of the beginning.
    public let leaseUntil: Timestamp
    private let queue: WorkQueue
    private let hold: Hold
    /// When it was handed out, by the queue's clock.
    let receivedAt: Int64

    /// What all copies of a delivery have in hand.
    private final class Hold: Sendable {
        let item: Locked<HeldItem>
        init(_ item: HeldItem) { self.item = Locked(item) }
    }

    private var held: HeldItem { hold.item.withLock { $0 } }

    /// Grows with every delivery of the item.
    public let fence: Fence

    init(_ queue: WorkQueue, _ held: HeldItem, receivedAt: Int64) {
        self.queue = queue
        self.receivedAt = receivedAt
        hold = Hold(held)
        item = held.item
        fence = held.record.fence
        leaseUntil = held.record.leaseUntil ?? held.record.createdAt
    }

    /// The item is done, and removed.
    ///
    /// - Parameter changes: Changes of other records that are in together with it, or not at all.
    /// - Throws: ``DeliveryLost``; ``DeliveryConflict``; `StoreError`.
    public func complete(alsoCommit changes: [Change] = []) async throws {
        try await settle([held.completing] + changes)
        queue.report(item.id, .completed)
    }

    /// The item has failed: it is due again after the queue's back-off, or goes to the dead letters if it has failed as
    /// often as it may or the back-off is a list that has come to its end.
    ///
    /// - Parameters:
    ///   - error: What it failed with; kept in its history in bounded words. One that is `Permanent` sends it to the dead
    ///     letters at once, and one that is `RetryAdvising` is listened to.
    ///   - delay: How long to wait at least; by default what the back-off says.
    ///   - changes: Changes of other records that are in together with it, whatever becomes of the item.
    /// - Returns: What became of the item.
    /// - Throws: As ``complete(alsoCommit:)``.
    @discardableResult
    public func retry(
        after error: any Error, delay: Duration = .zero, alsoCommit changes: [Change] = []
    ) async throws -> ItemFate {
        if error is any Permanent { return try await deadLetter(.nonRetryable, error, alsoCommit: changes) }
        let now = try await queue.store.read([queue.id(item.id)]).now
        var failed = held
        failed.addFailure(error, at: now)
        if let reason = failed.reasonToGiveUp(queue.limits, now: now) {
            return try await giveUp(failed, reason, now, changes)
        }
        let backoff = queue.backoff.delay(afterAttempt: failed.body.failures, using: queue.randomness)
        guard let backoff else { return try await giveUp(failed, .attemptsExhausted, now, changes) }
        let wait = max(delay, backoff, (error as? any RetryAdvising)?.retryAfter ?? .zero)
        try await settle([failed.retrying(due: wait)] + changes)
        queue.report(item.id, .failed(error, retryAfter: wait))
        return .retries(after: wait)
    }

    /// The item goes back as it was and is due at once, or after a time; no failure is counted.
    ///
    /// - Parameters:
    ///   - delay: How long to wait; by default not at all.
    ///   - error: Why, for the event.
    ///   - changes: Changes of other records that are in together with it, or not at all.
    /// - Throws: As ``complete(alsoCommit:)``.
    public func release(
        after delay: Duration = .zero, because error: (any Error)? = nil, alsoCommit changes: [Change] = []
    ) async throws {
        try await settle([held.releasing(due: delay)] + changes)
        queue.report(item.id, .released(after: max(.zero, delay), because: error))
    }

    /// The item goes to the dead letters, in one commit.
    ///
    /// - Parameters:
    ///   - reason: Why it is given up.
    ///   - error: What it failed with, for its history.
    ///   - changes: Changes of other records that are in together with it, or not at all.
    /// - Throws: As ``complete(alsoCommit:)``.
    @discardableResult
    public func deadLetter(
        _ reason: DeadLetterReason, _ error: (any Error)? = nil, alsoCommit changes: [Change] = []
    ) async throws -> ItemFate {
        let now = try await queue.store.read([queue.id(item.id)]).now
        var failed = held
        if let error { failed.addFailure(error, at: now) }
        return try await giveUp(failed, reason, now, changes)
    }

    private func giveUp(
        _ item: HeldItem, _ reason: DeadLetterReason, _ now: Timestamp, _ changes: [Change]
    ) async throws -> ItemFate {
        switch try await queue.giveUp(item, reason, at: now, beside: changes) {
        case .settled: return .deadLettered(reason)
        // The queue has told it.
        case .lost: throw DeliveryLost(id: self.item.id)
        case .conflict(let conflict): throw DeliveryConflict(id: self.item.id, conflict: conflict)
        }
    }

    /// Holds the item until so long from now.
    ///
    /// - Returns: When the lease ends now, in the store's time.
    /// - Throws: ``DeliveryLost``; ``DeliveryHeldTooLong`` if the item would be held for longer than the queue allows in
    ///   all, and the lease stays as it is; `StoreError`.
    @discardableResult
    public func extend(by lease: Duration) async throws -> Timestamp {
        let end = queue.time.now().addingSaturating(lease.nanosecondsRoundedUp)
        guard end <= receivedAt.addingSaturating(queue.longestHold.nanosecondsRoundedUp) else {
            throw DeliveryHeldTooLong(id: item.id, limit: queue.longestHold)
        }
        do throws(StoreError) {
            let answer = try await queue.store.extend(queue.id(item.id), fence: fence, lease: lease)
            if case .extended(_, let until) = answer {
                hold.item.withLock { $0.isHeld(until: until) }
                return until
            }
        } catch {
            if !error.isNotApplied { hold.item.withLock { $0.isHeld(until: nil) } }
            throw error
        }
        throw lost()
    }

    private func settle(_ changes: [Change]) async throws {
        switch try await queue.settle(changes, under: held.record) {
        case .settled: return
        case .lost: throw lost()
        case .conflict(let conflict): throw DeliveryConflict(id: item.id, conflict: conflict)
        }
    }

    private func lost() -> DeliveryLost {
        queue.report(item.id, .lost)
        return DeliveryLost(id: item.id)
    }
}

/// What became of an item that was not done.
public enum ItemFate: Hashable, Sendable {
    /// It is due again after that time.
    case retries(after: Duration)
    /// It is among the dead letters.
    case deadLettered(DeadLetterReason)
}

/// The lease passed and somebody else was given the item, or it is gone; nothing was changed.
public struct DeliveryLost: Error, Hashable, CustomStringConvertible {
    /// The item's name.
    public let id: String
    /// What happened, for people.
    public var description: String { "the item \(id) has passed into other hands" }
}

/// A change beside a settlement did not find what it expected; nothing was changed, and the item is still held.
public struct DeliveryConflict: Error, Hashable, CustomStringConvertible {
    /// The item's name.
    public let id: String
    /// What was found. The index counts the item's own change as 0.
    public let conflict: CommitAnswer.Conflict
    /// What happened, for people.
    public var description: String { "change \(conflict.index) beside the settlement of \(id) met a conflict" }
}

/// An item would be held for longer than its queue allows in all; the lease stays as it is.
public struct DeliveryHeldTooLong: Error, Hashable, CustomStringConvertible {
    /// The item's name.
    public let id: String
    /// For how long a delivery can be held.
    public let limit: Duration
    /// What happened, for people.
    public var description: String { "the item \(id) would be held for longer than \(limit)" }
}
