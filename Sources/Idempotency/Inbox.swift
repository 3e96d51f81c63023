// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Handles each message of an at-least-once source once per consumer, however often it is delivered.
///
/// ```swift
/// let inbox = Inbox("orders", store: store)
///
/// for try await message in queue.messages {
///     do {
///         try await inbox.handle(messageID: message.id, consumer: "stock") { context in
///             try await reserve(message.items, under: context.fence)
///         }
///         try await message.acknowledge()
///     } catch let error as IdempotencyInFlight {
///         try await message.reject(redeliverAfter: error.retryAfter)
///     } catch {
///         try await message.reject()
///     }
/// }
/// ```
///
/// The rule is one: acknowledge when ``handle(messageID:consumer:_:)`` returns, and never when it throws. A message is
/// marked after it has been handled, never before, so whatever ends a handling early leaves it to the next delivery.
///
/// **What once means.** No inbox can make an arbitrary effect happen exactly once: between the effect and the mark the
/// process may end, and then the next delivery handles the message again. Three things make it as good as once. The
/// consumer's own records change in the same commit as the mark, with ``IdempotencyContext/alsoCommit(_:)``: both are in
/// or neither is. A service that recognises keys gets the same one each time, ``IdempotencyContext/downstreamKey(_:)``.
/// And an effect that is idempotent by itself needs nothing. For all others the handler runs at least once.
///
/// To run again is a consumer's nature, so an outcome that nobody knows is never parked here
/// (``UnknownPolicy/reexecute``). Where running twice is the greater harm, use an ``IdempotentOperation`` with
/// ``UnknownPolicy/park``.
///
/// An inbox is a thin layer over an ``IdempotentOperation``. It compares identifiers alone, and no fingerprints: two
/// messages that the source gives the same identifier are the same to it.
public struct Inbox: Sendable {
    /// The bytes of UTF-8 that a source's name may have; less than of the other names, for a prefix of the inbox's own.
    public static let allowedSource = 1...IdempotencyKey.allowed.upperBound - prefix.utf8.count

    /// Keeps the keys of inboxes apart from those of operations in the same store.
    private static let prefix = "inbox/"

    private let operation: IdempotentOperation<Void>

    /// The inbox of a source, which keeps its marks in `store`.
    ///
    /// - Parameters:
    ///   - source: Where the messages come from and where their identifiers are unique, such as a queue; the same in
    ///     every process and version, 1 to 249 bytes, no control characters. The marks are the keys of an operation that
    ///     is called `inbox/` and the source; no other operation of the store may have that name.
    ///   - store: Where the marks are kept. What its answers survive is what the marks survive.
    ///   - retention: How long a message is remembered after it was handled; 7 days unless given, 36,500 at most. At
    ///     least as long as the source keeps messages, plus the longest time after which one is redriven from its dead
    ///     letters: a delivery that comes later is handled as a new message.
    ///   - lease: How long a handling has the message to itself after its last sign of life; it is renewed while the
    ///     handler runs, so it says how soon another delivery takes over after a crash.
    ///   - longestHold: For how long a handling is renewed.
    ///   - clock: Measures renewals. The store has a time of its own.
    ///   - onEvent: Told what happens to the marks, after it is durable. The operation's name is `inbox/` and the source,
    ///     the key's tenant is the consumer.
    public init(
        _ source: String, store: any IdempotencyStore, retention: Duration = .seconds(7 * 86_400),
        lease: Duration = .seconds(30), longestHold: Duration = .seconds(3_600),
        clock: any Clock<Duration> = ContinuousClock(), onEvent: (@Sendable (IdempotencyEvent) -> Void)? = nil
    ) {
        precondition(
            Self.allowedSource.contains(source.utf8.count),
            "A source has a name of \(Self.allowedSource) bytes, not \(source.utf8.count)")
        operation = IdempotentOperation(
            Self.prefix + source, store: store, codec: .void, lease: lease, longestHold: longestHold,
            retention: retention, ifUnknown: .reexecute,
            // Even a rejection leaves the checkpoint and the count to the next delivery.
            classify: { result in if case .failure = result { .unknown } else { .store } },
            clock: clock, onEvent: onEvent)
    }

    /// The inbox of a source, which keeps its marks among the records of `store`; else as the other one.
    public init(
        _ source: String, store: some RecordStore, retention: Duration = .seconds(7 * 86_400),
        lease: Duration = .seconds(30), longestHold: Duration = .seconds(3_600),
        clock: any Clock<Duration> = ContinuousClock(), onEvent: (@Sendable (IdempotencyEvent) -> Void)? = nil
    ) {
        self.init(
            source, store: RecordIdempotencyStore(store), retention: retention, lease: lease, longestHold: longestHold,
            clock: clock, onEvent: onEvent)
    }

    /// Runs the handler, unless this consumer has handled the message before, and then marks it as handled.
    ///
    /// Consumers are independent: each handles every message. The handler runs in a child of the caller's task, in the
    /// caller's isolation. ``IdempotencyContext/attempt`` counts the deliveries that were taken up, this one included and
    /// those not that found the message in other hands. After a handler that threw, was cancelled or went down with its
    /// process, the next delivery handles the message again, from ``IdempotencyContext/checkpoint`` on if the handler
    /// wants; so also after an error that is a `NotApplied`.
    ///
    /// If the task is cancelled before the handler starts, nothing runs.
    ///
    /// - Parameters:
    ///   - messageID: The message's identifier, the same in every delivery; 1 to 255 bytes of UTF-8 without control
    ///     characters. It is stored whole: nothing is hashed or cut, so no two messages become one.
    ///   - consumer: Who handles the message; as long as the identifier may be.
    ///   - handler: Handles the message. It may run again; see the type's promise.
    /// - Throws: the handler's error; ``IdempotencyInFlight`` if another delivery is being handled: have it delivered
    ///   again after that time and count no attempt; ``IdempotencyKeyRefused`` naming the part that is not taken, which
    ///   no delivery will change; `StoreError` if the store failed before the handler could run;
    ///   ``IdempotencyUnsettled`` if the message was handled and the mark may be missing, or a change alongside met a
    ///   conflict; ``IdempotencyLeaseLost`` if it was handled and another delivery has taken over meanwhile;
    ///   ``IdempotencyRecordUnreadable``; `CancellationError`.
    @discardableResult
    public func handle(
        messageID: String, consumer: String, _ handler: @escaping (IdempotencyContext) async throws -> Void
    ) async throws -> InboxOutcome {
        let key = try key(messageID, consumer)
        return switch try await operation.run(key, fingerprint: .none, handler).origin {
        case .replayed(let firstHandledAt, _): .duplicate(firstHandledAt: firstHandledAt)
        case .fresh, .unprotected: .handled
        }
    }

    /// Removes what is kept of a message that was given up without having been handled, such as one that has gone to
    /// the dead letters.
    ///
    /// What failed handlings leave behind never expires, because the next delivery may come at any time. One that comes
    /// afterwards all the same, as a redrive does, is handled from the beginning. A message that was handled stays
    /// remembered, and of one that is not known there is nothing to remove.
    ///
    /// - Throws: ``IdempotencyInFlight`` if a delivery is being handled; ``IdempotencyKeyRefused``;
    ///   ``IdempotencyRecordUnreadable``; `StoreError`.
    public func forget(messageID: String, consumer: String) async throws {
        let key = try key(messageID, consumer)
        guard let entry = try await operation.store.read(key) else { return }
        do {
            try await operation.resolve(key, as: .released, of: entry.execution.fence)
        } catch is IdempotencyNothingToResolve {
            // Handled, or forgotten by another call meanwhile.
        } catch is IdempotencyOutcomeUnknown {
            // Another delivery came and went since the look.
            throw IdempotencyInFlight(key: key, retryAfter: .zero)
        }
    }

    private func key(_ messageID: String, _ consumer: String) throws(IdempotencyKeyRefused) -> IdempotencyKey {
        try IdempotencyKey.check("message identifier", messageID)
        try IdempotencyKey.check("consumer", consumer)
        return try IdempotencyKey(tenant: consumer, operation: operation.name, key: messageID)
    }
}

/// What a delivery came to; in both cases the message has been handled and is to be acknowledged.
public enum InboxOutcome: Hashable, Sendable {
    /// The handler ran in this call, and the message is marked.
    case handled
    /// This consumer had handled the message before, and nothing ran; when that was marked, by the store's time.
    case duplicate(firstHandledAt: Timestamp)
}
